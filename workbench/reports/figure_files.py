"""A report's figures and tables as files: drawings as SVG, their data as CSV, tables as LaTeX and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from workbench.figures import Figure
from workbench.reports.document import Block, Chart, Document, Fold, Heat, Section, Table
from workbench.reports.figure_csv import figure_csv
from workbench.reports.latex import plain_cell, table_latex
from workbench.reports.svg import figure_svg
from workbench.reports.text import number_of, slug

CONTENTS = "contents.csv"
_OWN = re.compile(r"\d{3,}-[a-z0-9-]*\.(svg|csv|tex)")


def figure_files(document: Document) -> dict[str, str]:
    """Name and text of each file, in the order of the report, then a list of what is what.

    The numbers in front keep names apart; the list says from which log line each comes.
    """
    files: dict[str, str] = {}
    listed: list[list[object]] = []
    for place, (block, section) in enumerate(_shown(document.sections, ""), start=1):
        made = _files(block, _name(place, block))
        files |= made
        listed += [[file, section, _what(block), "" if block.line is None else block.line] for file in made]
    columns = ["file", "section", "what", "log line"]
    contents = Figure(kind="table", title="contents", data={"columns": columns, "rows": listed})
    return {**files, CONTENTS: figure_csv(contents)}


def named_in(contents: Path) -> list[str]:
    """The files that an earlier list names, as far as they have names that this module gives: no path among them."""
    rows = list(csv.reader(io.StringIO(contents.read_text("utf-8", errors="replace"))))
    return [row[0] for row in rows if row and _OWN.fullmatch(row[0])]


def pictures(document: Document) -> dict[int, str]:
    """The name of the drawing of each figure in the document, by the identity of its block."""
    shown = enumerate(_shown(document.sections, ""), start=1)
    return {id(block): f"{_name(place, block)}.svg" for place, (block, _) in shown if not isinstance(block, Table)}


def _name(place: int, block: Chart | Heat | Table) -> str:
    return f"{place:03d}-{slug(_what(block))}"


def _what(block: Chart | Heat | Table) -> str:
    """The caption, or the figure's title where it has none."""
    about = "" if isinstance(block, Heat) else block.caption
    return about or ("" if isinstance(block, Table) else block.figure.title)


def _shown(blocks: Sequence[Block], section: str) -> Iterator[tuple[Chart | Heat | Table, str]]:
    """Every figure and table with the heading that it stands under."""
    for block in blocks:
        if isinstance(block, Section):
            yield from _shown(block.blocks, block.title)
        elif isinstance(block, Fold):
            yield from _shown(block.blocks, section)
        elif isinstance(block, (Chart, Heat, Table)):
            yield block, section


def _files(block: Chart | Heat | Table, name: str) -> dict[str, str]:
    if isinstance(block, Table):
        return {f"{name}.tex": table_latex(block), f"{name}.csv": figure_csv(block.data or _as_figure(block))}
    return {f"{name}.svg": standalone(figure_svg(block.figure, "figure")), f"{name}.csv": figure_csv(block.figure)}


def _as_figure(table: Table) -> Figure:
    """A table as it is shown, for those that carry no unrounded numbers."""
    numeric = [column.numeric for column in table.columns]
    rows = [
        [
            number_of(plain_cell(cell)) if is_number else plain_cell(cell)
            for cell, is_number in zip(row, numeric, strict=True)
        ]
        for row in table.rows
    ]
    columns = _told_apart([column.name for column in table.columns])
    return Figure(kind="table", title=table.caption, data={"columns": columns, "rows": rows})


def _told_apart(names: Sequence[str]) -> list[str]:
    """Names of columns; one that stands there twice is said with the column before it."""
    return [
        f"{names[place - 1]}: {name}" if place and names.count(name) > 1 else name for place, name in enumerate(names)
    ]


def standalone(svg: str) -> str:
    """A drawing as a file of its own: black on white wherever it is opened."""
    coloured = svg.replace("<svg ", '<svg color="#1b1e22" ', 1)
    head, end, body = coloured.partition("</desc>")
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{end}{ground}{body}\n'
