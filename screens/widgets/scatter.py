"""A plane of points in braille: letters where a token of the legend stands, dots for all others, one point chosen."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from screens.painting import palette
from screens.widgets.painted import Painted, Piece

MARKS = "abcdefghij"
"""Letters of the legend; what has none is a dot."""
COLOURS = tuple(Style(color=name, bold=True) for name in ("cyan", "yellow", "green", "magenta", "red", "blue"))
"""In turn, so that letters are needed to tell two tokens of one colour apart."""
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The dots of a braille sign, by row and column."""


def mark_style(group: int) -> Style:
    """The colour of a letter."""
    return COLOURS[group % len(COLOURS)]


class Scatter(Painted, can_focus=True):
    """Points of one plane; the cursor walks around its middle."""

    HELP = (
        "j k walk the points around the middle; arrows or H L show the next plane; enter opens the strongest feature."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "walk(1)", "next point", id="scatter.down", show=False),
        Binding("up,k", "walk(-1)", "previous point", id="scatter.up", show=False),
        Binding("pagedown,ctrl+f", "walk(20)", "20 points on", id="scatter.page_down", show=False),
        Binding("pageup,ctrl+b", "walk(-20)", "20 points back", id="scatter.page_up", show=False),
        Binding("right,L", "plane(1)", "next plane", id="scatter.right", show=False),
        Binding("left,H", "plane(-1)", "previous plane", id="scatter.left", show=False),
        Binding("enter", "open", "open the strongest feature", id="scatter.open", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor is on another point."""

        scatter: Scatter

    @dataclass
    class Turned(Message):
        """Another plane is wanted."""

        step: int

    @dataclass
    class Opened(Message):
        """Enter was pressed on a point."""

        scatter: Scatter

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.points: list[tuple[float, float]] = []
        self.groups: list[int] = []
        self.cursor = 0
        self._order: list[int] = []
        self._cells: list[list[Piece]] = []
        self._drawn: tuple[int, int, int] = (0, 0, -1)

    def show(self, points: Sequence[tuple[float, float]], groups: Sequence[int]) -> None:
        """Show these points, each with its place in the legend or -1; the cursor stays on its point."""
        self.points, self.groups = list(points), list(groups)
        self.cursor = min(self.cursor, max(0, len(self.points) - 1))
        angle = [math.atan2(y, x) for x, y in self.points]
        self._order = sorted(range(len(self.points)), key=lambda at: (angle[at], at))
        self._drawn = (0, 0, -1)
        self.refresh()

    def action_walk(self, step: int) -> None:
        """Go to another point, by its angle."""
        if self._order:
            at = (self._order.index(self.cursor) + step) % len(self._order)
            self._go(self._order[at])

    def _go(self, point: int) -> None:
        before, self.cursor = [*self._cells], point
        self._draw()
        for y, line in enumerate(self._cells):
            if y >= len(before) or line != before[y]:
                self.repaint_line(y)
        self.post_message(self.Moved(self))

    def action_plane(self, step: int) -> None:
        """Ask for another plane."""
        self.post_message(self.Turned(step))

    def action_open(self) -> None:
        """Say that the point's feature is wanted."""
        if self.points:
            self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the point nearest to the click."""
        if self.points:
            columns, rows = self._places(self.size.width, self.size.height)
            near = [(columns[at] / 2 - event.x) ** 2 + 4 * (rows[at] / 4 - event.y) ** 2 for at in range(len(columns))]
            self._go(near.index(min(near)))

    def _places(self, width: int, height: int) -> tuple[list[int], list[int]]:
        """Column and row of each point in braille dots, which are as wide as they are high."""
        reach = max((max(abs(x), abs(y)) for x, y in self.points), default=1.0) or 1.0
        scale = (min(2 * width, 4 * height) - 1) / 2 / reach
        columns = [round(width - 0.5 + x * scale) for x, _ in self.points]
        rows = [round(2 * height - 0.5 - y * scale) for _, y in self.points]
        return [min(max(c, 0), 2 * width - 1) for c in columns], [min(max(r, 0), 4 * height - 1) for r in rows]

    def _draw(self) -> None:
        width, height = self.size.width, self.size.height
        if self._drawn == (width, height, self.cursor) or width < 4 or height < 3:
            return
        self._drawn = (width, height, self.cursor)
        columns, rows = self._places(width, height)
        dots: Counter[tuple[int, int]] = Counter()
        letters: dict[tuple[int, int], Counter[int]] = {}
        for column, row, group in zip(columns, rows, self.groups, strict=True):
            cell = (row // 4, column // 2)
            if group >= 0:
                letters.setdefault(cell, Counter())[group] += 1
            else:
                dots[cell] |= _BITS[row % 4][column % 2]
        here = (rows[self.cursor] // 4, columns[self.cursor] // 2) if self.points else (-1, -1)
        self._cells = [
            [self._cell(y, x, (height, width), dots, letters, here) for x in range(width)] for y in range(height)
        ]

    def _cell(
        self,
        y: int,
        x: int,
        size: tuple[int, int],
        dots: Counter[tuple[int, int]],
        letters: dict[tuple[int, int], Counter[int]],
        here: tuple[int, int],
    ) -> Piece:
        cell = (y, x)
        if cell in letters:  # the commonest, ties by the legend's order
            group = min(letters[cell], key=lambda one: (-letters[cell][one], one))
            sign, style = MARKS[group], mark_style(group)
        elif dots[cell]:
            sign, style = chr(0x2800 + dots[cell]), palette.PLAIN
        else:
            across, down = y == size[0] // 2, x == size[1] // 2
            sign, style = "┼" if across and down else "─" if across else "│" if down else " ", palette.DIM
        if cell != here:
            return sign, style
        group = self.groups[self.cursor]
        return (MARKS[group] if group >= 0 else "◉"), palette.CURSOR

    def pieces(self, y: int, width: int) -> Iterable[Piece]:  # noqa: ARG002 - drawn for the whole size
        """A line of the plane."""
        self._draw()
        return self._cells[y] if self.points and y < len(self._cells) else ()
