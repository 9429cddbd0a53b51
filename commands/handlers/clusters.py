"""Carries out `clusters.*`."""

from __future__ import annotations

from typing import Any

import numpy as np

from commands.clusters import ClustersDemo, ClustersFind, ClustersList, ClustersShow
from workbench.errors import UnknownNameError, UsageError
from workbench.evidence import labels_by_index
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes.ids import feature_id
from workbench.session.log import LogLine
from workbench.verbs import Outcome

SHOWN = 40
DRAWN = 500
"""Points of a cloud that its figure shows."""
ANSWERS = {
    "circle": "one feature of two dimensions",
    "gaussian": "two features along its axes",
    "mixture": "two features that never meet",
    "lattice": "two discrete features",
}


def find(command: ClustersFind, lab: Lab) -> Outcome:
    """Connected components of the decoder-cosine graph; singletons are counted, not listed."""
    from workbench.geometry import cosine_graph_clusters

    space = lab.space
    lab.tick(0, 1, "comparing decoder directions")
    decoder = space.directions().numpy()
    clusters = [members for members in cosine_graph_clusters(decoder, k=command.k, tau=command.tau) if len(members) > 1]
    members = np.concatenate(clusters) if clusters else np.zeros(0, dtype=np.int64)
    sizes = np.array([len(cluster) for cluster in clusters], dtype=np.int64)
    units = decoder / np.maximum(np.linalg.norm(decoder, axis=1, keepdims=True), 1e-12)
    cosines = np.array([_mean_cosine(units[cluster]) for cluster in clusters])
    lab.save("clusters", members=members.astype(np.int64), sizes=sizes, cosines=cosines, directions=units[members])
    largest = [
        {"cluster": number, "size": int(sizes[number]), "cosine": round(float(cosines[number]), 4),
         "features": [int(member) for member in clusters[number][:12]]}
        for number in range(min(len(clusters), 20))
    ]  # fmt: skip
    body = {
        "k": command.k,
        "tau": command.tau,
        "space": space.name,
        "clusters": len(clusters),
        "singletons": int(space.width - len(members)),
        "largest": largest,
    }
    return Outcome(body, sets={"clusters": {"space": space.name, "count": len(clusters)}})


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


def _mean_cosine(units: np.ndarray) -> float:
    """Mean cosine of all pairs of rows."""
    size = len(units)
    total = float(np.square(units.sum(axis=0)).sum()) - size
    return total / (size * (size - 1))


def _found(lab: Lab) -> tuple[LogLine, dict[str, Any], dict[str, np.ndarray], np.ndarray]:
    lines = lab.record.done("clusters.find")
    if not lines:
        raise UsageError("no clusters in this session", "Find some: `workbench clusters find`.")
    arrays = lab.arrays(lines[-1], "clusters")
    return lines[-1], lab.stored(lines[-1]), arrays, np.concatenate([[0], np.cumsum(arrays["sizes"])])


def list_(query: ClustersList, lab: Lab) -> Outcome:
    """A page of the latest clusters, largest first."""
    line, stored, arrays, starts = _found(lab)
    labels = labels_by_index(lab, stored["space"])
    rows = []
    for number in range(query.offset, min(query.offset + query.limit, len(arrays["sizes"]))):
        members = [int(member) for member in arrays["members"][starts[number] : starts[number + 1]]]
        rows.append(
            {
                "cluster": number,
                "size": len(members),
                "cosine": round(float(arrays["cosines"][number]), 4),
                "features": members[:12],
                "labels": [labels[member] for member in members if member in labels][:4],
            }
        )
    head = {"seq": line.seq, "k": stored["k"], "tau": stored["tau"], "singletons": stored["singletons"]}
    return Outcome({**head, "total": len(arrays["sizes"]), "offset": query.offset, "clusters": rows})


def show(query: ClustersShow, lab: Lab) -> Outcome:
    """The members of one cluster, nearest to its middle first."""
    _, stored, arrays, starts = _found(lab)
    if query.cluster >= len(arrays["sizes"]):
        raise UnknownNameError(f"no cluster {query.cluster}", f"There are {len(arrays['sizes'])}, counted from 0.")
    part = slice(int(starts[query.cluster]), int(starts[query.cluster + 1]))
    members, units = arrays["members"][part], arrays["directions"][part].astype(np.float64)
    middle = units.mean(axis=0)
    nearness = units @ middle / max(float(np.linalg.norm(middle)), 1e-12)
    order = np.lexsort((members, -nearness))
    labels, index = labels_by_index(lab, stored["space"]), lab.index()
    rows = [
        {
            "feature": feature_id(stored["space"], int(members[place])),
            "index": int(members[place]),
            "label": labels.get(int(members[place]), ""),
            "cosine": round(float(nearness[place]), 4),
            "density": None if index is None else index.density(int(members[place])),
        }
        for place in order
    ]
    shown = units[order[:SHOWN]]
    return Outcome(
        {
            "cluster": query.cluster,
            "size": len(members),
            "cosine": round(float(arrays["cosines"][query.cluster]), 4),
            "features": rows,
            "matrix": [[round(float(value), 3) for value in row] for row in shown @ shown.T],
        }
    )
