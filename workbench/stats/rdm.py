"""Dissimilarity matrices (RDMs) as vectors of pairs: conversions, checks, ranks with ties, and the two centrings."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# Distances closer than this share of the largest are ties: what rounding leaves of equal distances.
TIE_SHARE = 1e-10
# Distances ranked at a time: what stays in a core's cache.
CACHED = 60_000


def pair_indices(stimuli: int) -> tuple[Integers, Integers]:
    """Rows and columns of the upper triangle, row by row: the order of every vector of pairs."""
    rows, columns = np.triu_indices(stimuli, 1)
    return rows, columns


def pair_vector(rdm: Floats) -> Floats:
    """(stimuli, stimuli) -> (pairs,), or (k, stimuli, stimuli) -> (k, pairs)."""
    return np.ascontiguousarray(rdm[(..., *pair_indices(rdm.shape[-1]))])


def square(pairs: Floats) -> Floats:
    """(pairs,) -> (stimuli, stimuli), symmetric with a zero diagonal.

    Raises:
        ValueError: no matrix has that many pairs.
    """
    stimuli = round((1 + np.sqrt(1 + 8 * pairs.size)) / 2)
    if stimuli * (stimuli - 1) // 2 != pairs.size:
        raise ValueError(f"{pairs.size} pairs are not those of a whole number of stimuli (1, 3, 6, 10, ...)")
    full = np.zeros((stimuli, stimuli))
    full[pair_indices(stimuli)] = pairs
    return np.asarray(full + full.T, dtype=np.float64)


def checked_rdm(rdm: ArrayLike, stimuli: int, name: str) -> Floats:
    """An RDM as float64, if it is one for that many stimuli.

    Args:
        rdm: (stimuli, stimuli).
        stimuli: how many there must be.
        name: what an error calls it, such as `model_rdm` or `nuisance[0]`.

    Raises:
        ValueError: a wrong shape, NaN or infinity, not symmetric; it names which. The diagonal is not looked at.
    """
    found = np.asarray(rdm)
    if found.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, got dtype {found.dtype}")
    if found.shape != (stimuli, stimuli):
        raise ValueError(f"{name} has shape {found.shape}, but there are {stimuli} stimuli: ({stimuli}, {stimuli})")
    found = found.astype(np.float64)
    np.fill_diagonal(found, 0.0)
    if not np.isfinite(found).all():
        row, column = np.argwhere(~np.isfinite(found))[0]
        raise ValueError(f"{name} must be finite, got {found[row, column]} at ({row}, {column})")
    scale = max(float(np.abs(found).max(initial=0.0)), np.finfo(float).tiny)
    if float(np.abs(found - found.T).max(initial=0.0)) > 1e-8 * scale:
        row, column = np.unravel_index(int(np.abs(found - found.T).argmax()), found.shape)
        there, back = found[row, column], found[column, row]
        raise ValueError(f"{name} is not symmetric: {there:g} at ({row}, {column}), {back:g} at ({column}, {row})")
    return np.asarray((found + found.T) / 2, dtype=np.float64)


def squared_distances(x: Floats) -> Floats:
    """Squared Euclidean distances of all pairs of stimuli, feature by feature.

    Args:
        x: (stimuli, features), or (stimuli, features, channels), without NaN.

    Returns:
        (features, pairs), in the order of `pair_indices`; of the dtype of `x`.
    """
    stimuli, features = x.shape[:2]
    by_feature = np.ascontiguousarray(np.moveaxis(x, 0, 1))  # (stimuli, features, ...) -> (features, stimuli, ...)
    found = np.empty((features, stimuli * (stimuli - 1) // 2), dtype=x.dtype)
    for first, part in _starts(stimuli):
        difference = by_feature[:, first + 1 :] - by_feature[:, first : first + 1]  # (features, the later ones, ...)
        np.square(difference, out=difference)
        found[:, part] = difference if x.ndim == 2 else difference.sum(axis=2)
    return found


def _starts(stimuli: int) -> Iterator[tuple[int, slice]]:
    """Each stimulus, and where its pairs with the later ones lie in a vector of pairs."""
    at = 0
    for first in range(stimuli - 1):
        yield first, slice(at, at + stimuli - 1 - first)
        at += stimuli - 1 - first


def pair_ranks(distances: Floats) -> Floats:
    """Average ranks of each row, from 1; neighbours closer than `TIE_SHARE` of the row's largest value are ties.

    Args:
        distances: (features, pairs), not negative.

    Returns:
        (features, pairs) float64.
    """
    ranks = np.empty(distances.shape)
    step = max(1, CACHED // max(distances.shape[1], 1))
    for start in range(0, distances.shape[0], step):
        _rank_into(ranks[start : start + step], distances[start : start + step])
    return ranks


def _rank_into(ranks: Floats, distances: Floats) -> None:
    ordered, order = _ordered(distances)
    pairs = ordered.shape[1]
    starts = np.ones(ordered.shape, dtype=bool)
    np.greater(ordered[:, 1:] - ordered[:, :-1], TIE_SHARE * ordered[:, -1:], out=starts[:, 1:])
    first = np.flatnonzero(starts)  # (tie groups of all rows,); a row always starts a group
    if first.size == starts.size:
        np.put_along_axis(ranks, order, np.broadcast_to(np.arange(1.0, pairs + 1), order.shape), axis=1)
        return
    sizes = np.diff(first, append=starts.size)
    middle = np.repeat(first % pairs + (sizes + 1) / 2, sizes).reshape(ordered.shape)
    np.put_along_axis(ranks, order, middle, axis=1)


def _ordered(distances: Floats) -> tuple[Floats, Integers]:
    """Each row's values in order, and where they came from."""
    pairs = distances.shape[1]
    low = max(pairs - 1, 1).bit_length()
    if low > 16:
        order = np.argsort(distances, axis=1)
        return np.take_along_axis(distances, order, axis=1), order
    # A double that is not negative sorts as its bits do. With the pair's number in the lowest bits one plain sort
    # gives values and order at once, several times faster than an argsort; 16 of the 52 bits of the fraction are
    # 1.5e-11 of a value, well below a tie.
    mask = np.int64((1 << low) - 1)
    keys = np.ascontiguousarray(distances, dtype=np.float64).view(np.int64) & ~mask
    keys |= np.arange(pairs)
    keys.sort(axis=1)
    order = keys & mask
    keys &= ~mask
    return keys.view(np.float64), order


def double_centred(rdm: Floats) -> Floats:
    """-J D J / 2: the second-moment matrix of which D are the squared distances; (stimuli, stimuli) both ways."""
    centred = rdm - rdm.mean(axis=0)
    return np.asarray((centred - centred.mean(axis=1, keepdims=True)) / -2, dtype=np.float64)
