"""A matrix drawn as cells of heat."""

from __future__ import annotations

import math

from workbench.figures import Figure
from workbench.reports.heat import level
from workbench.reports.lettering import label
from workbench.reports.text import number

NUMBERED = 14
"""With more columns than this, a cell's number is in its title alone."""
SMALL = 11


def matrix(figure: Figure) -> tuple[str, int, int]:
    """Cells as heat, with their numbers where they fit; negative ones have a dashed edge."""
    data = figure.data
    names, columns, values = data["rows"], data["columns"], data["values"]
    side = min(46.0, 560.0 / max(len(columns), 1))
    left = 16 + 7.2 * max((len(str(name)) for name in names), default=1)
    top = 24.0 if side >= 28 else 8.0
    largest = max((abs(value) for row in values for value in row), default=1.0)
    drawn = []
    for row_number, (name, row) in enumerate(zip(names, values, strict=True)):
        middle = top + (row_number + 0.5) * side
        drawn.append(label(left - 8, middle + 4, str(name), "end", "soft"))
        for place, value in enumerate(row):
            drawn.append(_cell(left + place * side, top + row_number * side, side, value, largest))
            if len(columns) <= NUMBERED:
                shown = f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
                size = f' font-size="{SMALL}"'
                drawn.append(label(left + (place + 0.5) * side, middle + 4, shown, kind="cell", extra=size))
    if side >= 28:
        drawn += [
            label(left + (place + 0.5) * side, top - 8, str(name), kind="soft", extra=f' font-size="{SMALL}"')
            for place, name in enumerate(columns)
        ]
    return "".join(drawn), math.ceil(left + len(columns) * side + 12), math.ceil(top + len(names) * side + 10)


def _cell(x: float, y: float, side: float, value: float, largest: float) -> str:
    step = level(value, largest)
    dashed = ' stroke="currentColor" stroke-dasharray="2 2"' if value < 0 else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{side - 1:.1f}" height="{side - 1:.1f}" class="heat f{step}" '
        f'fill-opacity="{0.08 * step:.2f}"{dashed}><title>{number(value)}</title></rect>'
    )
