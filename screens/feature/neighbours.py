"""The neighbours pane of Feature: who points the same way, and who fires on the same tokens."""

from __future__ import annotations

from typing import Any

from screens.painting import palette
from screens.painting.glyphs import bar
from screens.painting.text import number, percent, thousands
from screens.widgets.lines import Column, Lines, Row

COLUMNS = (
    Column("feature", 9),
    Column("near", 6, "right"),
    Column("", 8),
    Column("together", 8, "right"),
    Column("lift", 7, "right"),
    Column("density", 8, "right"),
    Column("label"),
)
ASKED = 20
"""Neighbours of each kind."""


class NeighboursView(Lines):
    """Two lists in one: by decoder cosine, then by co-activation over the whole corpus."""

    HELP = (
        "near: the cosine of the two decoder directions, then the correlation of firing on the same token. together: "
        "share of this feature's tokens on which the other fires. lift: how many times oftener than anywhere. "
        "enter opens the neighbour, = puts it beside this feature."
    )

    def __init__(self, *, id: str) -> None:
        super().__init__(COLUMNS, id=id)
        self._of = ""
        """The feature whose neighbours they are."""

    def clear(self, text: str) -> None:
        """Show no neighbours, but this text."""
        self.empty = text
        self.show([])
        self.refresh()

    def show_result(self, result: dict[str, Any]) -> None:
        """Show the reply to `features.neighbours`; those of another feature begin at the top."""
        self.empty = "It has no neighbours."
        if result["feature"] != self._of:
            self._of = str(result["feature"])
            self.to_top()
        self.show(neighbour_rows(result), note=f"co-activation on {_looked_at(result)}")

    @property
    def feature(self) -> str:
        """The id of the neighbour under the cursor, or an empty text on a title."""
        return feature_of(self.key)


def feature_of(key: str) -> str:
    """The feature that a row's key names; both lists may hold it."""
    return key.partition(":")[2]


def neighbour_rows(result: dict[str, Any]) -> list[Row]:
    """Both lists, each under its title."""
    space = result["space"]
    rows = [_title("by decoder cosine", len(result["cosine"]))]
    rows += [_row(f"cosine:{space}#{item['index']}", item, item["cosine"]) for item in result["cosine"]]
    rows.append(_title("by firing on the same tokens", len(result["coactive"])))
    return rows + [_row(f"coactive:{space}#{item['index']}", item, item["phi"]) for item in result["coactive"]]


def _title(text: str, count: int) -> Row:
    return Row(text, ((text if count else f"{text}: none", palette.BOLD),))


def _row(key: str, item: dict[str, Any], near: float) -> Row:
    share, lift = item.get("share"), item.get("lift")
    cells = (
        (f"#{item['index']}", palette.NAME),
        number(near, 3),
        bar(max(0.0, near), 8),
        "" if share is None else percent(share),
        "" if lift is None else number(lift, 1),
        percent(item["density"]),
        item["label"],
    )
    return Row(key, cells)


def _looked_at(result: dict[str, Any]) -> str:
    looked, fired = result["tokens"], result["fired"]
    return f"all its {thousands(fired)} tokens" if looked == fired else f"{thousands(looked)} of {thousands(fired)}"
