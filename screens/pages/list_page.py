"""A page with one list on it and a few lines of text above or below: most screens are that."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.widget import Widget

from screens import background
from screens.labels.blind import REFUSED
from screens.pages.page import Page
from screens.painting.text import in_app
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
        self.clear(f"{error.message}\n{in_app(error.hint)}{self.beforehand}")

    def clear(self, text: str) -> None:
        """Show no rows, but this text."""
        self.lines.empty = text
        self.lines.show([])

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
    """A list that `/` narrows letter by letter; enter keeps what is left, and `esc` shows all again."""

    FILTERS_LABELS: ClassVar[bool] = False
    """Whether the filter is held against labels too: not while they are hidden, for what matches would tell them."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.wanted = ""
        """The filter in force."""
        self.typing = False
        """Whether it is being typed: what stands beside the list waits until it is kept."""
        self._left = ("", 0, 0)
        """Where the cursor was in the whole list."""
        self._narrowing = False

    def forget(self) -> None:
        """The filter goes with the session that it was set in."""
        self.wanted, self._left = "", ("", 0, 0)
        super().forget()

    def filter_typed(self, text: str) -> None:
        """Show what contains what was typed so far."""
        if text == self.wanted:
            return
        if not self.wanted and not self.typing:
            self._left = self.lines.place
        self.typing, self.wanted = True, text
        self.lines.show_plain(True)
        self.filter_changed()

    def filter(self, text: str) -> None:
        """Only rows that contain this; an empty text shows all of them, the cursor where it was."""
        self.filter_typed(text)
        self.typing = False
        self.lines.show_plain(False)
        if not text and self._left[0]:
            self.lines.put_place(*self._left)
        self.filter_changed()
        self.workbench.saved_view.changed()

    def filter_changed(self) -> None:
        """Ask for what is to be shown now; letters typed while the engine answers are asked for together."""
        self.outdated = True
        if not self._narrowing:
            background.start(self.workbench, self._narrow, f"narrow-{self.id}")

    async def _narrow(self) -> None:
        self._narrowing = True
        try:
            while self.outdated:
                if self.typing:
                    self.lines.to_top()
                await self._load()
        finally:
            self._narrowing = False

    @property
    def matching(self) -> str:
        """What the count line says of the filter."""
        return f"matching {self.wanted!r}" if self.wanted else ""

    @property
    def filtered(self) -> str | None:
        """The filter in force; None where there is no row that it could leave out, or none may be."""
        return self.wanted if (self.wanted or self.lines.total) and not self._tells else None

    @property
    def why_no_filter(self) -> str:
        """There is no row, or the labels are hidden."""
        return REFUSED if self._tells else "there is nothing to filter yet"

    @property
    def _tells(self) -> bool:
        """Whether a filter would tell labels that are hidden."""
        return self.FILTERS_LABELS and self.workbench.blind.on

    def blind_turned(self) -> None:
        """Labels are hidden now, or shown: what a filter left says which hold its text."""
        if self._tells and self.wanted:
            self.wanted, self._left = "", ("", 0, 0)
            self.outdated = True

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


class HeldPage(FilteredPage):
    """A filtered list whose rows are all at hand."""

    def show_found(self) -> None:
        """Show the rows that contain what is wanted."""
        raise NotImplementedError

    def filter_changed(self) -> None:
        """Nothing is asked of the engine."""
        if self.typing:
            self.lines.to_top()
        self.show_found()

    def found(self, *texts: object) -> bool:
        """Whether one of the texts that a row stands for contains what is wanted."""
        wanted = self.wanted.casefold()
        return any(wanted in str(text).casefold() for text in texts)
