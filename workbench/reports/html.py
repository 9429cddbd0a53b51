"""A report as one HTML file: no script, no network, every text escaped, readable by keyboard and by ear."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib import resources
from itertools import count as numbers
from typing import Any

from workbench.figures import Figure
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
    at_line,
)
from workbench.reports.figure_csv import figure_csv
from workbench.reports.heat import level, strongest
from workbench.reports.sheet import NARROW
from workbench.reports.svg import figure_svg
from workbench.reports.text import number, slug, visible, visible_token

LONG = 28
"""Signs of a code above which it may be broken anywhere, as a digest is."""
TWICE = 120_000
"""Signs of a drawing above which it is not drawn once more for narrow pages, which then scroll it."""
WORDS = 16
"""Signs of a row's name from which on it takes a column that holds some words."""
PARTS = 3
"""Level of headings down to which a part of the page leads back to the contents."""
_NOTICES = {"warning": "Warning", "stale": "Stale", "older": "Older revision", "missing": "Not shown"}


def to_html(document: Document) -> str:
    """The document as one HTML page."""
    style = resources.files("workbench.reports").joinpath("page.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    writer = _Writer()
    body = "".join(writer.block(section, 2) for section in document.sections)
    facts = "".join(f"<div><dt>{_text(name)}</dt><dd>{_rich(value)}</dd></div>" for name, value in document.facts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # nothing but this style sheet may act: neither a script nor a request, whatever a token holds
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{_text(document.title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#report">Skip to the report</a>\n'
        f'<header><h1>{_text(document.title)}</h1><p class="lead">{_text(document.subtitle)}</p>'
        f"<dl>{facts}</dl></header>\n"
        f'<nav id="contents" aria-label="Contents"><ul>{_contents(document.sections)}</ul></nav>\n'
        f'<main id="report" tabindex="-1">{body}</main>\n'
        "<footer><p>Written by feature-workbench. This file is whole: it loads nothing and runs no script.</p>"
        "</footer>\n</body>\n</html>\n"
    )


def _contents(sections: Sequence[Section]) -> str:
    entries = []
    for section in sections:
        inner = [block for block in section.blocks if isinstance(block, Section)]
        below = f"<ul>{''.join(_entry(block) for block in inner)}</ul>" if inner else ""
        entries.append(_entry(section, below))
    return "".join(entries)


def _entry(section: Section, below: str = "") -> str:
    return f'<li><a href="#{escape(section.anchor)}">{_text(section.title)}</a>{below}</li>'


def _text(value: str) -> str:
    return escape(visible(value))


def _inline(part: Inline) -> str:
    if isinstance(part, str):
        return _text(part)
    if isinstance(part, Code):
        long = ' class="long"' if len(part.text) > LONG else ""
        return f"<code{long}>{_text(part.text)}</code>"
    if isinstance(part, Strong):
        return f"<strong>{_text(part.text)}</strong>"
    return f'<a href="#{escape(part.target)}">{_text(part.text)}</a>'


def _rich(parts: Cell | Rich) -> str:
    return _text(parts) if isinstance(parts, str) else "".join(map(_inline, parts))


def _source(line: int | None) -> str:
    return "" if line is None else f' <span class="source">({_inline(at_line(line))})</span>'


def _download(figure: Figure, what: str) -> str:
    packed = base64.b64encode(figure_csv(figure).encode("utf-8")).decode()
    name = f"{slug(figure.title)}.csv"
    return (
        f'<p class="download"><a download="{name}" href="data:text/csv;base64,{packed}">'
        f'Data as CSV<span class="unseen">: {_text(what)}</span></a></p>'
    )


def _saved(lines: Sequence[str], name: str) -> str:
    """A link that saves the lines themselves, with nothing made visible in them."""
    if not name:
        return ""
    packed = base64.b64encode("".join(f"{line}\n" for line in lines).encode("utf-8", "replace")).decode()
    return (
        f'<p class="download"><a download="{escape(name)}" href="data:text/plain;charset=utf-8;base64,{packed}">'
        f"Save as {_text(name)}</a></p>"
    )


class _Writer:
    """Writes blocks, giving each drawing and table an id of its own."""

    def __init__(self) -> None:
        self._numbers = numbers(1)

    def block(self, block: Block, depth: int) -> str:
        """One block; `depth` is the level of headings here."""
        match block:
            case Section():
                return self._section(block, depth)
            case Paragraph(parts):
                return f"<p>{_rich(parts)}</p>"
            case Bullets(items):
                return f"<ul>{''.join(f'<li>{_rich(item)}</li>' for item in items)}</ul>"
            case Notice(kind, parts):
                return f'<p class="notice {kind}"><strong>{_NOTICES[kind]}:</strong> {_rich(parts)}</p>'
            case Listing(lines, save):
                shown = "\n".join(_text(line) for line in lines)
                return f'<pre tabindex="0">{shown}</pre>{_saved(lines, save)}'
            case Fold(title, blocks):
                inner = "".join(self.block(item, depth) for item in blocks)
                return f"<details><summary>{_text(title)}</summary>{inner}</details>"
            case Table():
                return self._table(block)
            case Chart():
                return self._chart(block)
            case Heat():
                return self._heat(block)

    def _section(self, section: Section, depth: int) -> str:
        anchor, heading = escape(section.anchor), f"h{min(depth, 6)}"
        inner = "".join(self.block(item, depth + 1) for item in section.blocks)
        # a narrow page has no contents at its side, so each part of it leads back to them
        led = section.blocks and isinstance(section.blocks[-1], Section)  # whose own link stands right here
        wanted = depth <= PARTS and not (led and depth < PARTS)
        back = '<p class="back"><a href="#contents">Back to the contents</a></p>' if wanted else ""
        return (
            f'<section id="{anchor}" aria-labelledby="{anchor}-h">'
            f'<{heading} id="{anchor}-h">{_text(section.title)}</{heading}>{inner}{back}</section>'
        )

    def _table(self, table: Table) -> str:
        caption = f"table-{next(self._numbers)}"
        head = "".join(
            f'<th scope="col"{_numeric(column.numeric)}>{_text(column.name)}</th>' for column in table.columns
        )
        rows = "".join(_row(table, place, row) for place, row in enumerate(table.rows))
        saved = "" if table.data is None else _download(table.data, table.caption)
        return (
            f'<div class="scroll" role="region" aria-labelledby="{caption}" tabindex="0"><table>'
            f'<caption id="{caption}"><span>{_text(table.caption)}{_source(table.line)}</span></caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{saved}"
        )

    def _chart(self, chart: Chart) -> str:
        caption = chart.caption or chart.figure.title
        drawings = "".join(
            f'<div class="scroll{size}" role="region" aria-label="{_text(caption)}" tabindex="0">{drawing}</div>'
            for size, drawing in self._drawings(chart.figure)
        )
        note = ""
        if chart.figure.note and chart.figure.note not in caption:
            note = f"{'' if caption.endswith(('.', '!', '?', ':')) else '.'} {_text(chart.figure.note)}"
        return (
            f"<figure>{drawings}<figcaption>{_text(caption)}{note}{_source(chart.line)}</figcaption>"
            f"{_download(chart.figure, caption)}</figure>"
        )

    def _drawings(self, figure: Figure) -> list[tuple[str, str]]:
        """The drawing, and one for a telephone where that differs; the style sheet shows the one that fits."""
        anchor = f"figure-{next(self._numbers)}"
        wide, narrow = figure_svg(figure, anchor), figure_svg(figure, f"{anchor}-narrow", NARROW)
        if len(wide) > TWICE or wide == narrow.replace(f"{anchor}-narrow", anchor):
            return [("", wide)]
        return [(" wide", wide), (" narrow", narrow)]

    def _heat(self, heat: Heat) -> str:
        figure, maximum = heat.figure, float(heat.figure.data["maximum"])
        lines = "".join(f"<li>{_token_line(line, maximum)}</li>" for line in figure.data["lines"])
        return (
            f'<figure class="tokens"><figcaption>{_text(figure.title)}{_source(heat.line)}'
            f'<span class="scale">{_text(figure.note)}</span></figcaption>'
            f"<ol>{lines}</ol>{_download(figure, figure.title)}</figure>"
        )


def _numeric(yes: bool) -> str:
    return ' class="number"' if yes else ""


def _worded(cell: Cell) -> str:
    """Marks a row's name of several words, which a narrow page must not set a word to a line."""
    shown = cell if isinstance(cell, str) else "".join(part if isinstance(part, str) else part.text for part in cell)
    return ' class="words"' if len(shown) > WORDS else ""


def _row(table: Table, place: int, row: Sequence[Cell]) -> str:
    cells = []
    for number_, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
        tag, scope = ("th", ' scope="row"') if number_ == 0 else ("td", "")
        kind = _numeric(column.numeric) or (_worded(cell) if number_ == 0 else "")
        cells.append(f"<{tag}{scope}{kind}>{_rich(cell)}</{tag}>")
    anchor = f' id="{escape(table.anchors[place])}"' if table.anchors else ""
    return f"<tr{anchor}>{''.join(cells)}</tr>"


def _token_line(line: dict[str, Any], maximum: float) -> str:
    """One line of tokens: silent ones plain, the others marked, the strongest with its number."""
    best = strongest(line["values"])
    parts = []
    for place, (token, value) in enumerate(zip(line["tokens"], line["values"], strict=True)):
        parts.append(_token(token, value, maximum, place == best))
    return f'<span class="side">{_text(line["title"])}</span> <span class="line">{"".join(parts)}</span>'


def _token(token: str, value: float, maximum: float, best: bool) -> str:
    shown = visible_token(token)
    step = level(value, maximum)
    if step == 0:
        return f"<span>{escape(shown)}</span>"
    word = shown.strip(" ") or "␣"
    before, after = (" " * (shown.startswith(" ") and word != "␣"), " " * (shown.endswith(" ") and word != "␣"))
    written = number(value)
    sign = " below" if value < 0 else ""
    figure = f'<span class="value">{written}</span>' if best else ""
    return f'{before}<mark class="f{step}{sign}" title="{written}">{escape(word)}{figure}</mark>{after}'
