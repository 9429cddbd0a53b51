"""What a cluster of features writes, as points, and the principal planes of those points.

A token is a point where at least one member fires; the point is the sum of the members' directions by their
activations, without the decoder's bias and without all other features (Engels et al., 2024, section 4).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.eigenvectors import signed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PrincipalPlanes:
    """Principal components of a cloud of points.

    Attributes:
        rows: (points,) which rows of the activations are points.
        scores: (points, components) coordinates, the largest variance first.
        explained: (components,) share of the variance; 0 where there is none.
        singular_values: (components,) of the centred points.
        mean: (width,) of the points.
        directions: (components, width) orthonormal; the entry of largest size is positive.
    """

    rows: NDArray[np.intp]
    scores: Floats
    explained: Floats
    singular_values: Floats
    mean: Floats
    directions: Floats


def principal_planes(points: ArrayLike, components: int = 5) -> PrincipalPlanes:
    """Principal components of points (n, width): at most n, width and `components` of them.

    Raises:
        ValueError: not a finite matrix, or no component.
    """
    cloud = _finite_matrix(points, "points")
    if components < 1:
        raise ValueError(f"components must be at least 1, got {components}")
    return _planes(np.arange(len(cloud)), cloud, None, components)


def reconstruction_planes(
    activations: ArrayLike, directions: ArrayLike, *, threshold: float = 0.0, components: int = 5
) -> PrincipalPlanes:
    """Principal components of what a cluster writes on the tokens where it fires.

    Computed among the members, not across the width: 20,000 tokens of 16 features take milliseconds.

    Args:
        activations: (tokens, members).
        directions: (members, width) decoder rows.
        threshold: a token is a point where some activation is strictly above it.
        components: at most, and at most the members.

    Returns:
        The planes; no scores where no token passes (`rows` is empty), one column for a cluster of one feature.

    Raises:
        ValueError: shapes that do not fit, values that are not finite, or no component.
    """
    active, writes = _finite_matrix(activations, "activations"), _finite_matrix(directions, "directions")
    if active.shape[1] != len(writes):
        raise ValueError(f"{active.shape[1]} columns of activations and {len(writes)} directions do not fit")
    if components < 1:
        raise ValueError(f"components must be at least 1, got {components}")
    rows = np.flatnonzero((active > threshold).any(axis=1))
    basis, inner = np.linalg.qr(writes.T)  # writes = inner.T @ basis.T: (members, rank) in an orthonormal basis
    return _planes(rows, active[rows] @ inner.T, basis.T, min(components, len(writes)))


def _planes(rows: NDArray[np.intp], cloud: Floats, basis: Floats | None, components: int) -> PrincipalPlanes:
    """Components of a cloud, whose coordinates are along the orthonormal rows of `basis` where there is one."""
    count = min(components, *cloud.shape)
    mean = cloud.mean(axis=0) if len(cloud) else np.zeros(cloud.shape[1])
    _, values, axes = np.linalg.svd(cloud - mean, full_matrices=False)
    wide = axes[:count] if basis is None else axes[:count] @ basis
    directions = signed(wide.T).T
    turn = np.sign((wide * directions).sum(axis=1))  # (count,) what `signed` did
    total = float(np.square(values).sum())
    return PrincipalPlanes(
        rows,
        (cloud - mean) @ axes[:count].T * turn,
        np.square(values[:count]) / (total if total > 0 else 1),
        values[:count],
        mean if basis is None else mean @ basis,
        directions,
    )


def _finite_matrix(values: ArrayLike, name: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or not np.isfinite(found).all():
        raise ValueError(f"{name} must be a finite matrix, got shape {found.shape}")
    return found
