"""Permutation tests of a difference of means: exact p of small designs, family-wise error, one q for two scores."""

import itertools

import numpy as np
import pytest

from workbench.stats import label_tests, scored_units


def test_p_is_that_of_every_labelling():
    x = np.round(np.random.default_rng(0).standard_normal((8, 5)), 1)
    y = np.array([1, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    every = [np.isin(np.arange(8), rows) for rows in itertools.combinations(range(8), 3)]
    for method, in_units in (("mean_difference", True), ("f_stat", False)):
        found = label_tests(x, y, np.ones(5, dtype=bool), in_units=in_units, permutations=1000)
        assert found.permutations == 55
        scores = np.array([scored_units(x, labels, method).score for labels in every])
        seen = scored_units(x, y, method).score
        np.testing.assert_allclose(found.p, (scores >= seen - 1e-9).mean(0))
        np.testing.assert_allclose(found.p_fwer, (scores.max(1)[:, None] >= seen - 1e-9).mean(0))


def test_a_planted_feature_is_found_and_noise_is_not():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((60, 800)), np.arange(60) < 20
    x[y, 5] += 3
    defined = np.ones(800, dtype=bool)
    defined[9] = False
    found = label_tests(x, y, defined, in_units=False)
    assert np.flatnonzero(found.q < 0.05).tolist() == [5]
    assert found.p_fwer[5] < 0.01
    assert np.isnan([found.p[9], found.p_fwer[9], found.q[9]]).all()
    assert found.null_discoveries == 0


def test_labels_that_move_within_groups_only_cannot_find_a_difference_between_groups():
    groups = np.repeat(np.arange(10), 6)
    x = (groups % 2 * 3.0)[:, None] + np.random.default_rng(0).standard_normal((60, 1))
    y = np.random.default_rng(1).random(60) < np.where(groups % 2, 0.9, 0.1)
    assert label_tests(x, y, np.ones(1, bool), in_units=False).p[0] < 0.01
    assert label_tests(x, y, np.ones(1, bool), in_units=False, groups=groups).p[0] > 0.05


@pytest.mark.parametrize("in_units", [True, False])
def test_family_wise_error_on_noise_holds(in_units):
    hits = 0
    for seed in range(100):
        x = np.random.default_rng(seed).standard_normal((24, 50)) * np.geomspace(0.1, 10, 50)
        found = label_tests(
            x, np.arange(24) < 9, np.ones(50, bool), in_units=in_units, permutations=99, seed=seed, shuffles=1
        )
        hits += found.p_fwer.min() <= 0.05
    assert hits <= 12  # 100 draws at .05 exceed 12 with probability .001
