"""Parts that result views are made of: titles, wrapped text, tables with their own columns, and what `w` tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.style import Style

from screens.painting import palette
from screens.painting.text import visible, wrapped
from screens.widgets.lines import Cell, Column, Row

Result = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What `w` says of one number, beside the provenance and the line that every number has.

    Attributes:
        facts: name and text of what is known about it, such as its definition and n.
        feature: whose null `features.why` draws again, or an empty text where there is none.
        ranking: log line of the ranking that the feature's null belongs to.
    """

    facts: tuple[tuple[str, str], ...]
    feature: str = ""
    ranking: int | None = None


@dataclass(frozen=True)
class View:
    """A stored result as the app shows it.

    Attributes:
        head: two or three lines that say what was done and what came out.
        rows: tables and figures below each other.
        told: what `w` says, by the key of a row; a key that is missing has the words of `about`.
        features: the feature that enter opens, by the key of a row.
        about: what `w` says of the result as a whole.
        lists: the tag whose list enter opens, by the key of a row.
    """

    head: tuple[tuple[str, Style], ...]
    rows: tuple[Row, ...]
    told: dict[str, Told]
    features: dict[str, str]
    about: Told
    lists: dict[str, str] = field(default_factory=dict)


def title(key: str, text: str) -> list[Row]:
    """A heading with an empty line above it."""
    return [Row(f"{key}:gap", (("", palette.PLAIN),)), Row(f"{key}:title", ((visible(text), palette.BOLD),))]


def paragraph(key: str, text: str, width: int, style: Style = palette.PLAIN) -> list[Row]:
    """A text wrapped to the width, a row a line."""
    return [
        Row(f"{key}:{at}", ((f"{'  ' if at else ''}{line}", style),))
        for at, line in enumerate(wrapped(visible(text), width - 6))
    ]


def table(key: str, columns: Sequence[Column], rows: Sequence[tuple[str, Sequence[Cell]]]) -> list[Row]:
    """A table with the names of its columns above it; each row is a key and its cells."""
    own = tuple(columns)
    names = Row(f"{key}:names", tuple((column.title, palette.TITLE) for column in own), columns=own)
    return [names, *(Row(f"{key}:{name}", tuple(cells), columns=own) for name, cells in rows)]


def span(low: float | None, high: float | None) -> str:
    """The ends of an interval in seven cells: `.91….98`."""
    return "–" if low is None or high is None else f"{_short(low)}…{_short(high)}"


def _short(value: float) -> str:
    text = f"{value:.2f}"
    return "1.0" if text == "1.00" else text.replace("0.", ".", 1)


def with_interval(value: Sequence[float | None]) -> str:
    """`0.95 .91….98`: a number with its interval; a dash where it is undefined."""
    return "–" if value[0] is None else f"{value[0]:.2f} {span(value[1], value[2])}"
