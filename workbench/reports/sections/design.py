"""The stimulus design: how many sentences of which category, which is positive, and the sentences."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.errors import WorkbenchError
from workbench.models.tokenizer_file import token_counts
from workbench.reports.document import Block, Bullets, Code, Column, Fold, Notice, Paragraph, Section, Table
from workbench.reports.source import ReportSource
from workbench.reports.text import chance, count, number, several
from workbench.session.log import LogLine
from workbench.stimuli.check import Measure, check_design, plain_measures
from workbench.stimuli.sets import StimulusSet


def design_section(source: ReportSource) -> Section | None:
    """One design for each stimulus set that a ranking in force was made on, of a contrast where there is one."""
    others = [line for line in source.lines("features.rsa", "features.probe") if line.params.get("stimuli")]
    latest = {str(line.params.get("stimuli", "")): line for line in (*others, *source.rankings)}
    if source.ranking is not None:  # the set that the report is about stands first
        name = str(source.ranking.params.get("stimuli", ""))
        latest = {name: source.ranking, **{other: line for other, line in latest.items() if other != name}}
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
    return [about, table, *_check(source, line), _sentences(result, sentences, line)]


def _check(source: ReportSource, line: LogLine) -> list[Block]:
    """What beside the concept tells the sides apart; only of the very sentences that the ranking was made on."""
    found = _same_set(source, line)
    if found is None:
        return []
    result = source.result(line)
    positive = str(result["positive"])
    body = check_design(
        found, _measures(source, found), positive=positive if positive in found.counts else "",
        features=int(result["tested"]),
    )  # fmt: skip
    rows = [
        (str(row["measure"]), str(row["side"]), number(row["mean"]), number(row["mean_rest"]), number(row["auc"]),
         number(row["accuracy"]), chance(row["p"]))
        for row in body["confounds"]
        if row["status"] == "ok"
    ]  # fmt: skip
    names = ("Measure", "Of", "Mean", "Mean of the rest", "AUC", "Accuracy", "p")
    columns = [Column(name, place > 1) for place, name in enumerate(names)]
    told = [str(text) for text in body["warnings"]]
    warnings: list[Block] = [Notice("warning", (text,)) for text in told]
    if len(told) > 1:
        warnings = [Notice("warning", (f"{count(len(told))} remarks on these sentences.",))]
        warnings.append(Bullets([(text,) for text in told]))
    what = f"What else tells the sentences of {found.name} apart, each measure as a classifier on held-out sentences"
    return [*warnings, *([Table(what, columns, rows, line.seq)] if rows else [])]


def _same_set(source: ReportSource, line: LogLine) -> StimulusSet | None:
    """The set of a ranking, where it is still as it was."""
    try:
        found = source.lab.stimuli(str(line.params.get("stimuli", "")))
    except WorkbenchError:
        return None
    return found if found.digest == (line.provenance.get("stimuli") or {}).get("digest") else None


def _measures(source: ReportSource, found: StimulusSet) -> list[Measure]:
    measures = plain_measures(found)
    model = source.record.state.get("model")
    counts = token_counts(model, [one.text for one in found.everything]) if model else None
    return measures if counts is None else [*measures, Measure("tokens", "tokens", counts)]


def _compared(result: dict[str, Any]) -> str:
    if result.get("kind") == "rsa":
        return f"Their distances were compared with the model “{result['against']}”."
    if result.get("design") != "factorial":
        return f"The positive class is “{result['positive']}”, compared with {result['against']}."
    factors = "; ".join(f"{name} ({' or '.join(levels)})" for name, levels in result["factors"].items())
    return f"Two crossed factors: {factors}. The ranking is of {result['effect']}: {result['positive']}."


def _category_row(name: str, sentences: list[dict[str, Any]], result: dict[str, Any]) -> tuple[str, ...]:
    role = "positive" if name == result["positive"] else "compared with"
    if result.get("design") == "factorial":
        role = "cell"
    if not result["positive"]:
        role = "compared with the others"
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
