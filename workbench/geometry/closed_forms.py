"""Configurations whose energy is known in closed form: the reference lines beside every measured one.

Ordered pairs of unit vectors; `exp` includes the pairs i = j.
"""

import numpy as np
from numpy.typing import NDArray

from workbench.geometry.pair_energy import Kernel, check_kernel

Floats = NDArray[np.float64]


def simplex_vectors(n: int) -> Floats:
    """(n, n - 1) unit vectors, every two with cosine -1 / (n - 1).

    Raises:
        ValueError: n below 2.
    """
    if n < 2:
        raise ValueError(f"a simplex has 2 or more corners, got {n}")
    corners = np.eye(n) - 1 / n
    # the columns but the first of an orthogonal matrix whose first is the diagonal (Helmert)
    axes = np.linalg.qr(np.column_stack([np.ones(n), np.eye(n)[:, :-1]]))[0][:, 1:]
    return np.asarray(corners @ axes / np.sqrt(1 - 1 / n))


def polygon_vectors(n: int) -> Floats:
    """(n, 2) corners of the regular n-gon on the unit circle."""
    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def cross_polytope_vectors(d: int) -> Floats:
    """(2 d, d) the axes and their opposites."""
    return np.concatenate([np.eye(d), -np.eye(d)])


def simplex_energy(n: int, kernel: Kernel, s: float | None = None) -> float:
    """Energy of the simplex, the least there is of n unit vectors in n - 1 or more dimensions.

    Raises:
        ValueError: n below 2, or as `energy`.
    """
    check_kernel(kernel, s)
    if n < 2:
        raise ValueError(f"a simplex has 2 or more corners, got {n}")
    return _of_distances([(n * (n - 1), -1 / (n - 1))], n, kernel, s)


def polygon_energy(n: int, kernel: Kernel, s: float | None = None) -> float:
    """Energy of the regular n-gon, the least there is of n unit vectors in the plane for log and riesz with s > -2.

    Raises:
        ValueError: n below 2, or as `energy`.
    """
    check_kernel(kernel, s)
    if n < 2:
        raise ValueError(f"a polygon has 2 or more corners, got {n}")
    return _of_distances([(n, float(np.cos(2 * np.pi * k / n))) for k in range(1, n)], n, kernel, s)


def cross_polytope_energy(d: int, kernel: Kernel, s: float | None = None) -> float:
    """Energy of the 2 d vectors of the cross-polytope.

    Raises:
        ValueError: d below 1, or as `energy`.
    """
    check_kernel(kernel, s)
    if d < 1:
        raise ValueError(f"a cross-polytope has 1 or more dimensions, got {d}")
    n = 2 * d
    return _of_distances([(n, -1.0), (n * (n - 2), 0.0)], n, kernel, s)


def orthonormal_energy(n: int, kernel: Kernel, s: float | None = None) -> float:
    """Energy of n orthonormal vectors: features that do not touch each other.

    Raises:
        ValueError: n below 1, or as `energy`.
    """
    check_kernel(kernel, s)
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    return _of_distances([(n * (n - 1), 0.0)], n, kernel, s)


def _of_distances(pairs: list[tuple[int, float]], n: int, kernel: str, s: float | None) -> float:
    """The energy of pairs given as (how many, cosine); |x - y|^2 = 2 - 2 cos on the unit sphere."""
    count, cosine = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    if kernel == "exp":
        return float(n * np.e + count @ np.exp(cosine))
    if kernel == "log":
        return float(-0.5 * count @ np.log(2 - 2 * cosine))
    assert s is not None
    return float(np.sign(s) * count @ (2 - 2 * cosine) ** (-s / 2))


def welch_bound(n: int, d: int) -> float:
    """The largest |cosine| among n unit vectors in d dimensions is at least this (Welch, 1974); 0 for n <= d.

    Raises:
        ValueError: n or d below 1.
    """
    if n < 1 or d < 1:
        raise ValueError(f"n and d must be at least 1, got {n} and {d}")
    return float(np.sqrt((n - d) / (d * (n - 1)))) if n > d else 0.0


def identity_to_simplex(n: int) -> float:
    """Frobenius distance of the identity Gram from the simplex's, sqrt(n / (n - 1)): what any fit of vectors without
    structure in n - 1 dimensions is left with.

    Raises:
        ValueError: n below 2.
    """
    if n < 2:
        raise ValueError(f"a simplex has 2 or more corners, got {n}")
    return float(np.sqrt(n / (n - 1)))
