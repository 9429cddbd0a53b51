"""Figures as SVG: scatter, curve, histogram and matrix, from the description that terminal and CSV use.

Every drawing is readable without colour: groups and series differ by shape and dash, heat by number or by the
weight of a stroke. Colours are classes that the page's style sheet sets; a drawing on its own is black on white.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

from workbench.figures import Figure
from workbench.reports.axes import Scale, extent, tick_label, ticks
from workbench.reports.heat import level
from workbench.reports.text import count, number, visible

WIDTH, HEIGHT = 640, 380
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 14, 52
NAMED_POINTS = 8
TITLED_POINTS = 400
MATRIX_NUMBERS = 14
_DASHES = ("", "7 4", "2 3", "10 3 2 3")
_SMALL = 11


def figure_svg(figure: Figure, anchor: str = "figure") -> str:
    """One figure as an `<svg>` element with a title and a description, every text escaped.

    Args:
        figure: of kind scatter, curve, histogram or matrix.
        anchor: prefix of the element ids, unique on the page.

    Raises:
        ValueError: a figure of another kind; tables and tokens are text, not drawings.
    """
    if figure.kind not in DRAWINGS:
        raise ValueError(f"a figure of kind {figure.kind!r} has no drawing")
    body, width, height = DRAWINGS[figure.kind](figure)
    title, about = f"{anchor}-title", f"{anchor}-about"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="{title} {about}" font-family="system-ui, sans-serif" font-size="12" '
        f'fill="currentColor"><title id="{title}">{_text(figure.title)}</title>'
        f'<desc id="{about}">{_text(describe(figure))}</desc>{body}</svg>'
    )


def describe(figure: Figure) -> str:
    """What a figure shows, in words: for those who do not see it, and for Markdown."""
    data = figure.data
    if figure.kind == "scatter":
        groups = data.get("groups") or []
        shares = "; ".join(f"{count(groups.count(name))} {name}" for name in _group_names(groups))
        return (
            f"{count(len(data['x']))} points, {figure.y_label} against {figure.x_label}{': ' if shares else ''}{shares}"
        )
    if figure.kind == "curve":
        ends = "; ".join(
            f"{name}: {number(values[0])} at {number(data['x'][0])}, {number(values[-1])} at {number(data['x'][-1])}"
            for name, values in data["series"].items()
            if values
        )
        return f"{figure.y_label} over {figure.x_label}. {ends}"
    if figure.kind == "histogram":
        total = sum(data["counts"])
        return f"{count(total)} values between {_edge(data['edges'], 0)} and {_edge(data['edges'], -1)}"
    if figure.kind == "matrix":
        return f"{len(data['rows'])} by {len(data['columns'])} values"
    return figure.title


def _edge(edges: list[float], place: int) -> str:
    return number(edges[place]) if edges else "–"


def _text(value: object) -> str:
    return escape(visible(str(value)))


def _label(x: float, y: float, text: str, anchor: str = "middle", kind: str = "ink", extra: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"{extra}>{_text(text)}</text>'


def _frame(figure: Figure, y: Scale, x_marks: list[tuple[float, str]]) -> str:
    """Axes, grid and axis labels."""
    parts = []
    for value in ticks(y.low, y.high):
        place = y(value)
        parts.append(
            f'<path d="M{LEFT} {place:.1f}H{WIDTH - RIGHT}" class="{"axis" if value == 0 else "grid"}" '
            f'stroke="currentColor" stroke-opacity="{0.6 if value == 0 else 0.15}"/>'
        )
        parts.append(_label(LEFT - 8, place + 4, tick_label(value), "end", "soft"))
    for place, text in x_marks:
        parts.append(
            f'<path d="M{place:.1f} {HEIGHT - BOTTOM}v5" class="axis" stroke="currentColor" stroke-opacity="0.6"/>'
        )
        parts.append(_label(place, HEIGHT - BOTTOM + 19, text, kind="soft"))
    parts.append(
        f'<path d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}" class="axis" stroke="currentColor" stroke-opacity="0.6"/>'
    )
    parts.append(_label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, figure.x_label))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_label(15, middle, figure.y_label, extra=f' transform="rotate(-90 15 {middle:.1f})"'))
    return "".join(parts)


def _plain_marks(x: Scale) -> list[tuple[float, str]]:
    return [(x(value), tick_label(value)) for value in ticks(x.low, x.high, 8)]


def _group_names(groups: list[str]) -> list[str]:
    """Group names in a steady order, `other` last."""
    return sorted(set(groups), key=lambda name: (name == "other", name))


def _scatter(figure: Figure) -> tuple[str, int, int]:
    data = figure.data
    size = len(data["x"])
    names, groups = data.get("names") or [""] * size, data.get("groups") or [""] * size
    order = _group_names(groups)
    x = Scale(*extent(data["x"], zero=True), LEFT, WIDTH - RIGHT)
    y = Scale(*extent(data["y"], zero=True), HEIGHT - BOTTOM, TOP + 20)
    points = [
        (x(a), y(b), str(name), str(group))
        for a, b, name, group in zip(data["x"], data["y"], names, groups, strict=True)
    ]
    zero = (
        f'<path d="M{x(0):.1f} {TOP + 20}V{HEIGHT - BOTTOM}" class="axis" stroke="currentColor" stroke-opacity="0.6"/>'
    )
    drawn = [_frame(figure, y, _plain_marks(x)), zero]
    for place, group in reversed(list(enumerate(order))):
        drawn.append(_points([point for point in points if point[3] == group], place, group == "other"))
    drawn.append(_point_names([point for point in points if point[3] != "other"]))
    drawn.append(_legend([(name, _shape(place, name == "other")) for place, name in enumerate(order) if name]))
    return "".join(drawn), WIDTH, HEIGHT


Point = tuple[float, float, str, str]


def _points(points: list[Point], place: int, muted: bool) -> str:
    """Dots as one path (a point takes 15 bytes); the first of the others one by one, with their names."""
    titled = [] if muted else points[:TITLED_POINTS]
    rest = points[len(titled) :]
    shape = _shape(place, muted)
    drawn = [
        f'<g transform="translate({px:.1f} {py:.1f})"><title>{_text(name)}</title>{shape}</g>'
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
    for px, py, name, _ in sorted(points, key=lambda point: point[1])[: 4 * NAMED_POINTS]:
        width = 7.0 * len(name)
        to_left = px + width + 12 > WIDTH - RIGHT
        start = px - width - 8 if to_left else px + 8
        if len(placed) < NAMED_POINTS and not any(
            abs(py - other) < 13 and start < end and begin < start + width for begin, end, other in placed
        ):
            placed.append((start, start + width, py))
            drawn.append(_label(px - 8 if to_left else px + 8, py + 4, name, "end" if to_left else "start"))
    return "".join(drawn)


def _legend(entries: list[tuple[str, str]]) -> str:
    drawn, place = [], float(LEFT + 6)
    for name, shape in entries:
        drawn.append(f'<g transform="translate({place:.1f} {TOP})">{shape}</g>')
        drawn.append(_label(place + 12, TOP + 4, name, "start", "soft"))
        place += 34 + 6.6 * len(name)
    return "".join(drawn)


def _curve(figure: Figure) -> tuple[str, int, int]:
    data = figure.data
    series = {name: values for name, values in data["series"].items() if values}
    x = Scale(*extent(data["x"], zero=False, margin=0.03), LEFT, WIDTH - RIGHT)
    y = Scale(*extent([value for values in series.values() for value in values], zero=True), HEIGHT - BOTTOM, TOP + 20)
    drawn = [_frame(figure, y, _plain_marks(x))]
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
            f'<g transform="translate({x(a):.1f} {y(b):.1f})"><title>{_text(name)}: {number(b)} at {number(a)}</title>'
            f"{shape}</g>"
            for a, b in zip(data["x"], values, strict=True)
        ]
    drawn.append(_legend([(name, _shape(place, False)) for place, name in enumerate(series)]))
    return "".join(drawn), WIDTH, HEIGHT


def _histogram(figure: Figure) -> tuple[str, int, int]:
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


def _matrix(figure: Figure) -> tuple[str, int, int]:
    data = figure.data
    names, columns, values = data["rows"], data["columns"], data["values"]
    side = min(46.0, 560.0 / max(len(columns), 1))
    left = 16 + 7.2 * max((len(str(name)) for name in names), default=1)
    top = 24.0 if side >= 28 else 8.0
    largest = max((abs(value) for row in values for value in row), default=1.0)
    drawn = []
    for row_number, (name, row) in enumerate(zip(names, values, strict=True)):
        middle = top + (row_number + 0.5) * side
        drawn.append(_label(left - 8, middle + 4, str(name), "end", "soft"))
        for place, value in enumerate(row):
            drawn.append(_matrix_cell(left + place * side, top + row_number * side, side, value, largest))
            if len(columns) <= MATRIX_NUMBERS:
                shown = f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
                size = f' font-size="{_SMALL}"'
                drawn.append(_label(left + (place + 0.5) * side, middle + 4, shown, kind="cell", extra=size))
    if side >= 28:
        drawn += [
            _label(left + (place + 0.5) * side, top - 8, str(name), kind="soft", extra=f' font-size="{_SMALL}"')
            for place, name in enumerate(columns)
        ]
    return "".join(drawn), math.ceil(left + len(columns) * side + 12), math.ceil(top + len(names) * side + 10)


def _matrix_cell(x: float, y: float, side: float, value: float, largest: float) -> str:
    step = level(value, largest)
    dashed = ' stroke="currentColor" stroke-dasharray="2 2"' if value < 0 else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{side - 1:.1f}" height="{side - 1:.1f}" class="heat f{step}" '
        f'fill-opacity="{0.08 * step:.2f}"{dashed}><title>{number(value)}</title></rect>'
    )


DRAWINGS: dict[str, Callable[[Figure], tuple[str, int, int]]] = {
    "scatter": _scatter,
    "curve": _curve,
    "histogram": _histogram,
    "matrix": _matrix,
}
