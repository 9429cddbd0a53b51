"""Carries out `clusters.rank`: every cluster's planes measured alike, best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from commands.clusters import ClustersRank
from commands.handlers.clusters.reconstruction import Reconstruction, index_of, plane_row, reconstruct
from commands.handlers.clusters.sets import ClusterSet, rounded
from workbench.features.evidence import labels_by_index
from workbench.index.read import FeatureIndex
from workbench.lab import Lab
from workbench.verbs import Outcome

SHOWN = 100
TOKENS = 3


@dataclass(frozen=True)
class _Cloud:
    """The points of a cluster, with the word and document of each."""

    scores: np.ndarray
    index: FeatureIndex
    places: np.ndarray

    @property
    def words(self) -> np.ndarray:
        """(points,) token ids."""
        return np.asarray(self.index.store.tokens[self.places])

    @property
    def documents(self) -> np.ndarray:
        """(points,) document numbers."""
        return np.asarray(self.index.store.document_of(self.places))


@dataclass(frozen=True)
class _Measured:
    """A cluster's planes as `irreducibility` found them, its points, and its row, which gets its ranks last."""

    planes: Any
    cloud: _Cloud
    row: dict[str, Any]


def rank(command: ClustersRank, lab: Lab) -> Outcome:
    """(1 - M) S of every cluster's planes; those without a score have a status and no rank."""
    found = ClusterSet(lab)
    index = index_of(lab, found)
    labels = labels_by_index(lab, found.space)
    clusters: dict[int, _Measured] = {}
    for number in range(len(found.sizes)):
        lab.tick(number, len(found.sizes), f"cluster {number}")
        clusters[number] = _measure(command, number, found, index, labels)
    order, without, rings = _give_ranks(clusters)
    shown = rings if command.by == "ring" else order
    tested = [number for number in shown if clusters[number].row["rank"] is not None][: command.tested]
    for place, number in enumerate(tested):
        lab.tick(place, len(tested), f"nulls of cluster {number}")
        clusters[number].row["null"] = _nulls(command, clusters[number].cloud, clusters[number].planes)
    rows = {number: cluster.row for number, cluster in clusters.items()}
    body = {
        "clusters_seq": found.line.seq,
        "space": found.space,
        **{name: getattr(command, name) for name in ("points", "threshold", "components", "bins", "eps", "null")},
        **{name: getattr(command, name) for name in ("draws", "tested", "seed", "by", "least")},
        "ranked": len(order),
        "without": {status: list(without.values()).count(status) for status in sorted(set(without.values()))},
        "ringed": len(rings),
        "rows": [rows[number] for number in shown[:SHOWN]],
        "unranked": [{"cluster": number, "status": without[number]} for number in sorted(without)][:SHOWN],
        "scores": {
            str(number): {"score": row["score"], "status": row["status"], "ring": row["ring"]["z"]}
            for number, row in rows.items()
        },
    }
    return Outcome(body, warnings=_warnings(command, rows))


def _measure(
    command: ClustersRank, number: int, found: ClusterSet, index: FeatureIndex, labels: Mapping[int, str]
) -> _Measured:
    """Reconstruct one cluster on the corpus and measure its planes and its ring."""
    from workbench.geometry import irreducibility

    seen = reconstruct(
        found.cluster(number), index, threshold=command.threshold, points=command.points, seed=command.seed,
        components=command.components,
    )  # fmt: skip
    planes = irreducibility(seen.planes.scores, bins=command.bins, eps=command.eps)
    cloud = _Cloud(seen.planes.scores, index, seen.activity.places)
    row = _row(number, found, seen, planes, labels)
    row["tokens"] = _commonest(index, seen)
    row["ring"] = _ring(command, cloud)
    return _Measured(planes, cloud, row)


def _give_ranks(clusters: Mapping[int, _Measured]) -> tuple[list[int], dict[int, str], list[int]]:
    """Write into the rows their rank by score, by the score with the published extra zero, and by ring.

    Returns:
        Clusters by score, best first; why each of the others has none; clusters by ring, the most ringlike first.
    """
    from workbench.geometry import rank_by_irreducibility

    planes = {number: cluster.planes for number, cluster in clusters.items()}
    order, without = rank_by_irreducibility(planes)
    legacy, _ = rank_by_irreducibility(planes, legacy_zero=True)
    rings = _by_ring({number: cluster.row for number, cluster in clusters.items()})
    for name, numbers in (("legacy_rank", legacy), ("rank", order), ("ring_rank", rings)):
        for place, number in enumerate(numbers):
            clusters[number].row[name] = place + 1
    return order, without, rings


def _row(
    number: int, found: ClusterSet, seen: Reconstruction, measured: Any, labels: Mapping[int, str]
) -> dict[str, Any]:
    members = seen.cluster.members.tolist()
    return {
        "rank": None,
        "legacy_rank": None,
        "ring_rank": None,
        "cluster": number,
        "name": found.name(number),
        "size": len(members),
        "labels": [labels[member] for member in members if member in labels][:4],
        "status": measured.status,
        "score": rounded(measured.score, 5),
        "legacy_score": rounded(measured.legacy_score, 5),
        "separability": rounded(measured.separability),
        "mixture": rounded(measured.mixture),
        "points": len(seen.activity.places),
        "active": seen.activity.active,
        "silent": len(seen.activity.silent),
        "explained": [round(float(share), 4) for share in seen.planes.explained],
        "planes": [plane_row(plane) for plane in measured.planes],
        "null": None,
    }


def _commonest(index: FeatureIndex, seen: Reconstruction) -> list[list[Any]]:
    """The commonest tokens of the points, each with its share of them."""
    tokens, counts = np.unique(index.store.tokens[seen.activity.places], return_counts=True)
    order = np.lexsort((tokens, -counts))[:TOKENS]
    return [[index.pieces[int(tokens[at])], round(float(counts[at] / counts.sum()), 4)] for at in order]


def _ring(command: ClustersRank, cloud: _Cloud) -> dict[str, Any]:
    """Whether different words stand on a ring, against words spread evenly and against a Gaussian heap of them."""
    from workbench.geometry import ring_test, word_means

    means, _ = word_means(cloud.scores, cloud.words, least=command.least)
    disc, heap = (ring_test(means, null=null, seed=command.seed) for null in ("disc", "gaussian"))
    return {
        "status": disc.status,
        "words": disc.words,
        "axes": None if disc.axes is None else [axis + 1 for axis in disc.axes],
        "kurtosis": None if disc.axes is None else rounded(disc.kurtosis[disc.axes[0]]),
        "expected": rounded(disc.expected),
        "z": rounded(disc.z),
        "p": rounded(disc.p),
        "gaussian_z": rounded(heap.z),
        "gaussian_p": rounded(heap.p),
    }


def _by_ring(rows: dict[int, dict[str, Any]]) -> list[int]:
    """Clusters with enough words for the ring test, the most ringlike first."""
    found = [(-float(row["ring"]["z"]), number) for number, row in rows.items() if row["ring"]["z"] is not None]
    return [number for _, number in sorted(found)]


def _nulls(command: ClustersRank, cloud: _Cloud, measured: Any) -> dict[str, Any]:
    """Both indices of a cluster's best plane beside what the same search finds where there is nothing."""
    from workbench.geometry import grouped_interval, index_null

    best = max((plane for plane in measured.planes if plane.status == "ok"), key=_score)
    points = cloud.scores[:, list(best.axes)]
    told: dict[str, Any] = {"axes": [axis + 1 for axis in best.axes], "kind": command.null, "draws": command.draws}
    for index in ("separability", "mixture"):
        null = index_null(
            points, index, kind=command.null, draws=command.draws, bins=command.bins, eps=command.eps,
            seed=command.seed, words=cloud.words,
        )  # fmt: skip
        told[index] = rounded(max(0.0, null.value))
        told[f"{index}_null"] = rounded(float(null.draws.mean()))
        told[f"{index}_range"] = [rounded(float(null.draws.min())), rounded(float(null.draws.max()))]
        told[f"{index}_p"] = round(null.p, 5)
    for name, groups in (("documents", cloud.documents), ("words", cloud.words)):
        found = grouped_interval(_plane_score(command), points, groups, seed=command.seed)
        told[f"{name}_interval"] = None if np.isnan(found.error) else [rounded(found.low), rounded(found.high)]
        told[f"{name}_left_out"] = found.groups
    told["score"] = rounded(found.value)
    return told


def _plane_score(command: ClustersRank) -> Any:
    """(1 - M) S of points in one plane."""
    from workbench.geometry import mixture_index, separability_index

    def score(points: np.ndarray) -> float:
        if len(points) < command.bins:
            return float("nan")  # without a word that is most of the points there is no score, and no interval
        return (1 - mixture_index(points, eps=command.eps).value) * separability_index(points, bins=command.bins)

    return score


def _score(plane: Any) -> float:
    return float((1 - plane.mixture) * plane.separability)


def _warnings(command: ClustersRank, rows: dict[int, dict[str, Any]]) -> list[str]:
    fewer = [row for row in rows.values() if row["status"] == "ok" and row["points"] < command.points]
    if not fewer:
        return []
    have = "1 cluster has" if len(fewer) == 1 else f"{len(fewer)} clusters have"
    return [
        f"{have} fewer than {command.points} points (at least {min(row['points'] for row in fewer)}): S is comparable "
        "only at equal points and bins"
    ]


def latest_rank(lab: Lab, found: ClusterSet) -> dict[str, Any] | None:
    """The latest ranking of these clusters, with its log line; None where there is none."""
    for line in reversed(lab.record.done("clusters.rank")):
        if line.seq > found.line.seq:
            told = lab.stored(line)
            if told["clusters_seq"] == found.line.seq:
                return {"seq": line.seq, **told}
    return None
