"""A histogram in block characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from screens.painting import glyphs, palette
from screens.painting.text import fit, number, thousands
from screens.widgets.painted import Painted, Piece


class Bars(Painted):
    """Counts over edges, on a logarithmic scale, with the range written below."""

    indent = 2

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = ""
        self.edges: tuple[float, ...] = ()
        self.counts: tuple[float, ...] = ()
        self._columns: list[str] = []
        self._made_for: tuple[int, int] | None = None

    def show(self, title: str, edges: Sequence[float], counts: Sequence[float]) -> None:
        """Show this histogram; no counts: nothing but the title."""
        shown = (title, tuple(edges), tuple(counts))
        if shown != (self.title, self.edges, self.counts):
            self.title, self.edges, self.counts = shown
            self._made_for = None
            self.refresh()

    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """Title, bars, range."""
        width -= 1
        if y == 0:
            return [(fit(self.title, width), palette.DIM)]
        if not self.counts:
            return []
        height = self.size.height
        if y == height - 1:
            return [(self._range(width), palette.DIM)]
        if self._made_for != (width, height):
            self._made_for = width, height
            self._columns = glyphs.columns(list(self.counts), width, height - 2)
        return [(self._columns[y - 1], palette.NAME)]

    def _range(self, width: int) -> str:
        low, high = number(self.edges[0], 2), number(self.edges[-1], 2)
        used = width if len(self.counts) > width else len(self.counts) * max(1, width // len(self.counts))
        top = f"largest {thousands(int(max(self.counts)))}"
        middle = top if len(low) + len(high) + len(top) + 2 <= used else ""
        return fit(low + middle.center(max(0, used - len(low) - len(high))) + high, width)
