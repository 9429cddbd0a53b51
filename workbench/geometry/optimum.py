"""Unit vectors of least energy, by L-BFGS on the sphere with the analytic gradient, from several starts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.pair_energy import Kernel, check_kernel, energy, energy_gradient
from workbench.geometry.similarity import finite_rows, lengths

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Optimum:
    """The best configuration found.

    Attributes:
        vectors: (n, d) of length 1.
        energy: of them, over ordered pairs.
        spread: highest less lowest energy of the restarts: 0 where all found the same; large where there are
            many local minima, so that the best may not be the least.
        energies: (restarts,) of each.
    """

    vectors: Floats
    energy: float
    spread: float
    energies: Floats


def minimum_energy(
    n: int, d: int, kernel: Kernel, s: float | None = None, *, restarts: int = 3, seed: int = 0
) -> Optimum:
    """Find `n` unit vectors in `d` dimensions of least energy.

    Args:
        n: vectors.
        d: dimensions.
        kernel: as of `energy`.
        s: exponent of `riesz`.
        restarts: random starts.
        seed: of them.

    Raises:
        ValueError: no vectors, no dimension, no restart, a kernel that is not known, or more than two vectors in one
            dimension under a kernel that lets none coincide.
    """
    check_kernel(kernel, s)
    if n < 1 or d < 1 or restarts < 1:
        raise ValueError(f"n, d and restarts must be at least 1, got {n}, {d} and {restarts}")
    if d == 1:
        return _on_a_line(n, kernel, s)
    rng = np.random.default_rng(seed)
    found = [settled(rng.standard_normal((n, d)), kernel, s) for _ in range(restarts)]
    energies = np.array([energy(vectors, kernel, s) for vectors in found])
    best = int(energies.argmin())
    return Optimum(found[best], float(energies[best]), float(np.ptp(energies)), energies)


def settled(start: ArrayLike, kernel: Kernel, s: float | None = None) -> Floats:
    """(n, d) unit vectors at the local minimum of the energy that lies below a start.

    Raises:
        ValueError: as `energy`, of the start.
    """
    from scipy.optimize import minimize

    rows = finite_rows(start)
    units = rows / lengths(rows)[:, None]
    scale = max(abs(energy(units, kernel, s)), 1.0)

    def on_sphere(flat: Floats) -> tuple[float, Floats]:
        free = flat.reshape(units.shape)
        length = np.linalg.norm(free, axis=1, keepdims=True)
        place = free / length
        slope = energy_gradient(place, kernel, s)
        tangent = (slope - (slope * place).sum(axis=1, keepdims=True) * place) / length
        return energy(place, kernel, s) / scale, tangent.ravel() / scale

    options = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-16, "gtol": 1e-12, "maxcor": 30}
    free = minimize(on_sphere, units.ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(units.shape)
    return np.asarray(free / np.linalg.norm(free, axis=1, keepdims=True))


def _on_a_line(n: int, kernel: Kernel, s: float | None) -> Optimum:
    """The unit vectors of a line are 1 and -1: half of each is best, where they may coincide at all."""
    if n > 2 and (kernel == "log" or (s is not None and s > 0)):
        raise ValueError(
            f"{n} unit vectors in 1 dimension coincide, which {kernel} does not allow: take d of 2 or more"
        )
    vectors = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)[:, None]
    value = energy(vectors, kernel, s)
    return Optimum(vectors, value, 0.0, np.array([value]))
