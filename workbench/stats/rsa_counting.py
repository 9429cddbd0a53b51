"""Kendall's tau-a for models with several levels: pairs of pairs counted exactly, bit by bit of the level."""

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
    distances. With S = sum over t < s of sign(level_s - level_t), the answer is S less what pairs with equal
    distance wrongly add; sorting those by level makes that a count of level ties. S is counted one bit of the level
    after the other, highest first: within each run of equal higher bits, every 0 that comes after a 1 is an
    inversion; then the run is split, stably, into its 0s and 1s. The multiset of levels is the same in
    every order of the stimuli, so the runs lie at the same places in all of them.
    """

    def __init__(self, levels: NDArray[np.int32], orders: Integers) -> None:
        self._levels, self._orders = levels.astype(np.int16 if levels.max() < 2**15 else np.int32), orders
        rows, columns = pair_indices(levels.shape[0])
        self._rows, self._columns = rows, columns
        values = np.sort(levels[rows, columns])
        self._counts = np.bincount(values)
        self._bits = max(int(values[-1]).bit_length(), 1)
        self._runs = [np.unique(values >> bit, return_index=True)[1] for bit in range(self._bits, 0, -1)]
        n = rows.size
        self._all = n * (n - 1) / 2
        # pairs of pairs with different levels: concordant + discordant when no distances tie
        self._different = self._all - float((self._counts * (self._counts - 1) / 2).sum())

    def scores(self, ranks: Floats) -> Floats:
        """(orders, features) tau-a, from the (features, pairs) ranks of the distances; only their order matters."""
        found = np.empty((self._orders.shape[0], ranks.shape[0]))
        step = max(1, CHUNK // max(self._rows.size, 1))
        placed = [_in_order(row) for row in ranks]
        for start in range(0, self._orders.shape[0], step):
            orders = self._orders[start : start + step]
            levels = np.asarray(self._levels[orders[:, self._rows], orders[:, self._columns]], dtype=self._levels.dtype)
            for feature, (order, tied) in enumerate(placed):
                found[start : start + step, feature] = self._one(levels[:, order], tied)
        return found / self._all

    def _one(self, levels: Whole, tied: list[slice]) -> Floats:
        """(orders,) concordant less discordant pairs of pairs; `levels` in the order of the distances."""
        lost = np.zeros(levels.shape[0])
        for group in tied:
            levels[:, group].sort(axis=1)  # now no inversion lies within the group
            lost += _different_within(levels[:, group])
        inversions = self._inversions(levels)
        return self._different - lost - 2 * inversions

    def _inversions(self, levels: Whole) -> Floats:
        """(orders,) how many t < s have level_t > level_s."""
        total = np.zeros(levels.shape[0])
        for bit, runs in zip(range(self._bits - 1, -1, -1), self._runs, strict=True):
            ones = (levels >> bit) & 1 == 1
            before = np.cumsum(ones, axis=1, dtype=np.int32)  # ones up to and including each place
            base = np.zeros((levels.shape[0], runs.size), dtype=np.int32)
            base[:, 1:] = before[:, runs[1:] - 1]
            zeros = np.add.reduceat(~ones, runs, axis=1, dtype=np.int32)
            total += np.where(ones, 0, before).sum(axis=1, dtype=np.int64)
            total -= (base.astype(np.int64) * zeros).sum(axis=1)
            if bit:
                levels = _split(levels, bit)
        return total


def _split(levels: Whole, bit: int) -> Whole:
    """Each row stably sorted by the bits from `bit` up."""
    order = np.argsort(levels >> bit, axis=1, kind="stable")
    return np.take_along_axis(levels, order, axis=1)


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
