"""A page with one list on it and a few lines of text above or below: most screens are that."""

from __future__ import annotations

from typing import Any

from textual.widget import Widget

from screens.page import Page
from screens.text import in_app
from screens.widgets.lines import Lines, Row, cell_text
from screens.widgets.painted import Paragraph
from workbench.errors import WorkbenchError

READING = "Reading …"


class ListPage(Page):
    """A page whose keys go to its list; the cursor is kept in the saved view."""

    @property
    def lines(self) -> Lines:
        """The list."""
        return self.query(Lines).first()

    @property
    def main(self) -> Widget:
        """The list takes the keys."""
        return self.lines

    def forget(self) -> None:
        """No row of the session before stays, and the cursor begins at the top."""
        super().forget()
        self.lines.cursor = self.lines.top = 0
        self.clear("")

    def explain_absence(self) -> None:
        """Say what is missing: the engine, or a session."""
        self.clear(self.absence)

    def say_reading(self) -> None:
        """Say so in the place of the rows; what the page shows when it has read takes it away."""
        if not self.lines.total and not self.lines.empty:
            self.lines.empty = READING
            self.lines.show([])

    async def _load(self) -> None:
        await super()._load()
        if self.lines.empty == READING:
            self.lines.empty = ""
            if not self.lines.total:
                self.lines.show([])

    def show_failure(self, error: WorkbenchError) -> None:
        """Put the error where the rows would be, with the command that mends it."""
        self.clear(f"{error.message}\n{in_app(error.hint)}")

    def clear(self, text: str) -> None:
        """Show no rows, but this text."""
        self.lines.empty = text
        self.lines.show([])
        self.lines.refresh()

    def copyable(self) -> str:
        """The row under the cursor, cells apart by tabs."""
        row = self.lines.row
        if row is None:
            return ""
        return "\t".join(cell_text(cell).strip() for cell in row.cells)

    def state(self) -> dict[str, Any]:
        """The row the cursor is on, and where it stands."""
        key, at, above = self.lines.place
        return {"key": key, "at": at, "above": above} if key else {}

    def restore(self, state: dict[str, Any]) -> None:
        """Put the cursor on that row when it arrives, as far down the screen as it was."""
        key, at, above = state.get("key"), state.get("at"), state.get("above")
        if not isinstance(key, str):
            return
        if isinstance(at, int) and isinstance(above, int):
            self.lines.put_place(key, at, above)
        else:
            self.lines.put_cursor(key)  # a view of an earlier version

    def on_lines_moved(self, _event: Lines.Moved) -> None:
        """Remember the cursor, and spell out the row."""
        self.workbench.saved_view.changed()
        self.spell_out()

    def whole(self) -> str:
        """What the row under the cursor may have had no room for."""
        return ""

    def spell_out(self) -> None:
        """Show it below the list, on pages that have a place for it."""
        for below in self.query(Paragraph):
            below.show(self.whole() if self.lines.row else "")

    def show_rows(self, rows: list[Row], *, note: str = "") -> None:
        """Show these rows and spell the one under the cursor out."""
        self.lines.show(rows, note=note)
        self.spell_out()


class FilteredPage(ListPage):
    """A list that `/` narrows and `esc` shows whole again."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.wanted = ""
        """The filter in force."""

    def forget(self) -> None:
        """The filter goes with the session that it was set in."""
        self.wanted = ""
        super().forget()

    def filter_changed(self) -> None:
        """Ask again for what the list shows."""
        self.reload()

    def filter(self, text: str) -> None:
        """Only rows that contain this."""
        self.wanted = text
        self.filter_changed()

    @property
    def filtered(self) -> str | None:
        """The filter in force."""
        return self.wanted

    def state(self) -> dict[str, Any]:
        """The filter too."""
        return {**super().state(), **({"filter": self.wanted} if self.wanted else {})}

    def restore(self, state: dict[str, Any]) -> None:
        """The filter is in force before the rows are asked for."""
        self.wanted = str(state.get("filter", ""))
        super().restore(state)

    def back_out(self) -> bool:
        """Drop the filter."""
        if not self.wanted:
            return False
        self.filter("")
        return True
