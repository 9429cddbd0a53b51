import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.stats import bh, by

# Benjamini & Hochberg (1995), table of section 3.1: 15 p values, four rejected at 0.05
PAPER = np.array([1, 4, 19, 95, 201, 278, 298, 344, 459, 3240, 4262, 5719, 6528, 7590, 10000]) / 10000


def test_bh_rejects_four_in_the_papers_example():
    assert (bh(PAPER) <= 0.05).sum() == 4
    assert bh(PAPER)[3] == pytest.approx(15 * 0.0095 / 4)


def test_q_is_that_worked_by_hand():
    np.testing.assert_allclose(bh([0.01, 0.04, 0.03]), [0.03, 0.04, 0.04])
    np.testing.assert_allclose(by([0.01, 0.04, 0.03]), np.array([0.03, 0.04, 0.04]) * 11 / 6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_the_same_as_scipy(p):
    np.testing.assert_allclose(bh(p), stats.false_discovery_control(p), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(by(p), stats.false_discovery_control(p, method="by"), rtol=1e-12, atol=1e-300)


def test_nan_passes_through_and_is_not_counted():
    q = bh([[0.01, np.nan], [0.02, np.nan]])
    np.testing.assert_allclose(q, [[0.02, np.nan], [0.02, np.nan]])
    assert np.isnan(by([np.nan])).all()
    assert bh([]).shape == (0,)


@pytest.mark.parametrize("p", [[-0.1], [0.2, 1.5]])
def test_what_is_no_probability_is_refused_by_value(p):
    with pytest.raises(ValueError, match=str(p[-1])):
        bh(p)
