"""Replications: what of a ranking held on other sentences, another seed, layer or SAE."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.figures import Figure
from workbench.reports.document import Block, Cell, Chart, Code, Column, Paragraph, Section, Table
from workbench.reports.source import ReportSource
from workbench.reports.text import chance, count, number, signed
from workbench.session.log import LogLine

MOST = 30
_NAMES = ("Feature", "Label", "First", "q", "Again", "Second", "q", "Outcome")


def replication_section(source: ReportSource) -> Section | None:
    """A subsection for each replication in force."""
    inner: list[Block] = [
        Section(f"Line {line.seq}", f"replication-{line.seq}", source.blocks(line, partial(_replication, source)))
        for line in source.lines("features.replicate")
    ]
    return Section("What held a second time", "replications", inner) if inner else None


def _replication(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    found, first, second = result["agreement"], result["first"], result["second"]
    told = Paragraph(
        (
            f"The ranking of line {first['seq']} once more, with {'; '.join(result['changed'])}. Features were matched "
            f"by {result['match']['by']}. Of {count(found['first'])} discoveries {count(result['held'])} held, "
            f"{_lost(result)}, {count(result['reversed'])} turned round and "
            f"{count(result['not_testable'])} could not be tested. {count(found['both'])} were discovered both times; "
            f"two selections of these sizes share {number(found['expected'])} by chance (hypergeometric p "
            f"{chance(found['p'])}, as if features were independent, which they are not). The scores' rank correlation "
            f"is {_rho(found['rank_correlation'])}. Shuffled labels of the second set find at most "
            f"{count(second['null_discoveries_max'])}.",
        )
    )
    charts = [
        Chart(figure, line.seq, f"Scores of {figure.title}.")
        for figure in source.figures(line)
        if figure.kind == "scatter"
    ]
    return [told, *charts, _table(result, line)]


def _lost(result: dict[str, Any]) -> str:
    """What was not found again; results of an older version do not tell why."""
    if "gone" not in result:
        return f"{count(result['lost'])} did not"
    return (
        f"{count(result['gone'])} are gone (the 95 % interval of the second standardised effect excludes the first), "
        f"of {count(result['not_powered'])} the second sentences cannot tell (the interval holds it)"
    )


def _rho(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def _table(result: dict[str, Any], line: LogLine) -> Table:
    rows = result["rows"][:MOST]
    caption = f"The {len(rows)} strongest discoveries of the first ranking, and what became of them"
    data = Figure(
        kind="table",
        title=caption,
        data={
            "columns": ["feature", "score", "q", "second_feature", "second_score", "second_q", "outcome"],
            "rows": [
                [row["feature"], row["first"]["score"], row["first"]["q"]]
                + [(row["second"] or {}).get(name) for name in ("feature", "score", "q")]
                + [row["outcome"]]
                for row in rows
            ],
        },
    )
    columns = [Column(name, place not in (0, 1, 7)) for place, name in enumerate(_NAMES)]
    return Table(caption, columns, [_row(row) for row in rows], line.seq, data)


def _row(row: dict[str, Any]) -> list[Cell]:
    second = row["second"]
    again: list[Cell] = ["–", "–", "–"]
    if second is not None:
        again = [(Code(f"#{second['index']}"),), signed(second["score"]), chance(second["q"])]
    one = row["first"]
    head: list[Cell] = [(Code(f"#{row['index']}"),), str(row["label"]) or "–", signed(one["score"]), chance(one["q"])]
    return [*head, *again, str(row["outcome"])]
