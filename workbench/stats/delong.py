"""Comparing two scores of the same items by their AUCs: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.folds import group_codes
from workbench.stats.paired import sign_flips
from workbench.stats.two_groups import average_ranks

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AucDifference:
    """AUC of the first score less that of the second, with its interval and two-sided p.

    Both are normal. Where all parts of the difference are alike there is no error to judge it by: the interval is then
    a point, which says nothing, and p is that of flipping the signs of the parts, by group.
    """

    difference: float
    interval: tuple[float, float]
    p: float


def auc_interval(
    y: ArrayLike, scores: ArrayLike, *, groups: ArrayLike | None = None, confidence: float = 0.95
) -> tuple[float, float, float]:
    """AUC and its interval, cut to [0, 1]; NaN where a class has fewer than two items. `groups` as in `compare_auc`."""
    labels = np.asarray(y, dtype=bool)
    area, ups, downs = _components(labels, np.asarray(scores, dtype=np.float64))
    if min(ups.size, downs.size) < 2:
        return float("nan"), float("nan"), float("nan")
    half = _quantile(confidence) * _error(labels, ups, downs, groups)
    return area, max(0.0, area - half), min(1.0, area + half)


def compare_auc(
    y: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
) -> AucDifference:
    """Test two scores of the same items against each other.

    Args:
        y: (items,) bool, at least two of each class.
        first: (items,) scores.
        second: (items,) scores.
        groups: (items,) ids of items that are not independent, such as the document a sentence is of: their parts of
            the AUC are summed first (Obuchowski 1997, Biometrics 53, 567). None takes every item for itself.
        confidence: of the interval.

    Raises:
        ValueError: fewer than two items of a class.
    """
    from scipy.special import ndtr

    labels = np.asarray(y, dtype=bool)
    a, ups_a, downs_a = _components(labels, np.asarray(first, dtype=np.float64))
    b, ups_b, downs_b = _components(labels, np.asarray(second, dtype=np.float64))
    if min(ups_a.size, downs_a.size) < 2:
        raise ValueError(f"AUCs need two items of each class, got {ups_a.size} and {downs_a.size}")
    ups, downs = ups_a - ups_b, downs_a - downs_b
    error = _error(labels, ups, downs, groups)
    gap = a - b
    if error < 1e-12:  # the same order of all pairs, or one that differs alike in each
        parts = np.zeros(labels.size)
        parts[labels], parts[~labels] = ups / ups.size, downs / downs.size
        return AucDifference(gap, (gap, gap), sign_flips(parts, groups))
    half = _quantile(confidence) * error
    return AucDifference(gap, (gap - half, gap + half), float(2 * ndtr(-abs(gap) / error)))


def _error(y: NDArray[np.bool_], ups: Floats, downs: Floats, groups: ArrayLike | None) -> float:
    """Standard error of an AUC, or of a difference, from the items' parts of it."""
    if groups is None:
        return float(np.sqrt(ups.var(ddof=1) / ups.size + downs.var(ddof=1) / downs.size))
    parts = np.zeros(y.size)
    parts[y], parts[~y] = (ups - ups.mean()) / ups.size, (downs - downs.mean()) / downs.size
    sums = np.bincount(group_codes(groups, y.size), weights=parts)
    return float(np.sqrt(sums.size / (sums.size - 1) * (sums**2).sum()))


def _quantile(confidence: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


def _components(y: NDArray[np.bool_], scores: Floats) -> tuple[float, Floats, Floats]:
    """AUC, the share of negatives below each positive, and the share of positives above each negative."""
    n1, n0 = int(y.sum()), int((~y).sum())
    every = average_ranks(scores[:, None])[:, 0]
    ups = (every[y] - average_ranks(scores[y][:, None])[:, 0]) / max(n0, 1)
    downs = 1 - (every[~y] - average_ranks(scores[~y][:, None])[:, 0]) / max(n1, 1)
    return float(ups.mean()) if n1 else float("nan"), ups, downs
