"""A ranking as text: what was compared and what came out, and a row for each feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from screens.painting import palette
from screens.painting.glyphs import signed_bar
from screens.painting.text import chance, number, short_id, thousands, visible
from screens.select import effect_size
from screens.widgets.lines import Column, Row
from screens.widgets.painted import Piece

BAR = 7
"""Cells of the bar that shows the effect's size and sign."""
COLUMNS = (
    Column("rank", 4, "right"),
    Column("id", 6, "right"),
    Column("effect", 7, "right"),
    Column("d", 5, "right"),
    Column("auc", 4, "right"),
    Column("t", 6, "right"),
    Column("p", 6, "right"),
    Column("q", 6, "right"),
    Column("fwer", 5, "right"),
    Column("- eff +", BAR),
    Column("label"),
)
RSA_COLUMNS = (
    Column("rank", 5, "right"),
    Column("id", 6, "right"),
    Column("score", 7, "right"),
    Column("effect", 8, "right"),
    Column("t", 6, "right"),
    Column("p", 6, "right"),
    Column("q", 6, "right"),
    Column("fwer", 6, "right"),
    Column("- fit +", BAR),
    Column("label"),
)
"""Of a ranking by `features.rsa`; t stands only where RSA says nothing beyond t squared."""


def columns_of(score: str, rows: Sequence[dict[str, Any]]) -> tuple[Column, ...]:
    """The columns, with the names of the score and of the standardised effect."""
    named = {"t": score, "d": effect_size.name_of(rows)}
    return tuple(Column(named.get(one.title, one.title), one.width, one.align) for one in COLUMNS)


def ranking_lines(ranking: dict[str, Any]) -> list[list[Piece]]:
    """What was compared and what came out, against what chance gives."""
    stale = [(" STALE: it rests on something taken back", palette.BAD)] if ranking.get("stale") else []
    if ranking.get("older"):
        stale.append((" OLDER REVISION: its numbers changed on purpose since, see the Log", palette.BAD))
    rsa = ranking.get("kind") == "rsa"
    against = visible(ranking["against"])
    compared = f"RSA, {against}" if rsa else f"{visible(ranking['positive'])} against {against}"
    if ranking.get("effect"):
        place, names = ranking["effects"].index(ranking["effect"]), ranking["effects"]
        compared = f"{visible(ranking['effect'])} ({place + 1} of {len(names)}, E): {compared}"
    beyond = [(" · two halves: nothing beyond t squared", palette.WARN)] if ranking.get("note") else []
    return [
        [
            (f"  {visible(ranking['stimuli'])}: ", palette.BOLD),
            (compared, palette.BOLD),
            (_window(ranking), palette.PLAIN),
            *stale,
            *beyond,
        ],
        [
            (
                f"  {ranking['statistic']}{_over(ranking)} on {ranking['pool']} · "
                f"{thousands(ranking['permutations'])} permutations · "
                f"{thousands(ranking['tested'])} tested, {thousands(ranking['undefined'])} undefined",
                palette.PLAIN,
            )
        ],
        [*_discovered(ranking), *distrust(ranking.get("gate"))],
    ]


def _over(ranking: dict[str, Any]) -> str:
    """What was compared by RSA where it was not single features, and what was left out."""
    over = ranking.get("over", "features")
    without = " and ".join(ranking.get("nuisance") or [])
    return ("" if over == "features" else f" over {over}") + (f" without {visible(without)}" if without else "")


def _window(ranking: dict[str, Any]) -> str:
    """The window, the matched items and the rule of q, where they are not the usual ones."""
    kind, pairs = ranking.get("window", "whole"), ranking.get("pairs")
    parts = [] if kind == "whole" else [f"{kind} {ranking['width'] or 'tokens'}"]
    parts += [f"{pairs['whole']} pairs"] if pairs else []
    parts += ["q by BY"] if ranking.get("fdr") == "by" else []
    return " · " + ", ".join(parts) if parts else ""


def _discovered(ranking: dict[str, Any]) -> list[Piece]:
    """Discoveries beside those of shuffled labels, or why this ranking has no test."""
    found, most = ranking["discoveries"], ranking["null_discoveries_max"]
    if found is None:
        return [(f"  no p: {ranking.get('p_reason') or 'it was not tested'}", palette.WARN)]
    believable = most is None or found > most
    pieces: list[Piece] = [(f"  {discoveries(found)}", palette.GOOD if believable else palette.WARN)]
    pieces.append((f" at q < {ranking['alpha']}", palette.PLAIN))
    if most is not None:
        null = number(ranking["null_discoveries"], 0)
        what = "sentences" if ranking.get("kind") == "rsa" else "labels"
        pieces.append((f" · shuffled {what}: median {null}, max {thousands(most)}", palette.PLAIN))
    return pieces


def discoveries(count: int) -> str:
    """How many features, or sets of them, were discovered."""
    return f"{thousands(count)} discover{'y' if count == 1 else 'ies'}"


def distrust(gate: dict[str, Any] | None) -> list[Piece]:
    """A word beside numbers that rest on an SAE which did not pass the sanity gate."""
    if gate is None or gate["passed"]:
        return []
    looked = "SAE not checked" if str(gate["text"]).startswith("SAE not checked") else "SAE not sound"
    return [(f" · {looked}", palette.WARN)]


def _one_place(value: float | None) -> str:
    """A signed number with one decimal, two below a tenth: an exponent would be cut in so narrow a column."""
    return number(value, 1, sign=True) if value is None or abs(value) >= 0.1 or value == 0 else f"{value:+.2f}"


def contrast_row(row: dict[str, Any], alpha: float, largest: float) -> Row:
    """A feature of a contrast; `largest` is the effect that fills the bar."""
    found = row["q"] is not None and row["q"] < alpha
    sign = palette.GOOD if (row["effect"] or 0) > 0 else palette.BAD
    return Row(
        row["feature"],
        (
            thousands(row["rank"]) + ("=" if row["tie"] else ""),
            (short_id(row["feature"]), palette.NAME),
            number(row["effect"], sign=True),
            _one_place(effect_size.value_of(row)),
            "–" if row.get("auc") is None else f"{row['auc']:.2f}",
            number(row["score"], 2),
            chance(row["p"]),
            (chance(row["q"]), palette.BOLD if found else palette.DIM),
            chance(row["p_fwer"]),
            (signed_bar(row["effect"], largest, BAR), sign),
            row["label"] if row["status"] == "ok" else row["status"],
        ),
    )


def rsa_row(row: dict[str, Any], alpha: float, largest: float) -> Row:
    """A feature of a ranking by `features.rsa`; `largest` is the score that fills the bar."""
    found = row["q"] is not None and row["q"] < alpha
    return Row(
        row["feature"],
        (
            thousands(row["rank"]) + ("=" if row["tie"] else ""),
            (short_id(row["feature"]), palette.NAME),
            number(row["score"], 3),
            number(row["effect"], sign=True),
            _one_place(row.get("t")),
            chance(row["p"]),
            (chance(row["q"]), palette.BOLD if found else palette.DIM),
            chance(row["p_fwer"]),
            (signed_bar(row["score"], largest, BAR), palette.GOOD if (row["score"] or 0) > 0 else palette.BAD),
            row["label"] if row["status"] == "ok" else row["status"],
        ),
    )
