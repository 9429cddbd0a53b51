"""The labellings a contrast is compared with: all of them when they are few, a random sample otherwise."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Labellings:
    """Ways to hand out the labels under the null hypothesis.

    Attributes:
        rows: (P, stimuli) bool, one labelling a row, with as many positives in every item as observed.
        total: how many labellings the design admits, the observed one included.
        exhaustive: whether `rows` is every labelling but the observed one.
        shuffles: what `rows` was drawn from, where labellings of a part of the stimuli were asked for.
    """

    rows: Bools
    total: int
    exhaustive: bool
    shuffles: "Shuffles | None" = None


def relabel(
    positive: Bools, items: Integers, permutations: int, rng: np.random.Generator, *, parts: bool = False
) -> Labellings:
    """The null labellings of a design: every other one if at most `permutations`, else a random sample.

    Args:
        positive: (stimuli,) observed labels.
        items: (stimuli,) integer codes; labels are exchanged only among stimuli of one item.
        permutations: the number of random labellings, drawn with replacement.
        rng: the source of randomness.
        parts: whether labellings of some of the stimuli are needed as well; they are then drawn, however few there are.
    """
    total = count_labellings(positive, items)
    if parts:
        shuffles = Shuffles(positive, items, permutations, rng)
        return Labellings(shuffles.among(np.ones(positive.size, dtype=bool)), total, False, shuffles)
    if total - 1 <= permutations:
        rows = np.array(list(_every_labelling(positive, items)), dtype=bool).reshape(-1, positive.size)
        others = (rows != positive).any(axis=1)  # (total, stimuli) -> (total,)
        return Labellings(rows[others], total, True)
    return Labellings(shuffled_labels(positive, items, permutations, rng), total, False)


def count_labellings(positive: Bools, items: Integers) -> int:
    """The number of distinct labellings: the product over items of (size choose positives)."""
    sizes = np.bincount(items)
    positives = np.bincount(items, weights=positive).astype(int)
    return math.prod(math.comb(int(n), int(k)) for n, k in zip(sizes, positives, strict=True))


def shuffled_labels(positive: Bools, items: Integers, rows: int, rng: np.random.Generator) -> Bools:
    """(rows, stimuli) independent random labellings, each a shuffle of `positive` within every item."""
    return Shuffles(positive, items, rows, rng).among(np.ones(positive.size, dtype=bool))


class Shuffles:
    """Random orders of the stimuli within their items, which shuffle the labels of any of the stimuli among these.

    Where a stimulus is masked its label must not go to one that is seen: the groups would be of other sizes than
    those observed, and a t of three against fifty would be compared with one of 27 against 26.

    Args:
        positive: (stimuli,) observed labels.
        items: (stimuli,) integer codes; labels are exchanged only among stimuli of one item.
        rows: how many orders.
        rng: the source of randomness.
    """

    def __init__(self, positive: Bools, items: Integers, rows: int, rng: np.random.Generator) -> None:
        # a key below 1/2 plus the item's code: sorting it shuffles inside items and keeps items apart
        self.rows = rows
        keys = 0.5 * rng.random((rows, positive.size)) + items
        self._donors = np.argsort(keys, axis=1)  # (rows, stimuli), item by item
        self._places = np.argsort(items, kind="stable")
        self._positive = positive

    def among(self, seen: Bools) -> Bools:
        """(rows, stimuli) labels of the seen stimuli in the same orders, the others left out; False where not seen."""
        rows, stimuli = self._donors.shape
        donors = self._donors[seen[self._donors]].reshape(rows, np.count_nonzero(seen))
        shuffled = np.zeros((rows, stimuli), dtype=bool)
        shuffled[:, self._places[seen[self._places]]] = self._positive[donors]
        return shuffled


def _every_labelling(positive: Bools, items: Integers) -> Iterator[Bools]:
    members = [np.flatnonzero(items == code) for code in range(int(items.max()) + 1)]
    choices = [itertools.combinations(m.tolist(), int(positive[m].sum())) for m in members]
    for chosen in itertools.product(*choices):
        row = np.zeros(positive.size, dtype=bool)
        row[list(itertools.chain.from_iterable(chosen))] = True
        yield row
