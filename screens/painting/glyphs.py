"""Small drawings in block characters: signed bars, columns of a histogram, progress."""

from __future__ import annotations

import math
from itertools import pairwise

_LEFT_TO_RIGHT = " ▏▎▍▌▋▊▉█"
_BOTTOM_UP = " ▁▂▃▄▅▆▇█"


def bar(share: float, width: int) -> str:
    """A bar from the left over `share` (0 to 1) of `width` cells, in eighths."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_LEFT_TO_RIGHT[rest] if rest else "")).ljust(width)


def signed_bar(value: float | None, largest: float, width: int) -> str:
    """A bar to the right of a middle line for positive values, to the left for negative ones."""
    half = (width - 1) // 2
    if value is None or largest <= 0:
        return " " * half + "│" + " " * half
    share = min(abs(value) / largest, 1.0)
    if value >= 0:
        return " " * half + "│" + bar(share, half)
    halves = round(share * half * 2)
    left = ("▐" if halves % 2 else "") + "█" * (halves // 2)
    return left.rjust(half) + "│" + " " * half


def columns(counts: list[float], width: int, height: int) -> list[str]:
    """A histogram of `height` lines and at most `width` columns on a logarithmic scale, top line first.

    Counts are heavy-tailed: on a linear scale every bin but the first would be empty.
    """
    if not counts or width <= 0 or height <= 0:
        return [" " * max(width, 0)] * max(height, 0)
    binned = _merged(counts, width)
    top = max(math.log1p(count) for count in binned) or 1.0
    eighths = [math.ceil(math.log1p(count) / top * height * 8) for count in binned]
    stretch = max(1, width // len(binned))
    lines = []
    for row in range(height - 1, -1, -1):
        signs = (_BOTTOM_UP[min(8, max(0, level - row * 8))] * stretch for level in eighths)
        lines.append("".join(signs).ljust(width)[:width])
    return lines


def _merged(counts: list[float], width: int) -> list[float]:
    size = -(-len(counts) // width)
    return [sum(counts[start : start + size]) for start in range(0, len(counts), size)]


def spark(level: int) -> str:
    """One cell that rises with a heat level from 0 to 8."""
    return _BOTTOM_UP[min(8, abs(level))]


def curves(series: list[tuple[str, list[tuple[int, float]]]], width: int, height: int) -> list[str]:
    """Curves between 0 and 1 on a grid, each drawn by its own sign and joined by dots; top line first.

    Args:
        series: a sign for each curve, and its points: which of the places along the x axis, and the value there.
        width: cells across; the places are spread evenly over them.
        height: lines.
    """
    grid = [[" "] * width for _ in range(height)]
    last = max((place for _, points in series for place, _ in points), default=0)

    def cell(place: float, value: float) -> tuple[int, int]:
        x = round(place / last * (width - 1)) if last else 0
        return x, height - 1 - round(min(max(value, 0.0), 1.0) * (height - 1))

    for _, points in series:
        for (start, low), (end, high) in pairwise(points):
            (x_start, _), (x_end, _) = cell(start, low), cell(end, high)
            for x in range(x_start + 1, x_end):
                share = (x - x_start) / (x_end - x_start)
                _, y = cell(start, low + (high - low) * share)
                grid[y][x] = "·"
    for sign, points in reversed(series):  # the first named lies on top
        for place, value in points:
            x, y = cell(place, value)
            grid[y][x] = sign
    return ["".join(line) for line in grid]
