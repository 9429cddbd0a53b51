"""One-sided tail probabilities finer than 1 / (permutations + 1), from null scores pooled over alike features."""

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.floating]
Floats = NDArray[np.float64]

# How many of the pool's largest draws give the slope of the tail beyond it; see `stats.tail.ANCHOR`.
ANCHOR = 50


def pooled_upper_tail(score: Reals, pool: Reals, *, least: float, tie: float) -> Floats:
    """P(score' >= score) under a null given by pooled draws, continued by an exponential beyond the last of them.

    Inside the pool it is (b + 1) / (N + 1), b of N draws at least as large. Beyond the `ANCHOR`-th largest draw c it
    is p_c exp(-(score - c) / s), s the mean excess of the draws over c, and never less than b / N, the pool's own,
    nor than `least`. A weighted sum of squared distances of a Gaussian feature has an exponential tail; scores are
    bounded, so that their tail is lighter: the continuation errs on the careful side.

    Args:
        score: any shape.
        pool: (N,) null draws, sorted upwards.
        least: what one order of the stimuli out of all is worth.
        tie: a draw that is smaller by less than this counts as equal.

    Returns:
        Probabilities in (0, 1], of the shape of `score`; 1 where the pool is empty.
    """
    draws = pool.size
    if not draws:
        return np.ones(np.shape(score))
    count = draws - np.searchsorted(pool, np.asarray(score) - tie, side="left")
    far = min(ANCHOR, max(1, draws // 10))
    anchor = float(pool[-far])
    at_anchor = (far + 1) / (draws + 1)
    slope = float(np.mean(pool[-far:].astype(np.float64) - anchor))
    excess = np.maximum(np.asarray(score, dtype=np.float64) - anchor, 0.0)
    # draws that are all alike say nothing of a slope: then nothing is claimed beyond the pool
    beyond = at_anchor * np.exp(-excess / slope) if slope > tie else np.full(np.shape(score), 1 / (draws + 1))
    beyond = np.minimum(np.maximum(beyond, count / draws), at_anchor)
    return np.asarray(np.maximum(np.where(count >= far, (count + 1) / (draws + 1), beyond), least), dtype=np.float64)
