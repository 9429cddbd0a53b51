"""Scatter, curve and histogram: drawings with two axes."""

from __future__ import annotations

import math

from workbench.figures import Figure
from workbench.reports.axes import Scale, extent, tick_label, ticks
from workbench.reports.describe import group_names
from workbench.reports.lettering import label, text
from workbench.reports.text import count, number

WIDTH, HEIGHT = 640, 380
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 14, 52
NAMED_POINTS = 8
TITLED_POINTS = 400
LONGEST_NAME = 24
_DASHES = ("", "7 4", "2 3", "10 3 2 3")

Drawing = tuple[str, int, int]
"""SVG elements, and the width and height they take."""


def _frame(figure: Figure, y: Scale, x_marks: list[tuple[float, str]]) -> str:
    """Axes, grid and axis labels."""
    parts = []
    for value in ticks(y.low, y.high):
        place = y(value)
        parts.append(
            f'<path d="M{LEFT} {place:.1f}H{WIDTH - RIGHT}" class="{"axis" if value == 0 else "grid"}" '
            f'stroke="currentColor" stroke-opacity="{0.6 if value == 0 else 0.15}"/>'
        )
        parts.append(label(LEFT - 8, place + 4, tick_label(value), "end", "soft"))
    for place, written in x_marks:
        parts.append(
            f'<path d="M{place:.1f} {HEIGHT - BOTTOM}v5" class="axis" stroke="currentColor" stroke-opacity="0.6"/>'
        )
        parts.append(label(place, HEIGHT - BOTTOM + 19, written, kind="soft"))
    parts.append(
        f'<path d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}" class="axis" stroke="currentColor" stroke-opacity="0.6"/>'
    )
    parts.append(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, figure.x_label))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(label(15, middle, figure.y_label, extra=f' transform="rotate(-90 15 {middle:.1f})"'))
    return "".join(parts)


def _plain_marks(x: Scale) -> list[tuple[float, str]]:
    return [(x(value), tick_label(value)) for value in ticks(x.low, x.high, 8)]


def scatter(figure: Figure) -> Drawing:
    """Points by group: the group `other` as dots, the rest as marks with names on the highest."""
    data = figure.data
    size = len(data["x"])
    names, groups = data.get("names") or [""] * size, data.get("groups") or [""] * size
    order = group_names(groups)
    x = Scale(*extent(data["x"], zero=True), LEFT, WIDTH - RIGHT)
    level = data.get("level")
    y = Scale(*extent([*data["y"], *([level["y"] * 1.25] if level else [])], zero=True), HEIGHT - BOTTOM, TOP + 20)
    points = [
        (x(a), y(b), str(name), str(group))
        for a, b, name, group in zip(data["x"], data["y"], names, groups, strict=True)
    ]
    zero = (
        f'<path d="M{x(0):.1f} {TOP + 20}V{HEIGHT - BOTTOM}" class="axis" stroke="currentColor" stroke-opacity="0.6"/>'
    )
    drawn = [_frame(figure, y, _plain_marks(x)), zero]
    if level:
        drawn.append(_level(y(level["y"]), str(level["name"])))
    for place, group in reversed(list(enumerate(order))):
        drawn.append(_points([point for point in points if point[3] == group], place, group == "other"))
    drawn.append(_point_names([point for point in points if point[3] != "other"]))
    drawn.append(_legend([(name, _shape(place, name == "other")) for place, name in enumerate(order) if name]))
    return "".join(drawn), WIDTH, HEIGHT


def _level(place: float, name: str) -> str:
    """A dashed line across the plot, named at its end."""
    line = (
        f'<path d="M{LEFT} {place:.1f}H{WIDTH - RIGHT}" class="axis" stroke="currentColor" stroke-opacity="0.6" '
        'stroke-dasharray="5 4"/>'
    )
    return line + label(WIDTH - RIGHT, place - 5, name, "end", "soft")


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


def _point_names(points: list[Point]) -> str:
    """Names beside the highest points, left out where they would cover one another."""
    placed: list[tuple[float, float, float]] = []
    drawn = []
    for px, py, whole, _ in sorted(points, key=lambda point: point[1])[: 4 * NAMED_POINTS]:
        name = whole if len(whole) <= LONGEST_NAME else whole[:LONGEST_NAME] + "…"
        width = 7.0 * len(name)
        to_left = px + width + 12 > WIDTH - RIGHT
        start = px - width - 8 if to_left else px + 8
        if len(placed) < NAMED_POINTS and not any(
            abs(py - other) < 13 and start < end and begin < start + width for begin, end, other in placed
        ):
            placed.append((start, start + width, py))
            drawn.append(label(px - 8 if to_left else px + 8, py + 4, name, "end" if to_left else "start"))
    return "".join(drawn)


def _legend(entries: list[tuple[str, str]]) -> str:
    drawn, place = [], float(LEFT + 6)
    for name, shape in entries:
        drawn.append(f'<g transform="translate({place:.1f} {TOP})">{shape}</g>')
        drawn.append(label(place + 12, TOP + 4, name, "start", "soft"))
        place += 34 + 6.6 * len(name)
    return "".join(drawn)


def curve(figure: Figure) -> Drawing:
    """Series as lines that differ by dash and mark."""
    data = figure.data
    series = {name: values for name, values in data["series"].items() if values}
    x = Scale(*extent(data["x"], zero=False, margin=0.03), LEFT, WIDTH - RIGHT)
    bands = {name: ends for name, ends in (data.get("band") or {}).items() if name in series}
    around = [value for ends in bands.values() for pair in ends for value in (pair[0], pair[-1])]
    values_of = [value for values in series.values() for value in values]
    y = Scale(*extent([*values_of, *around], zero=True), HEIGHT - BOTTOM, TOP + 20)
    drawn = [_frame(figure, y, _plain_marks(x))]
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
    drawn.append(_legend([(name, _shape(place, False)) for place, name in enumerate(series)]))
    return "".join(drawn), WIDTH, HEIGHT


def _band(x: Scale, y: Scale, at: list[float], ends: list[list[float]], place: int) -> str:
    """The area between the lower and the upper ends, behind the lines."""
    there = [f"{x(a):.1f} {y(pair[-1]):.1f}" for a, pair in zip(at, ends, strict=True)]
    back = [f"{x(a):.1f} {y(pair[0]):.1f}" for a, pair in zip(at, ends, strict=True)]
    return (
        f'<path d="M{"L".join([*there, *reversed(back)])}Z" class="band s{place % 4}" fill="currentColor" '
        'fill-opacity="0.12"/>'
    )


def histogram(figure: Figure) -> Drawing:
    """Bars of equal width; the edges below them say what each spans, so that octaves are read as octaves."""
    edges, counts = figure.data["edges"], figure.data["counts"]
    height_scale = Scale(*extent(counts, zero=True), HEIGHT - BOTTOM, TOP + 20)
    x = Scale(0, max(len(counts), 1), LEFT, WIDTH - RIGHT)
    every = max(1, math.ceil(len(edges) / 12))
    marks = [(x(place), tick_label(edge)) for place, edge in enumerate(edges) if place % every == 0]
    bars = []
    for place, amount in enumerate(counts):
        top = height_scale(amount)
        bars.append(
            f'<rect x="{x(place) + 0.7:.1f}" y="{top:.1f}" width="{max(x(1) - x(0) - 1.4, 0.5):.1f}" '
            f'height="{max(HEIGHT - BOTTOM - top, 0):.1f}" class="bar" fill-opacity="0.75">'
            f"<title>{number(edges[place])} to {number(edges[place + 1])}: {count(amount)}</title></rect>"
        )
    return _frame(figure, height_scale, marks) + "".join(bars), WIDTH, HEIGHT
