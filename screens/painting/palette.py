"""Styles that work in 16, 256 and true colour, on light and dark terminals, and without colour.

The terminal's own foreground and background are used for text, so that nothing has to be painted behind it.
Heat is a ramp of eight levels that also differ in weight and, without colour, in underline and reverse.
"""

from __future__ import annotations

from functools import cache

from rich.color import Color
from rich.style import Style

PLAIN = Style()
BOLD = Style(bold=True)
DIM = Style(dim=True)
CURSOR = Style(reverse=True)
BLURRED = Style(bold=True)
GOOD = Style(color="green")
BAD = Style(color="red")
WARN = Style(color="yellow")
NAME = Style(color="cyan")
KEY = Style(color="cyan", bold=True)
TITLE = Style(bold=True, underline=True)

LEVELS = 8
"""Heat levels above zero."""

_HOT_DARK = (52, 88, 124, 130, 172, 214, 220, 228)
_HOT_LIGHT = (230, 229, 222, 215, 208, 202, 160, 88)
_COLD_DARK = (17, 18, 25, 31, 38, 45, 87, 159)
_COLD_LIGHT = (195, 153, 117, 75, 39, 27, 20, 17)
_BLACK, _WHITE = 16, 231
_FEW = {
    (True, True): ("red", "red", "white/red", "white/red", "black/yellow", "black/yellow",
                   "black/bright_yellow", "black/bright_yellow"),
    (True, False): ("cyan", "cyan", "white/blue", "white/blue", "black/cyan", "black/cyan",
                    "black/bright_cyan", "black/bright_cyan"),
    (False, True): ("red", "red", "black/bright_yellow", "black/bright_yellow", "black/yellow", "black/yellow",
                    "white/red", "white/red"),
    (False, False): ("blue", "blue", "black/bright_cyan", "black/bright_cyan", "black/cyan", "black/cyan",
                     "white/blue", "white/blue"),
}  # fmt: skip
"""Text and ground of the levels where a terminal has 16 colours, by dark and sign; every second level is bold too."""


def level_of(value: float, maximum: float) -> int:
    """The heat level of an activation: 0 for zero, else 1 to `LEVELS`, negative for negative values."""
    if not value or maximum <= 0:
        return 0
    size = min(LEVELS, max(1, -int(-abs(value) / maximum * LEVELS // 1)))
    return size if value > 0 else -size


@cache
def heat(level: int, dark: bool = True, color: bool = True, few: bool = False) -> Style:
    """The style of a heat level; level 0 is unstyled. `few`: the terminal has 16 colours."""
    if level == 0:
        return PLAIN
    size = min(abs(level), LEVELS)
    if not color:
        return Style(underline=size <= 6, bold=size >= 4, reverse=size >= 7, italic=level < 0)
    if few:
        text, _, ground = _FEW[dark, level > 0][size - 1].partition("/")
        return Style(color=text, bgcolor=ground or None, bold=size % 2 == 0, underline=size == LEVELS, italic=level < 0)
    ramp = (_HOT_DARK if dark else _HOT_LIGHT) if level > 0 else (_COLD_DARK if dark else _COLD_LIGHT)
    pale = size >= 5 if dark else size <= 6
    return Style(
        color=Color.from_ansi(_BLACK if pale else _WHITE),
        bgcolor=Color.from_ansi(ramp[size - 1]),
        bold=size >= 6,
        underline=size == LEVELS,
        italic=level < 0,
    )
