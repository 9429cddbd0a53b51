"""Carries out `clusters.*`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from commands.clusters import ClustersDemo, ClustersFind, ClustersList, ClustersShow
from commands.handlers.clusters.importing import import_
from commands.handlers.clusters.ranking import latest_rank, rank
from commands.handlers.clusters.reconstruction import export, matrix_of, planes, point
from commands.handlers.clusters.sets import ClusterSet, decoder_of, entry_of, keep, largest_rows, rounded
from workbench.errors import UsageError
from workbench.features.evidence import labelled_with, labels_by_index
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes.ids import feature_id
from workbench.verbs import Outcome

__all__ = ["demo", "export", "find", "import_", "list_", "planes", "point", "rank", "show"]

MOST = 1000
"""Members that are shown, so that a giant cluster fits into a reply."""
DRAWN = 500
"""Points of a cloud that its figure shows."""
ANSWERS = {
    "circle": "one feature of two dimensions",
    "gaussian": "two features along its axes",
    "mixture": "two features that never meet",
    "lattice": "two discrete features",
}


def find(command: ClustersFind, lab: Lab) -> Outcome:
    """Groups of features by the method asked for; features alone are counted, not listed."""
    from commands.handlers.clusters.finding import joined

    space = lab.space
    lab.tick(0, 1, "comparing decoder directions")
    decoder, lengths = decoder_of(space)
    found = joined(command, lab, decoder)
    clusters = [members for members in found.groups if len(members) > 1]
    cosines = keep(lab, clusters, decoder, lengths)
    body = {
        "k": command.k,
        "tau": command.tau,
        "space": space.name,
        "clusters": len(clusters),
        "singletons": int(space.width - sum(map(len, clusters))),
        "largest": largest_rows(clusters, cosines, found.returns),
        "method": command.method,
        "affinity": command.affinity if command.method == "spectral" else None,
        "n_clusters": _number(found),
        "seed": command.seed,
        **found.about,
        "stability": found.stability,
        "sweep": found.sweep,
    }
    if found.returns:
        body["returns"] = found.returns
    return Outcome(body, found.figures, {"clusters": entry_of(space.name, clusters)}, warnings=found.warnings)


def _number(found: Any) -> int | None:
    """The number of clusters that was cut; None for the components of a graph."""
    if "consensus" in found.about:
        return int(found.about["consensus"]["chosen"])
    return int(found.sweep[0]["n_clusters"]) if found.sweep else None


def demo(command: ClustersDemo, lab: Lab) -> Outcome:
    """Separability and mixture index of four synthetic clouds, each beside matched Gaussians."""
    from workbench.geometry.shapes import SHAPES

    rows, figures = [], []
    for done, (name, make) in enumerate(SHAPES.items()):
        lab.tick(done, len(SHAPES), f"measuring the {name}")
        points = make(command.points, seed=command.seed)
        row = _shape_row(name, points, command)
        rows.append(row)
        shown = points[:DRAWN].round(3)
        title = f"{name}: S {row['separability']:.2f} bits, M {row['mixture']:.2f}"
        data = {"x": shown[:, 0].tolist(), "y": shown[:, 1].tolist(), "names": None, "groups": None}
        figures.append(Figure(kind="scatter", title=title, x_label="first", y_label="second", data=data))
    head = {name: getattr(command, name) for name in ("points", "bins", "eps", "draws", "seed")}
    return Outcome({**head, "shapes": rows}, figures)


def _shape_row(name: str, points: np.ndarray, command: ClustersDemo) -> dict[str, Any]:
    from workbench.geometry import index_null

    draws, seed = command.draws, command.seed
    S = index_null(points, "separability", kind="gaussian", draws=draws, bins=command.bins, seed=seed)
    M = index_null(points, "mixture", kind="gaussian", draws=draws, eps=command.eps, seed=seed)
    separability = max(0.0, S.value)
    return {
        "shape": name,
        "answer": ANSWERS[name],
        "separability": separability,
        "separability_null": float(S.draws.mean()),
        "separability_p": S.p,
        "mixture": M.value,
        "mixture_null": float(M.draws.mean()),
        "mixture_p": M.p,
        "score": (1 - M.value) * separability,
    }


def list_(query: ClustersList, lab: Lab) -> Outcome:
    """A page of the latest clusters in the order asked for."""
    found = ClusterSet(lab)
    labels = labels_by_index(lab, found.space)
    ranks = latest_rank(lab, found)
    scores = {} if ranks is None else ranks["scores"]
    order = _order(query.sort, found, labels, scores)
    if wanted := query.filter.casefold().lstrip("#"):
        order = _matching(order, wanted, found, labels)
    back, rows = found.stored.get("returns", []), []
    for number in order[query.offset : query.offset + query.limit]:
        members = [int(member) for member in found.of(number)]
        score = scores.get(str(number), {})
        rows.append(
            {
                "cluster": number,
                "size": len(members),
                "cosine": rounded(found.cosines[number]),
                "features": members[:12],
                "labels": [labels[member] for member in members if member in labels][:4],
                "name": found.name(number),
                **found.label(number),
                "returns": back[number] if back else None,
                "irreducibility": score.get("score"),
                "status": score.get("status"),
                "ring": score.get("ring"),
            }
        )
    head = {"seq": found.line.seq, "singletons": found.stored["singletons"], **_how(found.stored)}
    head |= {"sort": query.sort, "ranked": None if ranks is None else ranks["seq"]}
    head |= {"count": len(found.sizes), "total": len(order)}
    return Outcome({**head, "offset": query.offset, "clusters": rows})


def _matching(order: list[int], wanted: str, found: ClusterSet, labels: Mapping[int, str]) -> list[int]:
    """Clusters with this number or member, or whose texts or those of whose members contain what is wanted."""
    telling = labelled_with(labels, wanted)

    def matches(number: int) -> bool:
        own = (str(number), found.name(number), found.label(number)["label"])
        if any(wanted in text.casefold() for text in own):
            return True
        members = found.of(number).tolist()
        return wanted in map(str, members) or not telling.isdisjoint(members)

    return [number for number in order if matches(number)]


def _how(stored: dict[str, Any]) -> dict[str, Any]:
    """How the clusters were found; clusters of older versions are of the cosine graph."""
    return {
        "k": stored.get("k"),
        "tau": stored.get("tau"),
        "method": stored.get("method", "graph"),
        "affinity": stored.get("affinity"),
        "n_clusters": stored.get("n_clusters"),
        "stability": stored.get("stability", []),
        "consensus": stored.get("consensus"),
    }


def _order(sort: str, found: ClusterSet, labels: Mapping[int, str], scores: dict[str, Any]) -> list[int]:
    """Numbers of the clusters; what has no cosine, score or label comes last, never in between."""
    numbers = range(len(found.sizes))
    if sort == "size":
        return sorted(numbers, key=lambda number: (-int(found.sizes[number]), number))
    if sort == "label":
        named = {number: _label(found, number, labels) for number in numbers}
        return sorted(numbers, key=lambda number: (not named[number], named[number].casefold(), number))
    if sort == "cosine":
        value = {number: rounded(found.cosines[number], 12) for number in numbers}
    else:
        if not scores:
            raise UsageError("these clusters are not ranked", "Rank them first: `workbench clusters rank`.")
        key = "ring" if sort == "ring" else "score"
        value = {number: scores.get(str(number), {}).get(key) for number in numbers}
        if sort == "ring" and set(value.values()) == {None}:
            raise UsageError("no cluster of the ranking was tested for a ring", "Rank them anew: `clusters rank`.")
    return sorted(numbers, key=lambda number: (value[number] is None, -(value[number] or 0.0), number))


def _label(found: ClusterSet, number: int, labels: Mapping[int, str]) -> str:
    name = found.label(number)["label"] or found.name(number)
    return name or next((labels[member] for member in found.of(number).tolist() if member in labels), "")


def show(query: ClustersShow, lab: Lab) -> Outcome:
    """The members of one cluster, nearest to its middle first."""
    found = ClusterSet(lab)
    cluster = found.cluster(query.cluster)
    members, units = cluster.members, cluster.units
    nearness, order = np.full(len(members), np.nan), np.arange(len(members))
    if units is not None:
        middle = units.mean(axis=0)
        nearness = units @ middle / max(float(np.linalg.norm(middle)), 1e-12)
        order = np.lexsort((members, -nearness))
    labels, index = labels_by_index(lab, found.space), lab.index()
    if index is not None and str(index.meta["space"]) != found.space:
        index = None
    rows = [
        {
            "feature": feature_id(found.space, int(members[place])),
            "index": int(members[place]),
            "label": labels.get(int(members[place]), ""),
            "cosine": rounded(nearness[place]),
            "density": None if index is None else index.density(int(members[place])),
        }
        for place in order[:MOST]
    ]
    return Outcome(
        {
            "cluster": query.cluster,
            "size": len(members),
            "cosine": rounded(cluster.cosine),
            "name": found.name(query.cluster),
            **found.label(query.cluster),
            "label_scores": found.label_scores(query.cluster),
            "features": rows,
            "matrix": matrix_of(units, order),
        }
    )
