"""A reply as plain text, or as tables and pictures: for results that have no screen of their own."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult

from commands.render import as_lines
from screens.pages.list_page import ListPage
from screens.painting.text import visible
from screens.results.drawn import lines_of
from screens.stimuli.design_text import check_rows
from screens.widgets.lines import Column, Row
from screens.widgets.wide_lines import WideLines

COLUMNS = (Column("name", 26), Column("value"))
DRAWN = ("circle", "geometry")
"""Groups of verbs whose results are tables and pictures rather than values."""
DRAWN_VERBS = ("session.compare", "session.export", "session.import", "replay")
"""Verbs of other groups that are shown as the shell prints them."""
MOST = 2000
"""Lines of text that are shown of one reply."""


class ReplyPage(ListPage):
    """One value a row; it covers the screen until esc."""

    title = "Result"
    hints = (("y", "copy"), ("j k", "move"), ("esc", "back"))
    needs_session = False
    HELP: ClassVar[str | None] = (
        "The result of the last : line: its values, or its tables and pictures. y copies the row."
    )

    def compose(self) -> ComposeResult:
        """The list."""
        yield WideLines(COLUMNS, id="reply-list")

    def reload(self) -> None:
        """Nothing to ask: `show_reply` brought it."""

    def show_reply(self, reply: dict[str, Any]) -> None:
        """Show a reply's result."""
        command = str(reply["command"])
        if command.partition(".")[0] in DRAWN or command in DRAWN_VERBS or reply["result"].get("dry_run"):
            self._show_drawn(reply)
            return
        self.lines.columns = COLUMNS
        if reply["command"] == "stimuli.check":
            pairs = check_rows(reply["result"], self.app.size.width - 30)
        else:
            pairs = flat(reply["result"])
        rows = [Row(str(at), pair) for at, pair in enumerate(pairs[:MOST])]
        self.lines.empty = "It has no result."
        self.query_one(WideLines).begin()
        self.lines.show(rows, note=str(reply["command"]))

    def _show_drawn(self, reply: dict[str, Any]) -> None:
        """Tables and pictures as the shell prints them, in the width there is."""
        width = self.app.size.width
        drawn = lines_of(reply["command"], reply["result"], width) or as_lines(reply, max(40, width - 4))
        self.lines.columns = (Column(""),)
        self.lines.empty = "It has no result."
        self.query_one(WideLines).begin()
        rows = [Row(str(at), (visible(line),)) for at, line in enumerate(drawn[:MOST])]
        self.lines.show(rows, note=str(reply["command"]))

    def state(self) -> dict[str, str]:
        """Not part of the view."""
        return {}


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """The leaves of a JSON value with their dotted names."""
    if isinstance(value, dict) and value:
        return [pair for key, item in value.items() for pair in flat(item, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return [pair for at, item in enumerate(value) for pair in flat(item, f"{name}[{at}]")]
    if isinstance(value, list):
        return [(name, ", ".join(visible(str(item)) for item in value) or "none")]
    return [(name, "none" if value is None else "none" if value == {} else str(value))]
