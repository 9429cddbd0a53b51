"""Clusters, found or taken over: the largest ones, those known by name, and the cosines inside the largest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from workbench.figures import Figure
from workbench.reports.document import Block, Chart, Column, Paragraph, Section, Table
from workbench.reports.sections.cluster_ranking import ring_rows
from workbench.reports.source import ReportSource
from workbench.reports.text import number, several
from workbench.session.log import LogLine

SHOWN = 20
MEMBERS = 12
HEAD = 8
"""Clusters at the head of a ranking that are told of whatever their size."""
MADE_BY = ("clusters.find", "clusters.import")


def clusters_section(source: ReportSource) -> Section | None:
    """The latest clusters in force."""
    line = clustering(source)
    if line is None:
        return None
    return Section("Clusters", "clusters", source.blocks(line, partial(_clusters, source)))


def clustering(source: ReportSource) -> LogLine | None:
    """The line whose clusters all others of the session are about: the latest, also where it took a stored result."""
    lines = [line for line in source.in_force if line.do in MADE_BY]
    return lines[-1] if lines else None


def _clusters(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    about = (
        f"{several(result['clusters'], 'cluster')} of two or more features {_how(result)}; "
        f"{several(result['singletons'], 'feature')} stand{'s' if result['singletons'] == 1 else ''} alone."
        f"{_stability(result)}"
    )
    largest = result["largest"][:SHOWN]
    if not largest:
        return [Paragraph((about,))]
    labels = source.labels(str(result.get("space", source.space)))
    columns = [
        Column("Cluster"), Column("Features", True), Column("Mean cosine", True), Column("First members"),
        Column("Labels"),
    ]  # fmt: skip
    names = result.get("names", {})
    rows = [_row(source, cluster, labels, names) for cluster in largest]
    tables: list[Block] = [Table(f"The {len(rows)} largest clusters", columns, rows, line.seq)]
    wanted = sorted(_told_of(source, line) - {int(cluster["cluster"]) for cluster in largest})
    if more := [_row(source, cluster, labels, names) for cluster in _smaller(source, line, wanted)]:
        tables.append(Table("Smaller clusters with a label, or that another result is about", columns, more, line.seq))
    blocks = [Paragraph((about,)), *_known(result, line), *tables]
    if not result.get("directions", True):
        without = "The features that they are of were not loaded, so there are no directions and no cosines."
        return [*blocks, Paragraph((without,))]
    whole = [cluster for cluster in largest if cluster["size"] <= MEMBERS]  # a matrix that shows all its members
    return [*blocks, _matrix(source, line, (whole or largest)[0])]


def _known(result: dict[str, Any], line: LogLine) -> list[Block]:
    """The clusters of the paper among imported ones, and whether the loaded directions agree that they are those."""
    rows = [
        (str(row["cluster"]), str(row["name"]), str(row["number"]), str(row["size"]), number(row["cosine"]),
         number(row["published"]), str(row["check"]))
        for row in result.get("known", [])
    ]  # fmt: skip
    columns = [
        Column("Cluster"), Column("Known as"), Column("Number in the paper", True), Column("Features", True),
        Column("Mean cosine", True), Column("Published", True), Column("Check"),
    ]  # fmt: skip
    return [Table("Clusters that the paper names", columns, rows, line.seq)] if rows else []


def _told_of(source: ReportSource, line: LogLine) -> set[int]:
    """Clusters with a label, at the head of a ranking of these clusters, or whose plane was patched."""
    name = source.in_force_of("clusters")
    found = {number for space, number, _ in source.labels_of("clusters") if space == name}
    for other in source.lines("clusters.rank"):
        result = source.read(other, lambda other: source.result(other)) or {}
        if result.get("clusters_seq") == line.seq:
            heads = [*result["rows"][:HEAD], *ring_rows(result)[:HEAD]]
            found |= {int(row["cluster"]) for row in heads}
    for other in source.lines("circle.patch"):
        told = (source.read(other, lambda other: source.result(other)) or {}).get("cluster") or {}
        if other.seq > line.seq and told.get("cluster") is not None:
            found.add(int(told["cluster"]))
    return found


def _smaller(source: ReportSource, line: LogLine, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Some clusters as the result tells of the largest, from the arrays."""
    if not numbers:
        return []
    arrays = source.lab.arrays(line, "clusters")
    sizes, members, cosines = arrays["sizes"], arrays["members"], arrays["cosines"]
    begins = np.concatenate([[0], np.cumsum(sizes)])
    return [
        {"cluster": at, "size": int(sizes[at]), "cosine": None if np.isnan(cosines[at]) else float(cosines[at]),
         "features": members[begins[at] : begins[at + 1]][:MEMBERS].tolist()}
        for at in numbers
        if at < len(sizes)
    ]  # fmt: skip


def _how(result: dict[str, Any]) -> str:
    """What joins the members; results of older versions are of the cosine graph."""
    method = result.get("method", "graph")
    if method == "import":
        other = "" if result.get("numbers") is None else ", counted from 0 without those of one"
        return f"of {result['space']}, taken over from “{result['file']}”{other}"
    if method == "graph":
        return (
            "whose decoder directions point the same way "
            f"(each of its {result['k']} nearest neighbours, cosine above {result['tau']})"
        )
    joined = {"spectral": f"near by decoder direction (affinity {result['affinity']}",
              "coactivation": "that fire on the same tokens (Jaccard overlap",
              "activation": "whose activations are alike over tokens (cosine"}  # fmt: skip
    told = joined.get(method, "near by decoder direction or firing on the same tokens (the larger of both")
    if vote := result.get("consensus"):
        return (
            f"{told}, consensus of {vote['runs']} runs on halves of the documents, cut at {vote['chosen']} of "
            f"{vote['least']} to {vote['most']} where halves agree best, seed {result['seed']})"
        )
    number_of = f"{result['n_clusters']} spectral clusters" if result["n_clusters"] else f"k {result['k']}"
    return f"{told}, {number_of}, seed {result['seed']})"


def _stability(result: dict[str, Any]) -> str:
    told = ", ".join(f"{item['setting']} {item['ari']:.2f}" for item in result.get("stability", []))
    return f" Agreement (adjusted Rand index) with neighbouring settings: {told}." if told else ""


def _row(
    source: ReportSource, cluster: dict[str, Any], labels: Mapping[int, str], names: Mapping[str, str]
) -> tuple[str, ...]:
    members = [int(member) for member in cluster["features"]]
    named = [labels[member] for member in members if member in labels]
    shown = ", ".join(f"#{member}" for member in members) + (" …" if cluster["size"] > len(members) else "")
    own = source.own_label("clusters", int(cluster["cluster"]))
    known = names.get(str(cluster["cluster"]), "")
    told = [*([f"“{own}”"] if own else []), *([known] if known else []), *named[:4]]
    return str(cluster["cluster"]), str(cluster["size"]), number(cluster["cosine"]), shown, "; ".join(told) or "–"


def _matrix(source: ReportSource, line: LogLine, cluster: dict[str, Any]) -> Chart:
    arrays = source.lab.arrays(line, "clusters")
    begin = int(arrays["sizes"][: int(cluster["cluster"])].sum())
    part = slice(begin, begin + min(int(cluster["size"]), MEMBERS))
    units = arrays["directions"][part].astype(np.float64)  # (members, channels)
    names = [f"#{int(member)}" for member in arrays["members"][part]]
    figure = Figure(
        kind="matrix",
        title=f"Cosines inside cluster {cluster['cluster']}",
        data={
            "rows": names,
            "columns": names,
            "values": [[round(float(value), 3) for value in row] for row in units @ units.T],
        },
    )
    kept = "" if cluster["size"] <= MEMBERS else f", its first {MEMBERS} members"
    return Chart(figure, line.seq, f"Pairwise cosines of the decoder directions in cluster {cluster['cluster']}{kept}.")
