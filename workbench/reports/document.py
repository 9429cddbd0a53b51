"""What a report consists of, said once for HTML and Markdown: blocks that hold plain, unescaped text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from workbench.figures import Figure


@dataclass(frozen=True)
class Code:
    """Text to be read letter by letter: a command, an id, a digest, a token."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Text a hurried reader should see."""

    text: str


@dataclass(frozen=True)
class Link:
    """Text that leads to another place of the report; `target` is an anchor."""

    text: str
    target: str


Inline = str | Code | Strong | Link
Rich = tuple[Inline, ...]
Cell = str | Rich
"""Text of a table cell; all strings are data and escaped when written."""


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    parts: Rich


@dataclass(frozen=True)
class Bullets:
    """A list without order."""

    items: Sequence[Rich]


@dataclass(frozen=True)
class Notice:
    """A sentence that must not be overlooked."""

    kind: Literal["warning", "stale", "older", "missing"]
    parts: Rich


@dataclass(frozen=True)
class Listing:
    """Lines to be copied as they are.

    Attributes:
        save: the name of the file that they can be saved as from the page; none where it is empty.
    """

    lines: Sequence[str]
    save: str = ""


@dataclass(frozen=True)
class Column:
    """A table's column; numbers are set right-aligned."""

    name: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names the row.

    Attributes:
        line: the log line its numbers come from; None where each row names its own.
        data: the same numbers unrounded, offered as CSV.
        anchors: an anchor for each row, or empty.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    line: int | None = None
    data: Figure | None = None
    anchors: Sequence[str] = ()


@dataclass(frozen=True)
class Chart:
    """A figure drawn as SVG, with what it shows in words and its data as CSV."""

    figure: Figure
    line: int | None
    caption: str = ""


@dataclass(frozen=True)
class Heat:
    """Lines of tokens with an activation on each: a figure of kind `tokens`."""

    figure: Figure
    line: int | None


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown when asked for."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    anchor: str
    blocks: Sequence[Block]


Block = Paragraph | Bullets | Notice | Listing | Table | Chart | Heat | Fold | Section


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        facts: (name, value) pairs under the title.
    """

    title: str
    subtitle: str
    facts: Sequence[tuple[str, Rich]] = ()
    sections: Sequence[Section] = field(default_factory=tuple)


def at_line(seq: int) -> Link:
    """A reference to a log line."""
    return Link(f"line {seq}", line_anchor(seq))


def line_anchor(seq: int) -> str:
    """The anchor of a log line in the list of commands."""
    return f"line-{seq}"


def feature_anchor(index: int) -> str:
    """The anchor of a feature's section."""
    return f"feature-{index}"
