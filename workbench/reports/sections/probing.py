"""Probes and comparisons of methods: held-out accuracy first, the leaky one as a warning beside it."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.reports.document import (
    Block,
    Bullets,
    Cell,
    Chart,
    Code,
    Column,
    Fold,
    Notice,
    Paragraph,
    Section,
    Table,
)
from workbench.reports.source import ReportSource
from workbench.reports.text import chance, count, number, share, signed
from workbench.session.log import LogLine

METRICS = ("accuracy", "f1", "mcc", "precision", "recall", "auc")

TWO_TESTS = (
    "Two kinds of tests stand here. p against chance compares a method with itself on shuffled labels (permutation). "
    "The sentences above and the tests between methods compare two methods on the same folds (corrected resampled t, "
    "Holm over all pairs): they say which is better, not whether either is above chance."
)


def probing_section(source: ReportSource) -> Section | None:
    """A subsection for each comparison, probe and label-free ranking in force."""
    makers = {"features.compare": _comparison, "features.probe": _probe, "features.maxact": _maxact}
    titles = {
        "features.compare": "Methods compared",
        "features.probe": "Probe",
        "features.maxact": "Largest activations",
    }
    inner: list[Block] = []
    for line in source.lines(*makers):
        title = f"{titles[line.do]}: {_about(line)} (line {line.seq})"
        inner.append(Section(title, f"probing-{line.seq}", source.blocks(line, partial(makers[line.do], source))))
    return Section("How few features decode it, and how they are best chosen", "probing", inner) if inner else None


def _about(line: LogLine) -> str:
    """What was decoded: a stimulus set, a predicate, clusters of predictions, or spans."""
    clusters = [str(number) for number in dict.fromkeys(line.params.get("quanta") or ())]
    if not clusters:
        return str(line.params.get("stimuli") or line.params.get("predicate") or "spans")
    against = f"cluster {line.params['against']}" if line.params.get("against") else "other samples"
    return f"cluster{'s' if len(clusters) > 1 else ''} {', '.join(clusters)} of predictions against {against}"


def _comparison(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    settings = (
        f"{result['k']} features each, a linear decoder, {result['repeats']} x {result['folds']} folds. Features are "
        f"selected inside every fold; the larger class is {number(result['majority'])}."
    )
    columns = [
        Column("Method"), Column("Held out", True), Column("95 %", True), Column("Shuffled labels", True),
        Column("p against chance", True), Column("Leaky (warning)", True), Column("On target", True),
        Column("Known words", True), Column("Target AUC", True),
    ]  # fmt: skip
    caption = f"{result['stimuli']}: accuracy by method, and what each ensemble finds in the corpus"
    blocks: list[Block] = [
        Paragraph((settings,)),
        Table(caption, columns, [_arm(arm) for arm in result["arms"]], line.seq),
        *[Chart(figure, line.seq, figure.title) for figure in source.figures(line)],
        Bullets([(sentence,) for sentence in result["verdict"]]),
        Paragraph((_target(result),)),
        Paragraph((TWO_TESTS,)),
        Fold(f"All {len(result['tests'])} tests between methods, paired over folds", [_tests(result, line)]),
        Fold(
            "Strongest sentences of each ensemble",
            [_sentences(arm, line) for arm in result["arms"] if arm["sentences"]],
        ),
    ]
    return blocks + [Notice("missing", (text,)) for text in result["missing"]]


def _arm(arm: dict[str, Any]) -> list[str]:
    return [
        arm["arm"], number(arm["accuracy"]), _span(arm["interval"]), number(arm["null_accuracy"]),
        chance(arm["p_null"]),
        number(arm["leaky_accuracy"]), "–" if arm["on_concept"] is None else share(arm["on_concept"][0]),
        "–" if arm["on_words"] is None else share(arm["on_words"][0]), _metric(arm["concept_auc"]),
    ]  # fmt: skip


def _target(result: dict[str, Any]) -> str:
    target, corpus = result["target"], result["corpus"]
    if not corpus["sentences"]:
        return "No corpus was searched."
    planted = (
        "no planted concept is known there"
        if target["concept"] is None
        else f"“{target['concept']}” is planted in {share(target['concept_rate'])}"
    )
    return (
        f"{count(corpus['sentences'])} sentences of the corpus “{corpus['name']}” were ranked by each: {planted}; "
        f"{share(target['word_rate'])} hold one of {target['words_total']} known words (from {target['words_from']}). "
        f"Scoring: {target['judge_reason']}."
    )


def _tests(result: dict[str, Any], line: LogLine) -> Table:
    columns = [
        Column("Pair"), Column("Accuracy", True), Column("95 %", True), Column("p (Holm)", True),
        Column("p (items)", True), Column("Target AUC", True), Column("p (Holm)", True),
    ]  # fmt: skip
    rows = []
    for test in result["tests"]:
        aimed = test["target"]
        cells = [f"{test['a']} − {test['b']}", signed(test["difference"]), _span(test["interval"])]
        cells += [chance(test["p_holm"]), chance(test["p_items"])]
        cells += ["–", "–"] if aimed is None else [signed(aimed["difference"]), chance(aimed["p_holm"])]
        rows.append(cells)
    return Table("Differences between methods: corrected resampled t, sign flips, paired AUCs", columns, rows, line.seq)


def _sentences(arm: dict[str, Any], line: LogLine) -> Table:
    columns = [Column("Sentence"), Column("Log odds", True), Column("Planted"), Column("Known word")]
    rows = [
        [(Code(row["text"]),), number(row["score"]), row["concept"] or "–", row["known_word"] or "–"]
        for row in arm["sentences"]
    ]
    return Table(f"Strongest for {arm['arm']}", columns, rows, line.seq)


def _probe(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    blocks = [*_head(result), *[Chart(figure, line.seq, figure.title) for figure in source.figures(line)]]
    columns = [Column("Method"), Column("k", True), *(Column(name, True) for name in METRICS)]
    rows = [[row["method"], str(row["k"]), *(_metric(row[name]) for name in METRICS)] for row in result["sweep"]]
    sides = result["categories"].values()
    caption = (
        "Held-out metrics by number of features, with 95 % bootstrap intervals over items; by chance accuracy "
        f"{max(sides) / max(sum(sides), 1):.2f} (the larger class), AUC 0.50"
    )
    blocks.append(Fold("The whole sweep", [Table(caption, columns, rows, line.seq)]))
    if (exact := result["exact"]) is not None:
        blocks.append(_exact(exact, line))
    return blocks + (_case(result["case"], line) if result["case"] is not None else [])


def _head(result: dict[str, Any]) -> list[Block]:
    sides = f"{count(result['categories']['positive'])} against {count(result['categories']['rest'])}"
    told = f"{count(result['tested'])} features ranked by {result['statistic']} on {sides} {result['design']}. "
    if result["p_reason"]:
        return [Paragraph((f"{told}No p: {result['p_reason']}.",))]
    null = f"{count(result['null_discoveries'])} (median), at most {count(result['null_discoveries_max'])}"
    found = f"{count(result['discoveries'])} have q < {float(result['alpha']):g}; with shuffled labels {null}."
    return [Paragraph((told + found,))]


def _exact(exact: dict[str, Any], line: LogLine) -> Table:
    columns = [Column("Fold"), Column("Objective", True), Column("Gap", True), Column("Proof"), Column("Features")]
    rows = [
        [str(place), number(fold["objective"]), number(fold["gap"]), fold["status"],
         ", ".join(f"#{index}" for index in fold["features"])]
        for place, fold in enumerate(exact["folds"], start=1)
    ]  # fmt: skip
    caption = (
        f"Exact best {exact['k']} of {exact['prefilter']} features in each fold; held out: accuracy "
        f"{_metric(exact['accuracy'])}, F1 {_metric(exact['f1'])}, "
        f"AUC {_metric(exact['auc'])}"
    )
    return Table(caption, columns, rows, line.seq)


def _case(case: dict[str, Any], line: LogLine) -> list[Block]:
    silenced = {one["class"]: one for one in (case["ablation"] or {}).get("classes", [])}
    columns = [
        Column("Class"), Column("Items", True), Column("Mean", True), Column("Fires in", True),
        Column("Loss without it", True), Column("95 %", True), Column("Random units", True),
    ]  # fmt: skip
    rows = []
    for one in case["classes"]:
        cells = [one["class"], count(one["n"]), number(one["mean"]), share(one["firing"])]
        lost = silenced.get(one["class"])
        if lost is None:
            cells += ["–", "–", "–"]
        else:
            ends = [min(lost["control_percent"], default=0.0), max(lost["control_percent"], default=0.0)]
            cells += [f"{signed(lost['increase_percent'])} %", _span(lost["interval"]), _span(ends)]
        rows.append(cells)
    table = Table(
        f"#{case['index']} alone: by class, and the rise of the loss when it is silenced", columns, rows, line.seq
    )
    about = f" was chosen {case['selected']}. {case['reading'].capitalize()}."
    why = f" Not silenced: {case['ablation_reason']}." if case["ablation_reason"] else ""
    return [Paragraph((Code(case["feature"]), about + why)), table]


def _maxact(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    columns = [Column("Feature"), Column("Largest", True), Column("Effect", True)]
    rows: list[list[Cell]] = [
        [(Code(f"#{row['index']}"),), number(row["score"]), signed(row["effect"])] for row in result["rows"][:20]
    ]
    return [*_head(result), Table("The largest activations", columns, rows, line.seq)]


def _metric(value: list[float | None] | None) -> str:
    if value is None or value[0] is None:
        return "–"
    return f"{value[0]:.2f} [{number(value[1], 2)}, {number(value[2], 2)}]"


def _span(ends: list[float]) -> str:
    return f"{number(ends[0])} to {number(ends[1])}"
