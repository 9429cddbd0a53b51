"""Cross-validated distances between conditions, unbiased by noise: zero on average where conditions do not differ."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def crossnobis(x: ArrayLike, conditions: ArrayLike, folds: ArrayLike) -> Floats:
    """Squared distances estimated across folds, per channel, with identity noise.

    d(a, b) = mean over ordered pairs of different folds f, g of (mu_a^f - mu_b^f) . (mu_a^g - mu_b^g) / channels, mu
    being a condition's mean over its trials in a fold. The noise of two folds is independent, so d is unbiased and
    may be negative. A language model has no noise of its own from run to run: folds must be replicates of the
    *stimuli* (paraphrases, templates), and d then says what holds across these.

    Args:
        x: (trials, channels).
        conditions: (trials,) names or numbers.
        folds: (trials,) names or numbers.

    Returns:
        (conditions, conditions), conditions sorted; symmetric, zero diagonal. A pair of conditions uses the folds
        that have both. Source: Walther et al. (2016), NeuroImage 137, 188, equation 11, with the identity as noise
        covariance.

    Raises:
        ValueError: shapes that do not fit, NaN or infinite values, fewer than two conditions, or a pair of
            conditions that share fewer than two folds.
    """
    acts, names, who, which, fold_count = _checked(x, conditions, folds)
    count = len(names)
    cells = who * fold_count + which  # (trials,)
    trials = np.bincount(cells, minlength=count * fold_count)
    sums = np.zeros((count * fold_count, acts.shape[1]))
    np.add.at(sums, cells, acts)
    means = (sums / np.maximum(trials, 1)[:, None]).reshape(count, fold_count, -1)  # (conditions, folds, channels)
    present = (trials > 0).reshape(count, fold_count)
    found = np.zeros((count, count))
    for a in range(count):
        for b in range(a + 1, count):
            shared = present[a] & present[b]
            n = int(shared.sum())
            if n < 2:
                raise ValueError(f"conditions {names[a]!r} and {names[b]!r} share {n} fold(s); crossnobis needs two")
            difference = means[a, shared] - means[b, shared]  # (shared folds, channels)
            # sum over f != g of d_f . d_g = |sum of d|^2 - sum of |d|^2
            across = np.square(difference.sum(axis=0)).sum() - np.square(difference).sum()
            found[a, b] = found[b, a] = across / (n * (n - 1) * acts.shape[1])
    return found


def _checked(
    x: ArrayLike, conditions: ArrayLike, folds: ArrayLike
) -> tuple[Floats, list[object], NDArray[np.intp], NDArray[np.intp], int]:
    acts = np.asarray(x, dtype=np.float64)
    labels, parts = np.asarray(conditions), np.asarray(folds)
    if acts.ndim != 2 or not acts.shape[1]:
        raise ValueError(f"x must be (trials, channels), got shape {acts.shape}")
    for name, given in (("conditions", labels), ("folds", parts)):
        if given.shape != acts.shape[:1]:
            raise ValueError(f"{name} has shape {given.shape}, but x has {acts.shape[0]} trials")
    if not np.isfinite(acts).all():
        row, column = np.argwhere(~np.isfinite(acts))[0]
        raise ValueError(f"x must be finite, got {acts[row, column]} at trial {row}, channel {column}")
    names, who = np.unique(labels, return_inverse=True)
    fold_names, which = np.unique(parts, return_inverse=True)
    if names.size < 2:
        raise ValueError(f"crossnobis needs at least two conditions, got {names.size}")
    return acts, names.tolist(), who, which, fold_names.size
