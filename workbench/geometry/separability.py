"""Separability: what two coordinates of a cloud of points tell about each other, at the angle where they tell least.

S = min over rotations of I(a; b) in bits. Small: the cloud is a product of two one-dimensional features. Large alone
certifies nothing (points on two crossed axes have 1 bit), and S is comparable only at equal numbers of points and bins.
Source: Engels et al. (2024), "Not all language model features are linear", definition 2 and appendix B.2; the estimator
is that of their ranking (bins over each coordinate's own range), with the Miller-Madow bias correction added.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.plane_points import Floats, collinear, plane_points, principal_angle

# Points times angles in one block of histograms, at most: 8 million indices are 64 MB.
ENTRIES = 8_000_000
# Finer angles tried between the neighbours of the best one, twice.
FINER = 20


def separability_index(points: ArrayLike, *, bins: int = 10, angles: int = 100, correct_bias: bool = True) -> float:
    """Mutual information, in bits, of the two rotated coordinates at the angle where it is least.

    Angles are `angles` equal steps of a quarter turn, that of the principal axis, and finer ones around the best.
    Each rotated coordinate is cut in `bins` equal parts of its own range. The plug-in estimate is too high by about
    (Kxy - Kx - Ky + 1) / (2 n ln 2), K being the numbers of occupied bins (Miller, 1955), which `correct_bias` takes
    off; where that leaves less than nothing, the index is 0.

    Args:
        points: (n, 2).
        bins: parts of each coordinate's range.
        angles: steps of a quarter turn.
        correct_bias: whether to take the bias off.

    Returns:
        Bits, 0 for points on one line.

    Raises:
        ValueError: not (n, 2) or not finite, fewer than 2 bins, no angle, or fewer points than bins.
    """
    return max(0.0, raw_separability(points, bins=bins, angles=angles, correct_bias=correct_bias))


def raw_separability(points: ArrayLike, *, bins: int = 10, angles: int = 100, correct_bias: bool = True) -> float:
    """`separability_index` before it is cut at 0, as its null distribution needs it: bits, below 0 by chance.

    Raises:
        ValueError: as there.
    """
    plane = plane_points(points)
    if bins < 2:
        raise ValueError(f"bins must be at least 2, got {bins}")
    if angles < 1:
        raise ValueError(f"angles must be at least 1, got {angles}")
    if collinear(plane):
        return 0.0
    if len(plane) < bins:
        raise ValueError(f"{len(plane)} points are too few for {bins} bins a side: take fewer bins or more points")
    step = np.pi / 2 / angles
    tried = np.append(np.arange(angles) * step, principal_angle(plane))
    best = np.inf
    for _ in range(3):
        bits = information(plane, tried, bins, correct_bias)
        if bits.min() < best:
            best, angle = float(bits.min()), float(tried[bits.argmin()])
        tried = angle + np.linspace(-step, step, FINER + 1)
        step = 2 * step / FINER
    return best


def information(plane: Floats, angles: Floats, bins: int, correct_bias: bool) -> Floats:
    """(angles,) mutual information in bits of the coordinates of `plane` rotated by each angle."""
    block = max(1, ENTRIES // max(len(plane), 1))
    parts = [angles[start : start + block] for start in range(0, angles.size, block)]
    return np.concatenate([_information(plane, part, bins, correct_bias) for part in parts])


def _information(plane: Floats, angles: Floats, bins: int, correct_bias: bool) -> Floats:
    n, cos, sin = len(plane), np.cos(angles)[:, None], np.sin(angles)[:, None]
    first = _binned(cos * plane[:, 0] + sin * plane[:, 1], bins)  # (angles, n)
    second = _binned(cos * plane[:, 1] - sin * plane[:, 0], bins)
    cells = first * bins + second + bins * bins * np.arange(angles.size)[:, None]
    counts = np.bincount(cells.ravel(), minlength=angles.size * bins * bins).reshape(-1, bins, bins)
    joint, rows, columns = counts / n, counts.sum(axis=2) / n, counts.sum(axis=1) / n
    bits = _entropy(rows).sum(axis=1) + _entropy(columns).sum(axis=1) - _entropy(joint).sum(axis=(1, 2))
    if correct_bias:
        cells_used = (joint > 0).sum(axis=(1, 2))
        bits -= (cells_used - (rows > 0).sum(axis=1) - (columns > 0).sum(axis=1) + 1) / (2 * n * np.log(2))
    return np.asarray(bits)


def _binned(values: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """(angles, n) the bin of each value among equal parts of its row's range."""
    low = values.min(axis=1, keepdims=True)
    width = values.max(axis=1, keepdims=True) - low
    parts = (values - low) * (bins / np.where(width > 0, width, 1))
    return np.asarray(np.minimum(parts.astype(np.int64), bins - 1))


def _entropy(share: Floats) -> Floats:
    return -share * np.log2(np.where(share > 0, share, 1))
