"""Replies about one's own sentences as rows and tokens in heat: pure functions, so that they are tested alone."""

from __future__ import annotations

from typing import Any

from screens import verbs
from screens.painting import palette
from screens.painting.glyphs import signed_bar
from screens.painting.text import number, percent, short_id, thousands, visible
from screens.widgets.heatmap import Sentence
from screens.widgets.lines import Column, Row

ACTIVE = (
    Column("feature", 9),
    Column("maximum", 8, "right"),
    Column("at", 14),
    Column("mean", 7, "right"),
    Column("density", 8, "right"),
    Column("bits", 6, "right"),
    Column("label"),
)
DIFFERENT = (
    Column("feature", 9),
    Column("change", 8, "right"),
    Column("- change +", 11),
    Column("max 1st", 7, "right"),
    Column("max 2nd", 7, "right"),
    Column("at", 16),
    Column("label"),
)
GAP = "·"
"""Stands where the other sentence has a token and this one has none."""


def activate_rows(result: dict[str, Any]) -> list[Row]:
    """The features of one sentence, strongest first."""
    return [
        Row(
            item["feature"],
            (
                (short_id(item["feature"]), palette.NAME),
                number(item["maximum"]),
                visible(result["tokens"][item["at"]]) if result["tokens"] else "",
                number(item["mean"]),
                percent(item["density"]),
                number(item["surprise"], 1),
                item["label"],
            ),
        )
        for item in result["features"]
    ]


def activate_note(result: dict[str, Any]) -> str:
    """How many fire in all."""
    return f"of {thousands(result['active'])} that fire on its {len(result['tokens'])} tokens"


def activate_sentences(result: dict[str, Any], item: dict[str, Any]) -> list[Sentence]:
    """The sentence in the heat of one feature."""
    return [Sentence(short_id(item["feature"]), tuple(result["tokens"]), tuple(item["values"]), item["maximum"])]


def diff_rows(result: dict[str, Any]) -> list[Row]:
    """The features that differ, the largest difference first."""
    largest = max((abs(item["change"]) for item in result["features"]), default=1.0)
    return [
        Row(
            item["feature"],
            (
                (short_id(item["feature"]), palette.NAME),
                (number(item["change"], sign=True), palette.GOOD if item["change"] > 0 else palette.BAD),
                (signed_bar(item["change"], largest, 11), palette.GOOD if item["change"] > 0 else palette.BAD),
                number(item["maximum_a"]),
                number(item["maximum_b"]),
                f"{item['at']} {_place(result['columns'][item['at']])}",
                item["label"],
            ),
        )
        for item in result["features"]
    ]


def _place(column: dict[str, Any]) -> str:
    first, second = column["token_a"], column["token_b"]
    if column["same"]:
        return visible(str(first))
    return f"{visible(first or GAP)}>{visible((second or GAP).lstrip())}"


def diff_note(result: dict[str, Any]) -> str:
    """How many differ in all."""
    if result["identical"]:
        return "the two sentences are the same tokens"
    only = f"{thousands(result['only_a'])} only in the first, {thousands(result['only_b'])} only in the second"
    return f"of {thousands(result['differing'])} that differ · {only}"


def diff_sentences(result: dict[str, Any], item: dict[str, Any]) -> list[Sentence]:
    """Both sentences, column below column, in the heat of one feature."""
    columns = result["columns"]
    sizes = [max(len(column["token_a"] or ""), len(column["token_b"] or "")) for column in columns]
    sides = (("first", "token_a", "values_a", "maximum_a"), ("second", "token_b", "values_b", "maximum_b"))
    return [
        Sentence(
            name,
            tuple((column[token] or GAP).ljust(size) for column, size in zip(columns, sizes, strict=True)),
            tuple(value or 0.0 for value in item[values]),
            item[top],
        )
        for name, token, values, top in sides
    ]


def steer_own_line(feature: str, text: str) -> str:
    """The `:` line that steers a feature on one's own sentence."""
    return f"steer.clamp '{feature}' prompt={verbs.quoted(text)} strength=1"
