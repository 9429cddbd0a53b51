"""Splits of labelled items into folds: classes in equal shares, and what belongs together in one fold."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.intp]
Bools = NDArray[np.bool_]


def stratified_folds(y: Bools, folds: int, *, groups: ArrayLike | None = None, seed: int = 0) -> Integers:
    """The fold of every item.

    Args:
        y: (items,) bool.
        folds: how many.
        groups: (items,) ids; items of one group are never in two folds. None makes every item its own group.
        seed: of the shuffle.

    Returns:
        (items,) numbers from 0 to folds - 1; every fold, and everything outside it, holds both classes.

    Raises:
        ValueError: fewer than two folds, or a class with fewer items (or groups) than folds.
    """
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}")
    codes = group_codes(groups, y.size)
    what = "items" if groups is None else "groups"
    for name, side in (("positive", y), ("other", ~y)):
        count = np.unique(codes[side]).size
        if count < folds:
            raise ValueError(f"the {name} class has {count} {what}, fewer than the {folds} folds: take fewer folds")
    found = _dealt(y, codes, folds, np.random.default_rng(seed))
    for fold in range(folds):
        here = found == fold
        if len({*y[here].tolist()}) < 2 or len({*y[~here].tolist()}) < 2:
            raise ValueError(f"no split into {folds} folds leaves both classes in each: the groups are too uneven")
    return found


def group_codes(groups: ArrayLike | None, items: int) -> Integers:
    """(items,) group ids as numbers from 0; without groups every item is its own.

    Raises:
        ValueError: as many ids as items are needed.
    """
    if groups is None:
        return np.arange(items)
    ids = np.asarray(groups)
    if ids.shape != (items,):
        raise ValueError(f"groups must be ({items},), got {ids.shape}")
    return np.asarray(np.unique(ids, return_inverse=True)[1].reshape(items), dtype=np.intp)


def _dealt(y: Bools, codes: Integers, folds: int, rng: np.random.Generator) -> Integers:
    """Deal the groups, the largest first, each to the fold where it leaves the classes most even."""
    count = int(codes.max()) + 1
    sizes = np.stack([np.bincount(codes[~y], minlength=count), np.bincount(codes[y], minlength=count)], axis=1)
    order = rng.permutation(count)
    order = order[np.argsort(-sizes[order].sum(1), kind="stable")]
    goal = sizes.sum(0) / folds  # items of each class a fold should hold
    held = np.zeros((folds, 2))
    home = np.zeros(count, dtype=np.intp)
    for group in order:
        # the growth of sum ((held - goal) / goal)^2 when the group joins a fold; ties go to the lowest fold
        growth = ((sizes[group] * (2 * (held - goal) + sizes[group])) / goal**2).sum(1)
        home[group] = int(np.argmin(growth))
        held[home[group]] += sizes[group]
    return home[codes]
