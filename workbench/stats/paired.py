"""Whether one decoder is better than another on the same folds and items, and when that cannot be said."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.folds import group_codes

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Paired:
    """Two decoders compared.

    Attributes:
        difference: mean accuracy of the first less that of the second.
        interval: of the difference, from the corrected resampled t.
        t: the corrected resampled t; 0 when no fold differs, +-inf when all differ alike.
        df: its degrees of freedom, folds x repeats - 1.
        p: its two-sided p.
        p_items: sign-flip permutation p over items (whole groups); coarser, and free of the t's assumptions.
    """

    difference: float
    interval: tuple[float, float]
    t: float
    df: int
    p: float
    p_items: float


def compare_decoders(
    first: ArrayLike,
    second: ArrayLike,
    test_share: float,
    *,
    correct: tuple[ArrayLike, ArrayLike],
    groups: ArrayLike | None = None,
    permutations: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Paired:
    """Test the difference of two decoders that saw the same folds.

    The corrected resampled t of Nadeau & Bengio (2003), Machine Learning 52, 239, equation 9: training sets
    overlap, so the variance of the mean over J folds is (1 / J + test / train) s^2, not s^2 / J.

    Args:
        first: (folds x repeats,) accuracies of the first decoder.
        second: (folds x repeats,) those of the second, in the same order.
        test_share: share of the items that a fold holds out.
        correct: for each decoder (items,) share of repeats in which the item was right.
        groups: (items,) ids whose signs flip together.
        permutations: sign flips; all of them where there are no more.
        confidence: of the interval.
        seed: of the sign flips.

    Raises:
        ValueError: shapes that do not fit, fewer than two folds, a share outside (0, 1).
    """
    from scipy.special import stdtr, stdtrit

    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or a.size < 2:
        raise ValueError(f"fold accuracies must be two equal lists of two or more, got {a.shape} and {b.shape}")
    if not 0 < test_share < 1:
        raise ValueError(f"test_share must be inside (0, 1), got {test_share}")
    gaps = a - b
    mean, df = float(gaps.mean()), gaps.size - 1
    error = float(np.sqrt((1 / gaps.size + test_share / (1 - test_share)) * gaps.var(ddof=1)))
    if np.ptp(gaps) <= 1e-12:  # equal gaps have no spread to judge by
        error = 0.0
        mean = 0.0 if abs(mean) <= 1e-12 else mean
    t = mean / error if error else float(np.sign(mean)) * np.inf if mean else 0.0
    p = float(2 * stdtr(df, -abs(t))) if error else (0.0 if mean else 1.0)
    half = float(stdtrit(df, (1 + confidence) / 2)) * error
    p_items = sign_flips(np.asarray(correct[0]) - np.asarray(correct[1]), groups, permutations, seed)
    # folds that all differ alike leave no spread; what the items say is then the only test
    return Paired(mean, (mean - half, mean + half), t, df, p if error or not mean else p_items, p_items)


def sign_flips(gaps: Floats, groups: ArrayLike | None, permutations: int = 10_000, seed: int = 0) -> float:
    """Two-sided p of a sum of differences, the signs of whole groups flipped; exact where there are few groups.

    Args:
        gaps: (items,) difference of each.
        groups: (items,) ids of items whose signs flip together, or None.
        permutations: sign flips; all of them where there are no more.
        seed: of the flips.
    """
    sums = np.bincount(group_codes(groups, gaps.size), weights=gaps)
    sums = sums[np.abs(sums) > 1e-12]  # groups without a difference have no sign to flip
    if not sums.size:
        return 1.0
    observed = abs(float(sums.sum())) - 1e-9
    if 2**sums.size <= permutations:
        every = (np.arange(2**sums.size)[:, None] >> np.arange(sums.size)) & 1
        return float((np.abs((2 * every - 1) @ sums) >= observed).mean())
    signs = np.random.default_rng(seed).integers(0, 2, (permutations, sums.size)) * 2 - 1
    return float((np.count_nonzero(np.abs(signs @ sums) >= observed) + 1) / (permutations + 1))


def holm(p: ArrayLike) -> Floats:
    """Holm's (1979) step-down family-wise p of several tests, in the order given."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    found = np.empty(values.size)
    found[order] = np.minimum(stepped, 1.0)
    return found
