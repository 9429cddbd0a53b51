"""Lines of text that may be wider than the screen: the arrows move what is seen of them to the left and right."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from screens.painting.text import visible
from screens.widgets.lines import Lines, Row, cell_text

STEP = 16
"""Cells that one press moves by."""
MARGIN = 2
"""Cells before a row's text: the cursor and the mark."""


class WideLines(Lines):
    """A list of which rows of one cell, such as a table's as the shell prints it, scroll sideways together."""

    HELP = f"{Lines.HELP} The arrows left and right show what of a wide table is beyond the screen."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "pan(-1)", "columns to the left", id="lines.left", show=False),
        Binding("right", "pan(1)", "columns to the right", id="lines.right", show=False),
    ]
    shift = 0
    """Cells of every row that are beyond the left edge."""

    @property
    def widest(self) -> int:
        """Cells of the longest row of one cell."""
        alone = (row for row in self._rows.values() if _alone(row))
        return max((cell_len(visible(cell_text(row.cells[0]))) for row in alone), default=0)

    def action_pan(self, step: int) -> None:
        """Show what is further left or right."""
        beyond = max(0, self.widest - (self.size.width - MARGIN))
        shift = max(0, min(self.shift + step * STEP, beyond))
        if shift != self.shift:
            self.shift = shift
            self.refresh()

    def begin(self) -> None:
        """Another text: seen from its top left."""
        self.cursor = self.top = self.shift = 0

    def shown_row(self, index: int) -> Row | None:
        """A row without what is beyond the left edge."""
        row = super().shown_row(index)
        if not self.shift or row is None or not _alone(row):
            return row
        cell = row.cells[0]
        text, style = cell if isinstance(cell, tuple) else (cell, None)
        return Row(row.key, ((visible(text)[self.shift :], style),), row.style)

    def noted(self, width: int) -> str:
        """That rows are cut, and how the rest is seen, before anything else."""
        told, beyond = super().noted(width), self.widest - (width - MARGIN)
        if beyond <= 0:
            return told
        where = "columns cut: ← →" if not self.shift else f"← → {min(self.shift, beyond)} of {beyond} cells"
        return f"{where} · {told}" if told else where


def _alone(row: Row) -> bool:
    return len(row.cells) == 1
