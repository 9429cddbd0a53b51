"""Clusters of decoder directions: connected components of a nearest-neighbour graph of cosines."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# Cosines in one block of rows, at most: 8 million float64 are 64 MB.
ENTRIES = 8_000_000
# Cosines that differ by less are equal: no edge at tau itself, and ties for the k-th place all count.
ROUNDING = 1e-12


def cosine_graph_clusters(decoder: ArrayLike, k: int = 2, tau: float = 0.5) -> list[Integers]:
    """Group features whose decoder directions are near neighbours.

    There is an edge between i and j where j is among the `k` largest cosines of i, or the reverse, and the cosine is
    above `tau`; clusters are the connected components. Directions that tie for the k-th place all count, so the
    answer does not depend on the order of the features. A zero direction has no cosine and stays alone. Exact,
    and computed in blocks of rows: memory is one normalised float64 copy of `decoder` plus about 300 MB.

    Source: Engels et al. (2024), "Not all language model features are linear", appendix on Mistral's clusters
    (k = 2, tau = 0.5 there).

    Args:
        decoder: (features, width) directions of any length.
        k: neighbours per feature.
        tau: cosine an edge must exceed.

    Returns:
        Arrays of feature indices, each ascending: largest cluster first, equal sizes by their smallest index,
        features without an edge last as arrays of one.

    Raises:
        ValueError: `decoder` is not a finite matrix, `k` below 1, or `tau` outside [-1, 1].
    """
    directions, zero = _unit_rows(decoder)
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if not -1 <= tau <= 1:
        raise ValueError(f"tau is a cosine in [-1, 1], got {tau}")
    label = np.arange(directions.shape[0])
    for start, cosines in _cosine_blocks(directions, zero):
        rows, columns = np.nonzero(_edges(cosines, k, tau))
        label = _merged(label, rows + start, columns)
    return _ordered_clusters(label)


def _unit_rows(decoder: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    directions = np.array(decoder, dtype=np.float64)  # a copy, normalised in place below
    if directions.ndim != 2:
        raise ValueError(f"decoder must be (features, width), got shape {directions.shape}")
    if not np.isfinite(directions).all():
        bad = int(np.argmin(np.isfinite(directions).all(axis=1)))
        raise ValueError(f"decoder must be finite, but feature {bad} holds NaN or infinity")
    # by the largest entry first: squares of very large or small entries leave the range of float64
    largest = np.abs(directions).max(axis=1, initial=0)  # (features,)
    zero = largest == 0
    directions /= np.where(zero, 1.0, largest)[:, None]
    length = np.linalg.norm(directions, axis=1)  # (features,)
    directions /= np.where(zero, 1.0, length)[:, None]
    return directions, zero


def _cosine_blocks(directions: Floats, zero: NDArray[np.bool_]) -> Iterator[tuple[int, Floats]]:
    """Blocks (rows, features) of the cosine matrix; a feature with itself, or with a zero direction, is -inf."""
    features = directions.shape[0]
    height = max(1, ENTRIES // max(features, 1))
    for start in range(0, features, height):
        block = directions[start : start + height] @ directions.T  # (rows, width) x (width, features)
        here = np.arange(block.shape[0])
        block[here, start + here] = -np.inf
        block[:, zero] = -np.inf
        block[zero[start : start + height]] = -np.inf
        yield start, block


def _edges(cosines: Floats, k: int, tau: float) -> NDArray[np.bool_]:
    """(rows, features) whether the column is among the row's `k` largest and above `tau`."""
    above = cosines > tau + ROUNDING
    crowded = np.flatnonzero(above.sum(axis=1) > k)  # elsewhere everything above tau is in the top k
    top = np.partition(cosines[crowded], -k, axis=1)[:, -k] if crowded.size else np.empty(0)
    above[crowded] &= cosines[crowded] >= top[:, None] - ROUNDING
    return above


def _merged(label: Integers, rows: Integers, columns: Integers) -> Integers:
    """Join the components of `label` along new edges; so only one block's edges are ever held."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not rows.size:
        return label
    ends = (label[rows], label[columns])
    graph = coo_matrix((np.ones(rows.size, dtype=np.bool_), ends), shape=(label.size, label.size))
    joined: Integers = connected_components(graph, directed=False)[1].astype(np.intp)
    return joined[label]


def _ordered_clusters(label: Integers) -> list[Integers]:
    if not label.size:
        return []
    order = np.argsort(label, kind="stable")
    cuts = np.flatnonzero(np.diff(label[order])) + 1
    clusters = np.split(order, cuts)
    return sorted(clusters, key=lambda members: (-members.size, int(members[0])))
