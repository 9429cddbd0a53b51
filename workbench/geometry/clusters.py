"""Clusters of decoder directions: connected components of a nearest-neighbour graph of cosines.

Cosines are screened in float32 and those that matter computed again in float64, so that the answer is that of float64
at half the time. Only pairs above tau are kept; where they are too many to keep (a tau near -1, or thousands of copies
of one direction), blocks of whole rows in float64 take over, which hold no edges at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# Cosines in one block of rows, at most: 8 million float64 are 64 MB.
ENTRIES = 8_000_000
# Pairs above tau that are kept, at most: 24 bytes each, and as much again while they are joined.
PAIRS = 8_000_000
# Cosines that differ by less are equal: no edge at tau itself, and ties for the k-th place all count.
ROUNDING = 1e-12


def cosine_graph_clusters(decoder: ArrayLike, k: int = 2, tau: float = 0.5) -> list[Integers]:
    """Group features whose decoder directions are near neighbours.

    There is an edge between i and j where j is among the `k` largest cosines of i, or the reverse, and the cosine is
    above `tau`; clusters are the connected components. Directions that tie for the k-th place all count, so the
    answer does not depend on the order of the features. A zero direction has no cosine and stays alone. Exact,
    and computed in blocks of rows: memory is one normalised copy of `decoder` in float64, one in float32, and about
    500 MB.

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
    return cosine_graph_sweep(decoder, [(k, tau)])[0]


def cosine_graph_sweep(decoder: ArrayLike, settings: Sequence[tuple[int, float]]) -> list[list[Integers]]:
    """`cosine_graph_clusters` at several settings, for little more than the time of one.

    Args:
        decoder: (features, width) directions of any length.
        settings: pairs of k and tau.

    Returns:
        The clusters of each setting, as `cosine_graph_clusters` returns them.

    Raises:
        ValueError: as `cosine_graph_clusters`, or no settings.
    """
    directions, zero = unit_rows(decoder)
    _check_settings(settings)
    pairs = _near_pairs(directions, zero, min(tau for _, tau in settings))
    if pairs is None:
        return [_from_whole_rows(directions, zero, k, tau) for k, tau in settings]
    return [_ordered_clusters(pairs.joined(len(directions), k, tau)) for k, tau in settings]


def similarity_graph_sweep(similarity: Any, settings: Sequence[tuple[int, float]]) -> list[list[Integers]]:
    """Components of the nearest-neighbour graph of a sparse similarity, such as `coactivation_affinity`.

    The rule of `cosine_graph_clusters`: an edge where either is among the `k` nearest of the other and the similarity
    is above `tau`. Pairs without an entry are not similar.

    Args:
        similarity: (features, features) symmetric scipy sparse matrix; the diagonal plays no part.
        settings: pairs of k and tau.

    Returns:
        The clusters of each setting, as `cosine_graph_clusters` returns them.

    Raises:
        ValueError: not square, `k` below 1, `tau` outside [-1, 1], or no settings.
    """
    from scipy.sparse import coo_array

    shape = np.shape(similarity)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"similarity must be (features, features), got shape {shape}")
    _check_settings(settings)
    entries = coo_array(similarity)
    first, second = entries.coords
    once = first < second
    pairs = _Pairs(
        first[once].astype(np.intp), second[once].astype(np.intp), np.asarray(entries.data[once], dtype=np.float64)
    )
    return [_ordered_clusters(pairs.joined(shape[0], k, tau)) for k, tau in settings]


def _check_settings(settings: Sequence[tuple[int, float]]) -> None:
    if not settings:
        raise ValueError("settings is empty: name at least one pair of k and tau")
    for k, tau in settings:
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if not -1 <= tau <= 1:
            raise ValueError(f"tau is a cosine in [-1, 1], got {tau}")


@dataclass(frozen=True)
class _Pairs:
    """Pairs of features, first < second, with their cosines; each array (pairs,)."""

    first: Integers
    second: Integers
    cosine: Floats

    def joined(self, features: int, k: int, tau: float) -> Integers:
        """(features,) component of each feature in the graph of `k` and `tau`."""
        kept = self.cosine > tau + ROUNDING
        first, second, cosine = self.first[kept], self.second[kept], self.cosine[kept]
        source = np.concatenate([first, second])
        order = np.lexsort((np.concatenate([-cosine, -cosine]), source))  # by source, nearest first
        counts = np.bincount(source, minlength=features)  # (features,)
        last = np.cumsum(counts) - counts + np.minimum(k, counts) - 1  # where the k-th nearest stands in `order`
        threshold = np.full(features, np.inf)
        some = counts > 0
        threshold[some] = cosine[order[last[some]] % max(cosine.size, 1)] - ROUNDING
        edge = (cosine >= threshold[first]) | (cosine >= threshold[second])
        return _merged(np.arange(features), first[edge], second[edge])


def _near_pairs(directions: Floats, zero: NDArray[np.bool_], tau: float) -> _Pairs | None:
    """Every pair with a cosine above `tau`; None where they are more than `PAIRS`."""
    single = directions.astype(np.float32)
    # what float32 can be wrong by: width roundings of products that sum to at most 1, twice over for safety
    floor = np.float32(tau - (directions.shape[1] + 8) * float(np.finfo(np.float32).eps))
    features = len(single)
    height = max(1, ENTRIES // max(features, 1))
    found = [_Pairs(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0))]
    kept = 0
    for start in range(0, features, height):
        near = single[start : start + height] @ single[start:].T > floor  # (rows, features from start on)
        if np.count_nonzero(near) > PAIRS:
            return None
        rows, columns = np.nonzero(near)
        ahead = (columns > rows) & ~zero[start + rows] & ~zero[start + columns]
        pairs = _above(directions, start + rows[ahead], start + columns[ahead], tau)
        kept += pairs.cosine.size
        if kept > PAIRS:
            return None
        found.append(pairs)
    return _Pairs(
        *(np.concatenate([getattr(pairs, name) for pairs in found]) for name in ("first", "second", "cosine"))
    )


def _above(directions: Floats, first: Integers, second: Integers, tau: float) -> _Pairs:
    """The pairs whose cosine in float64 is above `tau`."""
    step = max(1, ENTRIES // max(directions.shape[1], 1))
    cosine = np.empty(first.size)
    for start in range(0, first.size, step):
        part = slice(start, start + step)
        cosine[part] = np.einsum("pd,pd->p", directions[first[part]], directions[second[part]])
    above = cosine > tau + ROUNDING
    return _Pairs(first[above], second[above], cosine[above])


def _from_whole_rows(directions: Floats, zero: NDArray[np.bool_], k: int, tau: float) -> list[Integers]:
    label = np.arange(directions.shape[0])
    for start, cosines in _cosine_blocks(directions, zero):
        rows, columns = np.nonzero(_edges(cosines, k, tau))
        label = _merged(label, rows + start, columns)
    return _ordered_clusters(label)


def unit_rows(decoder: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """(features, width) rows of length 1 in float64, zero rows as they are, and (features,) which those are.

    Raises:
        ValueError: `decoder` is not a finite matrix.
    """
    directions = np.array(decoder, dtype=np.float64)  # a copy, normalised in place below
    if directions.ndim != 2:
        raise ValueError(f"decoder must be (features, width), got shape {directions.shape}")
    zero = np.zeros(len(directions), dtype=np.bool_)
    for start in range(0, len(directions), 4096):  # by blocks: no second matrix of this size beside it
        rows = directions[start : start + 4096]
        if not np.isfinite(rows).all():
            bad = start + int(np.argmin(np.isfinite(rows).all(axis=1)))
            raise ValueError(f"decoder must be finite, but feature {bad} holds NaN or infinity")
        # by the largest entry first: squares of very large or small entries leave the range of float64
        largest = np.abs(rows).max(axis=1, initial=0)  # (rows,)
        zero[start : start + 4096] = largest == 0
        rows /= np.where(largest == 0, 1.0, largest)[:, None]
        rows /= np.where(largest == 0, 1.0, np.linalg.norm(rows, axis=1))[:, None]
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
