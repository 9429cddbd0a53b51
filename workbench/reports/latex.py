"""A report's tables as LaTeX, for papers: plain `tabular`, no package needed, every text escaped."""

from __future__ import annotations

import re
import unicodedata

from workbench.reports.document import Cell, Code, Table
from workbench.reports.text import visible

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "-": "{-}", "–": "--", "−": r"$-$", "×": r"$\times$", "·": r"$\cdot$", "→": r"$\to$", "∞": r"$\infty$",
    "∅": r"$\emptyset$", "“": "``", "”": "''", "…": r"\ldots{}", "²": "$^2$", "⏎": r"$\hookleftarrow$",
}  # fmt: skip
"""Signs that mean something to LaTeX, and those that its plain fonts have under a name."""
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_POWER = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LATIN = range(0xC0, 0x180)
"""Letters with accents, which pdflatex knows."""


def escape_latex(text: str) -> str:
    """Text that LaTeX sets as it is; a sign that its fonts lack is spelled by its number."""
    parts, at = [], 0
    shown = visible(text)
    for power in _POWER.finditer(shown):
        parts += [*map(_sign, shown[at : power.start()]), f"$^{{{power[0].translate(_RAISED)}}}$"]
        at = power.end()
    return "".join([*parts, *map(_sign, shown[at:])])


def _sign(sign: str) -> str:
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    if sign.isascii() or (ord(sign) in _LATIN and unicodedata.category(sign).startswith("L")):
        return sign
    return rf"\texttt{{U+{ord(sign):04X}}}"


def table_latex(table: Table) -> str:
    """The table with its caption; numbers are set to the right."""
    kinds = "".join("r" if column.numeric else "l" for column in table.columns)
    head = " & ".join(escape_latex(column.name) for column in table.columns)
    rows = [" & ".join(map(_cell, row)) + r" \\" for row in table.rows]
    source = "" if table.line is None else f" (line {table.line})"
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{escape_latex(table.caption + source)}}}",
            rf"\begin{{tabular}}{{{kinds}}}",
            r"\hline",
            rf"{head} \\",
            r"\hline",
            *rows,
            r"\hline",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escape_latex(cell)
    return "".join(
        escape_latex(part) if isinstance(part, str)
        else rf"\texttt{{{escape_latex(part.text)}}}" if isinstance(part, Code)
        else escape_latex(part.text)
        for part in cell
    )  # fmt: skip


def plain_cell(cell: Cell) -> str:
    """The text of a cell without any marks."""
    return cell if isinstance(cell, str) else "".join(part if isinstance(part, str) else part.text for part in cell)
