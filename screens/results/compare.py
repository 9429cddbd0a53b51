"""A comparison of ways to select features: one table of honest accuracies, the leaky ones as a warning, two tests."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from rich.style import Style

from screens.painting import palette
from screens.painting.text import chance, number, percent, thousands, visible
from screens.results.tables import Result, Told, View, paragraph, span, table, title, with_interval
from screens.widgets.lines import Cell, Column, Row

ARMS = (
    Column("", 1), Column("method", 22), Column("held out", 8, "right"), Column("95 %", 8),
    Column("shuffled", 8, "right"), Column("LEAKY!", 6, "right"), Column("target", 6, "right"), Column("target AUC"),
)  # fmt: skip
ACCURACY = (
    Column("pair", 5),
    Column("diff.", 6, "right"), Column("95 %", 13), Column("t", 6, "right"), Column("p", 6, "right"),
    Column("Holm", 6, "right"), Column("items", 6, "right"), Column("methods"),
)  # fmt: skip
TARGET = (
    Column("pair", 5),
    Column("diff.", 6, "right"), Column("95 %", 13), Column("p", 6, "right"), Column("Holm", 6, "right"),
    Column("methods"),
)  # fmt: skip
ON_STIMULI = "test 1: do they decode held-out stimuli better? (accuracy over folds)"
ON_CORPUS = "test 2: do they find the concept in the corpus? (AUC over sentences)"


def view(result: Result, width: int) -> View:
    """Everything `features.compare` said."""
    signs = _signs(result)
    rows: list[Row] = table("arm", ARMS, [(one["arm"], _arm(one, signs)) for one in result["arms"]])
    warning = (
        "LEAKY! is a warning, never a result: features were selected on all stimuli, those they are scored on "
        "included. target: share of its strongest corpus sentences that hold the concept; target AUC: of all of them"
    )
    rows += paragraph("leaky", warning, width, palette.WARN)
    rows += title("verdict", "what the tests support")
    for at, line in enumerate(result["verdict"]):
        rows += paragraph(f"verdict:{at}", f"- {line}", width)
    for at, line in enumerate(result["missing"]):
        rows += paragraph(f"missing:{at}", f"missing: {line}", width, palette.WARN)
    rows += _tests(result) + _found(result, width)
    told = {f"arm:{one['arm']}": _told_arm(one, result) for one in result["arms"]}
    told |= {f"accuracy:{_pair(one)}": _told_accuracy(one, result) for one in result["tests"]}
    told |= {f"target:{_pair(one)}": _told_target(one, result) for one in result["tests"] if one["target"]}
    features = {f"arm:{one['arm']}": one["chosen"][0]["feature"] for one in result["arms"] if one["chosen"]}
    return View(_head(result), tuple(rows), told, features, _about(result))


def _head(result: Result) -> tuple[tuple[str, Style], ...]:
    what = f"  {visible(result['stimuli'])}: {visible(result['positive'])} against {visible(result['against'])}"
    how = f"  {result['k']} features in each, {_n(result)}, {result['shuffles']} label shuffles"
    chance_level = f"  the larger class is {result['majority']:.2f} · shuffled: the same with labels that mean nothing"
    return (what, palette.BOLD), (how, palette.PLAIN), (chance_level, palette.DIM)


def _n(result: Result) -> str:
    counts = result["categories"]
    grouped = f" in {result['grouped']} groups" if result["grouped"] else ""
    return f"{sum(counts.values())} stimuli{grouped}, {result['repeats']} x {result['folds']} folds"


def _signs(result: Result) -> dict[str, str]:
    """A letter for each method, by which the tests name their pairs."""
    return dict(zip((one["arm"] for one in result["arms"]), ascii_lowercase, strict=False))


def _arm(one: dict[str, Any], signs: dict[str, str]) -> list[Cell]:
    target = "–" if one["concept_auc"] is None else with_interval(one["concept_auc"])
    return [
        signs.get(one["arm"], ""),
        (one["arm"], palette.NAME), (f"{one['accuracy']:.3f}", palette.BOLD), span(*one["interval"]),
        number(one["null_accuracy"], 2), (f"{one['leaky_accuracy']:.3f}", palette.WARN),
        "–" if one["on_concept"] is None else percent(one["on_concept"][0]), target,
    ]  # fmt: skip


def _pair(one: dict[str, Any]) -> str:
    return f"{one['a']} | {one['b']}"


def _tests(result: Result) -> list[Row]:
    """Both kinds of tests, the surest first, so that one is never read for the other."""
    alpha = result["alpha"]
    first = sorted(result["tests"], key=lambda one: (one["p_holm"], one["p"]))
    rows = title("accuracy", ON_STIMULI)
    signs = _signs(result)
    rows += table("accuracy", ACCURACY, [(_pair(one), _accuracy(one, alpha, signs)) for one in first])
    aimed = sorted((one for one in result["tests"] if one["target"]), key=lambda one: one["target"]["p_holm"])
    rows += title("target", ON_CORPUS)
    if not aimed:
        return [*rows, Row("target:none", ((f"not tested: {visible(_unaimed(result))}", palette.WARN),))]
    return rows + table("target", TARGET, [(_pair(one), _target(one, alpha, signs)) for one in aimed])


def _unaimed(result: Result) -> str:
    return "no corpus was read" if not result["corpus"]["sentences"] else "nobody planted this concept in the corpus"


def _accuracy(one: dict[str, Any], alpha: float, signs: dict[str, str]) -> list[Cell]:
    return [
        (_letters(one, signs), palette.NAME),
        f"{one['difference']:+.3f}", _ends(one["interval"]), number(one["t"], 1), chance(one["p"]),
        (chance(one["p_holm"]), palette.BOLD if one["p_holm"] < alpha else palette.DIM), chance(one["p_items"]),
        f"{one['a']} - {one['b']}",
    ]  # fmt: skip


def _target(one: dict[str, Any], alpha: float, signs: dict[str, str]) -> list[Cell]:
    found = one["target"]
    return [
        (_letters(one, signs), palette.NAME),
        f"{found['difference']:+.3f}", _ends(found["interval"]), chance(found["p"]),
        (chance(found["p_holm"]), palette.BOLD if found["p_holm"] < alpha else palette.DIM), f"{one['a']} - {one['b']}",
    ]  # fmt: skip


def _letters(one: dict[str, Any], signs: dict[str, str]) -> str:
    return f"{signs.get(one['a'], '?')} - {signs.get(one['b'], '?')}"


def _ends(interval: list[float]) -> str:
    return f"{interval[0]:+.3f}…{interval[1]:+.3f}"


def _found(result: Result, width: int) -> list[Row]:
    """The strongest corpus sentence of each ensemble."""
    if not any(one["sentences"] for one in result["arms"]):
        return []
    rows = title("found", f"the strongest of {thousands(result['corpus']['sentences'])} corpus sentences for each")
    columns = (Column("method", 22), Column("concept", 11), Column("sentence"))
    cells: list[tuple[str, list[Cell]]] = [
        (one["arm"], [(one["arm"], palette.NAME), visible(str(first["concept"] or "–")), visible(first["text"])])
        for one in result["arms"]
        for first in one["sentences"][:1]
    ]
    return (
        rows + table("found", columns, cells) + paragraph("judge", result["target"]["judge_reason"], width, palette.DIM)
    )


# --- why


def _told_arm(one: dict[str, Any], result: Result) -> Told:
    facts = [
        ("definition", f"{one['method']} chooses {result['k']} {one['space']} features in the training part of "
                       f"each fold; a "
                       "balanced L2 logistic decoder on them is scored on the part held out. leaky: the same folds, "
                       "features chosen once on all stimuli"),
        ("n", _n(result)),
        ("observed", f"held out {one['accuracy']:.3f} {span(*one['interval'])} (Wilson, over stimuli), AUC "
                     f"{number(one['auc'])}; leaky {one['leaky_accuracy']:.3f}, a warning"),
    ]  # fmt: skip
    if one["null_accuracy"] is None:
        facts.append(("null", "no label shuffles were asked for"))
    else:
        facts.append(("null", f"{result['shuffles']} label shuffles: mean {one['null_accuracy']:.3f}, largest "
                              f"{one['null_max']:.3f}, leaky mean {one['null_leaky']:.3f}; single draws are not "
                              f"kept, so "
                              "that there is no histogram"))  # fmt: skip
        facts.append(("p", f"{chance(one['p_null'])} = (shuffles as good + 1) / ({result['shuffles']} + 1)"))
    chosen = ", ".join(f"#{item['feature'].rpartition('#')[2]} {percent(item['share'])}" for item in one["chosen"][:8])
    facts.append(("chosen", f"{chosen} of the folds"))
    if one["concept_auc"] is not None:
        facts.append(("on target", f"of its {len(one['sentences'])} strongest corpus sentences "
                                   f"{with_interval(one['on_concept'])} hold the concept; AUC over all "
                                   f"{thousands(result['corpus']['sentences'])} "
                                   f"{with_interval(one['concept_auc'])}"))  # fmt: skip
    return Told(tuple(facts))


def _told_accuracy(one: dict[str, Any], result: Result) -> Told:
    return Told((
        ("definition", "difference of two held-out accuracies on the same folds. t, p: the corrected resampled t of "
                       "Nadeau and Bengio, as training parts overlap. items: sign flips of the difference, stimulus by "
                       "stimulus. Holm: p over all pairs of this test"),
        ("n", f"{_n(result)}, {one['df']} degrees of freedom; {len(result['tests'])} pairs"),
        ("observed", f"{_pair(one)}: {one['difference']:+.3f} {_ends(one['interval'])}, t {number(one['t'], 2)}, p "
                     f"{chance(one['p'])}, Holm {chance(one['p_holm'])}, items {chance(one['p_items'])}"),
        ("null", "Student's t with those degrees of freedom: a formula, so that there is no histogram"),
    ))  # fmt: skip


def _told_target(one: dict[str, Any], result: Result) -> Told:
    found = one["target"]
    return Told((
        ("definition", "difference of two AUCs: does the ensemble rank the corpus sentences of the concept above the "
                       "others? DeLong's test, sentences of one document counted together (Obuchowski). It says "
                       "nothing of other ensembles that other stimuli would have chosen"),
        ("n", f"{thousands(result['corpus']['sentences'])} sentences of {visible(result['corpus']['name'])}, the "
              f"concept in {percent(result['target']['concept_rate'])}"),
        ("observed", f"{_pair(one)}: {found['difference']:+.3f} {_ends(found['interval'])}, p "
                     f"{chance(found['p'])}, Holm {chance(found['p_holm'])}"),
        ("null", "the normal distribution: a formula, so that there is no histogram"),
    ))  # fmt: skip


def _about(result: Result) -> Told:
    return Told((
        ("definition", "ways to select features, by what a decoder on the chosen few gets right on stimuli that took "
                       "no part in the choice. Test 1 is about these held-out stimuli, test 2 about corpus sentences"),
        ("n", _n(result)),
        ("null", f"{result['shuffles']} label shuffles for each method; put the cursor on a method"),
    ))  # fmt: skip
