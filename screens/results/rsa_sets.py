"""RSA over sets of units: clusters, layers, positions, a region of interest, each against the model RDM."""

from __future__ import annotations

from typing import Any

from rich.style import Style

from screens.painting import palette
from screens.painting.glyphs import signed_bar
from screens.painting.text import chance, number, short_space, thousands, visible
from screens.results.tables import Result, Told, View, paragraph, table, title
from screens.select.ranking_text import discoveries
from screens.widgets.lines import Cell, Column, Row

WIDE = 100
BAR = 9
DEFINITIONS = {
    "cluster": "the features of a cluster of the latest clusters.find, as one set",
    "layer": "all units of the stream at that layer, as one set",
    "position": "all features at that place of the window, as one set",
    "roi": "the features a contrast chose on one half of the sentences, tested on the other half",
}


def view(result: Result, width: int) -> View:
    """Everything `features.rsa` said of sets."""
    rows: list[Row] = []
    if result.get("note"):
        rows += paragraph("note", result["note"], width, palette.WARN)
    found = result["rows"]
    largest = max((abs(one["score"]) for one in found if one["score"] is not None), default=0.0)
    rows += table(
        "set", _columns(result, width), [(str(at), _row(one, result, largest, width)) for at, one in enumerate(found)]
    )
    told = {f"set:{at}": _told(one, result) for at, one in enumerate(found)}
    for at, one in enumerate(found):
        if one.get("features"):
            rows += _members(at, one, width)
    return View(_head(result), tuple(rows), told, {}, _told(None, result))


def _head(result: Result) -> tuple[tuple[str, Style], ...]:
    without = " without " + " and ".join(result["nuisance"]) if result.get("nuisance") else ""
    what = f"  {visible(result['stimuli'])}: RSA over {result['over']}, {visible(result['against'])}{visible(without)}"
    how = (
        f"  {result['statistic']} on {result['pool']} · {thousands(result['permutations'])} permutations · "
        f"{thousands(result['tested'])} tested, {thousands(result['undefined'])} undefined"
    )
    most, found = result["null_discoveries_max"], result["discoveries"]
    good = palette.GOOD if most is None or found > most else palette.WARN
    null = f" · shuffled sentences: median {number(result['null_discoveries'], 0)}, max {thousands(most)}"
    return (
        (what, palette.BOLD),
        (how, palette.PLAIN),
        (f"  {discoveries(found)} at q < {result['alpha']}{null if most is not None else ''}", good),
    )


def _columns(result: Result, width: int) -> tuple[Column, ...]:
    longest = max((len(str(one["name"])) for one in result["rows"]), default=8)
    name = min(longest, 22 if width < WIDE else 44)
    return (
        Column("set", name), Column("units", 5, "right"), Column(result["statistic"][:8], 8, "right"),
        Column("effect", 8, "right"), Column("p", 6, "right"), Column("q", 6, "right"), Column("fwer", 6, "right"),
        Column("- fit +", BAR),
    )  # fmt: skip


def _row(one: dict[str, Any], result: Result, largest: float, width: int) -> list[Cell]:
    name = short_space(visible(one["name"])) if width < WIDE else visible(one["name"])
    if one["status"] != "ok":
        return [name, thousands(one["size"]), *["–"] * 5, (one["status"], palette.WARN)]
    found = one["q"] is not None and one["q"] < result["alpha"]
    style = palette.GOOD if one["score"] > 0 else palette.BAD
    return [
        name, thousands(one["size"]), number(one["score"]), number(one["effect"], sign=True),
        chance(one["p"]), (chance(one["q"]), palette.BOLD if found else palette.DIM), chance(one["p_fwer"]),
        (signed_bar(one["score"], largest, BAR), style),
    ]  # fmt: skip


def _members(at: int, one: dict[str, Any], width: int) -> list[Row]:
    """The features of a set that names them."""
    listed = " ".join(f"#{index}" for index in one["features"])
    more = f" and {one['size'] - len(one['features'])} more" if one["size"] > len(one["features"]) else ""
    half = f", tested on {one['sentences']} sentences" if one.get("sentences") else ""
    first = title(f"members{at}", "members of the sets") if at == 0 else []
    return first + paragraph(f"members{at}", f"{one['name']}{half}: {listed}{more}", width)


def _told(one: dict[str, Any] | None, result: Result) -> Told:
    sentences = one.get("sentences") if one else None
    counted = thousands(sentences if sentences is not None else result.get("sentences"))
    what = DEFINITIONS.get(result["over"], "a set of units, as one")
    facts = [
        (
            "definition",
            f"score: {result['statistic']} of the squared distances that the set sees between sentences with the model "
            f"RDM ({result['against']}); {what}. effect: the slope of squared distance on the model.",
        ),
        (
            "n",
            f"{counted} sentences, {thousands(result.get('masked'))} masked; {thousands(result['tested'])} sets tested",
        ),
    ]
    if one is not None and one["status"] == "ok":
        facts.append(("observed", f"{one['name']}: {number(one['score'])}, effect {number(one['effect'], sign=True)}"))
        facts.append(
            ("p", f"{chance(one['p'])}: permuted sentences whose score is as large, (b + 1) / (P + 1), one-sided")
        )
        facts.append(("fwer", f"{chance(one['p_fwer'])}: the same for the largest score of all sets"))
        facts.append(
            (
                "q",
                f"{chance(one['q'])}: a tail that the permutations do not limit, then Benjamini-Hochberg over the sets",
            )
        )
    elif one is not None:
        facts.append(("not tested", str(one["status"])))
    drawn = (
        "every permutation there is"
        if result.get("exhaustive")
        else f"{thousands(result['permutations'])} permutations"
    )
    facts.append(
        ("null", f"{drawn}; the units of a set are not stored one by one, so that it cannot be drawn again here")
    )
    return Told(tuple(facts))
