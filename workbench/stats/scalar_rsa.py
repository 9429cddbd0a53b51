"""Discriminative and categorical RSA of single features for two categories, without building a single RDM.

For one scalar feature the distance of two stimuli is (x_i - x_j)^2, and sums of distances and of their squares within
and between two groups are polynomials in the groups' power sums. The score is the correlation of all distances with
the weights of a contrast of two mean distances, and positive when the positive stimuli are the more alike; that
orientation is the point: a dissimilarity taken for a similarity ranks the least consistent features first.

For two balanced categories with both groups' pairs counted as "within", mean(between) - mean(within) is
(2 s^2 / n)(t^2 - 1) exactly: RSA of one feature then adds nothing beyond the t of a contrast. The two scores here
leave the pairs within the rest out (discriminative) or set them against those within the positives (categorical),
so they also see a difference in spread.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Kind = Literal["discriminative", "categorical"]


def pair_scores(x: Floats, positive: Bools, kind: Kind) -> Floats:
    """Score every feature by the distances among its stimuli.

    Args:
        x: (stimuli, features) without NaN.
        positive: (stimuli,) bool, at least two on each side.
        kind: `discriminative` is mean(between) - mean(within the positives); `categorical` is
            mean(within the rest) - mean(within the positives).

    Returns:
        (features,) correlation of the distances with the contrast's weights; NaN for a constant feature.

    Raises:
        ValueError: fewer than two stimuli on a side.
    """
    n1, n0 = int(np.count_nonzero(positive)), int(np.count_nonzero(~positive))
    if min(n1, n0) < 2:
        raise ValueError(f"RSA needs two items in each class, got {n1} and {n0}")
    centred = x - x.mean(0)
    scale = np.abs(centred).max(0, initial=0.0)
    centred = centred / np.where(scale > 0, scale, 1.0)  # power sums of raw values cancel
    a, b = _power_sums(centred[positive]), _power_sums(centred[~positive])
    within, rest, across = _among(n1, a), _among(n0, b), _across(n1, a, n0, b)
    pairs = within[0] + rest[0] + across[0]
    spread = within[2] + rest[2] + across[2] - (within[1] + rest[1] + across[1]) ** 2 / pairs
    other = across if kind == "discriminative" else rest
    gap = other[1] / other[0] - within[1] / within[0]
    gap = np.where(np.abs(gap) > 1e-13, gap, 0.0)  # values are within [-1, 1]: rounding of the power sums
    length = np.sqrt(1 / other[0] + 1 / within[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 1e-13 * pairs, gap / (length * np.sqrt(np.maximum(spread, 0.0))), np.nan)


_Powers = tuple[Floats, Floats, Floats, Floats]
_Sums = tuple[float, Floats, Floats]
"""Number of pairs, sum of their distances, sum of the squares of these."""


def _power_sums(x: Floats) -> _Powers:
    square = x * x
    return x.sum(0), square.sum(0), (square * x).sum(0), (square * square).sum(0)


def _among(n: int, sums: _Powers) -> _Sums:
    s1, s2, s3, s4 = sums
    return n * (n - 1) / 2, n * s2 - s1**2, n * s4 - 4 * s1 * s3 + 3 * s2**2


def _across(n: int, a: _Powers, m: int, b: _Powers) -> _Sums:
    total = m * a[1] - 2 * a[0] * b[0] + n * b[1]
    return float(n * m), total, m * a[3] - 4 * a[2] * b[0] + 6 * a[1] * b[1] - 4 * a[0] * b[2] + n * b[3]
