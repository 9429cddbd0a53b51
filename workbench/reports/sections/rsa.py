"""RSA: the model RDM, what follows it, against what chance finds."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.figures import Figure
from workbench.reports.document import Block, Cell, Chart, Code, Column, Paragraph, Section, Table
from workbench.reports.source import ReportSource
from workbench.reports.text import chance, count, signed
from workbench.session.log import LogLine

SHOWN = 20
AT_LEAST = 5


def rsa_section(source: ReportSource) -> Section | None:
    """A subsection for each `features.rsa` in force, the latest first."""
    inner: list[Block] = [
        Section(
            f"{line.params.get('stimuli')} (line {line.seq})",
            f"rsa-{line.seq}",
            source.blocks(line, partial(_rsa, source)),
        )
        for line in sorted(source.lines("features.rsa"), key=lambda line: -line.seq)
    ]
    return Section("Which features follow a model of the sentences", "rsa", inner) if inner else None


def _rsa(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    blocks: list[Block] = [Paragraph((_found(result), " Numbers are of ", Code(str(result["space"])), "."))]
    if result["note"]:
        blocks.append(Paragraph((str(result["note"]).capitalize() + ".",)))
    blocks += [Chart(figure, line.seq, figure.title) for figure in source.figures(line) if figure.kind == "matrix"]
    hits = int(result["discoveries"])
    rows = result["rows"][: min(SHOWN, max(hits, AT_LEAST))]
    if rows:
        blocks.append(_table(line, result, rows))
    return blocks


def _found(result: dict[str, Any]) -> str:
    what = "features" if result["over"] == "features" else f"sets ({result['over']})"
    without = f", with {' and '.join(result['nuisance'])} left out of both" if result["nuisance"] else ""
    return (
        f"The squared distances between {count(result['sentences'])} sentences were compared with the model "
        f"“{result['against']}” ({result['statistic']}{without}). {count(result['tested'])} {what} were tested, "
        f"{count(result['undefined'])} are undefined. {count(hits := result['discoveries'])} "
        f"{'has' if hits == 1 else 'have'} q < {float(result['alpha']):g}; with the sentences shuffled the same "
        f"procedure finds {count(result['null_discoveries'])} (median over the shuffles), at most "
        f"{count(result['null_discoveries_max'])}. p is one-sided, by permutation of the sentences, never of pairs."
    )


def _table(line: LogLine, result: dict[str, Any], rows: list[dict[str, Any]]) -> Table:
    with_t = any(row.get("t") is not None for row in rows)
    first = "Feature" if "index" in rows[0] else "Set"
    columns = [
        first,
        "Label" if first == "Feature" else "Units",
        f"{'partial ' if result['nuisance'] else ''}{result['statistic']}",
        "Effect",
    ]
    columns += [*(["t"] if with_t else []), "p", "p (FWER)", "q"]
    names = [
        "feature" if first == "Feature" else "name",
        "score",
        "effect",
        *(["t"] if with_t else []),
        "p",
        "p_fwer",
        "q",
    ]
    caption = f"The {len(rows)} that follow the model best" if first == "Feature" else "The sets"
    data = Figure(
        kind="table",
        title=caption,
        data={"columns": [*names, "status"], "rows": [[row.get(name) for name in (*names, "status")] for row in rows]},
    )
    body = [_row(row, with_t) for row in rows]
    return Table(caption, [Column(name, place > 1) for place, name in enumerate(columns)], body, line.seq, data)


def _row(row: dict[str, Any], with_t: bool) -> list[Cell]:
    if "index" in row:
        start: list[Cell] = [(Code(f"#{row['index']}"),), str(row["label"]) or "–"]
    else:
        start = [str(row["name"]), str(row["size"])]
    t = [signed(row.get("t"))] if with_t else []
    return [
        *start,
        signed(row["score"]),
        signed(row["effect"]),
        *t,
        *(chance(row[key]) for key in ("p", "p_fwer", "q")),
    ]
