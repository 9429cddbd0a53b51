"""Log: the `:` line of every action of the session, with what came of it."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult

from screens.line.questions import open_undo
from screens.line.routes import show_result
from screens.pages.list_page import HeldPage
from screens.pages.page import Act
from screens.painting import palette
from screens.painting.text import duration, in_app
from screens.widgets.lines import Column, Lines, Row
from screens.widgets.painted import Paragraph

EMPTY = (
    "Nothing was done in this session yet.\n\n"
    "Every action appears here as the :line that makes it again.\n"
    "To begin: :model.load demo, then :sae.load demo; p lists every command."
)


class LogPage(HeldPage):
    """One action a row, the latest last."""

    title = "Log"
    hints = (
        ("y", "copy the line"),
        ("enter", "run it again"),
        ("R", "result"),
        ("u", "undo it"),
        ("n", "note"),
        ("/", "filter"),
        ("?", "help"),
        ("esc", "back"),
    )
    HELP: ClassVar[str | None] = (
        "What was done, as the lines that do it again: type them after : here, in a script for "
        "`workbench run`, or in the shell. R shows what the line came to, as it was stored. u takes the line "
        "under the cursor back: nothing is deleted, what "
        "rested on it is marked stale; undoing the undo restores it."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._lines: dict[str, dict[str, Any]] = {}
        self._seen = 0

    def forget(self) -> None:
        """The newest line of another session is looked for anew."""
        self._seen = 0
        super().forget()

    def state(self) -> dict[str, Any]:
        """The newest line that was seen, too: a newer one draws the cursor."""
        return {**super().state(), "seen": self._seen}

    def restore(self, state: dict[str, Any]) -> None:
        """Without a newer line the cursor stays where it was left."""
        super().restore(state)
        self._seen = seen if isinstance(seen := state.get("seen"), int) else 0

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines(
            [
                Column("seq", 4, "right"),
                Column("time", 8),
                Column("outcome", 9),
                Column("took", 6, "right"),
                Column("line"),
            ],
            empty=EMPTY,
            id="log-list",
        )
        yield Paragraph(classes="detail")

    async def load(self) -> None:
        """Show the log that came with the session."""
        if not self.workbench.summary:
            await self.workbench.link.read_summary()
        log = self.workbench.summary.get("log") or []
        self._lines = {str(item["seq"]): item for item in log}
        self.show_found()
        if log and log[-1]["seq"] != self._seen:
            self._seen = log[-1]["seq"]
            self.lines.put_cursor(str(self._seen))
            self.spell_out()

    def show_found(self) -> None:
        """The lines that contain what is wanted."""
        rows = [_row(item) for item in self._lines.values() if self.found(item["line"])]
        self.lines.empty = f"No line contains {self.wanted!r}.\nesc shows all." if self.wanted else EMPTY
        hidden = int(self.workbench.summary.get("commands") or 0) - len(self._lines)
        older = f"{hidden:,} older lines: workbench session show" if hidden > 0 else ""
        self.show_rows(rows, note=" · ".join(filter(None, (self.matching, older))))

    def whole(self) -> str:
        """The whole line, with its error or warnings."""
        item = self._lines.get(self.lines.key)
        if not item:
            return ""
        told = [f"{item['error']['message']}. {in_app(item['error']['hint'])}"] if item.get("error") else []
        return "\n".join([f":{item['line']}", *told, *(in_app(warning) for warning in item.get("warnings") or [])])

    def acts(self) -> dict[str, Act]:
        """Undo the line under the cursor; show its result."""
        item = self._lines.get(self.lines.key)
        if not item or item["outcome"] != "ok":
            return {}
        found: dict[str, Act] = {"result": lambda: show_result(self.workbench, item)}
        if not item["withdrawn"]:
            found["undo"] = lambda: open_undo(self.workbench, item)
        return found

    def why_not(self, action: str) -> str:
        """Why this line cannot be taken back."""
        item = self._lines.get(self.lines.key)
        if not item:
            return ""
        if action == "result":
            return f"line {item['seq']} failed: it has no result"
        if action != "undo":
            return ""
        return f"line {item['seq']} is not in force: it failed or was taken back"

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Write the line on the `:` line, to be run again."""
        if item := self._lines.get(event.key):
            self.workbench.open_command(item["line"])

    def copyable(self) -> str:
        """The `:` line."""
        item = self._lines.get(self.lines.key)
        return str(item["line"]) if item else ""


def _row(item: dict[str, Any]) -> Row:
    if item["outcome"] != "ok":
        outcome, style = "failed", palette.BAD
    elif item["withdrawn"]:
        outcome, style = "withdrawn", palette.DIM
    elif item["stale"]:
        outcome, style = "stale", palette.WARN
    elif item.get("older"):
        outcome, style = "older", palette.WARN
    elif item["reused"]:
        outcome, style = f"as {item['reused']}", palette.GOOD
    else:
        outcome, style = "ok", palette.GOOD
    told = f"  {item['error']['message']}" if item.get("error") else ""
    line = (f":{item['line']}{told}", palette.DIM if item["withdrawn"] else None)
    time = str(item["utc"])[11:19]
    return Row(str(item["seq"]), (str(item["seq"]), time, (outcome, style), duration(item["seconds"]), line))
