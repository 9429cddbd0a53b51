"""Planted concepts are found as often as theory says: the power of Welch's t at several sizes, alone and by max-T."""

import numpy as np
import pytest
from scipy import stats

from workbench.stats import contrast_map

N, PLANTED, OTHERS = 30, 150, 150
DF = 2 * N - 2


def planted(d: float, seed: int) -> np.ndarray:
    """(2 N, features) normal activations; the first features are d standard deviations higher in the positives."""
    x = np.random.default_rng(seed).standard_normal((2 * N, PLANTED + OTHERS))
    x[:N, :PLANTED] += d
    return x


def power(d: float, critical: float) -> float:
    """Chance that |t| of equal groups exceeds a critical value: the noncentral t with d sqrt(N / 2)."""
    shift = d * np.sqrt(N / 2)
    below = stats.nct.cdf(-critical, DF, shift)  # far out scipy has no number, and there is nothing
    return float(stats.nct.sf(critical, DF, shift) + np.nan_to_num(below))


@pytest.mark.parametrize("d", [0.0, 0.3, 0.6, 0.9, 1.3])
def test_power_is_that_of_the_noncentral_t(d: float) -> None:
    single = stats.t.isf(0.025, DF)
    # the largest |t| of independent features: each below c with chance 1 - 2 sf(c)
    family = stats.t.isf((1 - 0.95 ** (1 / (PLANTED + OTHERS))) / 2, DF)
    found = [contrast_map(planted(d, seed), np.arange(2 * N) < N, permutations=500, seed=seed) for seed in range(3)]
    trials = 3 * PLANTED
    for name, critical, slack in (("p", single, 0.01), ("p_fwer", family, 0.05)):  # 500 draws blur the largest one
        share = np.mean([getattr(one, name)[:PLANTED] <= 0.05 for one in found])
        known = power(d, critical)
        assert abs(share - known) < 4 * np.sqrt(known * (1 - known) / trials) + slack, f"{name} at d = {d}"


def test_planted_features_come_first_and_others_seldom() -> None:
    found = contrast_map(planted(1.3, 9), np.arange(2 * N) < N, permutations=500)
    discovered = found.q < 0.05
    assert discovered[:PLANTED].mean() > 0.95
    assert discovered[PLANTED:].sum() / discovered.sum() < 0.1
    assert (found.t[:PLANTED][discovered[:PLANTED]] > 0).all()
