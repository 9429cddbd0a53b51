"""Two rankings of features beside each other, as tables: what held in the second and what did not."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.rankings import size_of
from commands.render.tables import Result, chance, number, table, visible

MATCHED = 11
"""Columns of a replication without those of the match."""


def replication(result: Result, console: Console) -> None:
    """Two rankings beside each other: what held and what did not."""
    first, second, found = result["first"], result["second"], result["agreement"]
    changed = "; ".join(result["changed"])
    console.print(Text(visible(f"{first['stimuli']} (log line {first['seq']}) once more: {changed}"), "bold"))
    for name, head in (("first", first), ("second", second)):
        console.print(
            Text(
                visible(f"{name}: {head['discoveries']} of {head['tested']} at q < {head['alpha']}; shuffles find ")
                + f"{number(head['null_discoveries'], 0)} (median), {head['null_discoveries_max']} (most)"
            )
        )
    console.print(Text(f"features matched by {result['match']['by']}{_match_quality(result['match'])}"))
    console.print(
        Text(
            f"{result['held']} of {found['first']} discoveries held, {_lost(result)}, {result['reversed']} "
            f"reversed, {result['not_testable']} not testable; {len(result['new'])} new ones named below",
            "bold",
        )
    )
    if result["lost"] and "gone" in result:
        console.print(Text("gone: the interval of the second effect excludes the first; not powered: it holds it"))
    console.print(
        Text(
            f"rank correlation of {found['compared']} scores {number(found['rank_correlation'], 3)}, of the first's "
            f"discoveries {number(found['of_discoveries'], 3)}; {found['both']} discovered twice, by chance "
            f"{number(found['expected'], 1)} (hypergeometric p {chance(found['p'])}, as if features were independent)"
        )
    )
    d = size_of([row["first"] for row in result["rows"]])
    columns = [("feature", True), ("t", True), (d, True), ("q", True), ("again", True), ("t", True), (d, True),
               ("95 %", True), ("q", True), ("r", True), ("cos", True), ("", False), ("", False)]  # fmt: skip
    if not result["match"]["reciprocal"]:  # the same features have no r and no cosine to show
        columns = [column for column in columns if column[0] not in ("r", "cos")]
    table(console, columns, [_replicated(row, d, len(columns)) for row in result["rows"][:20]])
    if result["new"]:
        rows = [
            [f"#{row['index']}", number(row["score"], 2), number(row["d"], 2), chance(row["q"])]
            for row in result["new"]
        ]
        table(console, [("new", True), ("t", True), ("d", True), ("q", True)], rows)


def _match_quality(match: dict[str, Any]) -> str:
    if match["reciprocal"] is None:
        return ""
    cosine = "" if match["cosine"] is None else f", median cosine {number(match['cosine'], 2)}"
    return (
        f": {match['pairs']} pairs, {match['reciprocal']} of them each other's best, median correlation "
        f"{number(match['correlation'], 2)}{cosine}"
    )


def _lost(result: Result) -> str:
    """What was not found again; results of an older version do not tell why."""
    if "gone" not in result:
        return f"{result['lost']} lost"
    return f"{result['gone']} gone, {result['not_powered']} not powered to tell"


def _replicated(row: dict[str, Any], d: str, width: int) -> list[Any]:
    one, two, match = row["first"], row["second"] or {}, row["match"] or {}
    again = f"#{two['index']}" if two else "-"
    low, high = two.get("interval") or (None, None)
    matched = [number(match.get("correlation"), 2), number(match.get("cosine"), 2)] if width > MATCHED else []
    return [
        f"#{row['index']}", number(one["score"], 2), number(one.get(d), 2), chance(one["q"]), again,
        number(two.get("score"), 2), number(two.get(d), 2),
        "-" if low is None else f"[{number(low, 2)}, {number(high, 2)}]", chance(two.get("q")),
        *matched, row["outcome"], row["label"],
    ]  # fmt: skip
