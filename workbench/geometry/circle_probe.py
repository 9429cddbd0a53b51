"""A linear probe onto a circle, and interventions in the plane it finds.

Source: Engels et al. (2024), "Not all language model features are linear", section 5 and equation 6, centred
consistently: their code fits the probe on centred scores and patches with uncentred ones, so that a patched
activation reads as another angle than the target, and their patch-PCA baseline deletes a part of the mean.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Principal components with less of the first one's spread are rounding.
NOISE = 1e-9


def circle_points(labels: ArrayLike, period: float, frequency: int = 1) -> Floats:
    """(n, 2) cos and sin of 2 pi frequency label / period.

    Raises:
        ValueError: a period at which cos and sin at this frequency make no circle, or labels that are not finite.
    """
    steps = np.atleast_1d(np.asarray(labels, dtype=np.float64))
    if steps.ndim != 1 or not np.isfinite(steps).all():
        raise ValueError(f"labels must be a finite vector, got shape {steps.shape}")
    if not (np.isfinite(period) and period > 0):
        raise ValueError(f"period must be a positive number of steps, got {period}")
    if (2 * frequency) % period == 0:
        raise ValueError(f"frequency {frequency} at period {period} is no circle: its sine is 0 at every step")
    angle = 2 * np.pi * frequency * steps / period
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


class CircleProbe:
    """Least squares from the leading principal components of activations onto a circle.

    Scores z = (x - mean) V, V the first `k` principal directions; P minimises |z P - circle(label)|^2 without an
    intercept. `read` gives (x - mean) V P; the interventions move x in the plane that P reads.

    Args:
        period: steps of a whole turn, such as 7 for weekdays.
        k: principal components that the probe may use; fewer where the activations have fewer.
        frequency: turns per period.
        basis: (width, k) directions to use in place of principal components, such as a plane of SAE features.
        folds: of the cross-validation; each label's activations are held out in turn if `groups` are given to `fit`.
        seed: of the folds.

    Attributes:
        mean_: (width,) mean activation.
        directions_: (width, k_) orthonormal V.
        coefficients_: (k_, 2) P.
        plane_: (width, 2) orthonormal basis of the plane in which the interventions act.
        k_: components used.
        r2_: training R2: 1 - squared error / squared distance of the circle's points from their mean.
        held_out_r2_: the same over held-out activations, mean, components and probe fitted without them. Below 0
            where the probe is worse than no reading.
        n_features_in_: width.
    """

    def __init__(
        self,
        period: float,
        k: int = 5,
        frequency: int = 1,
        *,
        basis: ArrayLike | None = None,
        folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.period = period
        self.k = k
        self.frequency = frequency
        self.basis = basis
        self.folds = folds
        self.seed = seed

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn passes it
        """The parameters by name, as in scikit-learn."""
        return {name: getattr(self, name) for name in ("period", "k", "frequency", "basis", "folds", "seed")}

    def set_params(self, **params: Any) -> "CircleProbe":
        """Change parameters by name, as in scikit-learn.

        Raises:
            ValueError: an unknown name.
        """
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(f"CircleProbe has no parameter {name!r}; it has {', '.join(self.get_params())}")
            setattr(self, name, value)
        return self

    def fit(self, acts: ArrayLike, labels: ArrayLike, *, groups: ArrayLike | None = None) -> "CircleProbe":
        """Fit the probe, and again without each fold.

        Args:
            acts: (n, width) activations.
            labels: (n,) steps; 0 and `period` are the same place.
            groups: (n,) ids; activations of one group are held out together.

        Raises:
            ValueError: shapes that do not fit, values that are not finite, activations that do not differ, labels
                in fewer than 3 places of the circle, or a period at which `frequency` makes no circle.
        """
        x, circle = self._checked(acts, labels)
        self.n_features_in_ = x.shape[1]
        self.mean_, self.directions_, self.coefficients_ = self._fitted(x, circle)
        self.k_ = self.directions_.shape[1]
        self.inverse_ = np.linalg.pinv(self.coefficients_) @ self.directions_.T  # (2, width)
        self.plane_ = np.linalg.qr(self.inverse_.T)[0]  # (width, 2)
        spread = np.square(circle - circle.mean(axis=0)).sum()
        self.r2_ = float(1 - np.square(self.read(x) - circle).sum() / spread)
        missed = 0.0
        for held in self._held_out(len(x), groups):
            mean, directions, coefficients = self._fitted(x[~held], circle[~held])
            missed += float(np.square((x[held] - mean) @ directions @ coefficients - circle[held]).sum())
        self.held_out_r2_ = float(1 - missed / spread)
        return self

    def read(self, x: ArrayLike) -> Floats:
        """(n, 2) where activations stand: the circle's points, if the probe were perfect."""
        return np.asarray((self._rows(x) - self.mean_) @ self.directions_ @ self.coefficients_)

    def read_angle(self, x: ArrayLike) -> Floats:
        """(n,) steps in [0, period / frequency) at which activations stand."""
        points = self.read(x)
        turn = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) % 1
        return np.asarray(turn * self.period / self.frequency)

    def image(self, points: ArrayLike) -> Floats:
        """(n, width) the activations that read as `points` (n, 2), nothing but the mean beside: for sweeps.

        Raises:
            ValueError: not (n, 2).
        """
        places = np.asarray(points, dtype=np.float64)
        if places.ndim != 2 or places.shape[1] != 2:
            raise ValueError(f"points must be (n, 2), got shape {places.shape}")
        return np.asarray(self.mean_ + places @ self.inverse_)

    def patch(self, x: ArrayLike, target: ArrayLike) -> Floats:
        """(n, width) the mean plus the pseudo-inverse image of the target: all of x but the circle is ablated.

        Args:
            x: (n, width); only its number of rows matters.
            target: one step, or (n,) steps.
        """
        return self.image(self._targets(x, target))

    def patch_random(self, x: ArrayLike, target: ArrayLike, *, seed: int = 0) -> Floats:
        """(n, width) the control of `patch`: as far from the mean, in a random plane in place of the circle's."""
        moved = self._targets(x, target) @ self.inverse_ @ self.plane_  # (n, 2) in the plane's own coordinates
        plane = np.linalg.qr(np.random.default_rng(seed).standard_normal((self.n_features_in_, 2)))[0]
        return np.asarray(self.mean_ + moved @ plane.T)

    def patch_pca(self, x: ArrayLike, clean: ArrayLike) -> Floats:
        """(n, width) x with its part in the `k_` directions from `clean` (n, width); the mean is kept."""
        rows = self._rows(x)
        return rows + (self._rows(clean) - rows) @ self.directions_ @ self.directions_.T

    def ablate(self, x: ArrayLike) -> Floats:
        """(n, width) the mean activation in place of every row."""
        return np.repeat(self.mean_[None], len(self._rows(x)), axis=0)

    def zero_circle(self, x: ArrayLike) -> Floats:
        """(n, width) x with the circle's plane at its mean, all else kept."""
        rows = self._rows(x)
        return np.asarray(rows - (rows - self.mean_) @ self.plane_ @ self.plane_.T)

    def keep_circle(self, x: ArrayLike) -> Floats:
        """(n, width) the mean plus x's part in the circle's plane."""
        return np.asarray(self.mean_ + (self._rows(x) - self.mean_) @ self.plane_ @ self.plane_.T)

    def _checked(self, acts: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
        x, circle = np.asarray(acts, dtype=np.float64), circle_points(labels, self.period, self.frequency)
        if x.ndim != 2 or not np.isfinite(x).all():
            raise ValueError(f"acts must be a finite (n, width) matrix, got shape {x.shape}")
        if len(x) != len(circle):
            raise ValueError(f"{len(x)} activations and {len(circle)} labels do not fit")
        places = len(np.unique(np.round(circle, 9), axis=0))
        if places < 3:
            raise ValueError(f"labels take {places} of the places of period {self.period}: a circle needs 3 or more")
        if self.k < 1 or self.folds < 2:
            raise ValueError(f"k must be at least 1 and folds at least 2, got {self.k} and {self.folds}")
        if np.ptp(x, axis=0).max(initial=0) <= 1e-12 * np.abs(x).max(initial=0):
            raise ValueError(f"all {len(x)} activations are the same: nothing to probe")
        return x, circle

    def _fitted(self, x: Floats, circle: Floats) -> tuple[Floats, Floats, Floats]:
        mean = x.mean(axis=0)
        directions = self._directions(x - mean)
        scores = (x - mean) @ directions  # (n, k_)
        return mean, directions, np.linalg.lstsq(scores, circle, rcond=None)[0]

    def _directions(self, centred: Floats) -> Floats:
        """(width, k_) orthonormal: of the basis given, or the leading principal directions that are not rounding."""
        if self.basis is not None:
            basis = np.asarray(self.basis, dtype=np.float64)
            if basis.ndim != 2 or len(basis) != centred.shape[1]:
                raise ValueError(f"basis must be ({centred.shape[1]}, k), got shape {basis.shape}")
            return np.linalg.qr(basis)[0]
        _, spread, directions = np.linalg.svd(centred, full_matrices=False)
        return directions[: min(self.k, max(1, int((spread > NOISE * spread[0]).sum())))].T

    def _held_out(self, n: int, groups: ArrayLike | None) -> list[NDArray[np.bool_]]:
        """Masks of the folds: whole groups, dealt in an order of the seed's."""
        ids = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        if len(ids) != n or ids.max() < 1:
            raise ValueError(f"groups must be ({n},) ids of at least 2 groups")
        deal = np.random.default_rng(self.seed).permutation(int(ids.max()) + 1)
        fold = deal % min(self.folds, deal.size)
        return [fold[ids] == number for number in range(int(fold.max()) + 1)]

    def _rows(self, x: ArrayLike) -> Floats:
        if not hasattr(self, "mean_"):
            raise ValueError("this CircleProbe is not fitted: call fit(acts, labels) first")
        rows = np.asarray(x, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.n_features_in_:
            raise ValueError(f"x must be (n, {self.n_features_in_}), got shape {rows.shape}")
        return rows

    def _targets(self, x: ArrayLike, target: ArrayLike) -> Floats:
        points = circle_points(target, self.period, self.frequency)  # (1 or n, 2)
        n = len(self._rows(x))
        if len(points) not in (1, n):
            raise ValueError(f"{len(points)} targets for {n} activations")
        return np.broadcast_to(points, (n, 2))
