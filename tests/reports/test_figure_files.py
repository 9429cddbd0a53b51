"""Figures and tables of a report as files: drawings, their data, and LaTeX that sets every text as it is."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from tests.reports.example import HOSTILE, SCRIPT, lab_of
from tests.reports.reading import Page
from tests.reports.test_markdown import READER, flat
from workbench.reports import write_report, write_with_figures
from workbench.reports.document import Code, Column, Table
from workbench.reports.figure_files import CONTENTS
from workbench.reports.latex import escape_latex, table_latex
from workbench.reports.text import visible
from workbench.session.record import SessionRecord

READ = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<",
    r"\textgreater{}": ">", r"\textbar{}": "|", "{''}": '"', r"\textquotesingle{}": "'",
    r"\textasciigrave{}": "`", "{-}": "-", r"$\hookleftarrow$": "⏎", r"$-$": "−", r"$\times$": "×", r"\ldots{}": "…",
    r"$\emptyset$": "∅", r"$\cdot$": "·", "``": "“", "''": "”", "--": "–",
    "{[}": "[", "{]}": "]", "{*}": "*", r"$\langle$": "⟨", r"$\rangle$": "⟩", ",{}": ",", r"\allowbreak{}": "",
}  # fmt: skip


def read_latex(text: str) -> str:
    """What LaTeX would set: an escape is read back to its sign, longest first."""
    text = re.sub(
        r"\$\^\{([-\d]+)\}\$", lambda found: found[1].translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")), text
    )
    text = re.sub(r"\\texttt\{U\+([0-9A-F]{4,6})\}", lambda found: chr(int(found[1], 16)), text)
    pattern = "|".join(re.escape(sign) for sign in sorted(READ, key=len, reverse=True)) + r"|\\([{}$&#_%])"
    return re.sub(pattern, lambda found: found[1] or READ[found[0]], text)


@pytest.mark.parametrize(
    "text", [*HOSTILE, "q <10⁻⁹", "−6.05 × 2", "\\input{/etc/passwd}", "50 % of #4_5 & more", "é", "[1] *,,,", "ſ"]
)
def test_a_text_is_set_as_it_is(text: str) -> None:
    written = escape_latex(text)
    assert read_latex(written) == visible(text)
    assert not re.search(r"(?<!\\)[%&#_]|\\(input|write|def|catcode)", written)


def test_a_table_has_as_many_cells_in_every_row() -> None:
    columns = [Column("a & b"), Column("n", True)]
    text = table_latex(Table("50 % of_it", columns, [("x & y", "1"), ((Code("#7"), " z"), "2")], 3))
    lines = text.splitlines()
    rows = [line for line in lines if line.endswith(r"\\")]
    assert [len(re.findall(r"(?<!\\)&", row)) for row in rows] == [1, 1, 1]
    assert r"\begin{tabular}{lr}" in lines
    assert r"\caption{50 \% of\_it (line 3)}" in lines
    assert r"\texttt{\#7} z & 2 \\" in lines


def test_a_cell_is_never_taken_for_what_the_end_of_the_row_before_may_have() -> None:
    text = table_latex(Table("t", [Column("a")], [("one",), ("[12pt]",), ("*",)]))
    assert not re.search(r"\\\\\s*[\[*]", text)


def test_a_table_too_wide_for_the_page_is_set_smaller_and_breaks_its_long_texts() -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    text = table_latex(
        Table("t", [Column("what"), Column("digest"), Column("n", True)], [("a b " * 30, (Code(digest),), "1.0")])
    )
    kinds = re.findall(r"p\{([\d.]+)\\linewidth\}", text)
    assert len(kinds) == 2
    assert sum(map(float, kinds)) < 1
    assert r"\footnotesize" in text
    assert text.count(r"\tabularnewline") == 2
    assert max(map(len, re.findall(r"[0-9a-f]+", text.partition("sha2")[2]))) <= 4, "a digest that cannot be broken"
    assert digest in read_latex(text)


def test_a_table_too_high_for_the_page_is_set_as_several() -> None:
    text = table_latex(Table("t", [Column("a")], [(str(row),) for row in range(100)]))
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 3
    assert text.count("(continued)") == 2
    assert re.findall(r"^(\d+) \\\\$", text, re.M) == [str(row) for row in range(100)]


def test_every_figure_and_table_of_the_page_is_a_file(hostile: SessionRecord) -> None:
    files = write_with_figures(hostile, lab_of(hostile), "html", "f").figures
    page = Page(write_report(hostile, lab_of(hostile), "html"))
    heats = [element for element in page.all("figure") if element.attributes.get("class") == "tokens"]
    by_kind = {kind: [name for name in files if name.endswith(kind)] for kind in (".svg", ".tex", ".csv")}
    assert len(by_kind[".svg"]) == len(page.drawings()) + len(heats) > 3
    assert len(by_kind[".tex"]) == len(page.all("table")) > 8
    assert len(by_kind[".csv"]) == len(by_kind[".svg"]) + len(by_kind[".tex"]) + 1
    assert all(re.fullmatch(r"[\w.-]+", name) for name in files)
    rows = list(csv.DictReader(io.StringIO(files[CONTENTS], newline="")))
    assert [row["file"] for row in rows] == [name for name in files if name != CONTENTS]

    for name in by_kind[".svg"]:  # they act on nothing and ask for nothing
        elements = list(ElementTree.fromstring(files[name]).iter())
        tags = {element.tag.rpartition("}")[2] for element in elements}
        assert tags <= {"svg", "title", "desc", "g", "path", "rect", "circle", "text"}, name
        assert not {key for element in elements for key in element.attrib if "href" in key or key.startswith("on")}
    drawn = next(text for name, text in files.items() if "stimulus-sentences" in name and name.endswith(".svg"))
    shown = "".join(ElementTree.fromstring(drawn).itertext())
    assert SCRIPT in shown
    assert all(visible(token) in shown for token in HOSTILE if token)


def test_markdown_shows_the_drawings_from_where_they_lie(hostile: SessionRecord) -> None:
    written = write_with_figures(hostile, lab_of(hostile), "md", "../my figures")
    tokens = flat(READER.parse(written.text))
    shown = [unquote(str(token.attrs["src"])) for token in tokens if token.type == "image"]
    assert shown == [f"../my figures/{name}" for name in written.figures if name.endswith(".svg")]
    assert not {"html_block", "html_inline", "link_open"} & {token.type for token in tokens}


@pytest.mark.slow
def test_the_verb_writes_the_folder(loaded: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    result = loaded(f"report out={tmp_path / 'r.html'} figures={folder}")["result"]
    assert result["files"] == len(list(folder.iterdir())) > 2
    assert result["figures"] == str(folder)
    listing = folder / "contents.csv"
    for name in ("999-earlier.svg", "998-mine.svg", "own-notes.svg"):
        (folder / name).write_text("x")
    listing.write_text(listing.read_text() + "999-earlier.svg,s,w,1\r\nown-notes.svg,s,w,1\r\n../r.html,s,w,1\r\n")
    again = loaded(f"report out={tmp_path / 'r.html'} figures={folder}")
    assert again["warnings"] == [f"removed 1 files that an earlier report had written to {folder}"]
    assert not (folder / "999-earlier.svg").exists()
    assert (folder / "998-mine.svg").exists() and (folder / "own-notes.svg").exists() and (tmp_path / "r.html").exists()
