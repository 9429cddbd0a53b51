"""Metrics against scikit-learn, intervals that hold what they say, and adaptive thresholding."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from workbench.stats import adaptive_subsets, binary_metrics, sparsity_grid
from workbench.stats.metrics import METRICS


def test_values_are_scikit_learns():
    rng = np.random.default_rng(0)
    y = rng.random(200) < 0.3
    scores = np.round(rng.standard_normal(200) + y, 1)  # with ties
    found = binary_metrics(y, scores, samples=50)
    called = scores > 0
    known = {
        "accuracy": sklearn_metrics.accuracy_score(y, called),
        "f1": sklearn_metrics.f1_score(y, called),
        "mcc": sklearn_metrics.matthews_corrcoef(y, called),
        "precision": sklearn_metrics.precision_score(y, called),
        "recall": sklearn_metrics.recall_score(y, called),
        "auc": sklearn_metrics.roc_auc_score(y, scores),
    }
    assert set(found) == set(METRICS)
    for name, value in known.items():
        assert found[name].value == pytest.approx(value, abs=1e-12), name
        assert found[name].interval[0] <= value <= found[name].interval[1]


def test_ties_that_rounding_tears_are_ties():
    rng = np.random.default_rng(5)
    y = rng.random(100) < 0.5
    scores = np.round(rng.standard_normal(100), 1)
    torn = scores + 1e-8 * rng.standard_normal(100)
    plain = binary_metrics(y, scores, samples=50)["auc"]
    assert binary_metrics(y, torn, samples=50)["auc"] == plain
    assert plain.value == pytest.approx(sklearn_metrics.roc_auc_score(y, scores), abs=1e-12)
    assert abs(sklearn_metrics.roc_auc_score(y, torn) - plain.value) > 1e-4
    apart = scores + 1e-4 * rng.standard_normal(100)
    assert binary_metrics(y, apart)["auc"].value == pytest.approx(sklearn_metrics.roc_auc_score(y, apart), abs=1e-12)
    assert binary_metrics(y, np.ones(100))["auc"].value == 0.5


def test_bootstrap_samples_are_weighted_as_scikit_learn_weighs():
    """The interval of AUC against one made of scikit-learn's AUC on the same resampled items."""
    rng = np.random.default_rng(1)
    y, scores = rng.random(80) < 0.5, rng.standard_normal(80)
    scores[y] += 1
    found = binary_metrics(y, scores, samples=2000, seed=3)["auc"]
    drawn = [rng.integers(0, 80, 80) for _ in range(2000)]
    known = np.quantile([sklearn_metrics.roc_auc_score(y[rows], scores[rows]) for rows in drawn], [0.025, 0.975])
    np.testing.assert_allclose(found.interval, known, atol=0.02)


def test_what_is_undefined_is_nan_and_not_0():
    y = np.array([True, True, False, False])
    found = binary_metrics(y, -np.ones(4))
    assert np.isnan(found["precision"].value)
    assert np.isnan(found["mcc"].value)
    assert found["recall"].value == 0
    assert found["f1"].value == 0
    assert np.isnan(binary_metrics(np.ones(4, dtype=bool), np.arange(4.0))["auc"].value)


def test_intervals_of_grouped_items_are_wider():
    rng = np.random.default_rng(0)
    y = np.repeat(rng.random(20) < 0.5, 10)
    scores = np.repeat(rng.standard_normal(20), 10) + 0.5 * y
    groups = np.repeat(np.arange(20), 10)
    wide = binary_metrics(y, scores, groups=groups)["accuracy"].interval
    assert np.ptp(wide) > 2 * np.ptp(binary_metrics(y, scores)["accuracy"].interval)


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        binary_metrics([True, False], [np.nan, 1.0])


def test_the_grid_is_that_of_sparse_probing():
    assert sparsity_grid(2048, 256) == [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256]
    assert sparsity_grid(5, 256) == [1, 2, 3, 4, 5]


def test_adaptive_thresholding_keeps_what_matters_and_nests():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 60))
    y = x[:, 4] + x[:, 9] - x[:, 30] + 0.3 * rng.standard_normal(200) > 0
    kept = adaptive_subsets(x, y, [3, 16, 8])
    assert {*kept[3].tolist()} == {4, 9, 30}
    assert {*kept[3].tolist()} < {*kept[8].tolist()} < {*kept[16].tolist()}
    with pytest.raises(ValueError, match="k = 61"):
        adaptive_subsets(x, y, [61])
