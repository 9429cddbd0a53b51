"""Permutation tests of the difference of two class means, for rankings by mean difference and by F.

Under shuffled labels a feature's values stay, so |difference of means|, F and the squared correlation with the label
rise and fall together: their p is one number. What differs is the largest over the features, since a difference
is in activation units and F is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.stats.multiplicity import bh
from workbench.stats.permutation import relabel, shuffled_labels
from workbench.stats.tail import pooled_tail
from workbench.stats.two_groups import scored

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
STRATUM = 512
"""Features whose shuffles are pooled for q; see `contrast`."""
TIE = 1e-10


@dataclass(frozen=True)
class LabelTests:
    """Tests of every feature; arrays are (features,), NaN where the feature is not defined.

    Attributes:
        p: two-sided permutation p, (b + 1) / (P + 1).
        p_fwer: the same for the largest of all features, of |difference| or of F as asked.
        q: Benjamini-Hochberg on a tail pooled over features alike, as in `contrast_map`.
        null_discoveries: median over label shuffles of the features with q below alpha.
        null_discoveries_max: the most.
        permutations: labellings used.
    """

    p: Floats
    p_fwer: Floats
    q: Floats
    null_discoveries: float
    null_discoveries_max: int
    permutations: int


def label_tests(
    x: Floats,
    positive: Bools,
    defined: Bools,
    *,
    in_units: bool,
    groups: NDArray[np.intp] | None = None,
    permutations: int = 1000,
    seed: int = 0,
    shuffles: int = 20,
    alpha: float = 0.05,
) -> LabelTests:
    """Test the difference of class means of the defined features.

    Args:
        x: (items, features).
        positive: (items,) bool.
        defined: (features,) which are tested; they must be finite and vary.
        in_units: whether p_fwer is of |difference of means| (True) or of F.
        groups: (items,) codes; labels move only within a group. None lets them move freely.
        permutations: label shuffles, fewer where the design has no more.
        seed: of the shuffles.
        shuffles: label shuffles of the null arm.
        alpha: bound on q of the null arm.
    """
    columns = np.flatnonzero(defined)
    items = np.zeros(positive.size, dtype=np.intp) if groups is None else groups
    drawn = relabel(positive, items, permutations, np.random.default_rng(seed))
    nulls = shuffled_labels(positive, items, shuffles, np.random.default_rng([seed, 1]))
    labels = np.concatenate([positive[None], nulls, drawn.rows])  # (1 + shuffles + P, items)
    first, count = 1 + shuffles, drawn.rows.shape[0]
    p, tails = np.full(columns.size, np.nan), np.full((first, columns.size), np.nan)
    observed, largest = np.zeros(columns.size), np.zeros(count)
    for here, block, size in _strata(x, columns):
        u = _correlation(labels, block)  # (rows, features here)
        p[here] = ((u[first:] >= u[0] - TIE).sum(0) + 1) / (count + 1)
        ranked = np.sqrt(u) * size if in_units else u
        observed[here], largest = ranked[0], np.maximum(largest, ranked[first:].max(1, initial=0.0))
        pool = _t(np.sort(u[first:], axis=None), positive.size)
        df = np.full(here.size, float(positive.size - 2))
        tails[:, here] = pooled_tail(_t(u[:first], positive.size), df, pool, least=1 / drawn.total)
    above = count - np.searchsorted(np.sort(largest), observed * (1 - TIE) - (0 if in_units else TIE), side="left")
    found = [int(np.count_nonzero(bh(row) < alpha)) for row in tails[1:]]
    wide = x.shape[1]
    p, p_fwer, q = (_spread(values, columns, wide) for values in (p, (above + 1) / (count + 1), bh(tails[0])))
    return LabelTests(p, p_fwer, q, float(np.median(found)), max(found), count)


def _strata(x: Floats, columns: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], Floats, Floats]]:
    """Blocks of features alike in how many items carry their variance: places, unit vectors, and their lengths."""
    alike = np.empty(columns.size)
    for start in range(0, columns.size, 4096):
        z = scored(x[:, columns[start : start + 4096]], centred=True).values
        alike[start : start + 4096] = 1 / (z**4).sum(0)
    order = np.argsort(alike, kind="stable")
    for start in range(0, order.size, STRATUM):
        here = order[start : start + STRATUM]
        part = x[:, columns[here]]
        yield here, scored(part, centred=True).values, part.std(0)


def _correlation(labels: Bools, unit: Floats) -> Floats:
    """Squared correlation of every labelling with every feature: (rows, features)."""
    n, ones = labels.shape[1], labels[0].sum()
    sums = labels.astype(np.float64) @ unit
    found: Floats = np.minimum(sums**2 * (n / (ones * (n - ones))), 1.0)
    return found


def _t(u: Floats, n: int) -> Floats:
    """|t| of equal variances from the squared correlation; within rounding of 1 it is infinite."""
    with np.errstate(divide="ignore"):
        return np.sqrt((n - 2) * u / np.where(u > 1 - TIE, 0.0, 1 - u))


def _spread(values: Floats, columns: NDArray[np.intp], features: int) -> Floats:
    found = np.full(features, np.nan)
    found[columns] = values
    return found
