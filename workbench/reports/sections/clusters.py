"""Clusters of decoder directions: the largest ones, and the cosines inside the largest."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from workbench.figures import Figure
from workbench.reports.document import Block, Chart, Column, Paragraph, Section, Table
from workbench.reports.source import ReportSource
from workbench.reports.text import count, number, several
from workbench.session.log import LogLine

SHOWN = 20
MEMBERS = 12


def clusters_section(source: ReportSource) -> Section | None:
    """The latest clusters in force."""
    lines = source.lines("clusters.find")
    if not lines:
        return None
    return Section("Clusters", "clusters", source.blocks(lines[-1], partial(_clusters, source)))


def _clusters(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    about = (
        f"{several(result['clusters'], 'cluster')} of two or more features {_how(result)}; "
        f"{count(result['singletons'])} features stand alone.{_stability(result)}"
    )
    largest = result["largest"][:SHOWN]
    if not largest:
        return [Paragraph((about,))]
    labels = source.labels(str(result.get("space", source.space)))
    columns = [
        Column("Cluster"), Column("Features", True), Column("Mean cosine", True), Column("First members"),
        Column("Labels"),
    ]  # fmt: skip
    rows = [_row(source, cluster, labels) for cluster in largest]
    table = Table(f"The {len(rows)} largest clusters", columns, rows, line.seq)
    whole = [cluster for cluster in largest if cluster["size"] <= MEMBERS]  # a matrix that shows all its members
    return [Paragraph((about,)), table, _matrix(source, line, (whole or largest)[0])]


def _how(result: dict[str, Any]) -> str:
    """What joins the members; results of older versions are of the cosine graph."""
    method = result.get("method", "graph")
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


def _row(source: ReportSource, cluster: dict[str, Any], labels: Mapping[int, str]) -> tuple[str, ...]:
    members = [int(member) for member in cluster["features"]]
    named = [labels[member] for member in members if member in labels]
    shown = ", ".join(f"#{member}" for member in members) + (" …" if cluster["size"] > len(members) else "")
    own = source.own_label("clusters", int(cluster["cluster"]))
    told = [*([f"“{own}”"] if own else []), *named[:4]]
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
