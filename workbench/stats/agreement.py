"""Whether two analyses found the same: rank correlation, overlap against chance, features matched across spaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.two_groups import average_ranks

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
BLOCK = 1024
"""Features of the first space compared at a time: with 65,536 of the second, 0.5 GB."""


def rank_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rho of two series, ties sharing their mean rank; infinite values rank at the ends.

    Pairs with a NaN are left out. NaN where fewer than two pairs are left, or one series is constant.

    Raises:
        ValueError: not two series of one length.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"two series of one length are needed, got shapes {first.shape} and {second.shape}")
    both = ~np.isnan(first) & ~np.isnan(second)
    if both.sum() < 2:
        return float("nan")
    ranks = average_ranks(np.stack([first[both], second[both]], axis=1))  # (pairs, 2)
    ranks -= ranks.mean(axis=0)
    lengths = np.sqrt((ranks**2).sum(axis=0))
    if not lengths.all():
        return float("nan")
    return float(np.clip(ranks[:, 0] @ ranks[:, 1] / lengths.prod(), -1.0, 1.0))


@dataclass(frozen=True)
class Overlap:
    """How many things two selections share.

    Attributes:
        total: things that either could have selected.
        first: selected by the first.
        second: selected by the second.
        both: by both.
        expected: what two selections of these sizes share by chance.
        p: chance of sharing at least `both` (hypergeometric). It takes the things as independent, which features of
            one space are not: read it as a scale, not as a test.
    """

    total: int
    first: int
    second: int
    both: int
    expected: float
    p: float


def overlap(first: ArrayLike, second: ArrayLike) -> Overlap:
    """Compare two selections, both (things,) bool.

    Raises:
        ValueError: they differ in length or are not boolean.
    """
    from scipy.stats import hypergeom

    one, two = np.asarray(first), np.asarray(second)
    if one.dtype != np.bool_ or two.dtype != np.bool_ or one.shape != two.shape or one.ndim != 1:
        raise ValueError(f"two boolean selections of one length are needed, got {one.shape} and {two.shape}")
    total, a, b, both = one.size, int(one.sum()), int(two.sum()), int((one & two).sum())
    expected = a * b / total if total else 0.0
    p = float(hypergeom.sf(both - 1, total, a, b)) if total else 1.0
    return Overlap(total, a, b, both, expected, min(max(p, 0.0), 1.0))


@dataclass(frozen=True)
class Matches:
    """For each feature of a first space the feature of a second that is most like it; all (first features,).

    Attributes:
        partner: its number, -1 where nothing can be said (a feature that is constant on the stimuli).
        similarity: what was largest: the correlation, or the mean of correlation and cosine.
        correlation: of the activations over the stimuli.
        cosine: of the directions, NaN where none were given.
        reciprocal: whether the partner's own best is this feature.
    """

    partner: Integers
    similarity: Floats
    correlation: Floats
    cosine: Floats
    reciprocal: NDArray[np.bool_]


def match_features(
    x: ArrayLike, y: ArrayLike, directions_x: ArrayLike | None = None, directions_y: ArrayLike | None = None
) -> Matches:
    """Match features of two spaces by what they do on the same stimuli, and by where they point.

    Args:
        x: (stimuli, first features); a stimulus with NaN in either is left out.
        y: (stimuli, second features).
        directions_x: (first features, units) decoder directions, or None where the two spaces have other units.
        directions_y: (second features, units).

    Raises:
        ValueError: other numbers of stimuli, or directions of other widths.
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.ndim != 2 or second.ndim != 2 or first.shape[0] != second.shape[0]:
        raise ValueError(f"x and y must share their stimuli, got shapes {first.shape} and {second.shape}")
    seen = ~(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1))
    one, two = _unit(first[seen].T, centre=True), _unit(second[seen].T, centre=True)  # (features, stimuli)
    u, v = _directions(directions_x, directions_y, len(one), len(two))
    live_x, live_y = (np.asarray(part.any(axis=1), dtype=np.bool_) for part in (one, two))
    partner = np.full(len(one), -1, dtype=np.intp)
    numbers = np.full((3, len(one)), np.nan)
    best_back, back = np.full(len(two), -np.inf), np.full(len(two), -1, dtype=np.intp)
    for start in range(0, len(one), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(one)))
        correlation = one[rows] @ two.T  # (block, second features)
        cosine = None if u is None or v is None else u[rows] @ v.T
        similarity = correlation if cosine is None else (correlation + cosine) / 2
        similarity = np.where(live_x[rows][:, None] & live_y, similarity, -np.inf)
        chosen = similarity.argmax(axis=1)
        here = np.arange(rows.size)
        found = similarity[here, chosen] > -np.inf
        partner[rows[found]] = chosen[found]
        kept = rows[found]
        numbers[0, kept] = similarity[here, chosen][found]
        numbers[1, kept] = correlation[here, chosen][found]
        numbers[2, kept] = np.nan if cosine is None else cosine[here, chosen][found]
        top = similarity.max(axis=0)
        better: NDArray[np.bool_] = np.greater(top, best_back)
        best_back[better] = top[better]
        back[better] = rows[similarity.argmax(axis=0)][better]
    reciprocal: NDArray[np.bool_] = np.zeros(len(one), dtype=bool)
    matched = np.flatnonzero(partner >= 0)
    reciprocal[matched] = np.equal(back[partner[matched]], matched)
    return Matches(partner, numbers[0], numbers[1], numbers[2], reciprocal)


def _directions(x: ArrayLike | None, y: ArrayLike | None, n: int, m: int) -> tuple[Floats | None, Floats | None]:
    if x is None or y is None:
        return None, None
    one, two = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if one.shape[0] != n or two.shape[0] != m or one.shape[1:] != two.shape[1:]:
        raise ValueError(f"directions must be (features, units) of one width, got {one.shape} and {two.shape}")
    return _unit(one, centre=False), _unit(two, centre=False)


def _unit(rows: Floats, *, centre: bool) -> Floats:
    """Rows of length 1; those without length (constant ones, when centred) stay 0."""
    values = rows - rows.mean(axis=1, keepdims=True) if centre else rows
    length = np.sqrt((values**2).sum(axis=1, keepdims=True))
    tiny = 1e-12 * np.abs(rows).max(axis=1, keepdims=True, initial=0.0) * np.sqrt(max(rows.shape[1], 1))
    return np.where(length > tiny, values / np.where(length > 0, length, 1.0), 0.0)
