"""Vectors in few dimensions that fit a Gram matrix, with or without an energy; and what is left after a push.

Source of the procedure: Kaunismaa's thesis on the geometry of probe vectors, chapter on energy (fit, perturb, optimise
again, match). Its code left the energy out of the joint fit, so that the importance weights stay uniform and end at 0
logits exactly whatever the data; `energy_share` 0 reproduces that, and any other value shows what the weights do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.matching import match_gram
from workbench.geometry.optimum import settled
from workbench.geometry.pair_energy import Kernel, check_kernel, energy, energy_gradient, softmax_weights
from workbench.geometry.similarity import cosine_gram

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GramFit:
    """Unit vectors whose cosines are near a target.

    Attributes:
        vectors: (n, d) of length 1.
        weights: (n,) importance weights, summing to 1; uniform unless the fit had an energy term.
        logits: (n,) that the weights are the softmax of.
        cost: Frobenius norm of the vectors' cosines less the target.
    """

    vectors: Floats
    weights: Floats
    logits: Floats
    cost: float


def fit_gram(
    gram: ArrayLike,
    d: int,
    *,
    kernel: Kernel = "exp",
    s: float | None = None,
    energy_share: float = 0.0,
    weight_penalty: float = 0.2,
    restarts: int = 3,
    seed: int = 0,
) -> GramFit:
    """Minimise |cosines - gram|^2 / n^2 + energy_share E(vectors, softmax(w)) + weight_penalty |w|^2 / n.

    Args:
        gram: (n, n) target cosines.
        d: dimensions of the vectors.
        kernel: of the energy E.
        s: exponent of `riesz`.
        energy_share: weight of the energy in the fit; 0 as in the published code.
        weight_penalty: keeps the logits w near 0.
        restarts: random starts beside the one from the leading eigenvectors.
        seed: of the starts.

    Raises:
        ValueError: `gram` is not square, symmetric and finite, `d` or the shares out of range, or a wrong kernel.
    """
    target = _target(gram)
    check_kernel(kernel, s)
    if d < 1 or restarts < 0 or energy_share < 0 or weight_penalty <= 0:
        raise ValueError("d must be at least 1, restarts and energy_share at least 0 and weight_penalty above 0")
    rng, n = np.random.default_rng(seed), len(target)
    starts = [_leading(target, d) + 1e-3 * rng.standard_normal((n, d))]
    starts += [rng.standard_normal((n, d)) for _ in range(restarts)]
    # random logits: from 0 they would stay where a fit without energy must bring them back to
    fits = [_joint(target, start, rng.standard_normal(n), kernel, s, energy_share, weight_penalty) for start in starts]
    vectors, logits, _ = min(fits, key=lambda fit: fit[2])
    cost = float(np.linalg.norm(vectors @ vectors.T - target))
    return GramFit(vectors, softmax_weights(logits), logits, cost)


def _joint(
    target: Floats, start: Floats, logits: Floats, kernel: Kernel, s: float | None, share: float, penalty: float
) -> tuple[Floats, Floats, float]:
    from scipy.optimize import minimize

    n, d = start.shape

    def objective(flat: Floats) -> tuple[float, Floats]:
        free, w = flat[: n * d].reshape(n, d), flat[n * d :]
        length = np.linalg.norm(free, axis=1, keepdims=True)
        x, p = free / length, softmax_weights(w)
        off = x @ x.T - target
        value = float(np.square(off).sum()) / n**2 + penalty * float(w @ w) / n
        by_x, by_w = 4 * off @ x / n**2, 2 * penalty * w / n
        if share:
            here = energy(x, kernel, s, weights=p)
            value += share * here
            by_x = by_x + share * energy_gradient(x, kernel, s, weights=p)
            by_w = by_w + share * p * (_by_weight(x, p, kernel, s) - 2 * here)
        tangent = (by_x - (by_x * x).sum(axis=1, keepdims=True) * x) / length
        return value, np.concatenate([tangent.ravel(), by_w])

    begin = np.concatenate([start.ravel(), logits])
    options = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-16, "gtol": 1e-12}
    found = minimize(objective, begin, jac=True, method="L-BFGS-B", options=options)
    free = found.x[: n * d].reshape(n, d)
    return free / np.linalg.norm(free, axis=1, keepdims=True), found.x[n * d :], float(found.fun)


def _by_weight(x: Floats, p: Floats, kernel: Kernel, s: float | None) -> Floats:
    """(n,) derivative of the energy by each weight: it is quadratic in them, so differences of it are exact."""
    base, n = energy(x, kernel, s, weights=p), len(p)
    own = np.array([energy(x, kernel, s, weights=one) for one in np.eye(n)])
    moved = np.array([energy(x, kernel, s, weights=p + one) for one in np.eye(n)])
    return np.asarray(moved - base - own)


def _leading(target: Floats, d: int) -> Floats:
    values, vectors = np.linalg.eigh(target)
    found = vectors[:, ::-1][:, :d] * np.sqrt(np.maximum(values[::-1][:d], 0))
    return np.pad(found, ((0, 0), (0, d - found.shape[1])))


def _target(gram: ArrayLike) -> Floats:
    target = np.asarray(gram, dtype=np.float64)
    if target.ndim != 2 or target.shape[0] != target.shape[1] or not target.size:
        raise ValueError(f"gram must be (n, n), got shape {target.shape}")
    if not np.isfinite(target).all() or not np.allclose(target, target.T, atol=1e-8):
        raise ValueError("gram must be finite and symmetric")
    return target


@dataclass(frozen=True)
class PerturbationCurve:
    """How far a configuration settles from a target Gram after a push, by the size of the push.

    All costs are Frobenius norms over n^2, after the best relabelling.

    Attributes:
        sigmas: relative sizes of the push.
        cost: (sigmas, draws) after optimising the energy again.
        fit_cost: of the fitted vectors before any push.
        random_cost: (draws,) of configurations settled from random starts: where `cost` reaches it, the target
            has no part in the result.
        simplex_cost: of the identity Gram against the simplex, a constant of n: what vectors without structure give.
    """

    sigmas: tuple[float, ...]
    cost: Floats
    fit_cost: float
    random_cost: Floats
    simplex_cost: float


def perturbation_curve(
    gram: ArrayLike,
    d: int,
    kernel: Kernel,
    s: float | None = None,
    *,
    sigmas: Sequence[float] = (0.01, 0.1, 0.4),
    draws: int = 5,
    seed: int = 0,
) -> PerturbationCurve:
    """Fit a Gram in d dimensions, push the vectors, let the energy settle, and compare with the Gram.

    Args:
        gram: (n, n) cosines of real vectors, n at least 2.
        d: dimensions, at least 2.
        kernel: of the energy.
        s: exponent of `riesz`.
        sigmas: pushes x + sigma |x| N(0, I).
        draws: for each.
        seed: of all of them.

    Raises:
        ValueError: as `fit_gram`, or no draws, or fewer than 2 vectors or dimensions.
    """
    target, rng = _target(gram), np.random.default_rng(seed)
    n = len(target)
    if n < 2 or d < 2 or draws < 1:
        raise ValueError(f"at least 2 vectors, 2 dimensions and 1 draw are needed, got {n}, {d} and {draws}")
    fitted = fit_gram(target, d, seed=seed)

    def cost(start: Floats) -> float:
        return match_gram(target, cosine_gram(settled(start, kernel, s))).cost / n**2

    return PerturbationCurve(
        tuple(sigmas),
        np.array(
            [[cost(fitted.vectors + size * rng.standard_normal((n, d))) for _ in range(draws)] for size in sigmas]
        ),
        fitted.cost / n**2,
        np.array([cost(rng.standard_normal((n, d))) for _ in range(draws)]),
        float(np.sqrt(n / (n - 1)) / n**2),
    )
