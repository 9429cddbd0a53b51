"""Intervals of standardised effects: a textbook value, their coverage, and what has no interval."""

import numpy as np
import pytest
from scipy import stats

from workbench.stats import effect_interval


def test_the_ends_make_the_observed_t_a_tail() -> None:
    d, n1, n0 = 0.8, 12, 20
    low, high = effect_interval(d, n1, n0)
    scale = np.sqrt(n1 * n0 / (n1 + n0))
    assert stats.nct.sf(d * scale, n1 + n0 - 2, float(low) * scale) == pytest.approx(0.025, abs=1e-6)
    assert stats.nct.cdf(d * scale, n1 + n0 - 2, float(high) * scale) == pytest.approx(0.025, abs=1e-6)


def test_pairs_have_their_own_degrees_of_freedom() -> None:
    low, high = effect_interval(0.5, 16)
    assert stats.nct.sf(2.0, 15, float(low) * 4) == pytest.approx(0.025, abs=1e-6)
    assert stats.nct.cdf(2.0, 15, float(high) * 4) == pytest.approx(0.025, abs=1e-6)


def test_nineteen_of_twenty_intervals_hold_the_true_effect() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((9, 4000)) + 0.7, rng.standard_normal((14, 4000))
    pooled = np.sqrt((8 * x.var(0, ddof=1) + 13 * y.var(0, ddof=1)) / 21)
    low, high = effect_interval((x.mean(0) - y.mean(0)) / pooled, 9, 14)
    share = ((low <= 0.7) & (high >= 0.7)).mean()
    assert abs(share - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000)


def test_what_is_unknown_or_infinite_stays_so() -> None:
    low, high = effect_interval([np.nan, np.inf, 0.3], [5, 5, 1], [5, 5, 1])
    assert np.isnan([low[0], high[0], low[2], high[2]]).all()
    assert low[1] == high[1] == np.inf


@pytest.mark.parametrize("sign", [1, -1])
def test_a_huge_effect_has_the_limit_of_a_large_noncentrality(sign: int) -> None:
    near, far = (np.array(effect_interval(sign * d, 6, 6)) for d in (999.0 * np.sqrt(1 / 3), 1001.0 * np.sqrt(1 / 3)))
    assert far == pytest.approx(near * 1001 / 999, rel=1e-3)
    assert effect_interval(sign * 1e9, 6, 6)[0] < sign * 1e9 < effect_interval(sign * 1e9, 6, 6)[1]
