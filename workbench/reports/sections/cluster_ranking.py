"""Rankings of clusters: which are irreducible, which are rings, and what each number is held against."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.figures import Figure
from workbench.reports.document import Block, Chart, Column, Paragraph, Section, Table
from workbench.reports.source import ReportSource
from workbench.reports.text import chance, count, number, several, visible
from workbench.session.log import LogLine

NULLS = {
    "permutation": "one coordinate shuffled against the other",
    "gaussian": "Gaussians of the same covariance",
    "words": "the words put elsewhere, each with its points",
}
DRAWN = 16
"""Most bars of the figure of scores."""
CLEAR = 0.05


def cluster_ranking_section(source: ReportSource) -> Section | None:
    """A subsection for each ranking of clusters in force."""
    inner: list[Block] = [
        Section(f"By {_by(line)} (line {line.seq})", f"cluster-ranking-{line.seq}",
                source.blocks(line, partial(_blocks, source)))
        for line in source.lines("clusters.rank")
    ]  # fmt: skip
    return Section("Which clusters are of two dimensions", "cluster-rankings", inner) if inner else None


def _by(line: LogLine) -> str:
    return "the ring test" if line.params.get("by") == "ring" else "irreducibility"


def ring_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The clusters that the ring test could be made of, the most ringlike first; older results have none."""
    found = [row for row in result["rows"] if row.get("ring_rank")]
    return sorted(found, key=lambda row: int(row["ring_rank"]))


def what(source: ReportSource, row: dict[str, Any]) -> str:
    """What a cluster is about: its own label or name, else labels of members, else its commonest tokens."""
    own = source.own_label("clusters", int(row["cluster"])) or str(row.get("name") or "")
    return own or "; ".join(row.get("labels", [])[:2]) or " ".join(str(t).strip() for t, _ in row.get("tokens", []))


def _blocks(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    without = ", ".join(f"{count(many)} {status}" for status, many in result["without"].items())
    about = (
        f"{several(result['ranked'], 'cluster')} ranked by the mean of (1 − M) S over their principal planes: S is the "
        f"separability index in bits, M the mixture index, over at most {count(result['points'])} points above "
        f"{number(result['threshold'])}, {result['bins']} bins, eps {number(result['eps'])}. Without a score: "
        f"{without or 'none'}. The best plane of each stands beside the mean of {count(result['draws'])} nulls "
        f"({NULLS.get(result['null'], result['null'])})."
    )
    return [Paragraph((about,)), _scores(source, result, line), *_intervals(source, result, line),
            *_rings(source, result, line)]  # fmt: skip


def _scores(source: ReportSource, result: dict[str, Any], line: LogLine) -> Table:
    columns = [Column("Cluster"), Column("Rank", True), Column("Features", True), Column("Points", True),
               Column("(1 − M) S", True), Column("Best plane"), Column("S", True), Column("S of nulls", True),
               Column("p", True), Column("M", True), Column("M of nulls", True), Column("p", True),
               Column("Labels, else tokens")]  # fmt: skip
    rows = [
        (str(row["cluster"]), count(row["rank"]), count(row["size"]), count(row["points"]), number(row["score"]),
         *_null(row["null"]), what(source, row))
        for row in result["rows"]
    ]  # fmt: skip
    return Table("The clusters in their order", columns, rows, line.seq)


def _null(null: dict[str, Any] | None) -> tuple[str, ...]:
    if not null:
        return ("–",) * 7
    both = [
        cell
        for index in ("separability", "mixture")
        for cell in (number(null[index]), number(null[f"{index}_null"]), chance(null[f"{index}_p"]))
    ]
    return (_plane(null["axes"]), *both)


def _plane(axes: list[int]) -> str:
    return "-".join(map(str, axes))


def _intervals(source: ReportSource, result: dict[str, Any], line: LogLine) -> list[Block]:
    """(1 - M) S of the best planes with what leaving out documents or words does to it; older results have none."""
    rows = [row for row in result["rows"] if row["null"] and "words_interval" in row["null"]]
    if not rows:
        return []
    columns = [Column("Cluster"), Column("Plane"), Column("(1 − M) S", True), Column("Over documents", True),
               Column("Over words", True), Column("Labels, else tokens")]  # fmt: skip
    body = [
        (str(row["cluster"]), _plane(row["null"]["axes"]), number(row["null"]["score"]),
         _interval(row["null"]["documents_interval"]), _interval(row["null"]["words_interval"]), what(source, row))
        for row in rows
    ]  # fmt: skip
    blocks: list[Block] = [
        Table("95 % intervals of the best plane, tenths of the documents or words left out", columns, body, line.seq)
    ]
    drawn = [row for row in rows if row["null"]["words_interval"] is not None][:DRAWN]
    return [*blocks, Chart(_bars(drawn), line.seq, _BARS)] if drawn else blocks


_BARS = "(1 − M) S of the best plane of each cluster, with its 95 % interval over words."


def _interval(ends: list[float] | None) -> str:
    return "–" if ends is None else f"{number(ends[0])} to {number(ends[1])}"


def _bars(rows: list[dict[str, Any]]) -> Figure:
    data = {
        "names": [f"cluster {row['cluster']}" for row in rows],
        "values": [row["null"]["score"] for row in rows],
        "low": [row["null"]["words_interval"][0] for row in rows],
        "high": [row["null"]["words_interval"][1] for row in rows],
    }
    return Figure(kind="bars", title="Irreducibility of the best planes", x_label="(1 − M) S", data=data)


def _rings(source: ReportSource, result: dict[str, Any], line: LogLine) -> list[Block]:
    rows = ring_rows(result)
    if not rows:
        return []
    about = (
        f"The ring test counts each word of {several(result['least'], 'point')} or more once, by its mean point, in "
        f"{several(result['ringed'], 'cluster')} with enough words. Kurtosis 4 is a ring, 16/3 an evenly filled disc, "
        "8 a Gaussian heap. p is for the best of the planes, against as many words spread evenly over a disc, and "
        "against a Gaussian heap of them; no allowance is made for the number of clusters."
    )
    columns = [Column("Cluster"), Column("Place", True), Column("By score", True), Column("Words", True),
               Column("Plane"), Column("Kurtosis", True), Column("Of discs", True), Column("Deviations below", True),
               Column("p (disc)", True), Column("p (Gaussian)", True), Column("Labels, else tokens")]  # fmt: skip
    body = [
        (str(row["cluster"]), count(row["ring_rank"]), count(row["rank"]), count(row["ring"]["words"]),
         _plane(row["ring"]["axes"]), number(row["ring"]["kurtosis"]), number(row["ring"]["expected"]),
         number(row["ring"]["z"]), chance(row["ring"]["p"]), chance(row["ring"]["gaussian_p"]), what(source, row))
        for row in rows
    ]  # fmt: skip
    chart = Chart(_ring_points(source, rows), line.seq, _POINTS)
    return [Paragraph((about,)), Table("The ring test", columns, body, line.seq), chart]


_POINTS = "Each cluster by the kurtosis of its words' mean points and how far below a disc's it is; 4 is a ring."


def _ring_points(source: ReportSource, rows: list[dict[str, Any]]) -> Figure:
    names = [f"{row['cluster']}: {visible(what(source, row))}" for row in rows]
    groups = [f"p < {CLEAR:g}" if row["ring"]["p"] < CLEAR else "other" for row in rows]
    data = {"x": [row["ring"]["kurtosis"] for row in rows], "y": [row["ring"]["z"] for row in rows], "names": names,
            "groups": groups}  # fmt: skip
    return Figure(kind="scatter", title="The ring test of the clusters", x_label="kurtosis of the mean points",
                  y_label="standard deviations below a disc", data=data)  # fmt: skip
