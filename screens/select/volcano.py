"""The volcano: effect against significance, the feature under the cursor marked; beside wide rankings."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from screens.painting import palette
from screens.painting.text import fit, number
from screens.widgets.painted import Painted, Piece

_MOST = 300.0
_RANK = {" ": 0, "·": 1, "•": 2, "◉": 3}


class Volcano(Painted):
    """Points on a grid of cells: `·` any feature, `•` a discovery, `◉` the one under the cursor."""

    indent = 2

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._points: dict[str, tuple[float, float, bool]] = {}
        self._here = ""
        self._grid: list[str] = []
        self._drawn: tuple[int, int, str] = (0, 0, "")

    def show(self, rows: list[dict[str, Any]], alpha: float) -> None:
        """Show these rows; undefined ones have no place here."""
        self._points = {
            row["feature"]: (row["effect"], -math.log10(max(row["q"], 10**-_MOST)), row["q"] < alpha)
            for row in rows
            if row["q"] is not None and row["effect"] is not None
        }
        self._drawn = (0, 0, "")
        self.refresh()

    def point(self, feature: str) -> None:
        """Mark this feature; only the lines that change are repainted."""
        if feature == self._here or not self.display:
            return
        before, self._here = list(self._grid), feature
        self._draw()
        for y, line in enumerate(self._grid):
            if y >= len(before) or line != before[y]:
                self.repaint_line(y + 1)

    def _draw(self) -> None:
        width, height = self.size.width - 2, self.size.height - 2
        if self._drawn == (width, height, self._here) or width < 10 or height < 4:
            return
        self._drawn = (width, height, self._here)
        cells = [[" "] * width for _ in range(height)]
        wide = max((abs(x) for x, _, _ in self._points.values()), default=1.0) or 1.0
        tall = max((y for _, y, _ in self._points.values()), default=1.0) or 1.0
        for line in cells:
            line[(width - 1) // 2] = "┊"
        for feature, (x, y, found) in self._points.items():
            column = round((x / wide + 1) / 2 * (width - 1))
            row = height - 1 - round(y / tall * (height - 1))
            sign = "◉" if feature == self._here else "•" if found else "·"
            if _RANK[sign] > _RANK.get(cells[row][column], 0):
                cells[row][column] = sign
        self._grid = ["".join(line) for line in cells]

    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """Title, grid, range."""
        self._draw()
        if not self._points or not self._grid:
            return []
        if y == 0:
            tall = max(height for _, height, _ in self._points.values())
            return [(fit(f"-log10 q 0–{number(tall, 1)}, first {len(self._points)}", width), palette.DIM)]
        if y == self.size.height - 1:
            wide = max(abs(x) for x, _, _ in self._points.values())
            left, right = number(-wide, 2), number(wide, 2, sign=True)
            return [(left + "effect".center(width - len(left) - len(right)) + right, palette.DIM)]
        return [(self._grid[y - 1], None)] if y - 1 < len(self._grid) else []
