"""crossnobis and noise_ceiling against closed forms and rsatoolbox."""

import numpy as np
import pytest

from tests.stats import oracle
from workbench.stats import crossnobis, noise_ceiling


def test_crossnobis_is_rsatoolboxs():
    x = np.random.default_rng(0).standard_normal((24, 5))
    conditions, folds = np.tile(np.arange(4), 6), np.repeat(np.arange(3), 8)
    np.testing.assert_allclose(crossnobis(x, conditions, folds), oracle.crossnobis(x, conditions, folds), atol=1e-12)


def test_without_noise_it_is_the_squared_distance_per_channel():
    means = np.array([[0.0, 0, 0], [3, 0, 0], [0, 4, 0]])
    found = crossnobis(np.tile(means, (2, 1)), ["c", "a", "b"] * 2, np.repeat([0, 1], 3))
    # sorted: a, b, c
    np.testing.assert_allclose(found, np.array([[0, 25, 9], [25, 0, 16], [9, 16, 0]]) / 3)


def test_noise_alone_averages_to_zero():
    rng = np.random.default_rng(1)
    found = [crossnobis(rng.standard_normal((12, 40)), np.tile([0, 1], 6), np.repeat([0, 1, 2], 4)) for _ in range(400)]
    values = np.array(found)[:, 0, 1]
    assert abs(values.mean()) < 4 * values.std() / 20
    assert (values < 0).any()


def test_folds_that_both_conditions_have_count():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((7, 3))
    conditions, folds = np.array([0, 1, 0, 1, 0, 1, 0]), np.array([0, 0, 1, 1, 2, 2, 3])
    np.testing.assert_allclose(crossnobis(x, conditions, folds), crossnobis(x[:6], conditions[:6], folds[:6]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"conditions": [0, 0, 0, 0]}, "at least two conditions, got 1"),
        ({"folds": [0, 0, 0, 0]}, r"conditions 0 and 1 share 1 fold\(s\)"),
        ({"folds": [0, 1]}, r"folds has shape \(2,\), but x has 4 trials"),
        ({"x": [[np.nan]] * 4}, "finite, got nan at trial 0, channel 0"),
    ],
)
def test_crossnobis_says_what_is_wrong(change, says):
    good = {"x": np.ones((4, 1)), "conditions": [0, 1, 0, 1], "folds": [0, 0, 1, 1]}
    with pytest.raises(ValueError, match=says):
        crossnobis(**{**good, **change})


def test_identical_rdms_can_be_described_wholly():
    lower, upper = noise_ceiling(np.tile(np.random.default_rng(0).random(45), (4, 1)))
    assert (lower, upper) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.parametrize("k", [4, 9])
def test_independent_rdms_share_nothing_but_themselves(k):
    found = noise_ceiling(np.random.default_rng(k).standard_normal((k, 20_000)))
    assert found.lower == pytest.approx(0, abs=0.03)
    assert found.upper == pytest.approx(1 / np.sqrt(k), abs=0.02)


def test_noise_ceiling_is_rsatoolboxs():
    rdms = np.random.default_rng(3).random((6, 45)) + np.random.default_rng(4).random(45)
    np.testing.assert_allclose(noise_ceiling(rdms), oracle.noise_ceiling(rdms), atol=1e-12)


@pytest.mark.parametrize(
    ("rdms", "says"),
    [
        (np.ones((1, 3)), "at least two of each"),
        ([[1, 2, 3], [4, 4, 4]], "RDM 1 has the same value"),
        ([[1, 2, np.nan], [1, 2, 3]], "got nan in RDM 0, pair 2"),
    ],
)
def test_noise_ceiling_says_what_is_wrong(rdms, says):
    with pytest.raises(ValueError, match=says):
        noise_ceiling(rdms)
