"""How much a clustering depends on its seed and settings: agreement between partitions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.clusters import cosine_graph_sweep
from workbench.geometry.spectral import SpectralEmbedding

Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Stability:
    """Agreement of a clustering with its variants.

    Attributes:
        settings: what each variant changed, such as `seed 1` or `n_clusters 9`.
        ari: (variants,) adjusted Rand index with the clustering itself; 1 the same, 0 as chance.
    """

    settings: tuple[str, ...]
    ari: NDArray[np.float64]


def adjusted_rand_index(first: ArrayLike, second: ArrayLike) -> float:
    """Agreement of two partitions beyond chance (Hubert and Arabie, 1985): 1 for the same one.

    Args:
        first: (n,) labels.
        second: (n,) labels.

    Raises:
        ValueError: lengths that differ.
    """
    a, b = (np.unique(np.asarray(labels).ravel(), return_inverse=True)[1] for labels in (first, second))
    if a.size != b.size:
        raise ValueError(f"partitions of {a.size} and {b.size} points cannot be compared")
    together = _pairs(np.unique(a * (b.max(initial=0) + 1) + b, return_counts=True)[1])
    in_a, in_b, every = _pairs(np.bincount(a)), _pairs(np.bincount(b)), a.size * (a.size - 1) / 2
    if in_a == in_b == together:
        return 1.0  # the same partition, also where chance leaves no room: all points in one, or each alone
    expected = in_a * in_b / every
    return float((together - expected) / ((in_a + in_b) / 2 - expected))


def _pairs(sizes: Integers) -> float:
    return float((sizes.astype(np.float64) * (sizes - 1)).sum() / 2)


def spectral_stability(
    embedding: SpectralEmbedding, n_clusters: int, *, seeds: Sequence[int] = (1, 2, 3), seed: int = 0
) -> Stability:
    """Agreement of spectral clusters with those of other seeds, and of one cluster fewer and one more.

    Neighbouring numbers are tried where the embedding has the vectors for them.
    """
    whole = embedding.clusters(n_clusters, seed=seed)
    variants = {f"seed {other}": embedding.clusters(n_clusters, seed=other) for other in seeds if other != seed}
    for other in (n_clusters - 1, n_clusters + 1):
        if 2 <= other <= embedding.points.shape[1]:
            variants[f"n_clusters {other}"] = embedding.clusters(other, seed=seed)
    return Stability(tuple(variants), np.array([adjusted_rand_index(whole, labels) for labels in variants.values()]))


def neighbouring_settings(k: int, tau: float, step: float = 0.05) -> list[tuple[int, float]]:
    """The setting itself, then one neighbour fewer and more, and tau a `step` lower and higher, where they exist."""
    beside = [(k - 1, tau), (k + 1, tau), (k, round(tau - step, 6)), (k, round(tau + step, 6))]
    return [(k, tau), *((kk, t) for kk, t in beside if kk >= 1 and -1 <= t <= 1)]


def sweep_stability(
    sweep: Sequence[Sequence[ArrayLike]], settings: Sequence[tuple[int, float]], features: int
) -> Stability:
    """Agreement of the first clustering of a sweep over (k, tau) with the others of it.

    Args:
        sweep: the clusters of each setting.
        settings: k and tau of each, as `neighbouring_settings` gives them.
        features: their number.
    """
    k = settings[0][0]
    labels = [partition(clusters, features) for clusters in sweep]
    names = tuple(f"k {kk}" if kk != k else f"tau {t:g}" for kk, t in settings[1:])
    return Stability(names, np.array([adjusted_rand_index(labels[0], other) for other in labels[1:]]))


def graph_stability(decoder: ArrayLike, k: int, tau: float, *, step: float = 0.05) -> Stability:
    """Agreement of graph clusters with those of one neighbour fewer and more, and of tau a `step` lower and higher.

    A tau that would leave [-1, 1] is not tried.
    """
    settings = neighbouring_settings(k, tau, step)
    return sweep_stability(cosine_graph_sweep(decoder, settings), settings, len(np.asarray(decoder)))


def partition(clusters: Iterable[ArrayLike], n: int) -> Integers:
    """(n,) labels of clusters given as arrays of members; points in none are alone, with labels after the others'."""
    label = np.full(n, -1, dtype=np.intp)
    count = 0
    for members in clusters:
        label[np.asarray(members, dtype=np.intp)] = count
        count += 1
    alone = label < 0
    label[alone] = count + np.arange(np.count_nonzero(alone))
    return label


def best_jaccard(cluster: ArrayLike, clusters: Iterable[ArrayLike]) -> float:
    """Largest Jaccard overlap |A and B| / |A or B| of one cluster with any of others; 0 where there is none."""
    own = np.unique(np.asarray(cluster))
    best = 0.0
    for members in clusters:
        other = np.unique(np.asarray(members))
        shared = np.intersect1d(own, other, assume_unique=True).size
        best = max(best, shared / max(own.size + other.size - shared, 1))
    return best
