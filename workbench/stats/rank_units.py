"""Orders of features by how much each says about a binary label, best first.

Every order obeys one rule for ties: higher score first, then larger |difference of class means|, then lower index.
Features that cannot be scored (constant, or with a masked value) stand last, by index; `scored_units` says which.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.logistic import elastic_logistic, standardised
from workbench.stats.scalar_rsa import pair_scores

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.intp]
Method = Literal["mean_difference", "f_stat", "mutual_info", "l1_logistic", "svm", "random"]
METHODS: tuple[Method, ...] = get_args(Method)
Select = Literal[
    "contrast", "maxact", "rsa_discriminative", "rsa_categorical",
    "mean_difference", "f_stat", "mutual_info", "l1_logistic", "svm", "random",
]  # fmt: skip
SELECTS: tuple[Select, ...] = get_args(Select)
TIE = 1e-12
"""Scores whose relative difference is smaller are ties: a rounding error must not order features."""


@dataclass(frozen=True)
class Scored:
    """Scores of features and the order they give; arrays are (features,).

    Attributes:
        order: feature indices, best first, those that have no score last.
        score: what was compared; NaN where undefined.
        effect: mean(positive) - mean(rest); NaN where a value is masked.
        status: `ok`, `constant` or `masked`.
    """

    order: Integers
    score: Floats
    effect: Floats
    status: NDArray[np.str_]

    @property
    def usable(self) -> int:
        """How many features have a score."""
        return int(np.count_nonzero(self.status == "ok"))


def rank_units(x: ArrayLike, y: ArrayLike, method: Method, *, seed: int = 0) -> Integers:
    """Indices of all features, best first.

    Args:
        x: (items, features) activations.
        y: (items,) labels of two classes; the larger one in sorted order (True, 1) is the positive one.
        method: `mean_difference` |difference of class means| in activation units; `f_stat` the one-way F;
            `mutual_info` nearest-neighbour estimate between feature and label (Ross 2014, 3 neighbours, seeded);
            `l1_logistic` |coefficient| of a balanced L1 logistic regression with C = 0.1 on standardised features;
            `svm` |coefficient| of a balanced linear SVM with squared hinge and C = 1 on standardised features;
            `random` a seeded shuffle.
        seed: of `mutual_info` (its noise breaks ties among neighbours), `svm` and `random`.

    Raises:
        ValueError: shapes that do not fit, not two classes, infinite activations, an unknown method.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    return scored_units(x, y, method, seed=seed).order


def scored_units(x: ArrayLike, y: ArrayLike, select: Select, *, seed: int = 0) -> Scored:
    """Scores and order of all features, by a method of `rank_units` or one of four others.

    `contrast` is |Welch's t|; `maxact` the largest activation, which no label enters; `rsa_discriminative` and
    `rsa_categorical` are those of `scalar_rsa.pair_scores`, signed: features on which the positives are the less
    alike come last.

    Raises:
        ValueError: as `rank_units`.
    """
    if select not in SELECTS:
        raise ValueError(f"select must be one of {', '.join(SELECTS)}, got {select!r}")
    values, positive = checked_items(x, y)
    status = unit_status(values)
    usable = np.flatnonzero(status == "ok")
    score = np.full(values.shape[1], np.nan)
    effect = values[positive].mean(0) - values[~positive].mean(0)
    if select == "random":  # drawn for all features, so that a feature without variance here changes no other's place
        score[usable] = np.random.default_rng(seed).permutation(score.size)[usable]
    elif usable.size:
        score[usable] = _score(values[:, usable], positive, select, seed)
    status = np.where((status == "ok") & np.isnan(score), "constant", status)
    return Scored(ordered(score, effect), score, effect, status)


def checked_items(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Bools]:
    """(items, features) activations in float64, and (items,) whether the label is the second of the two in order.

    Raises:
        ValueError: shapes that do not fit, not two classes, an item without a label, an infinite activation.
    """
    values, labels = np.asarray(x), np.asarray(y)
    if values.ndim != 2 or labels.shape != (values.shape[0],):
        raise ValueError(f"x must be (items, features) and y (items,), got {values.shape} and {labels.shape}")
    if np.isnan(labels.astype(np.float64)).any() if labels.dtype.kind == "f" else False:
        raise ValueError("y has NaN: every item needs a label")
    classes = np.unique(labels)
    if classes.size != 2:
        named = ", ".join(str(name) for name in classes[:5])
        raise ValueError(f"y must have two classes, got {classes.size} ({named})")
    values = values.astype(np.float64)
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise ValueError(
            f"activations must be finite or NaN (masked), got an infinite one at item {row}, unit {column}"
        )
    return values, labels == classes[1]


def unit_status(x: Floats) -> NDArray[np.str_]:
    """(features,) `ok`, `masked` (some value is NaN: a decoder cannot use it) or `constant`."""
    masked = np.isnan(x).any(0)
    high, low = x.max(0, initial=-np.inf), x.min(0, initial=np.inf)
    with np.errstate(invalid="ignore"):
        constant = high - low <= 1e-12 * np.maximum(np.abs(high), np.abs(low))
    return np.where(masked, "masked", np.where(constant, "constant", "ok"))


def ordered(score: Floats, effect: Floats) -> Integers:
    """Order by score, ties (see `TIE`) by |effect|, then by index; NaN last."""
    index = np.arange(score.size)
    defined = index[~np.isnan(score)]
    best = defined[np.lexsort((defined, -score[defined]))]
    values = score[best]
    with np.errstate(invalid="ignore"):  # inf - inf
        close = np.isfinite(values[:-1]) & (values[:-1] - values[1:] <= TIE * np.abs(values[:-1]))
    apart = (values[:-1] != values[1:]) & ~close
    level = np.concatenate([[0], np.cumsum(apart)]) if best.size else np.zeros(0)
    best = best[np.lexsort((best, -np.abs(effect[best]), level))]
    return np.concatenate([best, index[np.isnan(score)]]).astype(np.intp)


def _score(x: Floats, positive: Bools, select: Select, seed: int) -> Floats:
    if select == "contrast":
        return np.abs(_welch(x, positive))
    if select == "maxact":
        return np.asarray(x.max(0))
    if select in ("rsa_discriminative", "rsa_categorical"):
        return pair_scores(x, positive, "discriminative" if select == "rsa_discriminative" else "categorical")
    if select == "mean_difference":
        return np.asarray(np.abs(x[positive].mean(0) - x[~positive].mean(0)))
    if select == "f_stat":
        return _f(x, positive)
    if select == "mutual_info":
        return _mutual_information(x, positive, seed)
    if select == "l1_logistic":
        return np.abs(elastic_logistic(standardised(x)[0], positive, c=0.1).coef)
    return _svm(x, positive, seed)


def _sums(x: Floats, positive: Bools) -> tuple[Floats, Floats, Floats]:
    """Difference of class means, and the sums of squares about each mean; rounding counts as 0."""
    here, rest = x[positive], x[~positive]
    gap = here.mean(0) - rest.mean(0)
    floor = (1e-12 * np.abs(x).max(0)) ** 2
    parts = [((part - part.mean(0)) ** 2).sum(0) for part in (here, rest)]
    return gap, *(np.where(part > floor * len(x), part, 0.0) for part in parts)


def _welch(x: Floats, positive: Bools) -> Floats:
    gap, ss1, ss0 = _sums(x, positive)
    n1, n0 = np.count_nonzero(positive), np.count_nonzero(~positive)
    if min(n1, n0) < 2:
        raise ValueError(f"contrast needs two items in each class, got {n1} and {n0}")
    error = np.sqrt(ss1 / (n1 * (n1 - 1)) + ss0 / (n0 * (n0 - 1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(gap / error)


def _f(x: Floats, positive: Bools) -> Floats:
    """One-way F for two classes, the squared t of equal variances."""
    gap, ss1, ss0 = _sums(x, positive)
    n1, n0 = np.count_nonzero(positive), np.count_nonzero(~positive)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(gap**2 * (n1 * n0 / (n1 + n0)) / ((ss1 + ss0) / (n1 + n0 - 2)))


def _mutual_information(x: Floats, positive: Bools, seed: int) -> Floats:
    from sklearn.feature_selection import mutual_info_classif

    smaller = min(int(np.count_nonzero(positive)), int(np.count_nonzero(~positive)))
    neighbours = min(3, smaller - 1)
    if neighbours < 1:
        raise ValueError("mutual_info needs two items in each class")
    found = mutual_info_classif(x, positive, discrete_features=False, n_neighbors=neighbours, random_state=seed)
    return np.asarray(found, dtype=np.float64)


def _svm(x: Floats, positive: Bools, seed: int) -> Floats:
    from sklearn.svm import LinearSVC

    wide = x.shape[1] > x.shape[0]
    fit = LinearSVC(C=1.0, class_weight="balanced", dual=wide, max_iter=20_000, random_state=seed, tol=1e-5)
    return np.abs(np.ravel(fit.fit(standardised(x)[0], positive).coef_))
