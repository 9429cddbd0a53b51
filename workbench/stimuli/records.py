"""One sentence of a file with its columns, checked and brought into the form in which sets are stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from workbench.errors import InputFileError

_TEXTS = ("id", "item", "fold")
_NAMED = ("factor", "nuisance")
_SPAN = ("span", "span_start", "span_end", "target")
KNOWN = ("category", "text", *_TEXTS, *_SPAN, "factors", "nuisances", "include")
"""Columns that are read; beside them `factor:NAME` and `nuisance:NAME`."""
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


def read_record(raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The sentence as a set stores it; empty columns are left out.

    Args:
        raw: columns by name: JSON values, or the texts of a table's cells.
        where: what messages call the sentence.

    Raises:
        InputFileError: a column holds what it cannot hold, or the target is not in the sentence.
    """
    text = raw.get("text")
    if not isinstance(text, str):
        raise InputFileError(f"{where} has no text", 'Give "text" a sentence.')
    found: dict[str, Any] = {"text": text}
    for column in _TEXTS:
        if name := _name(raw.get(column), column, where):
            found[column] = name
    if (span := _span(raw, text, where)) is not None:
        found["span"] = span
    if factors := _named(raw, "factor", where):
        found["factors"] = factors
    if nuisances := _named(raw, "nuisance", where):
        found["nuisances"] = nuisances
    if not _included(raw.get("include"), where):
        found["include"] = False
    return found


def unread(columns: Mapping[str, Any]) -> list[str]:
    """Names of columns that mean nothing here."""
    return [
        name
        for name in columns
        if name and name not in KNOWN and not (name.partition(":")[0] in _NAMED and name.partition(":")[2].strip())
    ]


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _name(value: Any, column: str, where: str) -> str:
    """A short text or a whole number, as text."""
    if _empty(value):
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise InputFileError(f"{column} of {where} is {value!r}", "Give a text or a whole number.")
    text = str(value).strip()
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputFileError(f"{column} of {where} holds half of a character", "Save the file as UTF-8.") from error
    return text


def _span(raw: Mapping[str, Any], text: str, where: str) -> list[int] | None:
    """The target's first character and the one after its last, from positions or from the words themselves."""
    if not _empty(target := raw.get("target")):
        return _find(target, text, where)
    both = raw.get("span")
    if _empty(both):
        both = [raw.get("span_start"), raw.get("span_end")]
        if all(_empty(value) for value in both):
            return None
    if not isinstance(both, (list, tuple)) or len(both) != 2:
        raise InputFileError(f"span of {where} is {both!r}", "Give [first character, character after the last].")
    start, end = (_whole(value, where) for value in both)
    if not 0 <= start < end <= len(text):
        raise InputFileError(
            f"span {start} to {end} of {where} is not in its {len(text)} characters ({text[:60]!r})",
            "Count from 0; the end is the character after the last.",
        )
    return [start, end]


def _find(target: Any, text: str, where: str) -> list[int]:
    if not isinstance(target, str):
        raise InputFileError(f"target of {where} is {target!r}", "Give words of the sentence.")
    times = text.count(target)
    if times == 0:
        raise InputFileError(f"the target {target!r} of {where} is not in its sentence ({text[:60]!r})", "Mend one.")
    if times > 1:
        raise InputFileError(
            f"the target {target!r} of {where} stands {times} times in its sentence ({text[:60]!r})",
            "Say which one with span_start and span_end, in characters from 0.",
        )
    start = text.index(target)
    return [start, start + len(target)]


def _whole(value: Any, where: str) -> int:
    try:
        if isinstance(value, (bool, float)) or value is None:
            raise ValueError
        return int(value)
    except (TypeError, ValueError) as error:
        raise InputFileError(f"a span of {where} is {value!r}", "Give two whole numbers, in characters.") from error


def _named(raw: Mapping[str, Any], kind: str, where: str) -> dict[str, Any]:
    """`{NAME: value}` from one object, or from columns `factor:NAME` / `nuisance:NAME`."""
    given = raw.get(f"{kind}s") or {}
    if not isinstance(given, Mapping):
        raise InputFileError(f"{kind}s of {where} is {given!r}", "Give {NAME: value}.")
    cells = {
        column.partition(":")[2].strip(): value
        for column, value in raw.items()
        if column.startswith(f"{kind}:") and column.partition(":")[2].strip()
    }
    pairs = {**given, **cells}
    read = _name if kind == "factor" else _number
    return {name: read(value, f"{kind} {name!r}", where) for name, value in pairs.items() if not _empty(value)}


def _number(value: Any, column: str, where: str) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        found = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputFileError(
            f"{column} of {where} is {value!r}, no number", "Give a number, or leave it out."
        ) from error
    if not math.isfinite(found):
        raise InputFileError(f"{column} of {where} is {value!r}", "Give a finite number, or leave it out.")
    return found


def _included(value: Any, where: str) -> bool:
    if _empty(value):
        return True
    word = str(value).strip().casefold()
    if word not in (*_YES, *_NO):
        raise InputFileError(f"include of {where} is {value!r}", "Give true or false.")
    return word in _YES
