"""A report as Markdown: the same blocks, figures as words and tables, every text escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from workbench.figures import Figure
from workbench.reports.describe import describe
from workbench.reports.document import (
    Block,
    Bullets,
    Cell,
    Chart,
    Code,
    Document,
    Fold,
    Heat,
    Inline,
    Listing,
    Notice,
    Paragraph,
    Rich,
    Section,
    Strong,
    Table,
)
from workbench.reports.heat import strongest
from workbench.reports.text import count, number, visible, visible_token

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~&$@!])")
_LINK_START = re.compile(r"(?i)(https?|ftp)(:)|(www)(\.)")
_BULLET = re.compile(r"^(\s*)([-+](?=\s|$)|[-=](?=[-=]*\s*$))")
_NUMBERED = re.compile(r"^(\s*\d+)([.)])(?=\s|$)")
_NOTICES = {"warning": "Warning", "stale": "Stale", "older": "Older revision", "missing": "Not shown"}
_ACTIVE_TOKENS = 4


def escape_markdown(text: str) -> str:
    """Text that no Markdown reader takes for markup, a link, HTML or the start of a list."""
    shown = _ACTIVE.sub(r"\\\1", visible(text))
    shown = _LINK_START.sub(lambda found: f"{found[1] or found[3]}\\{found[2] or found[4]}", shown)
    return _NUMBERED.sub(r"\1\\\2", _BULLET.sub(r"\1\\\2", shown))


def to_markdown(document: Document, pictures: Mapping[int, str] | None = None) -> str:
    """The document as Markdown (CommonMark with GitHub's tables).

    Args:
        document: the report.
        pictures: address of the drawing of each figure that has one, by the identity of its block.
    """
    parts = [f"# {escape_markdown(document.title)}", escape_markdown(document.subtitle)]
    parts.append("\n".join(f"- {escape_markdown(name)}: {_rich(value)}" for name, value in document.facts))
    parts += [text for section in document.sections for text in _block(section, 2, pictures or {})]
    return "\n\n".join(part for part in parts if part) + "\n"


def _inline(part: Inline) -> str:
    if isinstance(part, str):
        return escape_markdown(part)
    if isinstance(part, Code):
        return _code(part.text)
    if isinstance(part, Strong):
        return f"**{escape_markdown(part.text)}**"
    return escape_markdown(part.text)


def _code(text: str) -> str:
    """A code span whose fence is longer than any run of backticks inside; in tables `|` still needs its escape."""
    shown = visible(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    edge = " " if shown[:1] in ("`", " ") or shown[-1:] in ("`", " ") else ""
    return f"{fence}{edge}{shown}{edge}{fence}" if shown else ""


def _rich(parts: Cell | Rich) -> str:
    return escape_markdown(parts) if isinstance(parts, str) else "".join(map(_inline, parts))


def _source(line: int | None) -> str:
    return "" if line is None else f" (line {line})"


def _block(block: Block, depth: int, pictures: Mapping[int, str]) -> Iterable[str]:
    match block:
        case Section(title, _, blocks):
            yield f"{'#' * min(depth, 6)} {escape_markdown(title)}"
            for item in blocks:
                yield from _block(item, depth + 1, pictures)
        case Paragraph(parts):
            yield _rich(parts)
        case Bullets(items):
            yield "\n".join(f"- {_rich(item)}" for item in items)
        case Notice(kind, parts):
            yield f"> **{_NOTICES[kind]}:** {_rich(parts)}"
        case Listing(lines):
            yield "\n".join(f"    {visible(line)}" for line in lines)
        case Fold(title, blocks):
            if not all(isinstance(item, Table) for item in blocks):  # a table says itself what it is
                yield f"**{escape_markdown(title)}**"
            for item in blocks:
                yield from _block(item, depth, pictures)
        case Table():
            yield f"**{escape_markdown(block.caption)}**{_source(block.line)}"
            yield _grid([column.name for column in block.columns], block.rows, [c.numeric for c in block.columns])
        case Chart():
            yield from _chart(block)
            yield from _picture(block, pictures)
        case Heat():
            yield from _heat(block)
            yield from _picture(block, pictures)


def _grid(names: Sequence[str], rows: Iterable[Sequence[Cell]], numeric: Sequence[bool]) -> str:
    lines = [
        f"| {' | '.join(escape_markdown(name) for name in names)} |",
        f"|{'|'.join(' ---: ' if right else ' --- ' for right in numeric)}|",
    ]
    lines += [f"| {' | '.join(_rich(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _picture(block: Chart | Heat, pictures: Mapping[int, str]) -> Iterable[str]:
    """The drawing, where it lies beside the report as a file."""
    if id(block) in pictures:
        yield f"![{escape_markdown(block.figure.title)}](<{quote(pictures[id(block)])}>)"


def _chart(chart: Chart) -> Iterable[str]:
    figure = chart.figure
    caption = escape_markdown(chart.caption or figure.title)
    yield f"**{caption}**{_source(chart.line)}: {escape_markdown(describe(figure))}."
    names, rows = _figure_rows(figure)
    if rows:
        yield _grid(names, rows, [True] * len(names))


def _figure_rows(figure: Figure) -> tuple[list[str], list[list[str]]]:
    """Small figures as rows; a scatter is told in words alone, its points stand in the tables."""
    data = figure.data
    if figure.kind == "curve":
        rows = [[number(value) for value in row] for row in zip(data["x"], *data["series"].values(), strict=True)]
        return [figure.x_label, *data["series"]], rows
    if figure.kind == "histogram":
        bins = zip(data["edges"], data["edges"][1:], data["counts"], strict=False)
        return ["from", "to", "count"], [[number(low), number(high), count(amount)] for low, high, amount in bins]
    if figure.kind == "matrix":
        named = zip(data["rows"], data["values"], strict=True)
        return ["", *data["columns"]], [[name, *map(number, row)] for name, row in named]
    return [], []


def _heat(heat: Heat) -> Iterable[str]:
    figure = heat.figure
    yield f"**{escape_markdown(figure.title)}**{_source(heat.line)}. {escape_markdown(figure.note)}"
    rows = [
        f"| {escape_markdown(line['title'])} | {_token_line(line)} | {_strongest(line)} |"
        for line in figure.data["lines"]
    ]
    yield "\n".join(["| | tokens (the strongest in bold) | strongest |", "| --- | --- | --- |", *rows])


def _token_line(line: dict[str, Any]) -> str:
    ranked = sorted(range(len(line["values"])), key=lambda place: -abs(line["values"][place]))
    bold = {place for place in ranked[:_ACTIVE_TOKENS] if line["values"][place]}
    parts = [
        _bold(visible_token(token)) if place in bold else escape_markdown(visible_token(token))
        for place, token in enumerate(line["tokens"])
    ]
    return "".join(parts).strip().replace("****", "")  # neighbours become one bold stretch


def _bold(token: str) -> str:
    """The token in bold where Markdown allows it: a mark beside punctuation would be shown as asterisks."""
    word = token.strip()
    if not word or not (word[0].isalnum() and word[-1].isalnum()):
        return escape_markdown(token)
    start = token.index(word)
    return f"{token[:start]}**{escape_markdown(word)}**{token[start + len(word) :]}"


def _strongest(line: dict[str, Any]) -> str:
    best = strongest(line["values"])
    return "silent" if best is None else f"{_code(line['tokens'][best].strip() or '␣')} {number(line['values'][best])}"
