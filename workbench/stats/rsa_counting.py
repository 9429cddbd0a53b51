"""Kendall's tau-a for models with several levels: pairs of pairs counted exactly, bit by bit of the level."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from workbench.stats.rdm import pair_indices

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Whole = NDArray[np.signedinteger]

# Entries of one chunk of (orders, pairs): its arrays stay in the cache.
CHUNK = 400_000


class Counting:
    """tau-a = (concordant - discordant) / all pairs of pairs, ties counting in neither.

    For one feature and one order of the model, write the model's levels down in the order of the feature's
    distances. Concordant + discordant is what the levels' sizes say, less the pairs of equal distance; discordant are
    the inversions, where a higher level stands before a lower one. Pairs of equal distance are sorted by level
    beforehand, so that there is none among them.
    """

    def __init__(self, levels: NDArray[np.int32], orders: Integers) -> None:
        self._orders = orders
        self._rows, self._columns = pair_indices(levels.shape[0])
        values = levels[self._rows, self._columns]
        highest = int(values.max())
        self._levels = levels.astype(np.int8 if highest < 2**7 else np.int16 if highest < 2**15 else np.int32)
        self._bit = max(highest.bit_length() - 1, 0)
        sizes = np.bincount(values)
        self._all = values.size * (values.size - 1) / 2
        self._different = self._all - float((sizes * (sizes - 1) / 2).sum())

    def scores(self, ranks: Floats) -> Floats:
        """(orders, features) tau-a, from the (features, pairs) ranks of the distances; only their order matters."""
        found = np.empty((self._orders.shape[0], ranks.shape[0]))
        step = max(1, CHUNK // max(self._rows.size, 1))
        placed = [_in_order(row) for row in ranks]
        with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 4)) as threads:
            for start in range(0, self._orders.shape[0], step):
                orders = self._orders[start : start + step]
                levels = self._levels[orders[:, self._rows], orders[:, self._columns]]  # (orders, pairs)
                parts = threads.map(lambda one, levels=levels: self._one(levels, *one), placed)
                for feature, counted in enumerate(parts):
                    found[start : start + step, feature] = counted
        return found / self._all

    def _one(self, levels: Whole, order: Integers, tied: list[slice]) -> Floats:
        """(orders,) concordant less discordant pairs of pairs of one feature."""
        placed = np.take(levels, order, axis=1)
        lost = np.zeros(levels.shape[0])
        for group in tied:
            placed[:, group].sort(axis=1)
            lost += _different_within(placed[:, group])
        return self._different - lost - 2 * _inversions(placed, self._bit)


def _inversions(levels: Whole, bit: int) -> Floats:
    """(orders,) how many t < s have level_t > level_s; every row holds the same levels in another order.

    Of the highest bit: each 0 behind a 1. With the ones at places t_1 < t_2 < ..., sum of (n - t) over them counts what
    stands at or behind each, and count (count + 1) / 2 of that are ones themselves. The 0s and the 1s, each in
    their order, are then looked at by the lower bits on their own.
    """
    rows, n = levels.shape
    if bit < 0 or n < 2:
        return np.zeros(rows)
    ones = (levels & (1 << bit)) != 0
    count = int(ones[0].sum())
    if count in (0, n):
        return _inversions(levels, bit - 1)
    found = np.asarray(ones.astype(np.float64) @ np.arange(n, 0, -1.0) - count * (count + 1) / 2, dtype=np.float64)
    if bit == 0:
        return found
    low, high = levels[~ones].reshape(rows, n - count), levels[ones].reshape(rows, count)
    return found + _inversions(low, bit - 1) + _inversions(high, bit - 1)


def _different_within(levels: Whole) -> Floats:
    """(orders,) pairs of entries of a sorted row that differ."""
    size = levels.shape[1]
    ends = np.ones(levels.shape, dtype=bool)
    ends[:, :-1] = levels[:, 1:] != levels[:, :-1]
    place = np.where(ends, np.arange(1, size + 1), 0)
    starts = np.zeros(levels.shape, dtype=np.int64)
    starts[:, 1:] = np.maximum.accumulate(place, axis=1)[:, :-1]
    runs = np.where(ends, place - starts, 0).astype(np.float64)
    return np.asarray((size * (size - 1) - (runs * (runs - 1)).sum(axis=1)) / 2, dtype=np.float64)


def _in_order(ranks: Floats) -> tuple[Integers, list[slice]]:
    """The order of one feature's distances, and the runs of ties in it."""
    order = np.argsort(ranks, kind="stable")
    ordered = ranks[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1.0) != 0)
    sizes = np.diff(starts, append=ordered.size)
    return order, [slice(int(s), int(s + n)) for s, n in zip(starts, sizes, strict=True) if n > 1]
