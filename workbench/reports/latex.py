"""A report's tables as LaTeX, for papers: plain `tabular`, no package needed, every text escaped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from workbench.reports.document import Cell, Code, Table
from workbench.reports.text import visible

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "{''}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "-": "{-}", "–": "--", "−": r"$-$", "×": r"$\times$", "·": r"$\cdot$", "→": r"$\to$", "∞": r"$\infty$",
    "[": "{[}", "]": "{]}", "*": "{*}",  # the end of a table's row would take one that follows for its own
    "⟨": r"$\langle$", "⟩": r"$\rangle$", "∅": r"$\emptyset$", "“": "``", "”": "''", "…": r"\ldots{}", "²": "$^2$",
    "⏎": r"$\hookleftarrow$",
}  # fmt: skip
"""Signs that mean something to LaTeX, and those that its plain fonts have under a name."""
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_COMMAS = re.compile(",(?=,)")
"""Two of them would be set as a low quotation mark."""
_POWER = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
ROOM = 66.0
"""Signs in a line of an article's text, which is 345 points wide: what needs no more is set in the text's size."""
SMALLER = ((r"\footnotesize", 80.0), (r"\scriptsize", 90.0), (r"\tiny", 110.0))
"""Smaller sizes, and how many signs of them are in a line."""
GAP = 1.6
"""Signs between two columns of a table set smaller."""
SHORT, LONGEST, LEAST = 14, 60, 9
"""Signs up to which a text is not broken, beyond which a column gets no more room, and that any broken one has."""
HEIGHT = 38
"""Lines of a table that a page holds."""
_LATIN = frozenset(map(chr, range(0xC0, 0x180))) - set("ĦħĸĿŀŉŦŧſ")
"""Letters with accents that pdflatex knows, some of them with `\\usepackage[T1]{fontenc}`."""


def escape_latex(text: str) -> str:
    """Text that LaTeX sets as it is; a sign that its fonts lack is spelled by its number."""
    parts, at = [], 0
    shown = visible(text)
    for power in _POWER.finditer(shown):
        parts += [*map(_sign, shown[at : power.start()]), f"$^{{{power[0].translate(_RAISED)}}}$"]
        at = power.end()
    return _COMMAS.sub(",{}", "".join([*parts, *map(_sign, shown[at:])]))


def _sign(sign: str) -> str:
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    if sign.isascii() or (sign in _LATIN and unicodedata.category(sign).startswith("L")):
        return sign
    return rf"\texttt{{U+{ord(sign):04X}}}"


def table_latex(table: Table) -> str:
    """The table with its caption; numbers are set to the right.

    One that is wider than the text of an article is set smaller, its long texts in columns that break lines; one that
    is higher is set as several tables.
    """
    widths = [_width(table, place) for place in range(len(table.columns))]
    layout = _layout(table, widths)
    kinds = "".join(
        rf"p{{{share:.3f}\linewidth}}" if share else "r" if column.numeric else "l"
        for column, share in zip(table.columns, layout.shares, strict=True)
    )
    head = " & ".join(escape_latex(column.name) for column in table.columns)
    end = r"\tabularnewline" if any(layout.shares) else r"\\"  # \\raggedright has a \\ of its own
    source = "" if table.line is None else f" (line {table.line})"
    parts: list[str] = []
    for rows in _pages(table, layout):
        more = " (continued)" if parts else ""
        body = [" & ".join(map(_cell, row, layout.shares)) + f" {end}" for row in rows]
        parts += [
            r"\begin{table}",
            *([layout.size + r"\setlength{\tabcolsep}{3pt}"] if layout.size else []),
            rf"\caption{{{escape_latex(table.caption + source + more)}}}",
            rf"\begin{{tabular}}{{{kinds}}}",
            r"\hline",
            f"{head} {end}",
            r"\hline",
            *body,
            r"\hline",
            r"\end{tabular}",
            r"\end{table}",
        ]
    return "\n".join([*parts, ""])


@dataclass(frozen=True)
class _Layout:
    """How a table is set.

    Attributes:
        size: the command of its type size, or nothing for the text's own.
        room: signs of that size in a line.
        shares: the part of the line that each column with line breaks has; 0 for the others.
    """

    size: str
    room: float
    shares: Sequence[float]


def _layout(table: Table, widths: Sequence[int]) -> _Layout:
    """The largest type in which the table stays inside the text."""
    if sum(widths) + 2.4 * len(widths) <= ROOM:
        return _Layout("", ROOM, [0.0] * len(widths))
    breaks = [width > SHORT and not column.numeric for column, width in zip(table.columns, widths, strict=True)]
    least = LEAST * sum(breaks)
    taken = sum(GAP + (0 if broken else width) for broken, width in zip(breaks, widths, strict=True))
    size, room = next((one for one in SMALLER if one[1] - taken >= least), SMALLER[-1])
    weights = [min(width, LONGEST) if broken else 0 for broken, width in zip(breaks, widths, strict=True)]
    share = max(room - taken, least) / room / max(sum(weights), 1)
    return _Layout(size, room, [weight * share for weight in weights])


def _width(table: Table, place: int) -> int:
    """Signs of the widest cell of a column."""
    cells = [table.columns[place].name, *(plain_cell(row[place]) for row in table.rows)]
    return max(sum(1 if len(_sign(sign)) == 1 or sign in _SPECIAL else 6 for sign in visible(cell)) for cell in cells)


def _pages(table: Table, layout: _Layout) -> list[list[Sequence[Cell]]]:
    """The rows of each table, no more of them than a page holds; one at least, for a table without rows."""
    pages: list[list[Sequence[Cell]]] = [[]]
    high = 0
    for row in table.rows:
        lines = max(
            ceil(1.1 * len(plain_cell(cell)) / (share * layout.room)) if share else 1
            for cell, share in zip(row, layout.shares, strict=True)
        )
        if pages[-1] and high + lines > HEIGHT:
            pages.append([])
            high = 0
        pages[-1].append(row)
        high += lines
    return pages


def _cell(cell: Cell, share: float) -> str:
    parts = (cell,) if isinstance(cell, str) else cell
    write = _broken if share else escape_latex
    text = "".join(
        write(part) if isinstance(part, str)
        else rf"\texttt{{{write(part.text)}}}" if isinstance(part, Code)
        else write(part.text)
        for part in parts
    )  # fmt: skip
    return rf"\raggedright {text}" if share else text


def _broken(text: str) -> str:
    """Text whose long words, such as digests, may be broken anywhere."""
    words = (
        r"\allowbreak{}".join(escape_latex(word[at : at + 4]) for at in range(0, len(word), 4))
        if len(word) > SHORT or (len(word) > LEAST and not word.isalpha()) else escape_latex(word)
        for word in text.split(" ")
    )  # fmt: skip
    return " ".join(words)


def plain_cell(cell: Cell) -> str:
    """The text of a cell without any marks."""
    return cell if isinstance(cell, str) else "".join(part if isinstance(part, str) else part.text for part in cell)
