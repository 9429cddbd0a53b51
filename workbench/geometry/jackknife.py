"""Intervals that respect that points of one document, or of one word, are not independent."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class GroupedInterval:
    """A statistic with its error over groups of points.

    Attributes:
        value: of all points.
        error: standard error; NaN with fewer than 2 groups, or where there is no value without some fold.
        low: lower end of the interval.
        high: upper end.
        groups: folds of groups that were left out in turn.
    """

    value: float
    error: float
    low: float
    high: float
    groups: int


def grouped_interval(
    statistic: Callable[[NDArray[np.float64]], float],
    points: ArrayLike,
    groups: ArrayLike,
    *,
    folds: int = 10,
    level: float = 0.95,
    seed: int = 0,
) -> GroupedInterval:
    """Delete-a-group jackknife: whole groups are left out, one fold of them at a time.

    A bootstrap would repeat points, which a histogram takes for structure. Source: Kott (2001), "The delete-a-group
    jackknife"; error^2 = (g - 1) / g sum (value without fold - their mean)^2, interval by Student's t of g - 1.

    Args:
        statistic: of (m, d) points.
        points: (n, d).
        groups: (n,) of each point.
        folds: groups are put into at most as many, at random.
        level: of the interval.
        seed: of the folds.

    Raises:
        ValueError: lengths that differ, fewer than 2 folds, or a level outside 0 to 1.
    """
    from scipy.stats import t

    cloud, place = np.asarray(points, dtype=np.float64), np.unique(np.asarray(groups), return_inverse=True)[1]
    if len(cloud) != place.size:
        raise ValueError(f"{len(cloud)} points and {place.size} groups do not fit")
    if folds < 2 or not 0 < level < 1:
        raise ValueError(f"folds must be at least 2 and level within 0 and 1, got {folds} and {level}")
    value, count = float(statistic(cloud)), int(place.max(initial=-1)) + 1
    used = min(folds, count)
    if used < 2:
        return GroupedInterval(value, np.nan, np.nan, np.nan, used)
    fold = np.random.default_rng(seed).permutation(np.arange(count) % used)[place]  # (n,)
    without = np.array([statistic(cloud[fold != left]) for left in range(used)])
    error = float(np.sqrt((used - 1) / used * np.square(without - without.mean()).sum()))
    reach = error * float(t.ppf((1 + level) / 2, used - 1))
    return GroupedInterval(value, error, value - reach, value + reach, used)
