"""A contrast place by place: features down, positions or layers across, what survives the family-wise p in bold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult

from screens import palette, verbs
from screens.list_page import ListPage
from screens.text import number, thousands, visible
from screens.widgets.lines import Cell, Column, Lines, Row

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

CELL = 6


class MapPage(ListPage):
    """One feature a row; it covers the screen until esc."""

    title = "Map"
    hints = (("enter", "feature"), ("y", "copy"), ("j k", "move"), ("esc", "back"))
    needs_session = False
    HELP: ClassVar[str | None] = (
        "A contrast at every place of the window, or at every layer. A cell is the statistic there; bold ones with * "
        "have a small family-wise p, by the largest value over all cells of all features, also those not shown. The "
        "first row says how many sentences have each place. :features.map NUMBER shows other features."
    )

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines([Column("feature", 8)], id="map-list")

    def reload(self) -> None:
        """Nothing to ask: `show_reply` brought it."""

    def show_reply(self, reply: dict[str, Any]) -> None:
        """Show what `features.map` said."""
        result = reply["result"]
        room = max(1, (self.app.size.width - 12) // (CELL + 1))
        places = [_short(str(name)) for name in result["map"]["places"]]
        self.lines.columns = (Column("feature", 8), *(Column(name, CELL, "right") for name in places[:room]))
        self.lines.cursor = self.lines.top = 0
        self.lines.show(map_rows(result, room), note=self._note(result, len(places) - room))

    def _note(self, result: dict[str, Any], hidden: int) -> str:
        told, alpha = result["map"], result["ranking"]["alpha"]
        cut = f"{hidden} places do not fit · " if hidden > 0 else ""
        cells = f"{thousands(told['tested'])} cells, {thousands(told['family_wise'])} with fwer < {alpha}"
        return f"{cut}{cells} · {visible(result['ranking']['stimuli'])} by {told['over']}"

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the feature."""
        if "#" in event.key:
            self.workbench.visit("feature", event.key)

    def state(self) -> dict[str, str]:
        """Not part of the view."""
        return {}


def ask_map(app: WorkbenchApp, ranking: int | None) -> None:
    """Ask for the map of a ranking, and show it over the screen."""
    app.do(verbs.FeaturesMap(ranking=ranking), lambda reply: show_map(app, reply))


def show_map(app: WorkbenchApp, reply: dict[str, Any]) -> None:
    """Put the map over the screen."""
    app.query_one(MapPage).show_reply(reply)
    app.show_over("map")


def map_rows(result: dict[str, Any], room: int) -> list[Row]:
    """How many sentences have each place, then the features."""
    told, alpha = result["map"], float(result["ranking"]["alpha"])
    counts: list[Cell] = [(thousands(count), palette.DIM) for count in told["sentences"][:room]]
    rows = [Row("sentences", (("n", palette.DIM), *counts))]
    for row in told["features"]:
        cells = [_cell(t, p, alpha) for t, p in zip(row["t"][:room], row["p_fwer"][:room], strict=True)]
        rows.append(Row(row["feature"], ((f"#{row['index']}", palette.NAME), *cells)))
    return rows


def _cell(t: float | None, p: float | None, alpha: float) -> Cell:
    if t is None:
        return ("–", palette.DIM)
    return (number(t, 1) + "*", palette.BOLD) if p is not None and p < alpha else (number(t, 1) + " ", palette.PLAIN)


def _short(name: str) -> str:
    """`blocks.3.hook_resid_post` as `b3`; positions as they are."""
    parts = name.split(".")
    return f"b{parts[1]}" if parts[0] == "blocks" and len(parts) > 2 else name
