"""Rankings of features as tables, and contrast maps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.rsa import rsa
from commands.render.tables import ONE_MORE, Result, chance, finer_q, fixed, number, table, visible

NARROW = 100
"""Below this width the less needed effect sizes are left out."""
MAP_NAMES, MAP_GAP = 10, 2
"""Cells of the first column of a map and of the gap before each place."""
SIZES = {"auc": "auc", "rate_difference": "rate"}
"""Effect sizes that a ranking may lack (a factorial one, a probe), and their columns, shown where there are numbers."""
MIRRORED = 1.5
"""Least p times labellings: 1, or 2 where the extreme one comes twice."""
SYMBOLS = {"welch": "t", "paired": "paired t", "mann_whitney": "z", "rate": "t", "factorial": "t"}


def ranking(result: Result, console: Console) -> None:
    """A ranking: what was tested, what was found, and its rows."""
    head = result.get("ranking", result)
    if head.get("kind") == "rsa":
        rsa(result, console)
        return
    console.print(
        Text(visible(f"{head['stimuli']}: {head['positive']} against {head['against']}; {_how(head)}"), "bold")
    )
    console.print(
        Text(
            f"{head['discoveries']} of {head['tested']} features at q < {head['alpha']}; shuffled labels find "
            f"{number(head['null_discoveries'], 0)} (median), {head['null_discoveries_max']} (most) of 20 shuffles; "
            f"{head['undefined']} undefined{_left_out(head)}; {head['space']}"
        )
    )
    ranked_rows(result["rows"][:20], str(head["statistic"]), console, floor_of(head))
    if len(result["rows"]) > 20:
        console.print(Text(f"20 of {len(result['rows'])} rows given (--json has them all; `features list` pages)"))
    for effect in result.get("effects") or []:
        _effect(effect, head, console)
    if result.get("map"):
        contrast_map(result["map"], head, console)


def ranked_rows(rows: list[dict[str, Any]], statistic: str, console: Console, floor: str = ONE_MORE) -> None:
    """Rows of a ranking with their tests and effect sizes."""
    wide = console.width >= NARROW
    symbol = SYMBOLS.get(statistic, "score")
    known = {key: name for key, name in SIZES.items() if wide and any(row.get(key) is not None for row in rows)}
    d = size_of(rows)
    names = ["rank", "feature", "effect", d, symbol, "p", "fwer", "q", *known.values()]
    columns = [(name, True) for name in names] + [("", False)]
    table(console, columns, [_cells(row, d, known) for row in rows])
    finer_q(rows, console, floor)


def size_of(rows: list[dict[str, Any]]) -> str:
    """The standardised effect of some rows: d_z where pairs were tested, else Cohen's d."""
    return "d_z" if any(row.get("d_z") is not None for row in rows) else "d"


def _cells(row: dict[str, Any], d: str, known: Iterable[str]) -> list[Any]:
    return [
        f"{row['rank']}=" if row["tie"] else row["rank"], f"#{row['index']}", number(row["effect"]),
        number(row[d], 2), number(row["score"], 2), chance(row["p"]), chance(row["p_fwer"]), chance(row["q"]),
        *(_two(row.get(key)) for key in known), row["label"],
    ]  # fmt: skip


def _two(value: float | None) -> str:
    """A share with two digits, however small."""
    return "-" if value is None else f"{value:.2f}"


def _how(head: dict[str, Any]) -> str:
    """The test of a ranking in one line."""
    window = "" if head.get("window", "whole") == "whole" else f" of {head['window']} {head['width'] or ''}".rstrip()
    pairs = f", {head['pairs']['whole']} matched items" if head.get("pairs") else ""
    rule = ", q by Benjamini-Yekutieli" if head.get("fdr") == "by" else ""
    drawn = f"all {head['relabellings']} relabellings" if counted(head) else f"{head['permutations']} permutations"
    return f"{head['statistic']} on {head['pool']}{window}, {drawn}{pairs}{rule}, seed {head['seed']}"


def counted(head: dict[str, Any]) -> bool:
    """Whether a contrast counted every relabelling there is."""
    return bool(head.get("exhaustive") and head.get("relabellings"))


def mirrored(head: dict[str, Any]) -> bool:
    """Whether one of the relabellings counted is the mirror image of the real labels, which has the same |t|."""
    least = head.get("min_p")
    return counted(head) and least is not None and least * (head["relabellings"] + 1) > MIRRORED


def floor_of(head: dict[str, Any]) -> str:
    """The least p of a ranking, in words."""
    if not mirrored(head):
        return ONE_MORE
    others = head["relabellings"]
    return f"{number(head['min_p'], 4)} = 2 / ({others} + 1), as a labelling and its mirror image give the same |t|"


def _left_out(head: dict[str, Any]) -> str:
    """Sentences that a window or a missing match takes out."""
    masked = sum((head.get("masked") or {}).values())
    alone = (head.get("pairs") or {}).get("left_out", 0)
    return (f"; {masked} sentences masked" if masked else "") + (
        f"; {alone} sentences without a match" if alone else ""
    )


def _effect(effect: dict[str, Any], head: dict[str, Any], console: Console) -> None:
    """One effect of a factorial design."""
    console.print(
        Text(
            visible(
                f"{effect['name']}: {effect['discoveries']} of {effect['tested']} at q < {head['alpha']}; shuffles "
                f"find {number(effect['null_discoveries'], 0)} (median), {effect['null_discoveries_max']} (most)"
            ),
            "bold",
        )
    )
    ranked_rows(effect["best"], "factorial", console)


def contrast_map(result: dict[str, Any], head: dict[str, Any], console: Console) -> None:
    """A contrast place by place: t of the features with the strongest cells, `*` where the family-wise p is small."""
    console.print(
        Text(
            f"{SYMBOLS.get(head['statistic'], 'score')} by {result['over']}; * family-wise p < {head['alpha']} over "
            f"all {result['tested']} cells ({result['family_wise']} such cells, {result['discoveries']} at "
            f"q < {head['alpha']}, {result['undefined']} undefined)",
            "bold",
        )
    )
    if said := result.get("quantity"):
        console.print(Text(f"each cell tests {said}"))
    names = [place.removesuffix(".hook_resid_post") for place in result["places"]]
    cells = [[_map_cell(t, p, head["alpha"]) for t, p in zip(row["t"], row["p_fwer"], strict=True)]
             for row in result["features"]]  # fmt: skip
    counts = [f"{count} " for count in result["sentences"]]
    widths = [max(len(text) for text in texts) for texts in zip(names, counts, *cells, strict=True)]
    for part in _beside(widths, console.width - MAP_NAMES):
        columns = [("feature", True), *((name, True) for name in names[part])]
        rows = [[f"#{row['index']}", *line[part]] for row, line in zip(result["features"], cells, strict=True)]
        table(console, columns, [["sentences", *counts[part]], *rows])


def _map_cell(t: float | None, p: float | None, alpha: float) -> str:
    """A statistic with its star; the place of the star is kept where there is none, so that numbers stand in line."""
    shown = fixed(t, 1) if t is not None and abs(t) < 0.1 else number(t, 1)  # an exponent hides how small it is
    return shown + ("*" if p is not None and p < alpha else " ")


def _beside(widths: list[int], room: int) -> list[slice]:
    """The places that fit beside each other, as many tables as it takes: a cut cell would lose its star."""
    parts, start, used = [], 0, 0
    for at, width in enumerate(widths):
        if at > start and used + width + MAP_GAP > room:
            parts.append(slice(start, at))
            start, used = at, 0
        used += width + MAP_GAP
    return [*parts, slice(start, len(widths))]


def stored_map(result: Result, console: Console) -> None:
    """A stored map with what it is a map of."""
    head = result["ranking"]
    console.print(
        Text(visible(f"{head['stimuli']}: {head['positive']} against {head['against']}; {_how(head)}"), "bold")
    )
    contrast_map(result["map"], head, console)
