"""Lines of tokens with heat, as a drawing: for a figure file, where the page itself sets them as text."""

from __future__ import annotations

import math
from typing import Any

from workbench.figures import Figure
from workbench.reports.heat import LEVELS, level, strongest
from workbench.reports.lettering import text
from workbench.reports.text import number, visible_token

WIDTH, LEFT, RIGHT = 760, 132, 16
SIGN, ROW, BAR = 7.83, 24, 18
"""Width of a sign of a monospaced font of 13 units, height of a row, and of the heat behind it."""
SMALL = 5.4
"""Width of a sign of the number at the strongest token."""
FONT = 'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13" xml:space="preserve"'


def token_lines(figure: Figure, _width: int = 0) -> tuple[str, int, int]:
    """Each line with its title; heat by the weight of ground and underline, the strongest token with its number."""
    maximum = float(figure.data["maximum"])
    drawn: list[str] = []
    top = 8.0
    for line in figure.data["lines"]:
        drawn.append(f'<text x="8" y="{top + 16:.1f}" class="soft">{text(str(line["title"])[:18])}</text>')
        parts, rows = _line(line, maximum, top)
        drawn += parts
        top += rows * ROW + 4
    if figure.note:
        drawn.append(f'<text x="8" y="{top + 14:.1f}" class="soft">{text(figure.note)}</text>')
        top += 24
    return "".join(drawn), WIDTH, math.ceil(top + 4)


def _line(line: dict[str, Any], maximum: float, top: float) -> tuple[list[str], int]:
    """The tokens of a line from `top` on, and how many rows they took."""
    best = strongest(line["values"])
    drawn: list[str] = []
    x, rows = float(LEFT), 1
    for place, (token, value) in enumerate(zip(line["tokens"], line["values"], strict=True)):
        shown = visible_token(token)
        told = f" {number(value)}" if place == best else ""
        width = SIGN * len(shown) + SMALL * len(told)
        if x > LEFT and x + width > WIDTH - RIGHT:
            x, rows = float(LEFT), rows + 1
        drawn.append(_token(shown, told, value, level(value, maximum), x, top + (rows - 1) * ROW))
        x += width
    return drawn, rows


def _token(shown: str, told: str, value: float, step: int, x: float, top: float) -> str:
    wide = SIGN * len(shown)
    ground = ""
    if step:
        dashed = ' stroke-dasharray="3 2"' if value < 0 else ""
        ground = (
            f'<rect x="{x:.1f}" y="{top + 2:.1f}" width="{wide:.1f}" height="{BAR}" class="heat f{step}" '
            f'fill="#e8741e" fill-opacity="{0.75 * step / LEVELS:.2f}"><title>{number(value)}</title></rect>'
            f'<path d="M{x:.1f} {top + 2 + BAR:.1f}h{wide:.1f}" stroke="#7a3b00" '
            f'stroke-width="{(step + 1) // 2}"{dashed}/>'
        )
    figure = (
        f'<text x="{x + wide:.1f}" y="{top + 11:.1f}" font-size="9" font-weight="600">{text(told)}</text>'
        if told
        else ""
    )
    return f'{ground}<text x="{x:.1f}" y="{top + 16:.1f}" {FONT}>{text(shown)}</text>{figure}'
