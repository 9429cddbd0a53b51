"""Rankings: what was found against what chance finds, the volcano plot, and the strongest features of each sign."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from workbench.features.rankings import NUMBERS, Ranking
from workbench.figures import Figure
from workbench.reports.choice import by_sign, chosen_features, discovered
from workbench.reports.document import Block, Cell, Chart, Code, Column, Link, Paragraph, Section, Table, feature_anchor
from workbench.reports.source import ReportSource
from workbench.reports.text import chance, count, several, signed
from workbench.session.log import LogLine

OF_EACH_SIGN = 20
AT_LEAST = 5
STATISTIC_SIGNS = {"welch": "t", "mann_whitney": "z", "rate": "t of firing", "paired": "paired t", "factorial": "t"}


def ranking_section(source: ReportSource) -> Section | None:
    """A subsection for each ranking in force: the one the report is about, then the others, the latest first."""
    inner: list[Block] = [
        Section(
            f"{_title(line)} (line {line.seq})", f"ranking-{line.seq}", source.blocks(line, partial(_ranking, source))
        )
        for line in sorted(source.rankings, key=lambda line: (line is not source.ranking, -line.seq))
    ]
    return Section("Which features carry the concept", "rankings", inner) if inner else None


def _title(line: LogLine) -> str:
    return str(line.params.get("stimuli", line.do))


def others(result: dict[str, Any]) -> str:
    """What the positive class was compared with, in words."""
    against = str(result["against"])
    return "all other sentences" if against == "all others" else f"“{against}”"


def _ranking(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    ranking, higher, lower = by_sign(source, line)
    alpha = float(result["alpha"])
    blocks: list[Block] = [Paragraph((_found(result), " Feature numbers are of ", Code(ranking.space), "."))]
    blocks += [
        Chart(
            _with_threshold(figure, alpha),
            line.seq,
            _volcano(figure.title, result, line),
        )
        for figure in source.figures(line)
        if figure.kind == "scatter"
    ]
    blocks += [
        Chart(figure, line.seq, f"{figure.title}: {figure.note}.")
        for figure in source.figures(line)
        if figure.kind == "matrix"
    ]
    for title, features in ((f"“{result['positive']}”", higher), (others(result), lower)):
        hits = discovered(ranking, features, alpha)
        shown = features[: min(OF_EACH_SIGN, max(hits, AT_LEAST))]
        if len(shown):
            caption = f"Higher in {title}: the {len(shown)} strongest; {_have(hits)} q < {alpha:g}"
            blocks.append(_table(source, line, ranking, shown, caption))
    return [*blocks, _why(line, ranking)]


def _volcano(title: str, result: dict[str, Any], line: LogLine) -> str:
    """What a reader needs who sees the drawing alone: how many sentences and features, the correction, the null."""
    rule = "Benjamini-Yekutieli" if line.params.get("fdr") == "by" else "Benjamini-Hochberg"
    sides = result["categories"]
    return (
        f"Volcano plot of {title}, a point a feature: {several(result['discoveries'], 'discovery', 'discoveries')} at "
        f"q < {float(result['alpha']):g}, above the dashed line. {sides['positive']} sentences against "
        f"{sides['rest']}; q by {rule} over {count(result['tested'])} features; shuffled labels find a median of "
        f"{count(result['null_discoveries'])}, at most {count(result['null_discoveries_max'])}."
    )


def _have(hits: int) -> str:
    return f"{count(hits)} {'has' if hits == 1 else 'have'}"


def _with_threshold(figure: Figure, alpha: float) -> Figure:
    """The volcano with the line above which q is below alpha, so that nothing looks high where nothing is found."""
    level = {"y": -math.log10(alpha), "name": f"q = {alpha:g}"}
    return figure.model_copy(update={"data": {**figure.data, "level": level}})


def _why(line: LogLine, ranking: Ranking) -> Paragraph:
    """How to see what any of these numbers was compared with."""
    order = ranking.order()
    example = f":features.why {int(order[0])} ranking={line.seq}" if len(order) else ":features.why NUMBER"
    return Paragraph(
        (
            "Why these numbers: ",
            Code(example),
            " draws a feature's permutations again and shows their histogram, how many sentences were on each side, "
            "where q comes from, and the line that made it.",
        )
    )


def _found(result: dict[str, Any]) -> str:
    undefined = int(result["undefined"])
    left = (
        f"; {count(undefined)} are undefined (they never vary on these sentences) and not ranked" if undefined else ""
    )
    return (
        f"{count(result['tested'])} features were tested{left}. {_have(int(result['discoveries']))} "
        f"q < {float(result['alpha']):g}. With the labels of the sentences shuffled, the same procedure finds "
        f"{count(result['null_discoveries'])} (median over the shuffles), "
        f"at most {count(result['null_discoveries_max'])}."
    )


def _table(source: ReportSource, line: LogLine, ranking: Ranking, features: np.ndarray, caption: str) -> Table:
    labels = source.labels(ranking.space)
    in_full = set(chosen_features(source)) if ranking.space == source.space else set()
    rows = ranking.rows(features, labels=labels)
    sign = STATISTIC_SIGNS.get(str(line.params.get("statistic")), "statistic")
    d = "d_z" if "d_z" in ranking.numbers else "d"
    names = ("Feature", "Label", "Effect", d, sign, "p", "p (FWER)", "q")
    columns = [Column(name, place > 1) for place, name in enumerate(names)]
    data = Figure(
        kind="table",
        title=caption,
        data={
            "columns": (shown := ["feature", "label", *NUMBERS, *(["d_z"] if d == "d_z" else []), "status"]),
            "rows": [[row[key] for key in shown] for row in rows],
        },
    )
    return Table(caption, columns, [_row(row, d, in_full) for row in rows], line.seq, data)


def _row(row: dict[str, Any], d: str, in_full: set[int]) -> list[Cell]:
    index = int(row["index"])
    name: Cell = (Link(f"#{index}", feature_anchor(index)),) if index in in_full else (Code(f"#{index}"),)
    numbers = [signed(row["effect"]), signed(row[d]), signed(row["score"])]
    return [name, str(row["label"]) or "–", *numbers, chance(row["p"]), chance(row["p_fwer"]), chance(row["q"])]
