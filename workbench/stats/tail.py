"""Tail probabilities finer than 1 / (permutations + 1), from null draws pooled over alike features."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# How many of the pool's largest draws fix the point from which the tail is continued by a formula: enough that
# the anchor is known to about 1 / sqrt(50) = 14 %, few enough that it lies far out.
ANCHOR = 50


def pooled_tail(
    size: Floats, df: Floats, pool: Floats, *, least: float | Floats = 0.0, tolerance: float = 1e-9
) -> Floats:
    """P(|t| >= size) under a null given by pooled draws, continued by a Student tail beyond the last of them.

    Inside the pool it is (b + 1) / (N + 1), b of N draws at least as large. Beyond the `ANCHOR`-th largest draw c
    the Student tail S is attached to the pooled tail p_c there in two ways, by ratio, p_c S(size) / S(c), and by
    scale, S(size / s) with S(c / s) = p_c; the larger answer is taken, and never less than b / N, the pool's own.
    So the resolution does not end at 1 / N, and a null wider than Student's stays wider. An infinite |t| has no
    formula: it is (b + 1) / (N + 1) if the pool has infinite draws, and `least` if not.

    The pool belongs to a group of features, so the answer is right for the group: the expected number of null
    features with a value below u is u times their number. That is what Benjamini-Hochberg needs from it.

    Args:
        size: |t|, any shape (..., features); may hold inf.
        df: (features,) degrees of freedom of the Student tail; inf means normal.
        pool: (N,) null draws of |t|, sorted upwards; may be empty (then S itself is the answer).
        least: what one labelling out of all is worth, the least an infinite |t| can have; one, or (features,).
        tolerance: a draw that is smaller by less than this share counts as equal.

    Returns:
        Probabilities in [0, 1], of the shape of `size`.
    """
    if not pool.size:
        return np.where(np.isinf(size), least, student_tail(size, df))
    draws = pool.size
    count = draws - np.searchsorted(pool, size * (1 - tolerance), side="left")
    far = min(ANCHOR, max(1, draws // 10))
    at_anchor = (far + 1) / (draws + 1)
    counted = (count + 1) / (draws + 1)
    beyond = np.maximum(_continued(size, df, float(pool[-far]), at_anchor), count / draws)
    beyond = np.where(np.isinf(size), np.maximum(np.where(count > 0, counted, 0.0), least), beyond)
    return np.where(count >= far, counted, np.minimum(beyond, at_anchor))


def student_tail(size: Floats, df: Floats) -> Floats:
    """Two-sided tail of Student's distribution, P(|T| >= size); normal where `df` is inf."""
    from scipy.special import ndtr, stdtr

    with np.errstate(invalid="ignore"):  # the unused branch of an infinite df
        return np.asarray(2 * np.where(np.isinf(df), ndtr(-size), stdtr(df, -size)), dtype=np.float64)


def _continued(size: Floats, df: Floats, anchor: float, at_anchor: float) -> Floats:
    """The Student tail attached to the pooled tail at `anchor`, by ratio or by scale, whichever is larger."""
    from scipy.special import ndtri, stdtrit

    foot = student_tail(np.full_like(df, anchor), df)  # (features,)
    if not 0 < anchor < np.inf or at_anchor >= 1 or not foot.all():  # nothing to attach a finite tail to
        return np.full(np.shape(size), at_anchor)
    quantile = -np.where(np.isinf(df), ndtri(at_anchor / 2), stdtrit(df, at_anchor / 2))  # (features,)
    by_scale = student_tail(size * quantile / anchor, df)
    by_ratio = at_anchor * student_tail(size, df) / foot
    return np.asarray(np.maximum(by_scale, by_ratio), dtype=np.float64)
