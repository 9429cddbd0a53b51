"""A contrast place by place: features down, positions or layers across, what survives the family-wise p in bold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from screens import verbs
from screens.overlays.why import ask_line, ask_why
from screens.pages.list_page import ListPage
from screens.pages.page import Act
from screens.painting import palette
from screens.painting.text import chance, number, thousands, visible
from screens.widgets.lines import Cell, Column, Lines, Row

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

CELL = 6


class MapPage(ListPage):
    """One feature a row; it covers the screen until esc."""

    title = "Map"
    hints = (
        ("enter", "feature"),
        ("← →", "place"),
        ("w", "why"),
        ("y", "copy"),
        ("j k", "move"),
        ("esc", "back"),
    )
    needs_session = False
    HELP: ClassVar[str | None] = (
        "A contrast at every place of the window, or at every layer. A cell is the statistic there; bold ones with * "
        "have a small family-wise p, by the largest value over all cells of all features, also those not shown. The "
        "first row says how many sentences have each place. → and ← (or L and H) go to the next place and the one "
        "before, › marks it, and w explains the cell there. :features.map NUMBER shows other features."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,L", "place(1)", "next place", id="map.right", show=False),
        Binding("left,H", "place(-1)", "previous place", id="map.left", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.place = 0
        """The place whose cells `w` explains."""
        self._first = 0
        """The first place in sight."""
        self._result: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines([Column("feature", 8)], id="map-list")

    def reload(self) -> None:
        """Nothing to ask: `show_reply` brought it."""

    def show_reply(self, reply: dict[str, Any]) -> None:
        """Show what `features.map` said."""
        self._result, self.place, self._first = reply["result"], 0, 0
        self.lines.cursor = self.lines.top = 0
        self._draw()

    @property
    def _room(self) -> int:
        """How many places fit beside each other."""
        return max(1, (self.app.size.width - 12) // (CELL + 1))

    def _draw(self) -> None:
        """The places in sight, the one of the cursor among them."""
        if not self._result:
            return
        names = [_short(str(name)) for name in self._result["map"]["places"]]
        room = min(self._room, len(names))
        self._first = max(self.place - room + 1, min(self._first, self.place, len(names) - room))
        shown = range(self._first, self._first + room)
        titles = [("›" if at == self.place else "") + names[at] for at in shown]
        self.lines.columns = (Column("feature", 8), *(Column(name, CELL, "right") for name in titles))
        note = self._note(len(names), room)
        self.lines.show(map_rows(self._result, room, self._first), note=note)
        self.lines.refresh()

    def _note(self, places: int, room: int) -> str:
        told, alpha = self._result["map"], self._result["ranking"]["alpha"]
        seen = f"{self._first + 1} to {self._first + room} of {places} places, → for more · " if places > room else ""
        cells = f"{thousands(told['tested'])} cells, {thousands(told['family_wise'])} with fwer < {alpha}"
        return f"{seen}{cells} · {visible(self._result['ranking']['stimuli'])} by {told['over']}"

    def on_resize(self, _event: events.Resize) -> None:
        """More or fewer places fit."""
        self._draw()

    def action_place(self, step: int) -> None:
        """Go to the next place, or the one before; the places follow."""
        if self._result:
            self.place = max(0, min(self.place + step, len(self._result["map"]["places"]) - 1))
            self._draw()

    def acts(self) -> dict[str, Act]:
        """Why the number of the cell."""
        return {"why": self._why} if self._result else {}

    def _why(self) -> None:
        feature, head = self.lines.key, self._result["ranking"]
        facts = cell_facts(self._result, feature, self.place)
        if "#" in feature:
            ask_why(self.workbench, feature, head["seq"], facts=facts)
        else:
            ask_line(self.workbench, head["seq"], facts)

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the feature."""
        if "#" in event.key:
            self.workbench.visit("feature", event.key)

    def state(self) -> dict[str, str]:
        """Not part of the view."""
        return {}


def ask_map(app: WorkbenchApp, ranking: int | None) -> None:
    """Ask for the map of a ranking, and show it over the screen."""
    app.show_answer(verbs.FeaturesMap(ranking=ranking), lambda reply: show_map(app, reply))


def show_map(app: WorkbenchApp, reply: dict[str, Any]) -> None:
    """Put the map over the screen."""
    app.query_one(MapPage).show_reply(reply)
    app.show_over("map")


def map_rows(result: dict[str, Any], room: int, first: int = 0) -> list[Row]:
    """How many sentences have each place, then the features; `room` places from the `first` on."""
    told, alpha, last = result["map"], float(result["ranking"]["alpha"]), first + room
    counts: list[Cell] = [(thousands(count), palette.DIM) for count in told["sentences"][first:last]]
    rows = [Row("sentences", (("n", palette.DIM), *counts))]
    for row in told["features"]:
        cells = [_cell(t, p, alpha) for t, p in zip(row["t"][first:last], row["p_fwer"][first:last], strict=True)]
        rows.append(Row(row["feature"], ((f"#{row['index']}", palette.NAME), *cells)))
    return rows


def cell_facts(result: dict[str, Any], feature: str, place: int) -> list[tuple[str, str]]:
    """What `w` says of one cell, before it says where the feature's number over the whole window comes from."""
    told, head = result["map"], result["ranking"]
    where = f"{told['over']} {told['places'][place]}"
    facts = [("cell", f"{feature if '#' in feature else 'sentences'} at {where}")]
    quantity = told.get("quantity") or f"the activations at this {told['over']} alone, as in the ranking"
    definition = f"{head['statistic']} of {quantity}"
    facts.append(("definition", f"{definition}; bold with * where the family-wise p is below {head['alpha']}"))
    facts.append(("n", f"{thousands(told['sentences'][place])} sentences have this {told['over']}"))
    row = next((one for one in told["features"] if one["feature"] == feature), None)
    if row is None:
        return facts
    effect, q = number(row["effect"][place], sign=True), chance(row["q"][place])
    facts.append(("observed", f"t {number(row['t'][place], 2)}, effect {effect}, q {q}"))
    all_cells = f"the largest value of all {thousands(told['tested'])} cells of all features in each shuffle"
    facts.append(("fwer", f"{chance(row['p_fwer'][place])}: by {all_cells}, also those not shown"))
    return [*facts, ("null", "the draws of single cells are not kept; below is the null of the whole window")]


def _cell(t: float | None, p: float | None, alpha: float) -> Cell:
    if t is None:
        return ("–", palette.DIM)
    text = f"{t:.2f}" if abs(t) < 0.1 else number(t, 1)  # an exponent has no room in a cell
    return (text + "*", palette.BOLD) if p is not None and p < alpha else (text + " ", palette.PLAIN)


def _short(name: str) -> str:
    """`blocks.3.hook_resid_post` as `b3`; positions as they are."""
    parts = name.split(".")
    return f"b{parts[1]}" if parts[0] == "blocks" and len(parts) > 2 else name
