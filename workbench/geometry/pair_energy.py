"""Energy of a configuration of vectors: the sum of a repulsive kernel over ordered pairs, and its gradient.

Sources: Kaunismaa's thesis on the geometry of probe vectors (the kernels); Borodachov, Hardin and Saff (2019),
"Discrete energy on rectifiable sets" (signs and conventions of the Riesz family).
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.similarity import finite_rows, lengths, squared_distances

Floats = NDArray[np.float64]
Kernel = Literal["exp", "log", "riesz"]

# Vectors nearer than this share of the longest are one vector, written twice with rounding between.
COINCIDENT = 1e-12


def energy(vectors: ArrayLike, kernel: Kernel, s: float | None = None, *, weights: ArrayLike | None = None) -> float:
    """Sum over ordered pairs of p_i p_j K(x_i, x_j), with all p = 1 unless weights are given.

    Args:
        vectors: (n, d).
        kernel: `exp` is exp(cos(x_i, x_j)), whatever their lengths, the pairs i = j included; `log` is -log|x_i - x_j|
            and `riesz` is sign(s) |x_i - x_j|^-s, both over i != j.
        s: exponent of `riesz`, not 0.
        weights: (n,) p, for instance `softmax_weights(w)`.

    Raises:
        ValueError: an unknown kernel, `s` missing or given without use, a vector of length 0 under `exp`, vectors
            that coincide under `log` or `riesz` with s > 0, or vectors or weights that are not finite.
    """
    rows, p = _checked(vectors, kernel, s, weights)
    return float(p @ _kernel_matrix(rows, kernel, s) @ p)


def energy_gradient(
    vectors: ArrayLike, kernel: Kernel, s: float | None = None, *, weights: ArrayLike | None = None
) -> Floats:
    """(n, d) derivative of `energy` by each coordinate.

    Raises:
        ValueError: as `energy`.
    """
    rows, p = _checked(vectors, kernel, s, weights)
    pairs = p[:, None] * p[None, :]
    if kernel == "exp":
        length = lengths(rows)[:, None]
        units = rows / length
        cosines = units @ units.T
        pull = 2 * pairs * np.exp(cosines)  # (n, n) by the cosine of each pair, from both orders
        return np.asarray((pull @ units - (pull * cosines).sum(axis=1, keepdims=True) * units) / length)
    square = squared_distances(rows)
    np.fill_diagonal(square, 1)
    if kernel == "log":
        slope = -pairs / square
    else:
        assert s is not None
        slope = -pairs * abs(s) * square ** (-s / 2 - 1)
    np.fill_diagonal(slope, 0)
    # d|x_i - x_j|^2 / dx_i = 2 (x_i - x_j); half of it is in `slope`, and each pair counts in both orders
    return np.asarray(2 * (slope.sum(axis=1, keepdims=True) * rows - slope @ rows))


def softmax_weights(logits: ArrayLike) -> Floats:
    """(n,) exp(w) / sum exp(w): importance weights of `energy`, which at w = 0 are 1 / n each."""
    w = np.asarray(logits, dtype=np.float64)
    shifted = np.exp(w - w.max())
    return np.asarray(shifted / shifted.sum())


def check_kernel(kernel: str, s: float | None) -> None:
    """Refuse a kernel that is not known, or an exponent that does not fit it.

    Raises:
        ValueError: of that.
    """
    if kernel not in get_args(Kernel):
        raise ValueError(f"no kernel {kernel!r}; known: {', '.join(get_args(Kernel))}")
    if kernel == "riesz" and (s is None or s == 0 or not np.isfinite(s)):
        raise ValueError(f"riesz needs an exponent s other than 0, got {s}; the limit at 0 is the kernel log")
    if kernel != "riesz" and s is not None:
        raise ValueError(f"s is riesz's exponent; {kernel} takes none, got {s}")


def _checked(vectors: ArrayLike, kernel: str, s: float | None, weights: ArrayLike | None) -> tuple[Floats, Floats]:
    check_kernel(kernel, s)
    rows = finite_rows(vectors)
    p = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
    if p.shape != (len(rows),) or not np.isfinite(p).all():
        raise ValueError(f"weights must be ({len(rows)},) finite numbers, got shape {p.shape}")
    if kernel == "log" or (s is not None and s > 0):
        _refuse_coincident(rows)
    return rows, p


def _refuse_coincident(rows: Floats) -> None:
    distance = np.sqrt(squared_distances(rows))
    np.fill_diagonal(distance, np.inf)
    if distance.min(initial=np.inf) <= COINCIDENT * max(float(np.linalg.norm(rows, axis=1).max()), 1e-300):
        i, j = np.unravel_index(int(distance.argmin()), distance.shape)
        raise ValueError(f"vectors {i} and {j} coincide: their energy is infinite; leave one out")


def _kernel_matrix(rows: Floats, kernel: str, s: float | None) -> Floats:
    if kernel == "exp":
        units = rows / lengths(rows)[:, None]
        return np.asarray(np.exp(units @ units.T))
    square = squared_distances(rows)
    np.fill_diagonal(square, 1)
    if kernel == "log":
        return np.asarray(-0.5 * np.log(square))  # the diagonal is -log 1 = 0
    assert s is not None
    values = np.sign(s) * square ** (-s / 2)
    np.fill_diagonal(values, 0)
    return np.asarray(values)
