"""Paired AUCs: values of scikit-learn, an interval that covers, a level that holds."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from workbench.stats.delong import auc_interval, compare_auc


def test_the_area_is_scikit_learns_with_ties():
    rng = np.random.default_rng(0)
    y = rng.random(70) < 0.4
    scores = np.round(rng.standard_normal(70) + y, 1)
    area, low, high = auc_interval(y, scores)
    assert area == pytest.approx(roc_auc_score(y, scores), abs=1e-12)
    assert low < area < high


def test_the_error_is_that_of_the_bootstrap():
    rng = np.random.default_rng(1)
    y = np.arange(300) < 120
    a, b = rng.standard_normal(300) + y, rng.standard_normal(300) + 0.6 * y
    found = compare_auc(y, a, b)
    drawn = []
    for _ in range(1500):
        rows = np.r_[rng.integers(0, 120, 120), rng.integers(120, 300, 180)]
        drawn.append(roc_auc_score(y[rows], a[rows]) - roc_auc_score(y[rows], b[rows]))
    assert np.ptp(found.interval) / (2 * 1.96) == pytest.approx(np.std(drawn), rel=0.12)


def test_two_scores_alike_do_not_differ():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2 == 0
    scores = rng.standard_normal(60)
    assert compare_auc(y, scores, 3 * scores + 1).p == 1.0
    hits = sum(compare_auc(y, rng.standard_normal(60), rng.standard_normal(60)).p < 0.05 for _ in range(300))
    assert 3 <= hits <= 30


def test_one_item_of_a_class_is_refused():
    with pytest.raises(ValueError, match="got 1 and 3"):
        compare_auc([True, False, False, False], [1, 2, 3, 4], [1, 2, 3, 4])


def test_items_of_one_group_count_as_few():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2 == 0
    a, b = rng.standard_normal(40) + y, rng.standard_normal(40)
    alone = compare_auc(y, a, b)
    each = compare_auc(y, a, b, groups=np.arange(40))
    assert np.ptp(each.interval) == pytest.approx(np.ptp(alone.interval), rel=0.05)
    copies = compare_auc(np.repeat(y, 5), np.repeat(a, 5), np.repeat(b, 5), groups=np.repeat(np.arange(40), 5))
    assert np.ptp(copies.interval) == pytest.approx(np.ptp(each.interval), rel=1e-6)
    assert np.ptp(compare_auc(np.repeat(y, 5), np.repeat(a, 5), np.repeat(b, 5)).interval) < 0.6 * np.ptp(each.interval)


def test_a_difference_without_any_spread_is_no_proof():
    y = np.array([True, True, False, False])
    found = compare_auc(y, [3, 4, 1, 2], [1, 2, 3, 4])
    assert found.difference == 1.0
    assert found.p == 2 / 2**4  # all signs alike, of sixteen
    assert compare_auc(y, [3, 4, 1, 2], [1, 2, 3, 4], groups=[0, 1, 0, 1]).p == 2 / 2**2
