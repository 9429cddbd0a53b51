"""Scatter, curve and histogram: drawings with two axes."""

from __future__ import annotations

import math

from workbench.figures import Figure
from workbench.reports.axes import Scale, extent, tick_label, ticks
from workbench.reports.describe import group_names
from workbench.reports.lettering import label, text
from workbench.reports.sheet import LEFT, TOP, WIDE, Sheet, legend, sheet_of
from workbench.reports.text import count, number

NAMED_POINTS = 12
NEAR = 13
"""Rows of letters closer than this touch."""
TITLED_POINTS = 400
LONGEST_NAME = 24
_DASHES = ("", "7 4", "2 3", "10 3 2 3")

Drawing = tuple[str, int, int]
"""SVG elements, and the width and height they take."""


def _frame(figure: Figure, sheet: Sheet, y: Scale, x_marks: list[tuple[float, str]]) -> str:
    """Axes, grid and axis labels."""
    parts = []
    for value in ticks(y.low, y.high):
        place = y(value)
        parts.append(
            f'<path d="M{LEFT} {place:.1f}H{sheet.right}" class="{"axis" if value == 0 else "grid"}" '
            f'stroke="currentColor" stroke-opacity="{0.6 if value == 0 else 0.15}"/>'
        )
        parts.append(label(LEFT - 8, place + 4, tick_label(value), "end", "soft"))
    for place, written in x_marks:
        parts.append(
            f'<path d="M{place:.1f} {sheet.floor}v5" class="axis" stroke="currentColor" stroke-opacity="0.6"/>'
        )
        parts.append(label(place, sheet.floor + 19, written, kind="soft"))
    parts.append(
        f'<path d="M{LEFT} {sheet.floor}H{sheet.right}" class="axis" stroke="currentColor" stroke-opacity="0.6"/>'
    )
    parts.append(label((LEFT + sheet.right) / 2, sheet.height - 10, figure.x_label))
    middle = (TOP + sheet.floor) / 2
    parts.append(label(15, middle, figure.y_label, extra=f' transform="rotate(-90 15 {middle:.1f})"'))
    return "".join(parts)


def _plain_marks(sheet: Sheet, x: Scale) -> list[tuple[float, str]]:
    return [(x(value), tick_label(value)) for value in ticks(x.low, x.high, sheet.ticks)]


def scatter(figure: Figure, width: int = WIDE) -> Drawing:
    """Points by group: the group `other` as dots, the rest as marks with names on the highest."""
    data = figure.data
    size = len(data["x"])
    names, groups = data.get("names") or [""] * size, data.get("groups") or [""] * size
    order = group_names(groups)
    told = [(name, _shape(place, name == "other")) for place, name in enumerate(order) if name]
    sheet = sheet_of(width, [name for name, _ in told])
    x = Scale(*extent(data["x"], zero=True), LEFT, sheet.right)
    level = data.get("level")
    y = Scale(*extent([*data["y"], *([level["y"] * 1.25] if level else [])], zero=True), sheet.floor, sheet.top)
    points = [
        (x(a), y(b), str(name), str(group))
        for a, b, name, group in zip(data["x"], data["y"], names, groups, strict=True)
    ]
    zero = f'<path d="M{x(0):.1f} {sheet.top}V{sheet.floor}" class="axis" stroke="currentColor" stroke-opacity="0.6"/>'
    drawn = [_frame(figure, sheet, y, _plain_marks(sheet, x)), zero]
    if level:
        drawn.append(_level(sheet, y(level["y"]), str(level["name"])))
    for place, group in reversed(list(enumerate(order))):
        drawn.append(_points([point for point in points if point[3] == group], place, group == "other"))
    drawn.append(_point_names(sheet, [point for point in points if point[3] != "other"]))
    drawn.append(legend(sheet, told))
    return "".join(drawn), sheet.width, sheet.height


def _level(sheet: Sheet, place: float, name: str) -> str:
    """A dashed line across the plot, named at its end."""
    line = (
        f'<path d="M{LEFT} {place:.1f}H{sheet.right}" class="axis" stroke="currentColor" stroke-opacity="0.6" '
        'stroke-dasharray="5 4"/>'
    )
    return line + label(sheet.right, place - 5, name, "end", "soft")


Point = tuple[float, float, str, str]


def _points(points: list[Point], place: int, muted: bool) -> str:
    """Dots as one path (a point takes 15 bytes); the first of the others one by one, with their names."""
    titled = [] if muted else points[:TITLED_POINTS]
    rest = points[len(titled) :]
    shape = _shape(place, muted)
    drawn = [
        f'<g transform="translate({px:.1f} {py:.1f})"><title>{text(name)}</title>{shape}</g>'
        for px, py, name, _ in titled
    ]
    if rest:
        path = "".join(f"M{px:.1f} {py:.1f}h0" for px, py, _, _ in rest)
        drawn.append(
            f'<path d="{path}" class="dots" fill="none" stroke="currentColor" stroke-opacity="0.45" '
            'stroke-width="3.4" stroke-linecap="round"/>'
        )
    return "".join(drawn)


def _shape(place: int, muted: bool) -> str:
    if muted:
        return '<circle r="1.7" class="dot" fill-opacity="0.5"/>'
    paths = ("M0-4.4L4.4 0 0 4.4-4.4 0Z", "M-3.4-3.4h6.8v6.8h-6.8Z", "M0-4.4L4.2 3.4h-8.4Z")
    return f'<path d="{paths[place % len(paths)]}" class="mark s{place % 4}"/>'


def _point_names(sheet: Sheet, points: list[Point]) -> str:
    """Names beside the highest points, left out where they would cover one another or another point."""
    placed: list[tuple[float, float, float]] = []
    drawn = []
    once = {
        point[2]: point for point in sorted(points, key=lambda point: point[1], reverse=True)
    }  # the highest of a name
    highest = sorted(once.values(), key=lambda point: point[1])[: 4 * NAMED_POINTS]
    for px, py, whole, _ in highest:
        name = whole if len(whole) <= LONGEST_NAME else whole[:LONGEST_NAME] + "…"
        width = 7.0 * len(name)
        taken = placed + [(x - 4, x + 4, y) for x, y, *_ in points if (x, y) != (px, py)]
        sides = [(px + 8, "start"), (px - 8 - width, "end")]
        free = [(start, side) for start, side in sides if _is_free(sheet, start, width, py, taken)]
        if free and len(placed) < NAMED_POINTS:
            start, side = free[0]
            placed.append((start, start + width, py))
            drawn.append(label(px + 8 if side == "start" else px - 8, py + 4, name, side))
    return "".join(drawn)


def _is_free(sheet: Sheet, start: float, width: float, y: float, taken: list[tuple[float, float, float]]) -> bool:
    """Whether a name of that width lies on the plot and off everything that is taken: (begin, end, height)."""
    if start < LEFT or start + width + 4 > sheet.right:
        return False
    return not any(abs(y - other) < NEAR and start < end and begin < start + width for begin, end, other in taken)


def curve(figure: Figure, width: int = WIDE) -> Drawing:
    """Series as lines that differ by dash and mark."""
    data = figure.data
    series = {name: values for name, values in data["series"].items() if values}
    sheet = sheet_of(width, list(series))
    x = Scale(*extent(data["x"], zero=False, margin=0.03), LEFT, sheet.right)
    bands = {name: ends for name, ends in (data.get("band") or {}).items() if name in series}
    around = [value for ends in bands.values() for pair in ends for value in (pair[0], pair[-1])]
    values_of = [value for values in series.values() for value in values]
    y = Scale(*extent([*values_of, *around], zero=data.get("zero", True)), sheet.floor, sheet.top)
    drawn = [_frame(figure, sheet, y, _plain_marks(sheet, x))]
    for place, name in enumerate(series):
        if name in bands:
            drawn.append(_band(x, y, data["x"], bands[name], place))
    for place, (name, values) in enumerate(series.items()):
        shape = _shape(place, False)
        path = "".join(
            f"{'L' if number_ else 'M'}{x(a):.1f} {y(b):.1f}"
            for number_, (a, b) in enumerate(zip(data["x"], values, strict=True))
        )
        drawn.append(
            f'<path d="{path}" fill="none" class="stroke s{place % 4}" stroke="currentColor" stroke-width="1.8" '
            f'stroke-dasharray="{_DASHES[place % len(_DASHES)]}"/>'
        )
        drawn += [
            f'<g transform="translate({x(a):.1f} {y(b):.1f})"><title>{text(name)}: {number(b)} at {number(a)}</title>'
            f"{shape}</g>"
            for a, b in zip(data["x"], values, strict=True)
        ]
    drawn.append(legend(sheet, [(name, _shape(place, False)) for place, name in enumerate(series)]))
    return "".join(drawn), sheet.width, sheet.height


def _band(x: Scale, y: Scale, at: list[float], ends: list[list[float]], place: int) -> str:
    """The area between the lower and the upper ends, behind the lines."""
    there = [f"{x(a):.1f} {y(pair[-1]):.1f}" for a, pair in zip(at, ends, strict=True)]
    back = [f"{x(a):.1f} {y(pair[0]):.1f}" for a, pair in zip(at, ends, strict=True)]
    return (
        f'<path d="M{"L".join([*there, *reversed(back)])}Z" class="band s{place % 4}" fill="currentColor" '
        'fill-opacity="0.12"/>'
    )


def histogram(figure: Figure, width: int = WIDE) -> Drawing:
    """Bars of equal width; the edges below them say what each spans, so that octaves are read as octaves."""
    edges, counts = figure.data["edges"], figure.data["counts"]
    sheet = sheet_of(width, [])
    height_scale = Scale(*extent(counts, zero=True), sheet.floor, sheet.top)
    x = Scale(0, max(len(counts), 1), LEFT, sheet.right)
    every = max(1, math.ceil(len(edges) / (12 if width >= WIDE else 6)))
    marks = [(x(place), tick_label(edge)) for place, edge in enumerate(edges) if place % every == 0]
    bars = []
    for place, amount in enumerate(counts):
        top = height_scale(amount)
        bars.append(
            f'<rect x="{x(place) + 0.7:.1f}" y="{top:.1f}" width="{max(x(1) - x(0) - 1.4, 0.5):.1f}" '
            f'height="{max(sheet.floor - top, 0):.1f}" class="bar" fill-opacity="0.75">'
            f"<title>{number(edges[place])} to {number(edges[place + 1])}: {count(amount)}</title></rect>"
        )
    return _frame(figure, sheet, height_scale, marks) + "".join(bars), sheet.width, sheet.height
