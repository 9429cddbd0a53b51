import numpy as np
import pytest
from scipy import stats

from workbench.stats.tail import pooled_tail, student_tail

NORMAL = np.array([np.inf])


def test_inside_the_pool_it_counts():
    pool = np.sort(np.arange(1, 1001) / 100)
    assert pooled_tail(np.array([5.0]), NORMAL, pool)[0] == pytest.approx((501 + 1) / 1001)


@pytest.mark.parametrize("df", [8.0, 98.0, np.inf])
def test_beyond_the_pool_it_follows_the_right_tail(df):
    rng = np.random.default_rng(0)
    draws = rng.standard_normal(200_000) if np.isinf(df) else rng.standard_t(df, 200_000)
    size = np.array([stats.t.isf(p / 2, df) for p in (1e-6, 1e-8)])
    found = pooled_tail(size, np.array([df, df]), np.sort(np.abs(draws)))
    decades = np.log10(found) - [-6, -8]
    assert (decades > -0.5).all()
    assert (decades < 1).all()  # a draw beyond its due makes it larger


def test_a_wider_null_stays_wider_and_falls():
    pool = np.sort(3 * np.abs(np.random.default_rng(0).standard_normal(100_000)))
    size = np.linspace(0, 30, 200)
    found = pooled_tail(size, np.full(200, np.inf), pool)
    assert (found >= 0.5 * student_tail(size / 3, np.full(200, np.inf))).all()
    assert (np.diff(found) <= 0).all()


def test_infinite_draws_are_never_outrun():
    pool = np.array([1.0] * 990 + [np.inf] * 10)
    assert pooled_tail(np.array([np.inf]), NORMAL, pool)[0] == pytest.approx(11 / 1001)
    assert pooled_tail(np.array([np.inf]), NORMAL, pool[:990], least=1e-7)[0] == 1e-7


@pytest.mark.parametrize("pool", [[], [0.0], [0.0] * 100, [np.inf] * 100, [2.0]])
def test_poor_pools_give_a_probability(pool):
    found = pooled_tail(np.array([0.0, 1.0, 1e300, np.inf]), np.full(4, 5.0), np.array(pool))
    assert ((found >= 0) & (found <= 1)).all()
