"""Circles: how a task is read, what moves its answers, and what explains what is there."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.circles.phrases import mean_off
from workbench.figures import Figure
from workbench.reports.document import Block, Chart, Code, Column, Paragraph, Section, Table
from workbench.reports.source import ReportSource
from workbench.reports.text import count, number, share, signed
from workbench.session.log import LogLine

TITLES = {
    "circle.probe": "Circle probe",
    "circle.patch": "Patches of the circle",
    "circle.sweep": "Around the circle's middle",
    "circle.heads": "Layers and heads",
    "circle.explain": "Explanation by regression",
}


def circles_section(source: ReportSource) -> Section | None:
    """A subsection for each result in force, in the order of the investigation."""
    inner: list[Block] = [
        Section(
            f"{TITLES[line.do]}: {line.params.get('task')} (line {line.seq})",
            f"circle-{line.seq}",
            source.blocks(line, partial(_blocks, source)),
        )
        for line in source.lines(*TITLES)
    ]
    return Section("Circles", "circles", inner) if inner else None


def _blocks(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    makers = {"circle.probe": _probe, "circle.patch": _patch, "circle.sweep": _sweep, "circle.heads": _heads,
              "circle.explain": _explain}  # fmt: skip
    space = "with" if result["leading_space"] else "without"
    asked = (
        f" and its like: {count(result['right'])} of {count(result['problems'])} problems are answered rightly; "
        f"answers are tokens {space} a leading space. "
    )
    about, tables = makers[line.do](result, line)
    charts = [Chart(figure, line.seq, _caption(figure)) for figure in source.figures(line)]
    return [Paragraph((Code(str(result["prompt"])), asked, about)), *tables, *charts]


def _caption(figure: Figure) -> str:
    return f"{figure.title}. {figure.note}".strip() if figure.note else figure.title


def _probe(result: dict[str, Any], line: LogLine) -> tuple[str, list[Block]]:
    at = "name's token" if result["at"] == "name" else "last token"
    about = (
        f"A linear probe reads the {result['of']} at the {at} as a point on a circle of period {result['period']}, "
        f"from at most {result['k']} principal components. Held-out R² leaves problems out, the column after it whole "
        "names."
    )
    columns = [Column("Site"), Column("Training R²", True), Column("Held-out R²", True),
               Column("R², names held out", True), Column("Steps off", True),
               Column("Different vectors", True)]  # fmt: skip
    rows = [
        (str(row["site"]), number(row["r2"]), number(row["held_out_r2"]), number(row["held_out_names_r2"]),
         number(row["error"]), count(row["distinct"]))
        for row in result["sites"]
    ]  # fmt: skip
    tables: list[Block] = [Table("The circle probe by site", columns, rows, line.seq)]
    return about, [*tables, *_phrases(result, line)]


def _phrases(result: dict[str, Any], line: LogLine) -> list[Block]:
    """Where phrases around a name are read on the circle of the bare names."""
    rows = result.get("continuity") or []
    if not rows:
        return []
    columns = [Column("Phrase"), Column("Mean off (steps)", True), Column("Most off (steps)", True),
               Column("Read at"), Column("Remark")]  # fmt: skip
    body = [
        ((Code(str(row["phrase"])),), number(mean_off(row, result["period"])), number(row["largest"]),
         ", ".join(f"{angle:.1f}" for angle in row["reads"]), "spelled in pieces" if row["spelled"] else "–")
        for row in rows
    ]  # fmt: skip
    return [Table(f"Phrases on the circle of the bare names at {rows[0]['site']}", columns, body, line.seq)]


def _patch(result: dict[str, Any], line: LogLine) -> tuple[str, list[Block]]:
    best = result["best"]
    about = (
        f"Every problem was given another name in {count(result['pairs'])} pairs; the numbers are the logit of the old "
        "answer less that of the new, below 0 where the answer follows. Shares are of what replacing the whole vector "
        f"does. {f'Best site: {best}.' if best else 'No patch of the circle goes beyond a random plane.'}"
    )
    columns = [Column("Site"), Column("Circle of"), Column("Held-out R²", True), Column("Whole vector", True),
               Column("Circle", True), Column("Random plane", True), Column("Circle's share", True),
               Column("Random's share", True)]  # fmt: skip
    rows = [
        (str(row["site"]), str(row["of"] or "–"), number(row["held_out_r2"]), signed(row["patch_layer"]),
         signed(row["patch_circle"]), signed(row["random_plane"]), number(row["share"]), number(row["random_share"]))
        for row in result["sites"]
    ]  # fmt: skip
    tables: list[Block] = [Table("Patches by site", columns, rows, line.seq)]
    if note := result.get("cluster_note"):
        tables.insert(0, Paragraph((f"{note[0].upper()}{note[1:]}.",)))
    found = next((row for row in result["sites"] if row["site"] == best), None)
    if found is not None:
        names = [Column("Intervention"), Column("Mean", True), Column("95 % interval", True),
                   Column("Follow", True), Column("Stay", True), Column("Share", True)]  # fmt: skip
        body = [
            (str(row["intervention"]), signed(row["difference"]), f"{signed(row['low'])} to {signed(row['high'])}",
             share(row["followed"]), share(row["stayed"]), number(row["share"]))
            for row in found["interventions"]
        ]  # fmt: skip
        tables.append(Table(f"Interventions at {best}", names, body, line.seq))
    return about, tables


def _sweep(result: dict[str, Any], line: LogLine) -> tuple[str, list[Block]]:
    about = (
        f"{count(result['points'])} points of the plane were put in the place of {result['name']} at {result['site']}; "
        f"by chance {share(result['chance'])} would be read as the name of the nearest angle."
    )
    rows = [
        (number(radius), share(agreed), number(margin))
        for radius, agreed, margin in zip(result["radii"], result["agreement"], result["margin"], strict=True)
    ]
    columns = [Column("Radius", True), Column("Read as the nearest", True), Column("Margin (logits)", True)]
    return about, [Table("Agreement by radius", columns, rows, line.seq)]


def _heads(result: dict[str, Any], line: LogLine) -> tuple[str, list[Block]]:
    about = (
        f"Each component's output was taken from another problem's run, over {count(result['pairs'])} pairs; the score "
        "is the share of the way to the other answer, and keeps its sign."
    )
    rows = [(f"block {row['layer']}, head {row['head']}", signed(row["score"])) for row in result["top"][:8]]
    return about, [Table("The strongest heads", [Column("Head"), Column("Score", True)], rows, line.seq)]


def _explain(result: dict[str, Any], line: LogLine) -> tuple[str, list[Block]]:
    about = (
        f"{count(result['components'])} principal components at {result['site']} ({share(result['explained'])} of the "
        f"spread) were regressed on groups chosen by {result['chosen_by']}. The pictures of what is left share one "
        "scale."
    )
    columns = [Column("Group"), Column("R²", True), Column("Held-out R²", True), Column("Gain", True),
               Column("Columns", True)]  # fmt: skip
    rows = [
        (str(rung["group"]), number(rung["r2"]), number(rung["held_out_r2"]), signed(rung["gain"]),
         count(rung["rank"]))
        for rung in result["rungs"]
    ]  # fmt: skip
    return about, [Table("The ladder", columns, rows, line.seq)]
