"""The summary: plain sentences made from the numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.reports.choice import by_sign, discovered
from workbench.reports.document import Block, Link, Notice, Paragraph, Rich, Section, Strong, at_line, feature_anchor
from workbench.reports.sections.ranking import others
from workbench.reports.sections.warnings import warnings
from workbench.reports.source import ReportSource
from workbench.reports.text import chance, count, listed, nats, number, several, signed
from workbench.session.log import LogLine

NAMED = 3
BEYOND = {"raised": "the words expected up", "lowered": "the words expected down", "kl": "the prediction as a whole"}


def summary_section(source: ReportSource) -> Section:
    """What was asked, what was found, and how far it can be trusted."""
    blocks: list[Block] = []
    if source.ranking is not None:
        blocks += source.attempt(source.ranking, partial(_ranking, source))
    for line in source.rankings[-NAMED:]:
        if line is not source.ranking:
            blocks += source.attempt(line, partial(_question, source))
    for line in source.lines("steer.clamp")[-NAMED:]:
        blocks += source.attempt(line, partial(_steering, source))
    blocks += _work(source)
    if not blocks:
        blocks.append(Paragraph(("Nothing was measured in this session yet.",)))
    if found := warnings(source):
        told = f"{several(len(found), 'remark')} to read before using these numbers: see "
        blocks.append(Notice("warning", (told, Link("Warnings", "warnings"), ".")))
    return Section("Summary", "summary", blocks)


def _ranking(source: ReportSource, line: LogLine) -> list[Block]:
    return [*_question(source, line), *_strongest(source, line, source.result(line))]


def _question(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    found, chance_finds = int(result["discoveries"]), result["null_discoveries_max"]
    asked = (
        f"Which features tell “{result['positive']}” from {others(result)}? Of {count(result['tested'])} tested on the "
        f"stimulus set “{result['stimuli']}” ({result['categories']['positive']} sentences against "
        f"{result['categories']['rest']}), "
    )
    number_found = several(found, "feature") if found else "no feature"
    answer = Strong(f"{number_found} {'have' if found > 1 else 'has'} q < {float(result['alpha']):g}")
    against = f"; with shuffled labels a median of {count(result['null_discoveries'])}, at most {count(chance_finds)} "
    blocks: list[Block] = [Paragraph((asked, answer, against, "(", at_line(line.seq), ")."))]
    if not found:
        said = f"So no feature can be said to carry “{result['positive']}” on the sentences of “{result['stimuli']}”."
        blocks.append(Paragraph((said,)))
    elif chance_finds is not None and chance_finds >= found:
        blocks.append(
            Notice("warning", ("Some shuffle finds as many as the real labels: do not build on this ranking.",))
        )
    return blocks


def _strongest(source: ReportSource, line: LogLine, result: dict[str, Any]) -> list[Block]:
    ranking, higher, lower = by_sign(source, line)
    labels = source.labels(ranking.space)
    blocks: list[Block] = []
    for title, features in ((f"“{result['positive']}”", higher), (others(result), lower)):
        hits = discovered(ranking, features, float(result["alpha"]))
        rows = ranking.rows(features[: min(NAMED, hits)], labels=labels)
        if rows:
            named: list[Rich] = [_named(row, ranking.space == source.space) for row in rows]
            joined = tuple(part for place, item in enumerate(named) for part in ((("; ",) if place else ()) + item))
            blocks.append(Paragraph((f"Strongest for {title}: ", *joined, ".")))
    return blocks


def _named(row: dict[str, Any], here: bool) -> Rich:
    index = int(row["index"])
    label = f" “{row['label']}”" if row["label"] else ""
    name = Link(f"#{index}", feature_anchor(index)) if here else f"#{index}"
    d = "d_z" if row.get("d_z") is not None else "d"
    return (name, f"{label} ({d} {signed(row[d])}, q {chance(row['q'])})")


def _steering(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    draws = (result.get("random_features") or {}).get("draws") or []
    label = source.labels(str(result["feature"]).rpartition("#")[0]).get(int(result["index"]), "")
    named = f" “{label}”" if label else ""
    parts = [
        f"{'raised' if result[key] > 0 else 'lowered'} the words expected {way} "
        f"({nats(result[key])} nats{_span(draws, key)})"
        for key, way in (("raised", "up"), ("lowered", "down"))
        if result[key] is not None
    ]
    kl = sum(item["kl"] for item in result["prompts"]) / max(len(result["prompts"]), 1)
    said = f"Clamping #{result['index']}{named} to {number(result['value'])} at strength {number(result['strength'])} "
    did = listed(parts) or f"changed the next-token prediction by a KL of {number(kl)} nats{_span(draws, 'kl')}"
    weak = [name for key, name in BEYOND.items() if (result.get("beyond") or {}).get(key) is False]
    verdict: Rich = (
        (
            " ",
            Strong(f"Not beyond control: {listed(weak)}."),
        )
        if weak
        else ()
    )
    return [Paragraph((said, did, " (", at_line(line.seq), ").", *verdict))]


def _span(draws: list[dict[str, Any]], key: str) -> str:
    """What random features of equal norm do to the same number."""
    found = [draw[key] for draw in draws if draw[key] is not None]
    if not found:
        return ""
    write = number if key == "kl" else nats
    return f"; {several(len(found), 'random feature')} of equal norm: {write(min(found))} to {write(max(found))}"


def _work(source: ReportSource) -> list[Block]:
    """What else the session holds."""
    said: list[str] = []
    if labels := source.record.state.under("labels"):
        own = sum(entry.value.get("source") == "investigator" for entry in labels.values())
        said.append(f"{several(len(labels), 'feature')} labelled, {own} of them by the investigator")
    if clusters := source.lines("clusters.find"):
        found = source.record.state.get("clusters") or {}
        said.append(f"{several(int(found.get('count', 0)), 'cluster')} found (line {clusters[-1].seq})")
    if index := source.record.state.get("index"):
        said.append(f"{count(index.get('tokens'))} tokens of the corpus “{index.get('corpus')}” indexed")
    return [Paragraph((f"Besides: {listed(said)}.",))] if said else []
