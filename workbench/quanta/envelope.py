"""The rank-frequency envelope of a sweep: how large the r-th largest cluster is, and how fast that falls with r."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# What the authors of the method say their estimate of the exponent is uncertain by, on toy data of known exponent.
METHOD_UNCERTAINTY = 0.2
# Ranks that a line is fitted to, at least.
LEAST_RANKS = 5


@dataclass(frozen=True)
class EnvelopeSlope:
    """Slope of log size over log rank.

    Attributes:
        slope: of least squares over the ranks; NaN where fewer than five have samples.
        sampling: 2.5 and 97.5 % of the slope over samples drawn again with replacement within each partition.
        interval: `sampling` and `slope`, widened on both sides by the method's own uncertainty of 0.2, which is all
            that may be said.
        ranks: first and last rank of the fit, from 1.
    """

    slope: float
    sampling: tuple[float, float]
    interval: tuple[float, float]
    ranks: tuple[int, int]


def rank_envelope(partitions: Sequence[ArrayLike]) -> Integers:
    """(ranks,) largest size that the r-th largest cluster has in any of the partitions.

    Args:
        partitions: the sizes of the clusters of each partition, in any order.
    """
    rows = [np.sort(np.asarray(sizes, dtype=np.int64))[::-1] for sizes in partitions]
    found = np.zeros(max((row.size for row in rows), default=0), dtype=np.int64)
    for row in rows:
        found[: row.size] = np.maximum(found[: row.size], row)
    return found


def envelope_slope(
    partitions: Sequence[ArrayLike], first: int, last: int, *, draws: int = 200, seed: int = 0
) -> EnvelopeSlope:
    """Fit a line to log size over log rank, from rank `first` to `last` (from 1, both included).

    Args:
        partitions: the sizes of the clusters of each partition.
        first: first rank of the fit; the published one takes 101.
        last: last rank; the published one takes 1000, as far as there are clusters.
        draws: resamples for the sampling interval.
        seed: of the resamples.

    Raises:
        ValueError: first below 1, or last not above it.
    """
    if not 1 <= first < last:
        raise ValueError(f"ranks {first} to {last} are no range: first must be at least 1 and below last")
    sizes = [np.asarray(part, dtype=np.int64) for part in partitions]
    envelope = rank_envelope(sizes)
    end = min(last, int(np.count_nonzero(envelope)))
    slope = _slope(envelope, first, end)
    rng = np.random.default_rng(seed)
    drawn = np.array([_slope(rank_envelope([_again(part, rng) for part in sizes]), first, end) for _ in range(draws)])
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(slope) or not known.size:
        nothing = (float("nan"), float("nan"))
        return EnvelopeSlope(slope, nothing, nothing, (first, end))
    low, high = (float(value) for value in np.quantile(known, [0.025, 0.975]))
    wide = (min(low, slope) - METHOD_UNCERTAINTY, max(high, slope) + METHOD_UNCERTAINTY)
    return EnvelopeSlope(slope, (low, high), wide, (first, end))


def _again(sizes: Integers, rng: np.random.Generator) -> Integers:
    """Sizes of a partition whose samples are drawn again with replacement."""
    total = int(sizes.sum())
    return np.asarray(rng.multinomial(total, sizes / max(total, 1)), dtype=np.int64)


def _slope(envelope: Integers, first: int, last: int) -> float:
    ranks = np.arange(first, last + 1)
    size = envelope[first - 1 : last].astype(np.float64)
    ranks = ranks[: size.size]
    seen = size > 0
    if np.count_nonzero(seen) < LEAST_RANKS:
        return float("nan")
    return float(np.polyfit(np.log(ranks[seen]), np.log(size[seen]), 1)[0])
