"""The best subset of k features for ridge regression, with a proof of how good it is: outer approximation by HiGHS.

With s the 0/1 vector of chosen features, the optimal ridge objective is
f(s) = y' (I + X diag(s) X' / ridge)^-1 y / (2n), convex in s (Bertsimas & Van Parys 2020, Annals of Statistics 48,
300). Every point s0 thus gives a plane below f,
f(s) >= f(s0) - sum_j (x_j' a)^2 (s_j - s0_j) / (2 n ridge) with a = (I + X diag(s0) X' / ridge)^-1 y,
and the smallest value of all planes over k-subsets, which a mixed-integer program finds, is a proven lower bound of
every subset's objective. Planes are added until that bound meets the best subset found, or the time is up. Where
there are few subsets, looking at all of them is the shorter proof.
"""

import itertools
import math
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
TOLERANCE = 1e-9
"""A gap below this share of |y|^2 / (2n) counts as none."""
UNIT = 1e-2
"""The programs count in this share of |y|^2 / (2n), so that the solver's own 1e-6 is a hundredth of a millionth."""
FEW = 5_000_000
"""At most so many subsets are looked at one and all, where the time allows it."""
A_SECOND = 100_000
"""Subsets that are looked at in a second, by a cautious guess."""
STARTS = 8
"""Subsets from which exchanges begin."""


@dataclass(frozen=True)
class ExactSubset:
    """The best subset found and how good it is proven to be.

    Attributes:
        support: (k,) features, rising.
        objective: min over b of (|y - X_S b|^2 + ridge |b|^2) / (2n) on them.
        gap: objective less the proven lower bound: no subset of k features is better by more than this.
        bound: that lower bound.
        coefficients: (k,) b, in the order of the support.
        status: `optimal`, or `time_limit` / `cut_limit` where the proof was left unfinished.
        cuts: planes used.
        seconds: time taken.
    """

    support: Integers
    objective: float
    gap: float
    bound: float
    coefficients: Floats
    status: Literal["optimal", "time_limit", "cut_limit"]
    cuts: int
    seconds: float


def exact_subset(
    x: ArrayLike, y: ArrayLike, k: int, *, ridge: float, time_limit: float, cuts: int = 2000, few: int = FEW
) -> ExactSubset:
    """Minimise (|y - X_S b|^2 + ridge |b|^2) / (2n) over subsets of k features and b; no intercept.

    Deterministic but for the time limit.

    Args:
        x: (n, features), as they are: centre and scale them first if that is meant.
        y: (n,) numbers; booleans count as 0 and 1.
        k: size of the subset.
        ridge: penalty: the weaker it is, the longer the proof takes; 0 only where all subsets can be looked at.
        time_limit: seconds; when they are up the best subset so far comes back with its gap.
        cuts: at most so many planes; unlike the time, this limit is the same on every machine.
        few: where there are no more subsets than this, all are looked at, which is faster than the planes.

    Raises:
        ValueError: shapes that do not fit, k out of range, a ridge or time that is not positive, NaN or infinity.
    """
    problem = _Problem(*_checked(x, y, k, ridge, time_limit), k, ridge)
    start = time.monotonic()
    subsets = math.comb(problem.features, k)
    if subsets <= min(few, A_SECOND * time_limit):
        support = problem.best_of_all()
        objective, b = problem.objective(support), problem.coefficients(support)
        return ExactSubset(support, objective, 0.0, objective, b, "optimal", 0, time.monotonic() - start)
    if ridge == 0:
        raise ValueError(f"ridge must be above 0 for {subsets:,} subsets: without it the planes say nothing")
    planes = _Planes(problem)
    support = problem.good_start(start + time_limit / 4)
    objective = problem.objective(support)
    planes.add(problem.indicator(support))
    bound = max(0.0, _relaxed(problem, planes, start + time_limit / 2))
    status: Literal["optimal", "time_limit", "cut_limit"] = "optimal"
    slack = TOLERANCE * problem.scale
    while objective - bound > slack:
        left = start + time_limit - time.monotonic()
        if left <= 0 or planes.count >= cuts:
            status = "time_limit" if left <= 0 else "cut_limit"
            break
        chosen, lower = planes.best_subset(left)
        bound = planes.floor = max(bound, min(lower, objective))
        if chosen is None:
            status = "time_limit"
            break
        known = planes.add(problem.indicator(chosen))
        if problem.objective(chosen) < objective:
            support, objective = chosen, problem.objective(chosen)
        if known:  # the same subset again: only the solver's own tolerance is left between the two
            break
    coefficients = problem.coefficients(support)
    gap = max(0.0, objective - bound)
    taken = time.monotonic() - start
    return ExactSubset(support, objective, gap, objective - gap, coefficients, status, planes.count, taken)


def _checked(x: ArrayLike, y: ArrayLike, k: int, ridge: float, time_limit: float) -> tuple[Floats, Floats]:
    values, target = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if values.ndim != 2 or target.shape != (values.shape[0],) or not values.size:
        raise ValueError(f"x must be (n, features) and y (n,), got {values.shape} and {target.shape}")
    if not np.isfinite(values).all() or not np.isfinite(target).all():
        raise ValueError("x and y must be finite: leave masked items or features out first")
    if not 1 <= k <= values.shape[1]:
        raise ValueError(f"k must be from 1 to the {values.shape[1]} features, got {k}")
    if not 0 <= ridge < np.inf:
        raise ValueError(f"ridge must be a number from 0 up, got {ridge}")
    if not time_limit > 0:
        raise ValueError(f"time_limit must be above 0 seconds, got {time_limit}")
    return values, target


class _Problem:
    """Objectives and planes, from the Gram matrix where that is smaller than the items."""

    def __init__(self, x: Floats, y: Floats, k: int, ridge: float) -> None:
        self.x, self.y, self.k, self.ridge = x, y, k, ridge
        self.n, self.features = int(x.shape[0]), int(x.shape[1])
        self.gram, self.moments = x.T @ x, x.T @ y
        self.square = float(y @ y)
        self.scale = max(self.square / (2 * self.n), 1e-300)

    def coefficients(self, support: Integers) -> Floats:
        """The ridge coefficients of a subset."""
        if self.ridge == 0:
            return np.asarray(np.linalg.lstsq(self.x[:, support], self.y)[0], dtype=np.float64)
        system = self.gram[np.ix_(support, support)] + self.ridge * np.eye(support.size)
        return np.asarray(np.linalg.solve(system, self.moments[support]), dtype=np.float64)

    def objective(self, support: Integers) -> float:
        """The objective of a subset, from its residual: the Gram form cancels where the fit is close."""
        b = self.coefficients(support)
        residual = self.y - self.x[:, support] @ b
        return float(residual @ residual + self.ridge * (b @ b)) / (2 * self.n)

    def plane(self, s: Floats) -> tuple[float, Floats]:
        """f and its gradient at s in [0, 1]^features, by the smaller of two systems."""
        used = np.flatnonzero(s > 1e-12)
        root = np.sqrt(s[used])
        # a = y - X_r (X_r' X_r + ridge)^-1 X_r' y with X_r = X diag(root): Woodbury
        system = root[:, None] * self.gram[np.ix_(used, used)] * root + self.ridge * np.eye(used.size)
        a = self.y - self.x[:, used] @ (root * np.linalg.solve(system, root * self.moments[used]))
        value = float(self.y @ a) / (2 * self.n)
        return value, -((self.x.T @ a) ** 2) / (2 * self.n * self.ridge)

    def indicator(self, support: Integers) -> Floats:
        """The 0/1 vector of a subset."""
        s = np.zeros(self.features)
        s[support] = 1.0
        return s

    def forward(self) -> Integers:
        """Greedy start: the feature that lowers the objective most, k times."""
        support: list[int] = []
        for _ in range(self.k):
            rest = [j for j in range(self.features) if j not in support]
            trials = np.array([[*support, j] for j in rest])
            support.append(rest[int(self.quick(trials).argmin())])
        return np.sort(np.array(support, dtype=np.intp))

    def quick(self, supports: Integers) -> Floats:
        """The objectives of (subsets, size) supports but for a constant and a factor, from the Gram matrix."""
        systems = self.gram[supports[:, :, None], supports[:, None, :]] + self.ridge * np.eye(supports.shape[1])
        moments = self.moments[supports]  # (subsets, size)
        if self.ridge == 0:  # collinear features have no inverse
            inverse = np.asarray(np.linalg.pinv(systems, hermitian=True), dtype=np.float64)
            solved = np.asarray(inverse @ moments[:, :, None], dtype=np.float64)
        else:
            solved = np.asarray(np.linalg.solve(systems, moments[:, :, None]), dtype=np.float64)
        return np.asarray(-(moments * solved[:, :, 0]).sum(1), dtype=np.float64)

    def best_of_all(self) -> Integers:
        """The best subset, by looking at every one."""
        best, value = np.arange(self.k), np.inf
        every = itertools.combinations(range(self.features), self.k)
        while block := list(itertools.islice(every, 20_000)):
            supports = np.array(block, dtype=np.intp)
            found = self.quick(supports)
            if found.min() < value:
                best, value = supports[int(found.argmin())], float(found.min())
        return best

    def good_start(self, until: float) -> Integers:
        """The best of several subsets after exchanges: the greedy one, the largest correlations, random ones."""
        rng = np.random.default_rng(0)
        best = self.improved(self.forward())
        largest = np.argsort(-np.abs(self.moments), kind="stable")[: self.k]
        drawn = [rng.choice(self.features, self.k, replace=False) for _ in range(STARTS - 2)]
        for begin in (largest, *drawn):
            if time.monotonic() > until:
                break
            found = self.improved(begin)
            if self.objective(found) < self.objective(best):
                best = found
        return best

    def improved(self, support: Integers) -> Integers:
        """Exchange one feature for another as long as that helps."""
        value, better = float(self.quick(support[None])[0]), True
        while better:
            better = False
            for place in range(support.size):
                others = np.setdiff1d(np.arange(self.features), support)
                trials = np.tile(support, (others.size, 1))
                trials[:, place] = others
                found = self.quick(trials)
                if others.size and found.min() < value - 1e-10 * self.square:
                    support, value, better = trials[int(found.argmin())], float(found.min()), True
        return np.sort(support)


class _Planes:
    """The planes so far, and the programs over them: minimise eta above all planes, with sum s = k."""

    def __init__(self, problem: _Problem) -> None:
        self._problem = problem
        self._unit = UNIT * problem.scale
        self.floor = problem.plane(np.ones(problem.features))[0]
        self._slopes: list[Floats] = []
        self._levels: list[float] = []
        self._seen: set[bytes] = set()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._levels)

    def add(self, s: Floats) -> bool:
        """Add the plane at s; whether it was there already."""
        key = np.round(s, 12).tobytes()
        if key in self._seen:
            return True
        self._seen.add(key)
        value, slope = self._problem.plane(s)
        # A plane counts for whole s alone: where choosing j already brings it below `floor`, which every subset
        # obeys, its slope along j need not be steeper. A weak ridge makes slopes so steep that this is the proof.
        level = value - float(slope @ s)
        slope = np.maximum(slope, -(level - self.floor))
        self._slopes.append(slope / self._unit)
        self._levels.append(level / self._unit)
        return False

    def best_subset(self, seconds: float) -> tuple[Integers | None, float]:
        """The k-subset with the lowest planes (None where time ran out first), and the proven bound."""
        found = self._solve(seconds)
        proven = getattr(found, "mip_dual_bound", None)
        bound = -np.inf if proven is None or np.isnan(proven) else float(proven) * self._unit
        if found.x is None:
            return None, bound
        s = found.x[: self._problem.features]
        return np.sort(np.argsort(-s, kind="stable")[: self._problem.k]).astype(np.intp), bound

    def _solve(self, seconds: float) -> "_Result":
        from scipy.optimize import Bounds, LinearConstraint, milp

        d = self._problem.features
        slopes = np.stack(self._slopes)  # (planes, features)
        rows = np.concatenate([slopes, -np.ones((self.count, 1))], axis=1)  # slope s - eta <= -level
        size = np.r_[np.ones(d), 0.0]
        limits = [
            LinearConstraint(rows, -np.inf, -np.array(self._levels)),
            LinearConstraint(size[None], self._problem.k, self._problem.k),
        ]
        found: _Result = milp(
            np.r_[np.zeros(d), 1.0],
            integrality=np.r_[np.ones(d), 0.0],
            bounds=Bounds(np.r_[np.zeros(d), 0.0], np.r_[np.ones(d), np.inf]),
            constraints=limits,
            # with presolve HiGHS now and then writes a line to stdout, which belongs to the reply
            options={"time_limit": max(seconds, 0.01), "mip_rel_gap": 0.0, "presolve": False},
        )
        return found


class _Result:
    """The parts of SciPy's answer that are used."""

    x: Floats | None
    mip_dual_bound: float


def _relaxed(problem: _Problem, planes: _Planes, until: float) -> float:
    """The minimum of f over fractions, by projected gradient steps; its plane cuts deepest. Returns the bound there.

    Any point's plane gives a bound, so that a descent that ends early is only less sharp.
    """
    s = np.full(problem.features, problem.k / problem.features)
    value, slope = problem.plane(s)
    bound, rate = 0.0, 1.0 / max(float(np.abs(slope).max()), 1e-300)
    for number in range(300):
        lowest = value - float(slope @ s) + float(np.sort(slope)[: problem.k].sum())  # of the plane, over k-subsets
        bound = max(bound, lowest)
        if value - bound < 1e-7 * problem.scale or time.monotonic() > until:
            break
        trial = _onto(s - rate * slope, problem.k)
        found, steeper = problem.plane(trial)
        if found <= value + float(slope @ (trial - s)) + float((trial - s) @ (trial - s)) / (2 * rate):
            s, value, slope, rate = trial, found, steeper, rate * 1.5
        else:
            rate /= 2
        if number % 30 == 29:
            planes.add(s)
    planes.add(s)
    return bound


def _onto(s: Floats, k: int) -> Floats:
    """The nearest point of [0, 1]^features with sum k, by bisection on a common shift."""
    low, high = float(s.min()) - 1, float(s.max())
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(s - middle, 0, 1).sum() > k else (low, middle)
    return np.clip(s - (low + high) / 2, 0, 1)
