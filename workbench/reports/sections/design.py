"""The stimulus design: how many sentences of which category, which is positive, and the sentences."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.reports.document import Block, Code, Column, Fold, Paragraph, Section, Table
from workbench.reports.source import ReportSource
from workbench.reports.text import number, several
from workbench.session.log import LogLine


def design_section(source: ReportSource) -> Section | None:
    """One design for each stimulus set that a ranking in force was made on."""
    latest = {str(line.params.get("stimuli", "")): line for line in source.rankings}
    blocks = [block for line in latest.values() for block in source.attempt(line, partial(_design, source))]
    return Section("Stimulus design", "design", blocks) if blocks else None


def _design(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    sentences = source.lab.stored_json(line, "sentences")
    categories = list(dict.fromkeys(str(sentence["category"]) for sentence in sentences))
    about = Paragraph(
        (
            "Stimulus set ",
            Code(str(result["stimuli"])),
            f": {several(len(sentences), 'sentence')} in {several(len(categories), 'category', 'categories')}. "
            + _compared(result),
        )
    )
    rows = [_category_row(name, sentences, result) for name in categories]
    columns = [Column("Category"), Column("Role"), Column("Sentences", True), Column("Tokens in a sentence", True)]
    table = Table(f"Design of {result['stimuli']}", columns, rows, line.seq)
    return [about, table, _sentences(result, sentences, line)]


def _compared(result: dict[str, Any]) -> str:
    if result.get("design") != "factorial":
        return f"The positive class is “{result['positive']}”, compared with {result['against']}."
    factors = "; ".join(f"{name} ({' or '.join(levels)})" for name, levels in result["factors"].items())
    return f"Two crossed factors: {factors}. The ranking is of {result['effect']}: {result['positive']}."


def _category_row(name: str, sentences: list[dict[str, Any]], result: dict[str, Any]) -> tuple[str, ...]:
    role = "positive" if name == result["positive"] else "compared with"
    if result.get("design") == "factorial":
        role = "cell"
    lengths = [len(sentence["tokens"]) for sentence in sentences if sentence["category"] == name]
    spread = f"{number(sum(lengths) / len(lengths))} ({min(lengths)} to {max(lengths)})"
    return name, role, str(len(lengths)), spread


def _sentences(result: dict[str, Any], sentences: list[dict[str, Any]], line: LogLine) -> Fold:
    rows = [
        (str(place), str(sentence["category"]), "".join(sentence["tokens"]).strip())
        for place, sentence in enumerate(sentences, start=1)
    ]
    columns = [Column("Number", True), Column("Category"), Column("Sentence")]
    table = Table(f"Sentences of {result['stimuli']}", columns, rows, line.seq)
    return Fold(f"All {len(sentences)} sentences of {result['stimuli']}", [table])
