"""Carries out `quanta.cluster`, and the edits that come after: split, merge, label."""

from __future__ import annotations

from typing import Any

import numpy as np

from commands.handlers.quanta import data
from commands.quanta import QuantaCluster, QuantaLabel, QuantaMerge, QuantaSplit
from workbench.digests import value_digest
from workbench.errors import UsageError
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.quanta import angular_similarity, cluster_cohesion, envelope_slope, rank_envelope
from workbench.verbs import Outcome

SHOWN = 20
EIGENVALUES = 100


def cluster(command: QuantaCluster, lab: Lab) -> Outcome:
    """One decomposition; k-means for every number of clusters of the sweep, and for other seeds."""
    from workbench.geometry import spectral_embedding, spectral_stability

    matrix, samples = data.similarity(lab), data.Samples.of(lab)
    numbers = sorted({command.n_clusters, *command.sweep})
    _check(numbers, len(matrix))
    lab.tick(0, len(numbers) + 1, "decomposing the affinity")
    vectors = min(len(matrix), numbers[-1] + 1)
    embedding = spectral_embedding(affinity(matrix, command.affinity), vectors, seed=command.seed)
    partitions = {}
    for done, number in enumerate(numbers, 1):
        lab.tick(done, len(numbers) + 1, f"k-means of {number} clusters")
        partitions[number] = np.asarray(embedding.clusters(number, seed=command.seed), dtype=np.int64)
    labels = partitions[command.n_clusters]
    others = [command.seed + 1 + at for at in range(command.seeds)]
    stability = spectral_stability(embedding, command.n_clusters, seeds=others, seed=command.seed)
    pairs = zip(stability.settings, stability.ari, strict=True)
    root = value_digest(labels.tolist()).removeprefix("sha256:")[:12]
    entry = {"root": root, "n_clusters": command.n_clusters, "affinity": command.affinity, "edits": 0}
    body = {
        **{name: getattr(command, name) for name in ("n_clusters", "affinity", "seed")},
        "of": data.need(lab, data.SIMILARITY, "similarities", "similarity")["of"],
        "stability": [{"setting": setting, "ari": round(float(ari), 4)} for setting, ari in pairs],
        "eigenvalues": [round(float(value), 6) for value in embedding.eigenvalues[:EIGENVALUES]],
        "eigengap": embedding.eigengap(),
        "sweep": [_told(number, found) for number, found in partitions.items()],
        "envelope": _envelope(command, list(partitions.values())),
    }
    return _kept(lab, matrix, labels, samples, entry, body, [_figure(body["envelope"])])


def affinity(matrix: np.ndarray, name: str) -> np.ndarray:
    """What the clustering is told about how near two samples are, from their cosines."""
    if name == "angular":
        return angular_similarity(matrix)
    positive = np.maximum(np.asarray(matrix, dtype=np.float64), 0)
    return np.square(positive) if name == "squared" else positive


def _check(numbers: list[int], samples: int) -> None:
    if numbers[0] < 2 or numbers[-1] > samples:
        wrong = numbers[0] if numbers[0] < 2 else numbers[-1]
        raise UsageError(
            f"{wrong} clusters of {samples:,} samples are none",
            f"Take 2 to {samples:,}, or select more samples: `workbench quanta select --n {numbers[-1]}`.",
        )


def _told(number: int, labels: np.ndarray) -> dict[str, Any]:
    sizes = np.bincount(labels)
    return {"n_clusters": number, "clusters": int((sizes > 0).sum()), "largest": int(sizes.max()),
            "singletons": int((sizes == 1).sum())}  # fmt: skip


def _envelope(command: QuantaCluster, partitions: list[np.ndarray]) -> dict[str, Any]:
    sizes = [np.bincount(labels) for labels in partitions]
    found = rank_envelope(sizes)
    last = min(command.last_rank or command.n_clusters, len(found))
    first = min(command.first_rank or max(1, len(found) // 10), max(1, last - 1))
    slope = envelope_slope(sizes, first, max(last, first + 1), seed=command.seed)
    return {
        "sizes": [int(size) for size in found[:1000]],
        "ranks": list(slope.ranks),
        "slope": data.told(slope.slope),
        "sampling": [data.told(value) for value in slope.sampling],
        "interval": [data.told(value) for value in slope.interval],
    }


def _figure(envelope: dict[str, Any]) -> Figure:
    ranks = list(range(1, len(envelope["sizes"]) + 1))
    series = {"log10 size": [round(float(np.log10(max(size, 1))), 4) for size in envelope["sizes"]]}
    x = [round(float(np.log10(rank)), 4) for rank in ranks]
    return Figure(
        kind="curve", title="Rank-frequency envelope", x_label="log10 rank", y_label="log10 size",
        data={"x": x, "series": series},
    )  # fmt: skip


def _kept(
    lab: Lab,
    matrix: np.ndarray,
    labels: np.ndarray,
    samples: data.Samples,
    entry: dict[str, Any],
    body: dict[str, Any],
    figures: list[Figure],
) -> Outcome:
    """Store labels and what is known of the clusters; tell the largest."""
    cohesion = cluster_cohesion(matrix, labels)
    lab.save(
        "clusters", labels=labels, cluster=cohesion.labels, size=cohesion.sizes, cohesion=cohesion.cohesion,
        between=cohesion.between.astype(np.float32), nearest=cohesion.nearest, separation=cohesion.separation,
    )  # fmt: skip
    clustering = data.Clustering(lab, entry, labels, cohesion, samples)
    rows = [clustering.row(number) for number in clustering.by_rank[:SHOWN]]
    told = {**body, "samples": len(labels), "clusters": len(cohesion.labels), "largest": rows}
    return Outcome(told, figures, sets={data.CLUSTERS: {**entry, "clusters": len(cohesion.labels)}})


# --- edits


def split(command: QuantaSplit, lab: Lab) -> Outcome:
    """Divide a cluster by its own similarities; its parts get new numbers."""
    from workbench.geometry import spectral_clusters

    clustering = data.Clustering.of(lab)
    members = clustering.members(command.cluster)
    if members.size < command.into:
        raise UsageError(
            f"cluster {command.cluster} has {members.size} samples, which are not {command.into} parts",
            "Take fewer parts: `--into 2`.",
        )
    matrix = data.similarity(lab)
    inside = affinity(np.asarray(matrix[np.ix_(members, members)]), clustering.about["affinity"])
    parts = np.asarray(spectral_clusters(inside, command.into, seed=command.seed), dtype=np.int64)
    labels, fresh = clustering.labels.copy(), _fresh(lab, clustering)
    labels[members] = fresh + parts
    body = {"cluster": command.cluster, "into": [int(fresh + part) for part in np.unique(parts)]}
    return _edited(lab, clustering, matrix, labels, body)


def merge(command: QuantaMerge, lab: Lab) -> Outcome:
    """Give the members of some clusters one new number."""
    clustering = data.Clustering.of(lab)
    wanted = sorted(set(command.clusters))
    if len(wanted) < 2:
        named = f"cluster {wanted[0]} is one cluster already" if wanted else "no cluster is named"
        raise UsageError(named, "Name two different ones: `workbench quanta merge 3 8`.")
    labels, fresh = clustering.labels.copy(), _fresh(lab, clustering)
    for number in wanted:
        labels[clustering.members(number)] = fresh
    return _edited(lab, clustering, data.similarity(lab), labels, {"clusters_merged": wanted, "into": [fresh]})


def _fresh(lab: Lab, clustering: data.Clustering) -> int:
    """A number that no cluster has, nor had when it was labelled before an edit was undone."""
    labelled = [int(number) for number in lab.state.under(f"{data.LABELS}/{clustering.about['root']}")]
    return max([int(clustering.labels.max()), *labelled]) + 1


def _edited(
    lab: Lab, clustering: data.Clustering, matrix: np.ndarray, labels: np.ndarray, body: dict[str, Any]
) -> Outcome:
    entry = {**clustering.about, "edits": int(clustering.about["edits"]) + 1}
    return _kept(lab, matrix, labels, clustering.samples, entry, {**body, "edits": entry["edits"]}, [])


def label(command: QuantaLabel, lab: Lab) -> Outcome:
    """Keep the investigator's own words on a cluster."""
    clustering = data.Clustering.of(lab)
    clustering.place(command.cluster)
    text = command.text.strip()
    note = command.note.strip() or clustering.label(command.cluster)["note"]
    value = {"text": text, "note": note} if text or note else None
    root = clustering.about["root"]
    sets: dict[str, Any] = {f"{data.LABELS}/{root}/{command.cluster}": value}
    suggested = f"labels/quanta/{root}#{command.cluster}"
    if not text and lab.state.get(suggested):
        sets[suggested] = None  # an empty text removes whatever label there is
    return Outcome({"cluster": command.cluster, "label": text, "note": note}, sets=sets)
