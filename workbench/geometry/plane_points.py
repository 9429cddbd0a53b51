"""Clouds of points in a plane: what every index of irreducibility asks of them first."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# The narrow side of a cloud, relative to its long side, below which its points are on one line.
LINE = 1e-9


def plane_points(points: ArrayLike) -> Floats:
    """(n, 2) the points less their mean, by their largest distance from it.

    Raises:
        ValueError: no points, not (n, 2), or not finite.
    """
    found = np.asarray(points, dtype=np.float64)
    if found.ndim != 2 or found.shape[1] != 2 or not len(found):
        raise ValueError(f"points must be (n, 2) with at least one point, got shape {found.shape}")
    if not np.isfinite(found).all():
        bad = int(np.argmin(np.isfinite(found).all(axis=1)))
        raise ValueError(f"points must be finite, but point {bad} holds NaN or infinity")
    centred = found - found.mean(axis=0)
    size = np.abs(centred).max()
    if size <= 1e-13 * np.abs(found).max():  # one place, but for the rounding of the mean
        return np.zeros_like(found)
    return np.asarray(centred / size)


def collinear(plane: Floats) -> bool:
    """Whether centred points are on one line, or in one place."""
    spread = np.linalg.svd(plane, compute_uv=False)
    return bool(len(spread) < 2 or spread[1] <= LINE * spread[0])


def principal_angle(plane: Floats) -> float:
    """The angle of the first principal axis of centred points, in [0, pi)."""
    axis = np.linalg.eigh(plane.T @ plane)[1][:, -1]
    return float(np.arctan2(axis[1], axis[0]) % np.pi)
