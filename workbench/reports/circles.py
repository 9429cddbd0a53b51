"""Drawings of circle results: bars with intervals, sectors around a middle, and maps of three components."""

from __future__ import annotations

import math

from workbench.figures import Figure, pixel_ink, pixel_mark
from workbench.reports.axes import Scale, extent, tick_label, ticks
from workbench.reports.lettering import label, text
from workbench.reports.sheet import WIDE
from workbench.reports.text import number

Drawing = tuple[str, int, int]
"""SVG elements, and the width and height they take, as in `workbench.reports.plots`."""

ROW, TOP, BOTTOM, RIGHT = 22, 10, 44, 20
SIDE, BESIDE = 360, 100
"""Across the rings, and what the names on either side take."""
PIXEL = 20
SHADES = (0.12, 0.5, 0.28, 0.66, 0.2, 0.58, 0.36, 0.74, 0.16, 0.54, 0.32, 0.7)
"""Opacity of each name's sector in turn: neighbours differ without any colour."""


def bars(figure: Figure, width: int = WIDE) -> Drawing:
    """One bar a name from zero, with its interval as a line."""
    data = figure.data
    left = 16 + 7.0 * max((len(str(name)) for name in data["names"]), default=1)
    x = Scale(*extent([*data["low"], *data["high"]], zero=True), left, width - RIGHT)
    floor = TOP + ROW * len(data["names"])
    drawn = []
    for value in ticks(x.low, x.high, 8 if width >= WIDE else 4):
        weight = 0.6 if value == 0 else 0.15
        kind = "axis" if value == 0 else "grid"
        drawn.append(
            f'<path d="M{x(value):.1f} {TOP}V{floor}" class="{kind}" stroke="currentColor" stroke-opacity="{weight}"/>'
        )
        drawn.append(label(x(value), floor + 16, tick_label(value), kind="soft"))
    rows = zip(data["names"], data["values"], data["low"], data["high"], strict=True)
    for at, (name, value, low, high) in enumerate(rows):
        middle = TOP + ROW * (at + 0.5)
        begin, end = sorted((x(0), x(value)))
        drawn.append(label(left - 8, middle + 4, str(name), "end", "soft"))
        drawn.append(
            f'<rect x="{begin:.1f}" y="{middle - 7:.1f}" width="{max(end - begin, 0.5):.1f}" height="14" class="bar" '
            f'fill-opacity="0.65"><title>{text(name)}: {number(value)} ({number(low)} to {number(high)})</title></rect>'
            f'<path d="M{x(low):.1f} {middle:.1f}H{x(high):.1f}M{x(low):.1f} {middle - 4:.1f}v8M{x(high):.1f} '
            f'{middle - 4:.1f}v8" fill="none" class="axis" stroke="currentColor" stroke-width="1.4"/>'
        )
    drawn.append(label((left + width - RIGHT) / 2, floor + 36, figure.x_label))
    return "".join(drawn), width, floor + BOTTOM


def sectors(figure: Figure, width: int = WIDE) -> Drawing:
    """Rings of sectors, angle 0 to the right, each shaded by the name it is read as; the names stand around."""
    data = figure.data
    values, radii = data["values"], data["radii"]
    side = min(SIDE, width - 2 * BESIDE)
    middle, reach = side / 2 + 40, side / 2
    ring, angles = reach / max(len(radii), 1), len(values[0])
    drawn = []
    for at, row in enumerate(values):
        inner, outer = at * ring, (at + 1) * ring
        for first, last, name in _runs(row):
            low, high = (first - 0.5) / angles, (last + 0.5) / angles
            said = f"radius {number(radii[at])}: {data['names'][name]}"
            drawn.append(
                f'<path d="{_ring_part(middle, inner, outer, low, high)}" class="sector" '
                f'fill-opacity="{SHADES[name % len(SHADES)]}"><title>{text(said)}</title></path>'
            )
    for at, name in enumerate(data["names"]):
        turn = 2 * math.pi * at / len(data["names"])
        x, y = middle + (reach + 14) * math.cos(turn), middle - (reach + 14) * math.sin(turn)
        anchor = "middle" if abs(math.cos(turn)) < 0.3 else "start" if math.cos(turn) > 0 else "end"
        drawn.append(label(x, y + 4, str(name)[:9], anchor, "soft"))
    size = math.ceil(2 * middle)
    return f'<g transform="translate(60 0)">{"".join(drawn)}</g>', size + 120, size


def _runs(row: list[int]) -> list[tuple[int, int, int]]:
    """(first, last, name) of each stretch of one name."""
    found: list[tuple[int, int, int]] = []
    for at, name in enumerate(row):
        if found and found[-1][2] == name:
            found[-1] = (found[-1][0], at, name)
        else:
            found.append((at, at, name))
    return found


def _ring_part(middle: float, inner: float, outer: float, low: float, high: float) -> str:
    """Path of a part of a ring between two shares of a turn; a whole turn as two halves."""
    if high - low >= 1:
        half = low + 0.5
        return _ring_part(middle, inner, outer, low, half) + _ring_part(middle, inner, outer, half, low + 0.99999)

    def at(radius: float, share: float) -> str:
        turn = 2 * math.pi * share
        return f"{middle + radius * math.cos(turn):.1f} {middle - radius * math.sin(turn):.1f}"

    large = int(high - low > 0.5)
    return (
        f"M{at(inner, low)}L{at(outer, low)}A{outer:.1f} {outer:.1f} 0 {large} 0 {at(outer, high)}"
        f"L{at(inner, high)}A{inner:.1f} {inner:.1f} 0 {large} 1 {at(inner, low)}Z"
    )


def colours(figure: Figure, _width: int = WIDE) -> Drawing:
    """One pixel a pair of inputs, in the colour of its three components, with a letter and number that say the same."""
    data = figure.data
    left = 16 + 7.0 * max((len(str(name)) for name in data["rows"]), default=1)
    drawn = [label(left + (at + 0.5) * PIXEL, 14, str(name), kind="soft") for at, name in enumerate(data["columns"])]
    for at, (name, cells) in enumerate(zip(data["rows"], data["values"], strict=True)):
        y = 20 + at * PIXEL
        drawn.append(label(left - 8, y + PIXEL / 2 + 4, str(name), "end", "soft"))
        for place, cell in enumerate(cells):
            if cell is None:
                continue
            said = ", ".join(number(data["scale"] * (2 * value - 1)) for value in cell)
            fill = "#" + "".join(f"{round(255 * value):02x}" for value in cell)
            drawn.append(
                f'<rect x="{left + place * PIXEL:.1f}" y="{y}" width="{PIXEL}" height="{PIXEL}" fill="{fill}">'
                f"<title>{text(name)}, {text(data['columns'][place])}: {said}</title></rect>"
                f'<text x="{left + (place + 0.5) * PIXEL:.1f}" y="{y + PIXEL / 2 + 3.5:.1f}" text-anchor="middle" '
                f'font-size="10" fill="{pixel_ink(cell)}" pointer-events="none">{pixel_mark(cell)}</text>'
            )
    width = max(math.ceil(left + PIXEL * len(data["columns"]) + RIGHT), 320)
    return "".join(drawn), width, 30 + PIXEL * len(data["rows"])
