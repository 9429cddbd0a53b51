"""Quanta: how the samples were chosen and compared, the clusters, and how far they are to be trusted."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.figures import Figure
from workbench.reports.document import Block, Chart, Column, Paragraph, Section, Table
from workbench.reports.source import ReportSource
from workbench.reports.text import count, number, several
from workbench.session.log import LogLine

SHOWN = 20
_MADE = ("quanta.cluster", "quanta.split", "quanta.merge")


def quanta_section(source: ReportSource) -> Section | None:
    """The latest clusters of predictions in force, with the samples and similarities before them."""
    lines = source.lines(*_MADE)
    if not lines:
        return None
    blocks: list[Block] = []
    for verb, tell in (("quanta.select", _samples), ("quanta.similarity", _similarity)):
        if earlier := source.lines(verb):
            blocks += source.blocks(earlier[-1], partial(tell, source))
    blocks += source.blocks(lines[-1], partial(_clusters, source))
    if clusterings := source.lines("quanta.cluster"):
        blocks += source.blocks(clusterings[-1], partial(_trust, source))
    return Section("Quanta", "quanta", blocks)


def _samples(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    high = f", above {result['high']}'s threshold" if result["high"] else ""
    skipped = f", one in {count(result['skip'])}" if result["skip"] > 1 else ""
    text = (
        f"{several(result['samples'], 'prediction')} of {result['model']} with a loss below {result['threshold']:g} "
        f"{result['unit']} ({result['threshold_nats']:.4g} nats){high}, filter {result['filter']}{skipped}: of "
        f"{count(result['predictions'])} predictions {count(result['below'])} are below, {count(result['left'])} are "
        "left after the filter."
    )
    return [Paragraph((text,))]


def _similarity(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    what = "|gradients|" if result["absolute"] else result["of"]
    text = (
        f"They were compared by the cosines of their {what}, mode {result['mode']}: {count(result['count'])} numbers "
        f"in {several(result['parameter_tensors'], 'parameter')}, {count(result['dimension'])} kept of each sample; "
        f"mean cosine of different samples {number(result['mean'])}, 95 % below {number(result['q95'])}."
    )
    if check := result["check"]:
        text += (
            f" {count(check['pairs'])} pairs were computed again exactly: the largest difference is "
            f"{check['difference']:.2g}, {count(check['beyond_bound'])} are beyond the bound of {result['bound']:.2g}."
        )
    return [Paragraph((text,))]


def _clusters(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    columns = [
        Column("Cluster"), Column("Rank", True), Column("Samples", True), Column("Cohesion", True),
        Column("Separation", True), Column("Answers, bits", True), Column("Commonest answers"), Column("Label"),
    ]  # fmt: skip
    rows = [_row(source, row) for row in result["largest"][:SHOWN]]
    title = f"The {len(rows)} largest of {count(result['clusters'])} clusters of {count(result['samples'])} predictions"
    return [Table(title, columns, rows, line.seq)]


def _row(source: ReportSource, row: dict[str, Any]) -> tuple[str, ...]:
    said = ", ".join(f"{text!r} {times}" for text, times in row["answers"])
    label = source.own_label("quanta", int(row["cluster"]))
    return (
        str(row["cluster"]), str(row["rank"]), str(row["size"]), number(row["cohesion"]), number(row["separation"]),
        number(row["entropy"]), said, label or "–",
    )  # fmt: skip


def _trust(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    said = ", ".join(f"{row['setting']} {number(row['ari'])}" for row in result["stability"]) or "none asked for"
    text = (
        f"Spectral clustering, {result['affinity']} affinity, {count(result['n_clusters'])} clusters, seed "
        f"{result['seed']}. Agreement (adjusted Rand index) with other settings: {said}."
    )
    blocks: list[Block] = [Paragraph((text,))]
    envelope = result["envelope"]
    if envelope["slope"] is None:
        return blocks
    low, high = envelope["interval"]
    caption = (
        f"Size of the r-th largest cluster, largest over the sweep. Slope {number(envelope['slope'])} over ranks "
        f"{envelope['ranks'][0]} to {envelope['ranks'][1]}; with the method's own uncertainty no more can be said than "
        f"{number(low)} to {number(high)}."
    )
    figures = [figure for figure in source.record.artifact(line)["figures"] if figure["kind"] == "curve"]
    return [*blocks, *(Chart(Figure(**figure), line.seq, caption) for figure in figures[:1])]
