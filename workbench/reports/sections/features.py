"""The strongest features in full: sentences, corpus windows, histogram, logits, label."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from workbench.features.evidence import on_corpus, sentence_lines
from workbench.features.rankings import Ranking
from workbench.figures import Figure
from workbench.index.read import FeatureIndex
from workbench.reports.choice import chosen_features
from workbench.reports.document import (
    Block,
    Chart,
    Code,
    Column,
    Fold,
    Heat,
    Inline,
    Notice,
    Paragraph,
    Rich,
    Section,
    Strong,
    Table,
    feature_anchor,
)
from workbench.reports.source import ReportSource
from workbench.reports.text import chance, count, number, several, share, signed
from workbench.saes.ids import feature_id
from workbench.saes.neuronpedia import page
from workbench.session.log import LogLine

SENTENCES_OF_A_SIDE = 5
WINDOWS = 6


def features_section(source: ReportSource) -> Section | None:
    """One subsection for each chosen feature."""
    chosen = chosen_features(source)
    inner: list[Block] = [_feature(source, index) for index in chosen]
    if not inner:
        return None
    intro = (
        "The darker and the more heavily underlined a token, the stronger the feature is active on it; the strongest "
        "token of each line carries its activation. Tokens without underline are silent."
    )
    return Section("The features, token by token", "features", [Paragraph((intro,)), *_absent(source), *inner])


def _feature(source: ReportSource, index: int) -> Section:
    space = source.space
    label = source.label(feature_id(space, index))
    title = f"#{index}" + (f" {label['text']}" if label else "")
    blocks: list[Block] = [Paragraph(_about(source, index, label))]
    line = source.ranking
    if line is not None and line.params.get("stimuli"):
        blocks += source.attempt(line, partial(_on_stimuli, source, index))
    blocks += _corpus(source, index)
    return Section(title, feature_anchor(index), blocks)


def _about(source: ReportSource, index: int, label: dict[str, Any] | None) -> Rich:
    parts: Rich = (Code(feature_id(source.space, index)), ". ")
    marks = _marks(source, feature_id(source.space, index))
    if label is None:
        return (*parts, "It has no label.", *marks)
    return (*parts, "Label: ", Strong(str(label["text"])), f" ({label['source']}, {label['status']}).", *marks)


def _marks(source: ReportSource, feature: str) -> Rich:
    """Tags, note and page on Neuronpedia of a feature, as far as it has them."""
    found: list[Inline] = []
    if tags := source.tags.get(feature):
        found.append(f" Tags: {', '.join(tags)}.")
    if note := source.notes.get(feature):
        found += [" Note: ", Strong(note)]
    listed = str((source.record.state.get("sae") or {}).get("neuronpedia", ""))
    if address := page(listed, int(feature.rpartition("#")[2])):
        found += [" On Neuronpedia: ", Code(address), "."]
    return tuple(found)


def _on_stimuli(source: ReportSource, index: int, line: LogLine) -> list[Block]:
    ranking = source.ranking_of(line)
    if ranking.space != source.space:
        return [Notice("missing", ("The latest ranking is of other features than the loaded ones.",))]
    result = source.result(line)
    positive = str(result["positive"])
    lines = sentence_lines(source.lab, line, index)
    on = [item for item in lines if item["category"] == positive]
    off = [item for item in lines if item["category"] != positive]
    shown = [item for side in (on, off) for item in _strongest(side)]
    maximum = max((abs(value) for item in lines for value in item["values"]), default=0.0)
    active = [sum(any(item["values"]) for item in side) for side in (on, off)]
    about = (
        f"{_test(ranking, index, str(result['stimuli']))} It is active in {active[0]} of {len(on)} sentences of "
        f"“{positive}” and in {active[1]} of the {len(off)} others."
    )
    if not shown:
        return [Paragraph((about,))]
    heat = Figure(
        kind="tokens",
        title=f"Strongest stimulus sentences for #{index}",
        note=f"Up to {SENTENCES_OF_A_SIDE} of each side. Full heat is {number(maximum)}.",
        data={"lines": [{**item, "title": item["category"]} for item in shown], "maximum": maximum},
    )
    return [Paragraph((about,)), Heat(heat, line.seq)]


def _strongest(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    active = [item for item in lines if any(item["values"])]
    return sorted(active, key=lambda item: -abs(item["pooled"]))[:SENTENCES_OF_A_SIDE]


def _test(ranking: Ranking, index: int, stimuli: str) -> str:
    row = ranking.rows(np.array([index]))[0]
    if row["status"] != "ok":
        return f"On {stimuli} its test is undefined ({row['status']})."
    return (
        f"On {stimuli}: effect {signed(row['effect'])}, d {signed(row['d'])}, p {chance(row['p'])}, "
        f"p (FWER) {chance(row['p_fwer'])}, q {chance(row['q'])}."
    )


def _absent(source: ReportSource) -> list[Block]:
    """Why no feature has windows, histogram and logits, said once for all of them."""
    entry = source.record.state.entries.get("index")
    if entry is None:
        return [Notice("missing", ("The features were not indexed on a corpus in this session.",))]
    line = source.record.line(entry.seq)
    return source.attempt(line, partial(_index_gone, source))


def _index_gone(source: ReportSource, line: LogLine) -> list[Block]:
    found = source.index
    if found is None:
        gone = (
            "The corpus index is not on the machine that wrote this report, so windows, histograms and logits are not "
            "here. Build it again with "
        )
        return [Notice("missing", (gone, Code(":" + source.line_text(line)), "."))]
    if str(found.meta.get("space", source.space)) != source.space:
        return [Notice("missing", ("The corpus index is of other features than the loaded ones.",))]
    return []


def _corpus(source: ReportSource, index: int) -> list[Block]:
    entry = source.record.state.entries.get("index")
    if entry is None or _absent(source):
        return []
    return source.attempt(source.record.line(entry.seq), partial(_from_index, source, index))


def _from_index(source: ReportSource, index: int, line: LogLine) -> list[Block]:
    found = source.index
    if found is None:
        return []
    about = on_corpus(found, index, WINDOWS)
    part = ""
    if slice_ := about["enriched"]:
        phrases = ", ".join(f"“{phrase}”" for phrase in slice_["phrases"])
        part = f", a slice of “{slice_['of_name']}” with {phrases} and no fair sample of it,"
    said = f"In {count(about['tokens'])} tokens of the corpus “{about['name']}”{part} it is "
    said += (
        f"active on {several(about['fired'], 'token')} ({share(about['density'])}), with mean {number(about['mean'])} "
        f"where it is active and maximum {number(about['maximum'])}."
        if about["fired"]
        else "never active."
    )
    more = [*_histogram(about, index, line), *_logits(found, index, line)]
    title = f"How strongly #{index} is active, and what its direction does to the output"
    return [Paragraph((said,)), *_windows(about, index, line), *([Fold(title, more)] if more else [])]


def _windows(about: dict[str, Any], index: int, line: LogLine) -> list[Block]:
    if not about["examples"]:
        return []
    lines = [{**item, "title": f"document {item['document']}"} for item in about["examples"]]
    heat = Figure(
        kind="tokens",
        title=f"Strongest corpus windows for #{index}",
        note=f"One window of a document. Full heat is {number(about['maximum'])}.",
        data={"lines": lines, "maximum": about["maximum"]},
    )
    return [Heat(heat, line.seq)]


def _histogram(about: dict[str, Any], index: int, line: LogLine) -> list[Block]:
    if not about["examples"]:
        return []
    histogram = Figure(
        kind="histogram",
        title=f"Activations of #{index}",
        x_label="activation (edges in half-octaves)",
        y_label="tokens",
        data=about["histogram"],
    )
    caption = f"Activations of #{index} on the tokens where it is active."
    return [Chart(histogram, line.seq, caption)]


def _logits(found: FeatureIndex, index: int, line: LogLine) -> list[Block]:
    logits = found.logits(index)
    if logits is None:
        return []
    pairs = zip(logits["top"], logits["bottom"], strict=False)
    rows = [
        (str(place), (Code(str(up[0])),), signed(up[1]), (Code(str(down[0])),), signed(down[1]))
        for place, (up, down) in enumerate(pairs, start=1)
    ]
    columns = [
        Column("Place", True), Column("Made likelier"), Column("logit", True), Column("Made unlikelier"),
        Column("logit", True),
    ]  # fmt: skip
    return [Table(f"What the direction of #{index} does to the output logits", columns, rows, line.seq)]
