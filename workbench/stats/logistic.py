"""Logistic regression for two classes: an L2 fit by Newton's method, and an elastic net by accelerated descent.

Both converge or say that they did not; scikit-learn's solvers stop early in silence where features are many. They
are compared with scikit-learn in tests/stats/test_logistic.py.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Line:
    """A linear decision: positive where `x @ coef + intercept` is above 0.

    Attributes:
        coef: (features,).
        intercept: one number, never penalised.
        converged: whether the fit met its tolerance.
    """

    coef: Floats
    intercept: float
    converged: bool

    def scores(self, x: Floats) -> Floats:
        """(items,) log odds of the positive class."""
        found: Floats = x @ self.coef + self.intercept
        return found


def ridge_logistic(x: Floats, y: Bools, *, c: float = 1.0, balanced: bool = True, steps: int = 100) -> Line:
    """Minimise c sum_i w_i log(1 + exp(-s_i f_i)) + |b|^2 / 2 with s = +-1 and f = x b + b0, by damped Newton steps.

    Args:
        x: (items, features); few features, since each step solves a system of their number.
        y: (items,) bool, both classes present.
        c: weight of the data against the penalty.
        balanced: whether w gives both classes the same total, else w = 1.
        steps: at most so many.
    """
    n, d = x.shape
    design = np.concatenate([x, np.ones((n, 1))], axis=1)  # (items, features + 1)
    sign, weight = np.where(y, 1.0, -1.0), c * class_weights(y, balanced)
    penalty = np.r_[np.ones(d), 0.0]
    b = np.zeros(d + 1)
    value = _loss(design @ b, sign, weight) + 0.0
    for _ in range(steps):
        chance = _sigmoid(-sign * (design @ b))  # of the wrong class
        gradient = design.T @ (-weight * sign * chance) + penalty * b
        if np.abs(gradient).max() < 1e-9 * max(1.0, float(weight.sum())):
            return Line(b[:-1], float(b[-1]), True)
        curve = weight * chance * (1 - chance)
        hessian = (design * curve[:, None]).T @ design + np.diag(penalty + 1e-12)
        step = np.linalg.solve(hessian, gradient)
        b, value, moved = _damped(design, sign, weight, penalty, b, step, float(gradient @ step), value)
        if not moved:
            break
    chance = _sigmoid(-sign * (design @ b))
    gradient = design.T @ (-weight * sign * chance) + penalty * b
    return Line(b[:-1], float(b[-1]), bool(np.abs(gradient).max() < 1e-5 * max(1.0, float(weight.sum()))))


def _damped(
    design: Floats,
    sign: Floats,
    weight: Floats,
    penalty: Floats,
    b: Floats,
    step: Floats,
    slope: float,
    value: float,
) -> tuple[Floats, float, bool]:
    """A Newton step, halved until the loss falls; whether it did."""
    size = 1.0
    while size > 1e-10:
        trial = b - size * step
        found = _loss(design @ trial, sign, weight) + float(penalty @ trial**2) / 2
        if found <= value - 1e-4 * size * slope:
            return trial, found, True
        size /= 2
    return b, value, False


def elastic_logistic(
    x: Floats,
    y: Bools,
    *,
    c: float,
    l1_ratio: float = 1.0,
    balanced: bool = True,
    tolerance: float = 1e-6,
    steps: int = 5000,
) -> Line:
    """Minimise c sum_i w_i log(1 + exp(-s_i f_i)) + l1_ratio |b|_1 + (1 - l1_ratio) |b|^2 / 2.

    Accelerated proximal gradient (Beck & Teboulle 2009) that begins anew when it overshoots (O'Donoghue & Candes
    2015); no randomness. The intercept is not penalised.

    Args:
        x: (items, features), standardised.
        y: (items,) bool.
        c: weight of the data against the penalty.
        l1_ratio: share of the L1 penalty, 1 = lasso.
        balanced: as in `ridge_logistic`.
        tolerance: largest violation of the optimality conditions, as a share of the gradient at 0.
        steps: at most so many.
    """
    sign, weight = np.where(y, 1.0, -1.0), c * class_weights(y, balanced)
    rate = 1 / (_curvature(x, weight) + (1 - l1_ratio))
    b, b0 = np.zeros(x.shape[1]), _empty_intercept(y, weight)
    ahead, ahead0, momentum = b, b0, 1.0
    scale, converged = 0.0, False
    for number in range(steps):
        pull = -weight * sign * _sigmoid(-sign * (x @ ahead + ahead0))  # (items,)
        gradient = x.T @ pull + (1 - l1_ratio) * ahead
        scale = scale or max(float(np.abs(gradient).max()), l1_ratio)
        moved = _shrink(ahead - rate * gradient, rate * l1_ratio)
        moved0 = ahead0 - rate * float(pull.sum())
        if max(float(np.abs(ahead - moved).max(initial=0.0)), abs(ahead0 - moved0)) / rate < tolerance * scale:
            b, b0, converged = moved, moved0, number > 0
            if converged:
                break
        overshot = float((ahead - moved) @ (moved - b)) + (ahead0 - moved0) * (moved0 - b0) > 0
        following = 1.0 if overshot else (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        share = 0.0 if overshot else (momentum - 1) / following
        ahead, ahead0 = moved + share * (moved - b), moved0 + share * (moved0 - b0)
        b, b0, momentum = moved, moved0, following
    return Line(b, float(b0), converged)


def class_weights(y: Bools, balanced: bool) -> Floats:
    """(items,) n / (2 n_class), or ones."""
    if not balanced:
        return np.ones(y.size)
    positives = np.count_nonzero(y)
    return np.where(y, y.size / (2 * positives), y.size / (2 * (y.size - positives)))


def standardised(train: Floats, *others: Floats) -> tuple[Floats, ...]:
    """Centre and scale by the mean and deviation of `train`; a constant feature becomes 0."""
    mean, deviation = train.mean(0), train.std(0)
    scale = np.where(deviation > 1e-12 * np.maximum(np.abs(train).max(0, initial=0.0), 1e-300), deviation, np.inf)
    return tuple((part - mean) / scale for part in (train, *others))


def _sigmoid(f: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(f), dtype=np.float64)


def _loss(f: Floats, sign: Floats, weight: Floats) -> float:
    return float(weight @ np.logaddexp(0, -sign * f))


def _empty_intercept(y: Bools, weight: Floats) -> float:
    """The intercept of a fit without features."""
    return float(np.log(weight[y].sum() / weight[~y].sum()))


def _curvature(x: Floats, weight: Floats) -> float:
    """A bound on the curvature of the data term: the largest eigenvalue of (x 1)' diag(w / 4) (x 1)."""
    design = np.concatenate([x, np.ones((x.shape[0], 1))], axis=1) * np.sqrt(weight / 4)[:, None]
    small = design @ design.T if design.shape[0] <= design.shape[1] else design.T @ design
    return float(np.linalg.eigvalsh(small)[-1]) * (1 + 1e-9)


def _shrink(values: Floats, by: float) -> Floats:
    return np.sign(values) * np.maximum(np.abs(values) - by, 0.0)
