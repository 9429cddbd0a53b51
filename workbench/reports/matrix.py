"""A matrix drawn as cells of heat."""

from __future__ import annotations

import math

from workbench.figures import Figure
from workbench.reports.heat import level
from workbench.reports.lettering import label
from workbench.reports.sheet import WIDE
from workbench.reports.text import number

NUMBERED = 14
"""With more columns than this, a cell's number is in its title alone."""
ROOM = 560.0
"""What the cells of a wide drawing take at most."""
SMALL = 11
SIGN = 6.8
"""Width of a sign of that size, about."""
NARROW = 28
"""Cells narrower than this have neither a number nor a name above their column."""
CUT = 24
"""Signs of a slanted name that are shown."""


def matrix(figure: Figure, width: int = WIDE) -> tuple[str, int, int]:
    """Cells as heat, with their numbers where they fit; negative ones have a dashed edge."""
    data = figure.data
    names, columns, values = data["rows"], data["columns"], data["values"]
    left = 16 + 7.8 * max((len(str(name)) for name in names), default=1)
    room = ROOM if width >= WIDE else max(width - left - 12, width / 2)
    side = min(46.0, room / max(len(columns), 1))
    longest = max((len(str(name)) for name in columns), default=1)
    slanted = SIGN * longest > side
    top = (8.0 if side < NARROW else 24.0) if not slanted or side < NARROW else 20 + SIGN * min(longest, CUT) * 0.72
    largest = max((abs(value) for row in values for value in row), default=1.0)
    numbered = len(columns) <= NUMBERED and side >= NARROW
    drawn = []
    for row_number, (name, row) in enumerate(zip(names, values, strict=True)):
        middle = top + (row_number + 0.5) * side
        drawn.append(label(left - 8, middle + 4, str(name), "end", "soft"))
        for place, value in enumerate(row):
            drawn.append(_cell(left + place * side, top + row_number * side, side, value, largest))
            if numbered:
                shown = f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
                size = f' font-size="{SMALL}"'
                drawn.append(label(left + (place + 0.5) * side, middle + 4, shown, kind="cell", extra=size))
    if side >= NARROW:
        drawn += [_heading(left + (place + 0.5) * side, top, str(name), slanted) for place, name in enumerate(columns)]
    beyond = SIGN * min(longest, CUT) * 0.72 if slanted and side >= NARROW else 12
    return "".join(drawn), math.ceil(left + len(columns) * side + beyond), math.ceil(top + len(names) * side + 10)


def _heading(x: float, top: float, name: str, slanted: bool) -> str:
    """The name of a column, slanted where a level one would run into the next."""
    size = f' font-size="{SMALL}"'
    if not slanted:
        return label(x, top - 8, name, kind="soft", extra=size)
    shown = name if len(name) <= CUT else name[: CUT - 1] + "…"
    return label(x, top - 6, shown, "start", "soft", f'{size} transform="rotate(-45 {x:.1f} {top - 6:.1f})"')


def _cell(x: float, y: float, side: float, value: float, largest: float) -> str:
    step = level(value, largest)
    dashed = ' stroke="currentColor" stroke-dasharray="2 2"' if value < 0 else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{side - 1:.1f}" height="{side - 1:.1f}" class="heat f{step}" '
        f'fill-opacity="{0.08 * step:.2f}"{dashed}><title>{number(value)}</title></rect>'
    )
