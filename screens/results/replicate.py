"""A replication: the two rankings beside each other, how far they agree, what held and what did not."""

from __future__ import annotations

from rich.style import Style

from screens.painting import palette
from screens.painting.text import chance, number, thousands, visible
from screens.results.tables import Result, Told, View, paragraph, table, title
from screens.select import effect_size
from screens.widgets.lines import Cell, Column, Row

WIDE = 100
NAMED = 10
"""Discoveries of the second ranking alone that a result names at most: so many may be more."""
OUTCOMES = {"held": palette.GOOD, "reversed": palette.BAD, "gone": palette.BAD, "not powered": palette.WARN}
DEFINITION = (
    "held: discovered both times with one sign. gone: not discovered the second time, and the 95 % interval of its "
    "standardised effect leaves the first one out. not powered: not discovered, but that interval still holds the "
    "first effect. reversed: discovered both times with opposite signs. not testable: undefined the second time, or "
    "without a partner."
)


def view(result: Result, width: int) -> View:
    """Everything `features.replicate` said."""
    rows = [*_agreement(result, width), *title("rows", "the first ranking's discoveries, once more")]
    rows += table("row", _columns(result, width), [(one["feature"], _row(one, result)) for one in result["rows"]])
    if result["new"]:
        rows += title("new", "discovered the second time only (features of the second ranking)")
        cells = [(str(one["index"]), _new(one)) for one in result["new"]]
        columns = (Column("new", 6, "right"), *_sides(result), Column("effect", 7, "right"))
        rows += table("fresh", columns, cells)
    told = {f"row:{one['feature']}": _told(one, result) for one in result["rows"]}
    told |= {f"fresh:{one['index']}": _fresh(result) for one in result["new"]}
    features = {f"row:{one['feature']}": one["feature"] for one in result["rows"]}
    return View(_head(result), tuple(rows), told, features, _about(result))


def _head(result: Result) -> tuple[tuple[str, Style], ...]:
    first, found = result["first"], result["agreement"]
    what = f"  {visible(first['stimuli'])} (line {first['seq']}) once more: {visible('; '.join(result['changed']))}"
    counts = f"  {result['held']} of {found['first']} held"
    lost = (
        f" · {result['gone']} gone · {result['not_powered']} not powered · {result['reversed']} reversed · "
        f"{result['not_testable']} not testable · {_new_count(result)} new"
    )
    good = palette.GOOD if found["first"] and result["held"] * 2 > found["first"] else palette.WARN
    return ((what, palette.BOLD), (counts + lost, good))


def _agreement(result: Result, width: int) -> list[Row]:
    """Both rankings, and the agreement of all their scores."""
    found, match = result["agreement"], result["match"]
    columns = (
        Column("ranking", 7), Column("found", 5, "right"), Column("tested", 6, "right"),
        Column("shuffled", 12, "right"), Column("stimuli, comparison"),
    )  # fmt: skip
    rows = table("side", columns, [(name, _side(name, result[name])) for name in ("first", "second")])
    rows += title("agree", "agreement")
    alike = (
        f"rank correlation of {thousands(found['compared'])} scores {number(found['rank_correlation'])}, of the "
        f"first's discoveries {number(found['of_discoveries'])}; {thousands(found['same_sign'])} of its "
        f"{thousands(found['first'])} discoveries have the same sign"
    )
    by_chance = (
        f"{thousands(found['both'])} discovered twice, by chance {number(found['expected'], 1)} (hypergeometric p "
        f"{chance(found['p'])}, as if features were independent: a scale, not a test)"
    )
    rows += paragraph("alike", alike, width) + paragraph("chance", by_chance, width)
    return rows + paragraph("match", _match(match, result), width)


def _match(match: Result, result: Result) -> str:
    told = f"features matched by {match['by']}"
    if match["reciprocal"] is None:
        return told
    cosine = "" if match["cosine"] is None else f", median cosine {number(match['cosine'], 2)}"
    shared = result.get("shared_partners") or 0
    twice = f", {shared} share a partner" if shared else ""
    return (
        f"{told}: {match['pairs']} pairs, {match['reciprocal']} each other's best, median correlation "
        f"{number(match['correlation'], 2)}{cosine}{twice}"
    )


def _side(name: str, head: Result) -> list[Cell]:
    null = f"med {number(head['null_discoveries'], 0)}, max {thousands(head['null_discoveries_max'])}"
    about = f"{visible(head['stimuli'])}: {visible(head['positive'])} against {visible(head['against'])}"
    return [(name, palette.BOLD), thousands(head["discoveries"]), thousands(head["tested"]), null, about]


def _sides(result: Result) -> tuple[Column, ...]:
    size = effect_size.name_of([one["first"] for one in result["rows"]])
    return (Column("t", 6, "right"), Column(size, 6, "right"), Column("q", 6, "right"))


def _columns(result: Result, width: int) -> tuple[Column, ...]:
    matched = result["match"]["reciprocal"] is not None
    pairing = (Column("r", 5, "right"), Column("cos", 5, "right")) if matched and width >= WIDE else ()
    sides = _sides(result)
    head = (Column("id", 6, "right"), *sides, Column("again", 6, "right"), *sides)
    return (*head, *pairing, Column("outcome", 12), Column("label"))


def _row(one: Result, result: Result) -> list[Cell]:
    first, second, match = one["first"], one["second"] or {}, one["match"] or {}
    again = f"#{second['index']}" if second else "–"
    cells: list[Cell] = [(f"#{one['index']}", palette.NAME), *_numbers(first), again, *_numbers(second)]
    columns = _columns(result, WIDE)
    if any(column.title == "cos" for column in columns):
        cells += [number(match.get("correlation"), 2), number(match.get("cosine"), 2)]
    return [*cells, (one["outcome"], OUTCOMES.get(one["outcome"], palette.DIM)), visible(one["label"])]


def _numbers(side: Result) -> list[Cell]:
    return [number(side.get("score"), 1), number(effect_size.value_of(side), 2), chance(side.get("q"))]


def _new_count(result: Result) -> str:
    """How many were discovered the second time only: those listed below the table, as in the shell."""
    return f"{len(result['new'])}{' or more' if len(result['new']) >= NAMED else ''}"


def _new(one: Result) -> list[Cell]:
    return [(f"#{one['index']}", palette.NAME), *_numbers(one), number(one["effect"], sign=True)]


def _told(one: Result, result: Result) -> Told:
    first, second, match = one["first"], one["second"], one["match"]
    facts = [("outcome", f"{one['outcome']}. {DEFINITION}"), ("first", _said(first))]
    facts.append(("second", _said(second) if second else "no partner, so that nothing was tested"))
    if match:
        each = "each other's best" if match["reciprocal"] else "not each other's best"
        facts.append(("match", f"correlation {number(match['correlation'])}, cosine {number(match['cosine'])}, {each}"))
    facts.append(("null", "the histogram below is of the first ranking; the second's draws are not kept"))
    return Told(tuple(facts), one["feature"], int(result["first"]["seq"]))


def _said(side: Result) -> str:
    name = f"#{side['index']}: " if "index" in side else ""
    size = f"{effect_size.name_of([side])} {number(effect_size.value_of(side), 2)}"
    return (
        f"{name}t {number(side['score'], 2)}, effect {number(side['effect'], sign=True)}, {size}, "
        f"p {chance(side['p'])}, q {chance(side['q'])}"
    )


def _fresh(result: Result) -> Told:
    second = result["second"]
    told = (
        f"discovered in the second ranking (q < {second['alpha']}) by a feature whose partner in the first was "
        f"not; t, d, "
        "p and q as in any contrast"
    )
    return Told((("definition", told), ("n", _n(second)), ("null", "the second ranking's draws are not kept")))


def _n(head: Result) -> str:
    counts = head.get("categories") or {}
    sides = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{sides or 'as in its ranking'}; {head['permutations']} permutations, seed {head['seed']}"


def _about(result: Result) -> Told:
    facts = (
        (
            "definition",
            f"the same contrast made twice; rank correlation: Spearman over all matched features. {DEFINITION}",
        ),
        ("n", f"{thousands(result['agreement']['compared'])} features compared; second: {_n(result['second'])}"),
        ("null", "of the overlap: hypergeometric, as if features were independent; of a row: press w on it"),
    )
    return Told(facts)
