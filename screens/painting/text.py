"""Text for terminal cells: hostile characters made visible, fitting to a width, numbers as people read them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

_NAMED = {"\n": "⏎", "\r": "␍", "\t": "⇥", "\x1b": "␛", "\x7f": "␡"}
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_LARGE = 1e15
"""Numbers beyond this stand for a separation without variance."""


@lru_cache(maxsize=8192)
def visible(text: str) -> str:
    """The text with every character that could move the cursor, hide or reorder text spelled out.

    Line ends, tabs and escapes become one sign each; other control, format, private and unpaired
    surrogate characters become their number in angle brackets.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_sign(sign) for sign in text)


def _visible_sign(sign: str) -> str:
    if sign in _NAMED:
        return _NAMED[sign]
    if unicodedata.category(sign) in _HIDDEN:
        return chr(0x2400 + ord(sign)) if ord(sign) < 0x20 else f"⟨{ord(sign):x}⟩"
    if unicodedata.combining(sign) or cell_len(sign) == 0:
        return f"◌⟨{ord(sign):x}⟩"  # a combining sign would sit on a neighbour and shift the columns
    return " " if unicodedata.category(sign) == "Zs" else sign


def token_name(token: str) -> str:
    """A token that is named on its own, a blank one as signs that are seen."""
    shown = visible(token)
    return shown if shown.strip() else "␣" * len(shown)


def fit(text: str, width: int, align: str = "left") -> str:
    """The text in exactly `width` cells: padded, or cut with an ellipsis."""
    text = visible(text)
    if width <= 0:
        return ""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    if align == "right":
        return " " * (width - length) + text
    return text + " " * (width - length)


def number(value: float | int | None, digits: int = 3, sign: bool = False) -> str:
    """A number in at most seven cells; a dash for null, `inf` for a separation without variance."""
    if value is None:
        return "–"
    if abs(value) > _LARGE:
        return "+inf" if value > 0 and sign else "inf" if value > 0 else "-inf"
    if value and (abs(value) < 10**-digits or abs(value) >= 100_000):
        return f"{value:{'+' if sign else ''}.0e}"
    places = digits if abs(value) < 10 else max(0, digits - 1) if abs(value) < 100 else max(0, digits - 2)
    return f"{value:{'+' if sign else ''}.{places}f}"


def chance(value: float | None) -> str:
    """A p or q value in at most six cells; nothing finer than 1e-9, beyond which it is a formula's word alone."""
    if value is None:
        return "–"
    if value < 1e-9:
        return "<1e-9"
    if value < 0.001:
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:.3f}"


def thousands(value: int | None) -> str:
    """A count with separators; a dash for null."""
    return "–" if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    """A share as a percentage of two or three significant digits; a dash for null."""
    if value is None:
        return "–"
    share = value * 100
    return f"{share:.0f}%" if share >= 10 or share == 0 else f"{share:.1f}%" if share >= 1 else f"{share:.2g}%"


def size(count: int) -> str:
    """Bytes as `812 B`, `12.3 kB` or `4.0 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e3:.1f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def duration(seconds: float | None) -> str:
    """Seconds as `0.8 s`, `12 s` or `3:05`."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def short_id(feature: str) -> str:
    """The number of a feature with its mark: `#417` of `demo/blocks.1.hook_resid_post/sae#417`."""
    return "#" + visible(feature.rpartition("#")[2])


def short_space(name: str) -> str:
    """`demo/blocks.1.hook_resid_post/sae` as `demo/blocks.1.resid_post/sae`, for a column."""
    return name.replace(".hook_", ".", 1)


_SHELL_LINE = re.compile(r"`workbench ([a-z]+) ([a-z]+)((?: [^`]*)?)`")
_OPTION = re.compile(r" --([a-z][a-z-]*) (?!--)")
_BARE = re.compile(r"(?<![\w-])--([a-z][a-z-]*)(?: (?=[A-Z]{2}|\d))?")
_SWITCHES = frozenset(("absolute", "batch", "equal", "exact", "failed", "labelled", "retry", "unbound", "yes"))
"""Options without a value that advice names; anything else named bare is to be followed by one."""
_OF_THE_SHELL = frozenset(("session", "sessions", "host", "no_engine", "json", "quiet", "fresh", "version", "help"))


def in_app(text: str) -> str:
    """Advice written for the shell, with its commands as the `:` lines they are in the app."""

    def line(match: re.Match[str]) -> str:
        rest = _OPTION.sub(lambda option: f" {option[1].replace('-', '_')}=", match[3])
        return match[0] if " --" in rest else f":{match[1]}.{match[2]}{rest}"

    parts = re.split("(`[^`]*`)", _SHELL_LINE.sub(line, text))  # what stays in backquotes is for a shell, or no option
    return "".join(part if part.startswith("`") else _BARE.sub(_parameter, part) for part in parts)


def _parameter(option: re.Match[str]) -> str:
    """An option that a sentence names, as the parameter of a `:` line; those of the shell itself have none."""
    name = option[1].replace("-", "_")
    if name in _OF_THE_SHELL:
        return option[0]
    if name in _SWITCHES:
        return f"{name}=true"
    return f"{name.removeprefix('no_')}=false" if name.startswith("no_") else f"{name}="


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken at spaces; line ends in it are kept."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in visible(paragraph).split(" "):
            if line and cell_len(line) + 1 + cell_len(word) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
    return lines
