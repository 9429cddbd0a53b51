"""Orders of the stimuli under the null hypothesis: all of them when they are few, a random sample otherwise."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Orders:
    """Permutations of the stimuli; the observed order is not among the rows unless it was drawn.

    Attributes:
        rows: (P, stimuli): the stimulus that takes each place.
        total: how many orders the design admits, the observed one included.
        exhaustive: whether `rows` is every order but the observed one.
        items: (stimuli,) integer codes within which stimuli are exchanged.
    """

    rows: Integers
    total: int
    exhaustive: bool
    items: Integers

    def among(self, kept: NDArray[np.bool_]) -> Integers:
        """(P, kept stimuli) the same orders with the other stimuli left out, numbered within the kept.

        Places are closed up item by item, so that a stimulus stays in its item where others of it are left out.
        """
        by_item = np.argsort(self.items, kind="stable")
        rank = np.empty_like(by_item)
        rank[by_item] = np.arange(by_item.size)
        places = rank[np.argsort(self.rows, axis=1)]  # the place of each stimulus, counted item by item
        closed = np.argsort(np.argsort(places[:, kept], axis=1), axis=1)
        return np.asarray(np.argsort(self.items[kept], kind="stable")[closed])


def stimulus_orders(items: Integers, permutations: int, rng: np.random.Generator) -> Orders:
    """The null orders of a design: every other one if at most `permutations`, else a random sample.

    Args:
        items: (stimuli,) integer codes; stimuli are exchanged only within one item.
        permutations: the number of random orders, drawn with replacement.
        rng: the source of randomness.
    """
    sizes = np.bincount(items)
    total = math.prod(math.factorial(int(size)) for size in sizes)
    if total - 1 > permutations:
        return Orders(random_orders(items, permutations, rng), total, False, items)
    members = [np.flatnonzero(items == code) for code in range(sizes.size)]
    rows = np.empty((total, items.size), dtype=np.intp)
    every = itertools.product(*(itertools.permutations(group.tolist()) for group in members))
    where = np.concatenate(members) if members else np.zeros(0, dtype=np.intp)
    for number, chosen in enumerate(every):
        rows[number, where] = list(itertools.chain.from_iterable(chosen))
    return Orders(rows[1:], total, True, items)  # itertools gives the order as it is first


def random_orders(items: Integers, rows: int, rng: np.random.Generator) -> Integers:
    """(rows, stimuli) independent random orders, stimuli exchanged within their item."""
    # a key below 1/2 plus the item's code: sorting it shuffles inside items and keeps items apart
    drawn = np.argsort(0.5 * rng.random((rows, items.size)) + items, axis=1)
    found = np.empty((rows, items.size), dtype=np.intp)
    found[:, np.argsort(items, kind="stable")] = drawn
    return found
