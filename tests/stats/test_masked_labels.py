"""Masks that go with the labels: shuffles move labels among the seen stimuli alone, and p keeps its level."""

import numpy as np
import pytest

from workbench.stats.contrast import contrast_map, null_discoveries
from workbench.stats.contrast_design import checked_design
from workbench.stats.contrast_null import Rows, null_labellings
from workbench.stats.feature_null import feature_null
from workbench.stats.orders import random_orders, stimulus_orders
from workbench.stats.permutation import Shuffles, shuffled_labels

POSITIVE = np.arange(40) < 20
ITEMS = np.arange(40) % 20


def of_two_places(seed, features=60):
    """Two places of a window: all reach the first; three of 20 positives and every other sentence the second."""
    rng = np.random.default_rng(seed)
    x = (rng.random((40, 2, features)) < 0.4) * np.exp(rng.standard_normal((40, 2, features)))
    x[3:20, 1] = np.nan
    return x.reshape(40, -1)


@pytest.mark.parametrize("statistic", ["welch", "rate"])
def test_a_mask_that_goes_with_the_labels_makes_no_discoveries(statistic):
    found = [contrast_map(of_two_places(seed), POSITIVE, statistic=statistic, permutations=99, seed=seed)
             for seed in range(20)]  # fmt: skip
    late = np.concatenate([each.p[60:][each.status[60:] == "ok"] for each in found])
    assert np.mean(late <= 0.05) < 0.07  # 0.4 where labels of masked sentences move as well
    assert sum(np.nanmin(each.p_fwer) <= 0.05 for each in found) <= 4
    assert sum(each.discoveries() > 0 for each in found) <= 4


def test_stimuli_that_no_feature_sees_are_no_part_of_the_design():
    x = np.random.default_rng(0).standard_normal((40, 30))
    x[4:20], x[24:] = np.nan, np.nan
    seen = ~np.isnan(x).any(axis=1)
    masked, alone = (contrast_map(a, b) for a, b in ((x, POSITIVE), (x[seen], POSITIVE[seen])))
    assert masked.exhaustive
    assert masked.permutations == 69  # 8 choose 4, less the observed labelling
    assert masked.min_p == pytest.approx(2 / 70)
    for name in ("t", "p", "p_fwer", "q"):
        np.testing.assert_array_equal(getattr(masked, name), getattr(alone, name))
    pairs = contrast_map(np.where(seen[:, None], x, np.nan), POSITIVE, items=ITEMS, statistic="paired")
    assert (pairs.permutations, pairs.min_p) == (15, 2 / 16)


def test_nothing_left_to_test_is_a_status_and_no_error():
    x = np.random.default_rng(0).standard_normal((40, 3))
    x[:20] = np.nan
    assert contrast_map(x, POSITIVE).tested == 0
    x[20:30], x[:5] = np.nan, 0.0  # pairs that are all torn
    assert contrast_map(x, POSITIVE, items=np.arange(40) % 20, statistic="paired").tested == 0


def test_labels_move_among_the_seen_within_their_item():
    items = np.array([0, 1, 0, 1, 0, 1, 1])
    positive = np.array([1, 1, 0, 0, 1, 0, 1], dtype=bool)
    seen = np.array([1, 1, 0, 1, 1, 0, 1], dtype=bool)
    drawn = Shuffles(positive, items, 500, np.random.default_rng(0)).among(seen)
    assert not drawn[:, ~seen].any()
    for item in (0, 1):
        here = seen & (items == item)
        assert (drawn[:, here].sum(1) == positive[here].sum()).all()
    assert len(np.unique(drawn, axis=0)) == 3  # item 0 keeps two of two, item 1 has two of three
    whole = Shuffles(positive, items, 50, np.random.default_rng(3)).among(np.ones(7, dtype=bool))
    np.testing.assert_array_equal(whole, shuffled_labels(positive, items, 50, np.random.default_rng(3)))


def test_the_draws_of_one_feature_are_those_of_the_map():
    x = of_two_places(5)
    found = contrast_map(x, POSITIVE, permutations=200, seed=3)
    for feature in (2, 70):
        null = feature_null(x, POSITIVE, feature, permutations=200, seed=3)
        assert found.p[feature] == (null.exceeding + 1) / 201
        assert found.p_tail[feature] == null.p_tail


def test_the_null_arm_moves_the_same_labels():
    x = of_two_places(1)
    design = checked_design(x, POSITIVE, None, "welch", 50)[1]
    arm = Shuffles(POSITIVE, np.zeros(40, dtype=np.intp), 10, np.random.default_rng(0))
    rows = Rows(arm, null_labellings(x, design, "welch", 50, 0), design, "welch").among(~np.isnan(x[:, -1]))
    assert (rows.sum(axis=1) == 3).all()
    median, most = null_discoveries(x, POSITIVE, permutations=200, shuffles=10)
    assert median == 0
    assert most <= 3


def test_orders_of_the_kept_stimuli_stay_in_their_items():
    kept = np.ones(40, dtype=bool)
    kept[5:15] = False
    orders = stimulus_orders(ITEMS, 50, np.random.default_rng(0))
    closed = orders.among(kept)
    assert (ITEMS[kept][closed] == ITEMS[kept]).all()
    assert len(np.unique(closed, axis=0)) > 10
    rows = random_orders(ITEMS, 50, np.random.default_rng(0))
    np.testing.assert_array_equal(orders.among(np.ones(40, dtype=bool)), np.argsort(rows, axis=1))
