"""Clusters whose number nobody gives: `clusters find` by consensus over halves of the documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from commands.clusters import ClustersFind
from commands.handlers.clusters.sets import rounded
from workbench.errors import UsageError
from workbench.figures import Figure
from workbench.index.coactivation import Firing
from workbench.index.read import FeatureIndex
from workbench.lab import Lab

SPLITS = 6
"""Divisions of the documents into two halves."""
RUNS = 100
"""Runs of k-means that vote, where the command names no number."""
AGREEING = 0.5
"""Halves of the documents that agree less than this have no clusters in common worth the name."""


def voted(
    command: ClustersFind, lab: Lab, index: FeatureIndex, fired: Firing, similarity: Callable[[Any], Any]
) -> tuple[Any, dict[str, Any], list[Figure], list[str]]:
    """The clusters on which halves of the documents agree best.

    Args:
        fired: the features on a sample of tokens.
        similarity: of features, from some rows of what fired.

    Returns:
        `Replicated`, what to say of it, its figure and warnings.
    """
    from workbench.geometry import replicated_clusters

    embeddings = []
    for done, halves in enumerate(_halves(index, fired, command.seed)):
        lab.tick(done, SPLITS + 1, f"split {done + 1} of the documents")
        embeddings.append(tuple(_embedding(similarity(fired.active[rows]), command.seed) for rows in halves))
    lab.tick(SPLITS, SPLITS + 1, "runs of k-means")
    runs = command.consensus or RUNS
    try:
        found = replicated_clusters(embeddings, runs=runs, seed=command.seed)
    except ValueError as error:
        raise UsageError(str(error), "Give a number of clusters: --n-clusters.") from error
    about = {
        "consensus": {
            "runs": runs,
            "splits": SPLITS,
            "least": found.numbers[0],
            "most": found.numbers[-1],
            "chosen": found.chosen,
            "agreement": rounded(found.agreement),
        },
        "curve": _curve(found),
    }
    return found, about, [_figure(found)], _warnings(found)


def _halves(index: FeatureIndex, fired: Firing, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of the two halves of each division; a document is whole in one of them."""
    _, document = np.unique(index.store.document_of(fired.places), return_inverse=True)  # (tokens,) from 0
    count = int(document.max(initial=-1)) + 1
    if count < 4:
        raise UsageError(
            f"{count} documents are too few to divide", "Build the index on more, or give a number: --n-clusters."
        )
    rng = np.random.default_rng([seed, count])
    found = []
    for _ in range(SPLITS):
        first = np.zeros(count, dtype=np.bool_)
        first[rng.permutation(count)[: count // 2]] = True
        found.append((np.flatnonzero(first[document]), np.flatnonzero(~first[document])))
    return found


def _embedding(similarity: Any, seed: int) -> Any:
    from workbench.geometry import consensus_range, spectral_embedding
    from workbench.geometry.consensus import MOST

    n = int(similarity.shape[0])
    if n > MOST:
        raise UsageError(f"a consensus of {n} features needs {10 * n * n / 1e9:.0f} GB", "Give a number: --n-clusters.")
    return spectral_embedding(similarity, consensus_range(n)[1], seed=seed)


def _curve(found: Any) -> list[dict[str, Any]]:
    mean = found.curves.mean(axis=0)
    error = found.curves.std(axis=0, ddof=1) / np.sqrt(len(found.curves))
    return [
        {"n_clusters": number, "ari": rounded(mean[at]), "error": rounded(error[at])}
        for at, number in enumerate(found.numbers)
    ]


def _figure(found: Any) -> Figure:
    mean = found.curves.mean(axis=0).round(4).tolist()
    note = (
        f"Mean over {len(found.curves)} divisions of the documents; 0 is chance. Taken is the largest number within "
        f"one standard error of the best: {found.chosen}."
    )
    data = {"x": list(found.numbers), "series": {"agreement of halves": mean}}
    title = "How well clusters of one half of the documents are those of the other"
    return Figure(kind="curve", title=title, x_label="clusters", y_label="adjusted Rand index", note=note, data=data)


def _warnings(found: Any) -> list[str]:
    if found.agreement >= AGREEING:
        return []
    return [
        f"unstable: clusters of two halves of the documents agree by {found.agreement:.2f} only (adjusted Rand index; "
        "0 is chance)"
    ]


def returns(found: Any, clusters: list[np.ndarray]) -> list[float]:
    """How well each cluster comes back in the halves: its mean Jaccard overlap with the best match there."""
    from workbench.geometry import recurrence

    return [round(float(value), 4) for value in recurrence(clusters, found.halves)] if clusters else []
