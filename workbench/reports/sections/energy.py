"""Energies of directions, least energies and matches of Gram matrices."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.figures import Figure
from workbench.reports.document import Block, Chart, Column, Paragraph, Section, Table
from workbench.reports.source import ReportSource
from workbench.reports.text import count, number, signed
from workbench.session.log import LogLine

VERBS = {"geometry.energy": "Energy", "geometry.optimum": "Least energy", "geometry.match": "Match of two Grams"}
PICTURES = 4


def energy_section(source: ReportSource) -> Section | None:
    """A subsection for each result in force."""
    inner: list[Block] = [
        Section(f"{VERBS[line.do]} (line {line.seq})", f"energy-{line.seq}",
                source.blocks(line, partial(_blocks, source)))
        for line in source.lines(*VERBS)
    ]  # fmt: skip
    return Section("How directions lie to each other", "energy", inner) if inner else None


def _blocks(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    makers = {"geometry.energy": _energy, "geometry.optimum": _optimum, "geometry.match": _match}
    figures = source.figures(line)
    kept = [figure for figure in figures if figure.kind != "matrix"]
    kept += [figure for figure in figures if figure.kind == "matrix"][-PICTURES:]
    return [*makers[line.do](result, line), *(Chart(_close(figure), line.seq, _caption(figure)) for figure in kept)]


def _close(figure: Figure) -> Figure:
    """Energies differ in their last digits: a curve of them is not drawn from zero."""
    return figure.model_copy(update={"data": {**figure.data, "zero": False}}) if figure.kind == "curve" else figure


def _caption(figure: Figure) -> str:
    return f"{figure.title}. The axis of energies does not begin at 0." if figure.kind == "curve" else figure.title


def _kernel(result: dict[str, Any]) -> str:
    return str(result["kernel"]) if result["s"] is None else f"Riesz (s = {number(result['s'])})"


def _energy(result: dict[str, Any], line: LogLine) -> list[Block]:
    known = ", ".join(f"{name} {number(value)}" for name, value in result["references"].items() if value is not None)
    about = (
        f"{_kernel(result)} energy of {count(result['n'])} unit vectors ({result['of']}) over ordered pairs. Shapes "
        f"known in closed form: {known}. Two nulls: with the labels shuffled everything is fitted again; with the "
        "coordinates shuffled each vector keeps its numbers. Only the first is a null for a shape that comes from the "
        "probing."
    )
    columns = [Column("Place"), Column("Energy", True), Column("Labels shuffled", True),
               Column("Coordinates shuffled", True), Column("Mean cosine", True), Column("Status")]  # fmt: skip
    rows = [
        (str(row["place"]), number(row["energy"]), _null(row["label_shuffle"]), _null(row["coordinate_shuffle"]),
         signed(row["mean_cosine"]), str(row["why"] or row["status"]))
        for row in result["places"]
    ]  # fmt: skip
    blocks: list[Block] = [Paragraph((about,)), Table("Energy by place", columns, rows, line.seq)]
    if result["optima"]:
        blocks.append(_optima(result["optima"], f"Least energies, and the distance from {result['matched']}", line))
    if result["remark"]:
        fits = [(number(fit["energy_share"]), ", ".join(number(w) for w in fit["weights"])) for fit in result["fits"]]
        blocks += [
            Paragraph((str(result["remark"]),)),
            Table("Importance weights", [Column("Energy share", True), Column("Weights")], fits, line.seq),
        ]
    return blocks


def _null(null: dict[str, Any] | None) -> str:
    return "–" if null is None else f"{number(null['energy_mean'])} ± {number(null['energy_sd'])}"


def _optima(rows: list[dict[str, Any]], caption: str, line: LogLine) -> Table:
    columns = [Column("Dimensions", True), Column("Energy", True), Column("Spread of starts", True),
               Column("Closed form", True), Column("Shape"), Column("Largest |cosine|", True),
               Column("Welch bound", True), Column("Distance", True)]  # fmt: skip
    body = [
        (count(row["dims"]), number(row["energy"]), number(row["spread"]), number(row["known"]),
         str(row["shape"] or "–"), number(row["largest_cosine"]), number(row["welch"]), number(row.get("cost")))
        for row in rows
    ]  # fmt: skip
    return Table(caption, columns, body, line.seq)


def _optimum(result: dict[str, Any], line: LogLine) -> list[Block]:
    starts = count(result["restarts"])
    about = f"{_kernel(result)} energy of {count(result['n'])} unit vectors, the best of {starts} starts."
    return [Paragraph((about,)), _optima(result["optima"], "Least energies by dimension", line)]


def _match(result: dict[str, Any], line: LogLine) -> list[Block]:
    sure = "no relabelling is nearer" if result["exact"] else "the best of many local searches"
    about = (
        f"{result['second']} against {result['first']}: distance {number(result['start_cost'])} as labelled, "
        f"{number(result['cost'])} relabelled ({sure})."
    )
    rows = [tuple(str(name) for name in pair) for pair in result["pairs"]]
    return [Paragraph((about,)), Table("Who goes with whom", [Column("First"), Column("Second")], rows, line.seq)]
