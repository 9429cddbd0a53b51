"""The paper that a plot is drawn on: how wide and high, and what its legend takes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.reports.lettering import label

WIDE, NARROW = 640, 360
"""Widths of a drawing: for a page or a file, and for a telephone; the letters of both are equally large."""
HEIGHT, LOW = 380, 320
"""Heights of a wide and of a narrow plot."""
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 14, 52
LINE = 17
SIGN, BESIDE = 6.6, 34
"""Width of a legend's sign, and what the mark before a name and the gap after it take."""


@dataclass(frozen=True)
class Sheet:
    """A plot's paper with a legend of some lines above it."""

    width: int
    legend: Sequence[Sequence[int]]
    """The places of the names in each line."""

    @property
    def right(self) -> int:
        """Where the plot ends."""
        return self.width - RIGHT

    @property
    def top(self) -> int:
        """Where the plot begins, below its legend."""
        return TOP + 20 + LINE * self._beyond

    @property
    def height(self) -> int:
        """All of it."""
        return (HEIGHT if self.width >= WIDE else LOW) + LINE * self._beyond

    @property
    def floor(self) -> int:
        """Where the plot stands."""
        return self.height - BOTTOM

    @property
    def ticks(self) -> int:
        """How many numbers have room below it."""
        return 8 if self.width >= WIDE else 5

    @property
    def _beyond(self) -> int:
        return max(len(self.legend) - 1, 0)


def sheet_of(width: int, names: Sequence[str]) -> Sheet:
    """Paper whose legend is broken into as many lines as its names need."""
    lines: list[list[int]] = [[]]
    used = 0.0
    for place, name in enumerate(names):
        needed = BESIDE + SIGN * len(name)
        if lines[-1] and LEFT + used + needed > width:
            lines.append([])
            used = 0.0
        lines[-1].append(place)
        used += needed
    return Sheet(width, lines)


def legend(sheet: Sheet, entries: Sequence[tuple[str, str]]) -> str:
    """Each name behind the shape that it explains."""
    drawn = []
    for row, places in enumerate(sheet.legend):
        x, y = float(LEFT + 6), TOP + LINE * row
        for name, shape in (entries[place] for place in places):
            drawn.append(f'<g transform="translate({x:.1f} {y})">{shape}</g>')
            drawn.append(label(x + 12, y + 4, name, "start", "soft"))
            x += BESIDE + SIGN * len(name)
    return "".join(drawn)
