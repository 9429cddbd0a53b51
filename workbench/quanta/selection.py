"""Which predictions are taken as samples: those the model makes well and mere copying does not explain."""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

NATS_PER_BIT = math.log(2)
Unit = Literal["nats", "bits"]


def select_predictions(
    losses: ArrayLike,
    drop: ArrayLike,
    *,
    threshold: float,
    unit: Unit = "nats",
    skip: int = 1,
    count: int | None = None,
    high: ArrayLike | None = None,
    high_threshold: float = 0.0,
) -> NDArray[np.int64]:
    """Choose predictions of low loss, every `skip`-th of them, at most `count`; no randomness.

    Args:
        losses: (predictions,) cross-entropy in nats.
        drop: (predictions,) bool, True = filtered out.
        threshold: the loss must be below it, strictly.
        unit: of the thresholds. The published 0.14426950408889636 bits are 0.1 nats.
        skip: keep one in so many, in rising order, the first included.
        count: how many are wanted; None takes all.
        high: (predictions,) losses of another model, in nats, or None.
        high_threshold: where `high` is given, that loss must be above it: low here, high there.

    Returns:
        (samples,) numbers of the predictions, rising.

    Raises:
        ValueError: shapes that differ, skip below 1, or fewer than `count` predictions remain; the message says
            how many each condition leaves.
    """
    nats = np.asarray(losses, dtype=np.float64)
    dropped = np.asarray(drop, dtype=bool)
    if nats.shape != dropped.shape or nats.ndim != 1:
        raise ValueError(f"losses {nats.shape} and drop {dropped.shape} must be equally long rows")
    if skip < 1:
        raise ValueError(f"skip must be at least 1, got {skip}")
    scale = NATS_PER_BIT if unit == "bits" else 1.0
    low = nats < threshold * scale
    kept = low & ~dropped
    if high is not None:
        other = np.asarray(high, dtype=np.float64)
        if other.shape != nats.shape:
            raise ValueError(f"losses {nats.shape} and high {other.shape} must be equally long rows")
        kept &= other > high_threshold * scale
    chosen = np.flatnonzero(kept)[::skip].astype(np.int64)
    if count is None:
        return chosen
    if chosen.size < count:
        raise ValueError(
            f"{chosen.size} of the {count} samples asked for: {nats.size} predictions, {int(low.sum())} below "
            f"{threshold} {unit}, {int(kept.sum())} of them after the filters, one in {skip} taken"
        )
    return chosen[:count]
