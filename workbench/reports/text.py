"""Text and numbers as a reader can trust them: hidden characters shown, numbers with sign and few digits."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NAMED = {"\n": "⏎", "\t": "⇥"}
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_LARGE = 1e15
"""Numbers beyond this stand for a separation without variance."""
_LONGEST = 400
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?(e-?\d+)?")
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@lru_cache(maxsize=8192)
def visible(text: str) -> str:
    """The text with every character that is unseen, reorders text or breaks a line spelled out.

    Line ends and tabs become one sign each; other control, format, private and unpaired surrogate characters
    become their number in angle brackets. The result has one line and can always be encoded.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible_sign, text))


def _visible_sign(sign: str) -> str:
    if sign in _NAMED:
        return _NAMED[sign]
    if unicodedata.category(sign) in _HIDDEN:
        return f"⟨{ord(sign):02x}⟩"  # the signs U+2400 to U+2421 are missing from many fonts
    return " " if unicodedata.category(sign) == "Zs" else sign


def visible_token(token: str) -> str:
    """A token's text, visible; nothing gets a sign of its own, and a very long one is cut."""
    if not token:
        return "∅"
    shown = visible(token if len(token) <= _LONGEST else token[:_LONGEST] + "…")
    return "◌" + shown if unicodedata.combining(shown[0]) else shown


def slug(text: str) -> str:
    """A short name for files and anchors: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:60] or "figure"


def number(value: float | None, digits: int = 3) -> str:
    """A number with `digits` significant digits; a dash for null, ∞ for a separation without variance."""
    if value is None:
        return "–"
    if value != value:
        return "undefined"
    if abs(value) > _LARGE:
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if abs(value) < 1e-3 or abs(value) >= 1e6:
        return _scientific(value, digits)
    places = max(0, digits - 1 - _exponent(value))
    return f"{value:,.{places}f}".replace("-", "−")


def number_of(shown: str) -> float | int | str:
    """A number written by this module, read again; nothing for a dash, and a text that is no number stays one."""
    if shown == "–":
        return ""
    base, times, power = shown.replace("−", "-").replace(",", "").partition("×10")
    plain = f"{base}e{power.translate(_LOWERED)}" if times else base
    if not _PLAIN.fullmatch(plain):
        return shown
    return float(plain) if set(plain) & set(".e") else int(plain)


def _exponent(value: float) -> int:
    return int(f"{abs(value):.6e}".split("e")[1])


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}×10{str(int(exponent)).translate(_RAISED)}".replace("-", "−")


def signed(value: float | None, digits: int = 3) -> str:
    """A number with its sign, also when it is positive."""
    shown = number(value, digits)
    return f"+{shown}" if value is not None and value > 0 else shown


def nats(value: float | None) -> str:
    """A change of log probability: three decimals and its sign, since smaller ones mean nothing."""
    return "–" if value is None else f"{round(value, 3) + 0.0:+.3f}".replace("-", "−").replace("+0.000", "0.000")


def chance(value: float | None) -> str:
    """A p or q value; nothing finer than 1e-9, beyond which it is a formula's word alone."""
    if value is None:
        return "–"
    if value < 1e-9:
        return "<10⁻⁹"
    if value >= 1e-3:
        return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
    return number(value, 2)


def count(value: int | float | None) -> str:
    """A count with separators; a median of counts keeps its half."""
    if value is None:
        return "–"
    return f"{value:,.1f}" if value != int(value) else f"{int(value):,}"


def share(value: float | None) -> str:
    """A share as a percentage."""
    return "–" if value is None else f"{number(100 * value)} %"


def several(value: int | float, one: str, many: str = "") -> str:
    """A count with its noun: `1 sentence`, `50 sentences`."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def listed(names: list[str]) -> str:
    """Names as a sentence lists them: `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
