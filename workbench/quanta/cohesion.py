"""What is known of clusters of samples from their similarities: sizes, cohesion, separation, nearest ones, answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Cohesion:
    """Clusters in the order of their labels' numbers.

    Attributes:
        labels: (clusters,) the label of each.
        sizes: (clusters,) samples.
        cohesion: (clusters,) mean similarity of different members; NaN of a cluster of one.
        between: (clusters, clusters) mean similarity of members of two clusters, the diagonal being `cohesion`.
        nearest: (clusters,) place of the cluster of largest `between`; -1 where there is no other.
        separation: (clusters,) cohesion less the mean similarity to the nearest cluster; NaN where either is missing.
    """

    labels: Integers
    sizes: Integers
    cohesion: Floats
    between: Floats
    nearest: Integers
    separation: Floats


def cluster_cohesion(matrix: ArrayLike, labels: ArrayLike) -> Cohesion:
    """How alike the members of each cluster are, and how unlike those of the others.

    Args:
        matrix: (samples, samples) similarities, such as cosines of gradients; the diagonal plays no part.
        labels: (samples,) whole numbers.

    Raises:
        ValueError: shapes that differ.
    """
    similar, of = np.asarray(matrix), np.asarray(labels, dtype=np.int64)
    if similar.shape != (of.size, of.size):
        raise ValueError(f"a similarity of {similar.shape} does not fit {of.size} labels")
    known, place = np.unique(of, return_inverse=True)
    member = np.zeros((known.size, of.size), dtype=similar.dtype if similar.dtype.kind == "f" else np.float64)
    member[place, np.arange(of.size)] = 1
    sums = np.asarray((member @ similar) @ member.T, dtype=np.float64)  # (clusters, clusters)
    sizes = np.bincount(place, minlength=known.size)
    pairs = np.outer(sizes, sizes).astype(np.float64)
    own = np.arange(known.size)
    sums[own, own] -= np.bincount(place, weights=np.diagonal(similar).astype(np.float64), minlength=known.size)
    pairs[own, own] -= sizes
    with np.errstate(invalid="ignore", divide="ignore"):
        between = sums / pairs
    cohesion = np.where(sizes > 1, between[own, own], np.nan)
    between[own, own] = cohesion
    apart = between.copy()
    apart[own, own] = -np.inf
    nearest = apart.argmax(axis=1) if known.size > 1 else np.full(known.size, -1)
    far = apart[own, nearest] if known.size > 1 else np.full(known.size, np.nan)
    return Cohesion(known, sizes.astype(np.int64), cohesion, between, nearest.astype(np.int64), cohesion - far)


def size_ranks(labels: ArrayLike) -> dict[int, int]:
    """The rank by size of each label, from 0; of equal sizes the one that appears first comes first."""
    of = np.asarray(labels, dtype=np.int64)
    known, first, counts = np.unique(of, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    return {int(known[place]): rank for rank, place in enumerate(order)}


def answer_entropy(answers: ArrayLike) -> float:
    """Entropy in bits of the tokens that a cluster's samples predict: 0 where it is always the same one."""
    _, counts = np.unique(np.asarray(answers), return_counts=True)
    shares = counts / counts.sum()
    return float(max(0.0, -(shares * np.log2(shares)).sum()))


def purity(labels: ArrayLike, truth: ArrayLike) -> float:
    """Share of samples that belong to the commonest true class of their cluster."""
    of, true = (np.unique(np.asarray(values), return_inverse=True)[1] for values in (labels, truth))
    if not of.size:
        return float("nan")
    table = np.zeros((of.max() + 1, true.max() + 1), dtype=np.int64)
    np.add.at(table, (of, true), 1)
    return float(table.max(axis=1).sum() / of.size)
