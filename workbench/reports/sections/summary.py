"""The summary: plain sentences made from the numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from workbench.reports.choice import by_sign, discovered
from workbench.reports.document import Block, Link, Notice, Paragraph, Rich, Section, Strong, at_line, feature_anchor
from workbench.reports.sections.clusters import clustering
from workbench.reports.sections.ranking import others
from workbench.reports.sections.steering import AGAINST, turned_round
from workbench.reports.sections.summary_shapes import SHAPES
from workbench.reports.sections.warnings import warnings
from workbench.reports.source import ReportSource
from workbench.reports.text import chance, count, listed, nats, number, several, signed
from workbench.session.log import LogLine

NAMED = 3
EVEN = 0.6
"""Share of the larger class above which accuracy says little: it is had by always naming that class."""
BEYOND = {"raised": "the words expected up", "lowered": "the words expected down", "kl": "the prediction as a whole"}


RULE = (
    "The summary begins with {line}: the latest ranking that found something and rests on nothing that was withdrawn "
    "(where none did, the latest). Further results follow, the latest {named} of each kind."
)


def summary_section(source: ReportSource) -> Section:
    """What was asked, what was found, and how far it can be trusted: the leading ranking, then each kind of result."""
    blocks: list[Block] = []
    if (lead := source.ranking) is not None:
        blocks += [*source.revision(lead), *source.attempt(lead, partial(_leading, source))]
    for verb, say in _SAYERS.items():
        for line in source.lines(verb)[-NAMED:]:
            if line is not lead:
                blocks += [*source.revision(line), *source.attempt(line, partial(say, source))]
    blocks += _work(source, beside=bool(blocks))
    if not blocks:
        blocks.append(Paragraph(("Nothing was measured in this session yet.",)))
    if lead is not None:
        before, after = RULE.format(line="{line}", named=NAMED).split("{line}")
        blocks.append(Paragraph((before, at_line(lead.seq), after)))
    if found := warnings(source):
        told = f"{several(len(found), 'remark')} to read before using these numbers: see "
        blocks.append(Notice("warning", (told, Link("Warnings", "warnings"), ".")))
    return Section("Summary", "summary", blocks)


def _leading(source: ReportSource, line: LogLine) -> list[Block]:
    said = _SAYERS[line.do](source, line)
    return [*said, *_strongest(source, line, source.result(line))] if line.do == "features.contrast" else said


def _question(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    found, chance_finds = int(result["discoveries"]), result["null_discoveries_max"]
    asked = (
        f"Which features tell “{result['positive']}” from {others(result)}? Of {count(result['tested'])} features of "
        f"{result['space']} tested on the stimulus set “{result['stimuli']}” "
        f"({result['categories']['positive']} sentences against {result['categories']['rest']}), "
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


def _rsa(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    what = "features" if result["over"] == "features" else f"sets of units ({result['over']})"
    without = f", {' and '.join(result['nuisance'])} left out" if result["nuisance"] else ""
    found = int(result["discoveries"])
    asked = (
        f"Which {what} see the sentences of “{result['stimuli']}” as the model “{result['against']}” does "
        f"({result['statistic']}{without})? Of {count(result['tested'])} tested, "
    )
    answer = Strong(f"{count(found)} {'has' if found == 1 else 'have'} q < {float(result['alpha']):g}")
    chance_finds = f"; shuffled sentences give at most {count(result['null_discoveries_max'])} ("
    return [Paragraph((asked, answer, chance_finds, at_line(line.seq), ")."))]


def _probe(source: ReportSource, line: LogLine) -> list[Block]:
    """The fewest features that do as well as the best, beside chance and beside as many drawn at random."""
    result = source.result(line)
    sides = result["categories"].values()
    larger = max(sides) / max(sum(sides), 1)
    metric, name, level = ("auc", "AUC", 0.5) if larger > EVEN else ("accuracy", "accuracy", larger)
    known = [row for row in result["sweep"] if row[metric][0] is not None]
    chosen = [row for row in known if row["method"] != "random"] or known
    if not chosen:
        return []
    best = max(chosen, key=lambda row: (row[metric][0], -row["k"]))
    least = min((row for row in chosen if row[metric][0] >= best[metric][1]), key=lambda row: row["k"])
    reach = f"reach{'es' if least['k'] == 1 else ''}"
    answer = Strong(f"{several(least['k'], 'feature')} by {least['method']} {reach} {name} {number(least[metric][0])}")
    control = next((row for row in known if row["method"] == "random" and row["k"] == least["k"]), None)
    beside = f" (by chance {number(level)}){_balanced(least, result)}; the best of the sweep is "
    beside += f"{number(best[metric][0])} with {best['k']} by {best['method']}"
    if control is not None and least["method"] != "random":
        what = "a feature" if least["k"] == 1 else "as many features"
        beside += f"; {what} drawn at random, which tells what any would, {number(control[metric][0])}"
    return [Paragraph((_decoded(result), answer, beside, " (", at_line(line.seq), ")."))]


def _decoded(result: dict[str, Any]) -> str:
    """The question of a probe."""
    what = f"How few features decode “{result['positive']}” on held-out {result['design']}"
    if not result["stimuli"].startswith("samples of "):  # of clusters of predictions
        return f"{what} of “{result['stimuli']}”? "
    sides = f"{count(result['categories']['positive'])} against {count(result['categories']['rest'])}"
    return f"{what} of predictions, against {result['against']} ({sides})? "


def _balanced(row: dict[str, Any], result: dict[str, Any]) -> str:
    """Balanced accuracy beside an AUC: the mean of what is right of either class, whatever their sizes."""
    positive, rest = result["categories"]["positive"], result["categories"]["rest"]
    if max(positive, rest) / max(positive + rest, 1) <= EVEN:
        return ""
    accuracy, recall = row["accuracy"][0], row["recall"][0]
    if accuracy is None or recall is None:
        return ""
    specificity = (accuracy * (positive + rest) - recall * positive) / rest
    return f", balanced accuracy {number((recall + specificity) / 2)} (by chance 0.5)"


def _compare(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    asked = (
        f"Which way of choosing {result['k']} features decodes “{result['positive']}” best on held-out sentences of "
        f"“{result['stimuli']}”? "
    )
    answer = Strong(f"{result['verdict'][0]}." if result["verdict"] else "No two methods were tested.")
    more = f" {several(len(result['verdict']) - 1, 'further verdict')} below (" if len(result["verdict"]) > 1 else " ("
    return [Paragraph((asked, answer, more, at_line(line.seq), ")."))]


def _replicate(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    asked = (
        f"Does line {result['first']['seq']} hold once more ({'; '.join(result['changed'])})? Of "
        f"{count(result['agreement']['first'])} discoveries that could be tested again "
    )
    answer = Strong(f"{count(result['held'])} held")
    lost = f"{count(result['lost'])} did not"
    if "gone" in result:
        lost = f"{count(result['gone'])} are gone, of {count(result['not_powered'])} the second sentences cannot tell"
    return [
        Paragraph((asked, answer, f", {lost}, {count(result['reversed'])} turned round (", at_line(line.seq), ")."))
    ]


def _maxact(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    if not result["rows"]:
        return []
    best = result["rows"][0]
    said = (
        f"The largest activation on the sentences of “{result['stimuli']}” is of #{best['index']} "
        f"({number(best['score'])}); no label enters it ("
    )
    return [Paragraph((said, at_line(line.seq), ")."))]


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
    against = turned_round(result)
    told = result.get("beyond") or {}
    weak = [name for key, name in BEYOND.items() if told.get(key) is False and key not in against]
    verdict: Rich = (" ", Strong(f"Not beyond control: {listed(weak)}.")) if weak else ()
    if against:
        verdict += (" ", Strong(f"{AGAINST}: {listed([BEYOND[key] for key in against])}."))
    return [Paragraph((said, did, " (", at_line(line.seq), ").", *verdict))]


def _span(draws: list[dict[str, Any]], key: str) -> str:
    """What random features of equal norm do to the same number."""
    found = [draw[key] for draw in draws if draw[key] is not None]
    if not found:
        return ""
    write = number if key == "kl" else nats
    return f"; {several(len(found), 'random feature')} of equal norm: {write(min(found))} to {write(max(found))}"


def _work(source: ReportSource, beside: bool) -> list[Block]:
    """What else the session holds, or all it holds where nothing stands before."""
    said: list[str] = []
    if labels := source.labelled:
        own = sum(entry.value.get("source") == "investigator" for _, _, entry in labels)
        said.append(f"{several(len(labels), 'feature')} labelled, {own} of them by the investigator")
    if groups := source.labels_of("clusters"):
        said.append(f"{several(len(groups), 'cluster')} labelled")
    if groups := source.labels_of("quanta"):
        said.append(f"{len(groups)} {'quantum' if len(groups) == 1 else 'quanta'} labelled")
    if (clusters := clustering(source)) is not None:
        found = source.record.state.get("clusters") or {}
        how = "found" if clusters.do == "clusters.find" else "taken over from a file"
        said.append(f"{several(int(found.get('count', 0)), 'cluster')} {how} (line {clusters.seq})")
    if index := source.record.state.get("index"):
        said.append(f"{count(index.get('tokens'))} tokens of the corpus “{index.get('corpus')}” indexed")
    lead = "Besides" if beside else "This session holds"
    return [Paragraph((f"{lead}: {listed(said)}.",))] if said else []


_SAYERS: dict[str, Callable[[ReportSource, LogLine], list[Block]]] = {
    "features.contrast": _question,
    "features.rsa": _rsa,
    "features.probe": _probe,
    "features.compare": _compare,
    "features.replicate": _replicate,
    "features.maxact": _maxact,
    "steer.clamp": _steering,
    **SHAPES,
}
"""Who says what each kind of result found, in the order of the summary."""
