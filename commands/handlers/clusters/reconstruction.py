"""Carries out `clusters.planes`, `clusters.point` and `clusters.export`: what one cluster writes on the corpus."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from commands.clusters import ClustersExport, ClustersPlanes, ClustersPoint
from commands.handlers.clusters.sets import Cluster, ClusterSet, rounded
from workbench.errors import MismatchError, UsageError
from workbench.features.evidence import labels_by_index
from workbench.index.read import FeatureIndex
from workbench.index.reconstruction import ClusterActivity, cluster_activity
from workbench.lab import Lab
from workbench.paths import require_ending
from workbench.verbs import Outcome

MATRIX = 40
"""Members whose cosines are shown, at most."""
SILENT = 200
"""Silent members that are named, at most."""
LEGEND = 10
"""Tokens that get a mark of their own."""
ENDINGS = (".html", ".htm", ".svg")
"""Of the files that planes are written to."""
END = ""
"""What stands after the last token of a document."""


@dataclass(frozen=True)
class Reconstruction:
    """One cluster on the corpus: its sampled tokens, and their principal planes."""

    cluster: Cluster
    activity: ClusterActivity
    planes: Any
    status: str


def index_of(lab: Lab, found: ClusterSet) -> FeatureIndex:
    """The feature index that the clusters' features have.

    Raises:
        UsageError: there is none, or the features were never loaded.
        MismatchError: it is of other features.
    """
    if not found.has_directions:
        raise UsageError(
            f"the clusters are of {found.space}, which was not loaded", "Load it, then import the file again."
        )
    index = lab.index()
    if index is None:
        raise UsageError("reconstruction needs the corpus index", "Build it first: `workbench index build`.")
    if str(index.meta["space"]) != found.space:
        raise MismatchError(
            f"the clusters are of {found.space}, the index is of {index.meta['space']}", "Find clusters again."
        )
    return index


def reconstruct(
    cluster: Cluster, index: FeatureIndex, *, threshold: float, points: int, seed: int, components: int
) -> Reconstruction:
    """What a cluster writes, as points with their principal planes; a cluster without points has a status."""
    from workbench.geometry import reconstruction_planes

    activity = cluster_activity(index, cluster.members.tolist(), threshold=threshold, most=points, seed=seed)
    assert cluster.units is not None
    writes = cluster.units * cluster.lengths[:, None]  # (members, width)
    planes = reconstruction_planes(activity.activations, writes, threshold=threshold, components=components)
    status = "silent" if not activity.active else "one_feature" if planes.scores.shape[1] < 2 else "ok"
    return Reconstruction(cluster, activity, planes, status)


def planes(query: ClustersPlanes, lab: Lab) -> Outcome:
    """Points, explained variance, indices and legend of one cluster."""
    return Outcome(described(query, lab)[0])


def described(query: ClustersPlanes | ClustersExport, lab: Lab) -> tuple[dict[str, Any], Reconstruction, FeatureIndex]:
    """The result of `clusters.planes`, and what it was made from."""
    found = ClusterSet(lab)
    cluster, index = found.cluster(query.cluster), index_of(lab, found)
    seen = reconstruct(cluster, index, components=query.components, **query.sample())
    labels = labels_by_index(lab, found.space)
    places = seen.activity.places
    current, following = token_texts(index, places)
    body = {
        "cluster": query.cluster,
        "name": found.name(query.cluster),
        "space": found.space,
        "status": seen.status,
        "size": len(cluster.members),
        "cosine": rounded(cluster.cosine),
        "features": [
            {"index": int(member), "label": labels.get(int(member), "")} for member in cluster.members[:MATRIX]
        ],
        "silent": list(seen.activity.silent[:SILENT]),
        "active": seen.activity.active,
        "points": len(places),
        "threshold": query.threshold,
        "seed": query.seed,
        "bins": query.bins,
        "eps": query.eps,
        "explained": [round(float(share), 5) for share in seen.planes.explained],
        "singular_values": [round(float(value), 4) for value in seen.planes.singular_values],
        "planes": _plane_rows(query, seen),
        "scores": [[round(float(value), 3) for value in row] for row in seen.planes.scores],
        "places": places.tolist(),
        "current": legend(current),
        "next": legend(following),
        "matrix": matrix_of(cluster.units, np.arange(len(cluster.members))),
    }
    body["rings"] = _rings(query, seen, current) if query.ring else []
    return body, seen, index


def _plane_rows(query: ClustersPlanes | ClustersExport, seen: Reconstruction) -> list[dict[str, Any]]:
    """Both indices of each plane, with what they depend on."""
    from workbench.geometry import irreducibility

    if seen.status != "ok":
        return []
    found = irreducibility(seen.planes.scores, bins=query.bins, eps=query.eps)
    return [plane_row(plane) for plane in found.planes]


def plane_row(plane: Any) -> dict[str, Any]:
    """One plane of an `Irreducibility` for a reply."""
    ok = plane.status == "ok"
    return {
        "axes": [axis + 1 for axis in plane.axes],
        "status": plane.status,
        "separability": rounded(plane.separability),
        "mixture": rounded(plane.mixture),
        "score": rounded((1 - plane.mixture) * plane.separability) if ok else None,
        "points": plane.points,
        "bins": plane.bins,
    }


def _rings(query: ClustersPlanes | ClustersExport, seen: Reconstruction, current: list[str]) -> list[dict[str, Any]]:
    """For each plane, how well the mean points of the named tokens lie on a ring in that order."""
    if seen.status != "ok":
        return []
    names = [name.strip() for part in query.ring for name in part.split(",")]
    if len(names) < 3:
        raise UsageError(f"--ring needs at least three tokens, got {len(names)}", "Name them in their order.")
    held = np.array([names.index(token.strip()) if token.strip() in names else -1 for token in current])
    if missing := [name for at, name in enumerate(names) if not (held == at).any()]:
        raise UsageError(f"no point of the sample stands on {missing[0]!r}", "Take more --points, or other tokens.")
    rows = []
    for axis in range(seen.planes.scores.shape[1] - 1):
        points = seen.planes.scores[:, axis : axis + 2]
        means = np.array([points[held == at].mean(axis=0) for at in range(len(names))])
        r2, ratio = ring_fit(means)
        rows.append({"axes": [axis + 1, axis + 2], "r2": round(r2, 4), "roundness": round(ratio, 4),
                     "points": int((held >= 0).sum())})  # fmt: skip
    return rows


def ring_fit(means: np.ndarray) -> tuple[float, float]:
    """How much of (n, 2) mean points an ellipse through equal steps explains, and its short over its long axis."""
    angle = 2 * np.pi * np.arange(len(means)) / len(means)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    centred = means - means.mean(axis=0)
    image = np.linalg.lstsq(circle, centred, rcond=None)[0]  # (2, 2)
    total = float(np.square(centred).sum())
    left = float(np.square(centred - circle @ image).sum())
    axes = np.linalg.svd(image, compute_uv=False)
    return (1 - left / total if total > 0 else 0.0), float(axes[1] / axes[0]) if axes[0] > 0 else 0.0


def token_texts(index: FeatureIndex, places: np.ndarray) -> tuple[list[str], list[str]]:
    """The token at each place, and the one after it in its document (empty at the end)."""
    tokens, pieces = index.store.tokens, index.pieces
    here = [pieces[int(token)] for token in tokens[places]]
    document = index.store.document_of(places)
    last = np.asarray(index.store.starts)[document + 1] - 1
    after = np.minimum(places + 1, len(tokens) - 1)
    following = [
        END if place >= end else pieces[int(token)]
        for place, end, token in zip(places, last, tokens[after], strict=True)
    ]
    return here, following


def legend(texts: list[str]) -> dict[str, Any]:
    """The commonest tokens, and for each point which of them it is; -1 for any other."""
    counts = Counter(texts)
    common = sorted(counts, key=lambda text: (-counts[text], text))[:LEGEND]
    number = {text: at for at, text in enumerate(common)}
    return {
        "tokens": [[text, counts[text]] for text in common],
        "groups": [number.get(text, -1) for text in texts],
        "others": sum(count for text, count in counts.items() if text not in number),
    }


def matrix_of(units: np.ndarray | None, order: np.ndarray) -> list[list[float]]:
    """Pairwise cosines of the first members in an order; empty where there are no directions."""
    if units is None:
        return []
    shown = units[order[:MATRIX]]
    return [[round(float(value), 3) for value in row] for row in shown @ shown.T]


def point(query: ClustersPoint, lab: Lab) -> Outcome:
    """The window around a place, the cluster's total activation on each token, and each member's there."""
    found = ClusterSet(lab)
    cluster, index = found.cluster(query.cluster), index_of(lab, found)
    if query.at >= int(index.meta["tokens"]):
        raise UsageError(
            f"place {query.at} is beyond the {index.meta['tokens']} tokens of the index", "Give a smaller one."
        )
    return Outcome({"cluster": query.cluster, "at": query.at, **context(cluster, index, query.at)})


def context(cluster: Cluster, index: FeatureIndex, place: int) -> dict[str, Any]:
    """Tokens around a place, the members' summed activation on each, and the activations at the place itself."""
    windows = [index.window(int(member), place) for member in cluster.members]
    peak = windows[0]["peak"]
    values = [
        [member, window["values"][peak]] for member, window in zip(cluster.members.tolist(), windows, strict=True)
    ]
    return {
        "tokens": windows[0]["tokens"],
        "values": [round(sum(column), 4) for column in zip(*(window["values"] for window in windows), strict=True)],
        "peak": peak,
        "document": windows[0]["document"],
        "features": sorted((pair for pair in values if pair[1]), key=lambda pair: (-pair[1], pair[0])),
    }


def export(query: ClustersExport, lab: Lab) -> Outcome:
    """Write the planes to a file."""
    from workbench.files import write_atomic
    from workbench.reports.planes_page import planes_page, planes_svg

    path = Path(query.out) if query.out else lab.home / "reports" / f"cluster-{query.cluster}.html"
    require_ending(path, ENDINGS)
    body, seen, index = described(query, lab)
    if seen.status != "ok":
        raise UsageError(f"cluster {query.cluster} has no plane to draw ({seen.status})", "Choose another cluster.")
    if path.suffix.lower() == ".svg":
        text = planes_svg(body, query.colour)
    else:
        contexts = [_hover(seen, index, row) for row in range(len(seen.activity.places))]
        text = planes_page(body, contexts, query.colour)
    write_atomic(path, text)
    return Outcome({"path": str(path), "bytes": len(text.encode()), "points": len(seen.activity.places)})


def _hover(seen: Reconstruction, index: FeatureIndex, row: int) -> dict[str, Any]:
    """What the page shows of one point."""
    place, active = int(seen.activity.places[row]), seen.activity.activations[row]
    window = index.window(int(seen.cluster.members[0]), place)
    order = np.lexsort((seen.cluster.members, -active))
    features = [[int(seen.cluster.members[at]), round(float(active[at]), 3)] for at in order if active[at] > 0]
    return {"tokens": window["tokens"], "peak": window["peak"], "document": window["document"], "features": features}
