"""Agreement of two analyses, against SciPy and against pairings that are known."""

import numpy as np
import pytest
from scipy import stats

from workbench.stats.agreement import match_features, overlap, rank_correlation

RNG = np.random.default_rng(0)


def test_rank_correlation_is_spearmans_with_ties() -> None:
    a, b = RNG.integers(0, 6, 50).astype(float), RNG.standard_normal(50).round(1)
    assert rank_correlation(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)


def test_undefined_pairs_are_left_out_and_infinite_ones_rank_at_the_ends() -> None:
    a = np.array([1.0, 2.0, np.nan, 3.0, np.inf])
    b = np.array([1.0, 2.0, 0.0, 3.0, 4.0])
    assert rank_correlation(a, b) == pytest.approx(1.0)
    assert np.isnan(rank_correlation([1.0, np.nan], [1.0, 2.0]))
    assert np.isnan(rank_correlation([1.0, 1.0], [1.0, 2.0]))


def test_overlap_is_hypergeometric() -> None:
    first, second = np.arange(100) < 20, np.arange(100) % 5 < 1
    found = overlap(first, second)
    assert (found.first, found.second, found.both, found.expected) == (20, 20, 4, 4.0)
    assert found.p == pytest.approx(stats.hypergeom.sf(3, 100, 20, 20))
    assert overlap(first, first).p == pytest.approx(stats.hypergeom.pmf(20, 100, 20, 20))
    assert overlap(first, np.zeros(100, dtype=bool)).p == 1


def test_overlap_of_other_things_is_refused() -> None:
    with pytest.raises(ValueError, match="boolean"):
        overlap(np.zeros(3), np.zeros(3))


def test_shuffled_features_find_their_way_back() -> None:
    x = RNG.standard_normal((60, 30))
    order = RNG.permutation(30)
    y = 2.5 * x[:, order] + 0.05 * RNG.standard_normal((60, 30)) + 1
    found = match_features(x, y)
    np.testing.assert_array_equal(order[found.partner], np.arange(30))
    assert found.reciprocal.all()
    assert (found.correlation > 0.99).all()
    assert np.isnan(found.cosine).all()


def test_directions_decide_between_features_that_do_the_same() -> None:
    x = RNG.standard_normal((40, 2))
    y = np.concatenate([x[:, [0]], x[:, [0]], x[:, [1]]], axis=1)
    found = match_features(x, y, np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
    assert found.partner.tolist() == [1, 2]
    assert found.cosine.tolist() == pytest.approx([1.0, 1.0])


def test_constant_features_have_no_partner_and_are_none() -> None:
    x, y = RNG.standard_normal((20, 3)), RNG.standard_normal((20, 2))
    x[:, 1], y[:, 0] = 4.0, 0.0
    found = match_features(x, y)
    assert found.partner.tolist() == [1, -1, 1]
    assert np.isnan(found.correlation[1])
    assert not found.reciprocal[1]
    assert found.reciprocal.sum() == 1


def test_masked_stimuli_count_in_neither() -> None:
    x = RNG.standard_normal((30, 4))
    y = x.copy()
    y[3] = np.nan
    assert match_features(x, y).correlation.tolist() == pytest.approx([1.0] * 4)


def test_other_stimuli_and_other_units_are_refused() -> None:
    with pytest.raises(ValueError, match="share their stimuli"):
        match_features(np.zeros((3, 2)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="one width"):
        match_features(np.zeros((3, 2)), np.zeros((3, 2)), np.zeros((2, 5)), np.zeros((2, 6)))
