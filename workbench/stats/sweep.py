"""How many features a decoder needs: held-out scores for rising numbers of features, selected inside every fold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.adaptive import adaptive_subsets
from workbench.stats.decode import best, held_out
from workbench.stats.exact_subset import ExactSubset, exact_subset
from workbench.stats.folds import stratified_folds
from workbench.stats.logistic import standardised
from workbench.stats.rank_units import Select, scored_units

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.intp]
SLOW: tuple[Select, ...] = ("mutual_info", "l1_logistic", "svm")
"""Orders that look at the 512 features of the largest F of the training items only."""
PREFILTER = 512


@dataclass(frozen=True)
class SweepPoint:
    """A decoder on k features.

    Attributes:
        scores: (items,) held-out log odds.
        chosen: (folds, k) features of each fold, best first.
    """

    k: int
    scores: Floats
    chosen: Integers


def sparsity_sweep(
    x: Floats,
    y: Bools,
    select: Select | Literal["adaptive"],
    ks: Sequence[int],
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
    tick: Callable[[int], None] | None = None,
) -> list[SweepPoint]:
    """Held-out scores for each k; the features of all k come from one order (or one adaptive sweep) of each fold.

    Args:
        x: (items, features), finite in every feature that varies.
        y: (items,) bool.
        select: a name of `scored_units`, or `adaptive` for `adaptive_subsets`.
        ks: numbers of features, rising.
        groups: (items,) ids that share a fold.
        folds: folds.
        seed: of folds and orders.
        tick: called with the number of each fold before it is fitted.

    Raises:
        ValueError: as `decode`.
    """
    fold_of = stratified_folds(y, folds, groups=groups, seed=seed)
    scores = {k: np.zeros(y.size) for k in ks}
    chosen: dict[int, list[Integers]] = {k: [] for k in ks}
    for fold in range(folds):
        if tick is not None:
            tick(fold)
        test = fold_of == fold
        subsets = _subsets(x[~test], y[~test], select, ks, seed)
        for k, units in subsets.items():
            scores[k][test] = held_out(x, y, units, test)
            chosen[k].append(units)
    return [SweepPoint(k, scores[k], np.array(chosen[k], dtype=np.intp)) for k in ks]


def _subsets(
    x: Floats, y: Bools, select: Select | Literal["adaptive"], ks: Sequence[int], seed: int
) -> dict[int, Integers]:
    if select == "adaptive":
        return adaptive_subsets(x, y, ks)
    if select in SLOW and x.shape[1] > PREFILTER:
        first = scored_units(x, y, "f_stat")
        some = first.order[: min(PREFILTER, first.usable)]
        order = some[best(scored_units(x[:, some], y, select, seed=seed), max(ks))]
    else:
        order = best(scored_units(x, y, select, seed=seed), max(ks))
    return {k: order[:k] for k in ks}


def exact_in_folds(
    x: Floats,
    y: Bools,
    k: int,
    *,
    ridge: float,
    time_limit: float,
    prefilter: int = 50,
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
    cuts: int = 200,
    tick: Callable[[int], None] | None = None,
) -> tuple[SweepPoint, list[ExactSubset]]:
    """The exact best subset of the training items of every fold, and what it decodes of the others.

    The features of the largest F among the training items, standardised, are fitted to the label, centred and
    balanced to +-1; the decoder on the subset is that of `decode`.

    Args:
        x: (items, features).
        y: (items,) bool.
        k: size of the subset.
        ridge: as in `exact_subset`.
        time_limit: seconds for all folds together.
        prefilter: so many features are searched.
        groups: ids that share a fold.
        folds: folds.
        seed: of the folds.
        cuts: as in `exact_subset`.
        tick: called with the number of each fold.

    Raises:
        ValueError: as `exact_subset`.
    """
    fold_of = stratified_folds(y, folds, groups=groups, seed=seed)
    scores, chosen, found = np.zeros(y.size), [], []
    for fold in range(folds):
        if tick is not None:
            tick(fold)
        test = fold_of == fold
        order = scored_units(x[~test], y[~test], "f_stat")
        some = order.order[: min(max(prefilter, k), order.usable)]
        target = np.where(y[~test], 1.0, -1.0)
        subset = exact_subset(
            standardised(x[np.ix_(~test, some)])[0],
            target - target.mean(),
            k,
            ridge=ridge,
            time_limit=time_limit / folds,
            cuts=cuts,
        )
        units = some[subset.support]
        scores[test] = held_out(x, y, units, test)
        chosen.append(units)
        found.append(subset)
    return SweepPoint(k, scores, np.array(chosen, dtype=np.intp)), found
