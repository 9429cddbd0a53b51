"""Adaptive thresholding: features fall away step by step, each step by a fit to those that are left.

As the sparse sweep of Gurnee et al. (2023), arXiv 2305.01610: for falling k an elastic net with C = k / 20 and an L1
share of exp(-k / 20), kept within 0.1 and 0.9, is fitted to the survivors, of which the k largest |coefficients|
stay.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.stats.logistic import elastic_logistic, standardised
from workbench.stats.rank_units import scored_units

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.intp]


def sparsity_grid(features: int, most: int) -> list[int]:
    """Numbers of features to try: 1 to 8, 10, 12, 16, then doubling, up to `most` and never above the features."""
    most = min(most, features)
    grid = [*range(1, 9), 10, 12, 16]
    while grid[-1] * 2 <= most:
        grid.append(grid[-1] * 2)
    return [k for k in grid if k <= most]


def adaptive_subsets(x: Floats, y: Bools, ks: Sequence[int], *, start: int = 512) -> dict[int, Integers]:
    """The features that survive at each k, largest |coefficient| first.

    Args:
        x: (items, features) of the training items.
        y: (items,) bool.
        ks: the numbers wanted, in any order.
        start: the sweep begins with so many features of the largest standardised mean difference (F).

    Raises:
        ValueError: a k above the number of usable features.
        RuntimeError: a fit did not converge.
    """
    found = scored_units(x, y, "f_stat")
    wanted = sorted(set(ks), reverse=True)
    if wanted and wanted[0] > found.usable:
        raise ValueError(
            f"k = {wanted[0]} features were asked for, only {found.usable} are neither constant nor masked"
        )
    left = found.order[: min(max(start, wanted[0]), found.usable)]
    kept: dict[int, Integers] = {}
    for k in wanted:
        z = standardised(x[:, left])[0]
        fit = elastic_logistic(z, y, c=k / 20, l1_ratio=float(np.clip(np.exp(-k / 20), 0.1, 0.9)))
        if not fit.converged:
            raise RuntimeError(f"the elastic net on {left.size} features (k = {k}) did not converge")
        # equal coefficients, zeros above all, keep the order of before
        left = left[np.argsort(-np.abs(fit.coef), kind="stable")][:k]
        kept[k] = left
    return kept
