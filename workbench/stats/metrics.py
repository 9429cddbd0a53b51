"""How well scores tell two classes apart: F1, MCC, precision, recall, accuracy, AUC, with bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.folds import group_codes

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
METRICS = ("accuracy", "f1", "mcc", "precision", "recall", "auc")
TIE = 1e-6
"""Scores closer than this share of their range are a tie: items that are alike in the features get scores that sums in
another order (by the number of threads) tell apart in the last bit, and float32 activations give no more digits."""


@dataclass(frozen=True)
class Metric:
    """One number with its interval.

    Attributes:
        value: NaN where undefined, such as the precision of a decoder that calls nothing positive.
        interval: percentile bootstrap, widened where it must be to contain the value; NaN where undefined.
        undefined: share of the bootstrap samples in which the number is undefined; they are left out.
    """

    value: float
    interval: tuple[float, float]
    undefined: float


def binary_metrics(
    y: ArrayLike,
    scores: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Metric]:
    """Metrics of scores of which those above 0 call an item positive.

    Args:
        y: (items,) bool.
        scores: (items,) finite.
        groups: (items,) ids; whole groups are resampled, since their items are not independent.
        samples: bootstrap samples; the intervals say how the metrics vary with the items, not with the training.
        confidence: of the intervals.
        seed: of the bootstrap.

    Returns:
        `Metric` by each name of `METRICS`. Precision is undefined when nothing is called positive, recall and AUC
        when a class is missing, MCC when a row or column of the table is empty; scikit-learn calls these 0. Scores
        that differ by no more than rounding are ties of the AUC.

    Raises:
        ValueError: shapes that do not fit, or scores that are not finite.
    """
    labels, values = np.asarray(y, dtype=bool), np.asarray(scores, dtype=np.float64)
    if labels.shape != values.shape or labels.ndim != 1 or not labels.size:
        raise ValueError(f"y and scores must be (items,), got {labels.shape} and {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("scores must be finite")
    codes = group_codes(groups, labels.size)
    count = int(codes.max()) + 1
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(count, np.full(count, 1 / count), size=samples)[:, codes]  # (samples, items)
    weights = np.concatenate([np.ones((1, labels.size)), draws])
    found = _weighted(labels, values, weights)
    return {name: _with_interval(column, confidence) for name, column in found.items()}


def _with_interval(column: Floats, confidence: float) -> Metric:
    value, drawn = float(column[0]), column[1:]
    known = drawn[~np.isnan(drawn)]
    undefined = 1 - known.size / max(drawn.size, 1)
    if np.isnan(value) or not known.size:
        return Metric(value, (float("nan"), float("nan")), undefined)
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Metric(value, (min(float(low), value), max(float(high), value)), undefined)


def _weighted(y: Bools, scores: Floats, weights: Floats) -> dict[str, Floats]:
    """Every metric under each row of item weights (rows, items)."""
    called = scores > 0
    tp, fp = weights @ (y & called), weights @ (~y & called)
    fn, tn = weights @ (y & ~called), weights @ (~y & ~called)
    with np.errstate(divide="ignore", invalid="ignore"):
        product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return {
            "accuracy": (tp + tn) / (tp + fp + fn + tn),
            "f1": 2 * tp / (2 * tp + fp + fn),
            "mcc": (tp * tn - fp * fn) / np.sqrt(np.where(product > 0, product, np.nan)),
            "precision": tp / (tp + fp),
            "recall": tp / (tp + fn),
            "auc": _areas(y, scores, weights),
        }


def _areas(y: Bools, scores: Floats, weights: Floats) -> Floats:
    """Weighted chance that a positive is above a negative, ties up to rounding one half: (rows,)."""
    place = _levels(scores)
    one_hot = np.zeros((scores.size, int(place.max()) + 1))
    one_hot[np.arange(scores.size), place] = 1.0
    up, down = (weights * y) @ one_hot, (weights * ~y) @ one_hot  # (rows, levels)
    below = np.cumsum(down, axis=1) - down / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((up * below).sum(1) / (up.sum(1) * down.sum(1)), dtype=np.float64)


def _levels(scores: Floats) -> NDArray[np.intp]:
    """(items,) rank of each score among those that differ by more than rounding."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    steps = np.diff(ordered) > TIE * (ordered[-1] - ordered[0])
    levels = np.zeros(scores.size, dtype=np.intp)
    levels[order[1:]] = np.cumsum(steps)
    return levels


def share_interval(share: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share among `n` independent items; it always contains the share."""
    from scipy.special import ndtri

    z = float(ndtri((1 + confidence) / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
