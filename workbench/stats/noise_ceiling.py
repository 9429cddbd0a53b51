"""Noise ceilings: the best any model RDM could do, given how much replicated RDMs agree with one another."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class NoiseCeiling(NamedTuple):
    """Bounds on the mean correlation of the true model with each RDM.

    Attributes:
        lower: each RDM with the mean of the others (leave one out).
        upper: each RDM with the mean of all, itself included.
    """

    lower: float
    upper: float


def noise_ceiling(rdms: ArrayLike) -> NoiseCeiling:
    """Lower and upper bound of the attainable Pearson correlation.

    Each RDM is brought to mean 0 and length 1 first; of such vectors the mean is the RDM with the largest mean
    correlation to all.

    Args:
        rdms: (k, pairs), one replicate (template, paraphrase, seed, subject) a row.

    Returns:
        A `NoiseCeiling`, which unpacks as lower, upper. Source: Nili et al. (2014), PLoS Comput. Biol. 10, e1003553.

    Raises:
        ValueError: fewer than two RDMs or two pairs, NaN or infinite values, or an RDM that does not vary.
    """
    given = np.asarray(rdms, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] < 2 or given.shape[1] < 2:
        raise ValueError(f"rdms must be (k, pairs) with at least two of each, got shape {given.shape}")
    if not np.isfinite(given).all():
        row, column = np.argwhere(~np.isfinite(given))[0]
        raise ValueError(f"rdms must be finite, got {given[row, column]} in RDM {row}, pair {column}")
    spread = np.ptp(given, axis=1)
    if (flat := np.flatnonzero(spread <= 1e-12 * np.abs(given).max(axis=1))).size:
        raise ValueError(f"RDM {flat[0]} has the same value for all pairs; it has no correlation")
    units = (given - given.mean(axis=1, keepdims=True)) / spread[:, None]
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    total = units.sum(axis=0)  # (pairs,)
    others = total - units  # (k, pairs)
    size = np.linalg.norm(others, axis=1)
    agreement = (units * others).sum(axis=1)
    # the others may cancel out exactly (two opposite RDMs): then they predict nothing
    lower = np.divide(agreement, size, out=np.zeros_like(size), where=size > 1e-12)
    whole = float(np.linalg.norm(total))
    upper = float((units @ total).mean() / whole) if whole > 1e-12 else 0.0
    return NoiseCeiling(float(np.clip(lower.mean(), -1, 1)), float(np.clip(upper, -1, 1)))
