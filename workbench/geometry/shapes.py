"""Synthetic clouds with known irreducibility: the demonstration of what the two indices see and do not see."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def circle(n: int, *, noise: float = 0.0, seed: int = 0) -> Floats:
    """(n, 2) uniform on the unit circle, plus Gaussian noise: irreducible, high S and low M."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * rng.random(n)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) + noise * rng.standard_normal((n, 2))


def gaussian(n: int, *, seed: int = 0) -> Floats:
    """(n, 2) Gaussian with correlation 0.8: separable along its axes, S = 0 and M = 2 Phi(eps) - 1."""
    return np.asarray(np.random.default_rng(seed).standard_normal((n, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]]))


def mixture(n: int, *, seed: int = 0) -> Floats:
    """(n, 2) on one of two axes, half each: two features that never meet, S = 1 bit and M above 1/2."""
    rng = np.random.default_rng(seed)
    points = np.zeros((n, 2))
    points[np.arange(n), rng.integers(0, 2, n)] = rng.uniform(0.5, 1.5, n)
    return points


def lattice(n: int, *, side: int = 5, noise: float = 0.02, seed: int = 0) -> Floats:
    """(n, 2) on a square lattice with little noise: a product of two discrete features, S = 0 and M near 1 / side."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, side, (n, 2)) / (side - 1) * 2 - 1 + noise * rng.standard_normal((n, 2))


SHAPES: dict[str, Callable[..., Floats]] = {
    "circle": circle,
    "gaussian": gaussian,
    "mixture": mixture,
    "lattice": lattice,
}
