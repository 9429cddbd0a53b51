"""Orders of features: against scikit-learn and scipy, ties by the rule, undefined last, the same every time."""

import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn.feature_selection import f_classif, mutual_info_classif

from workbench.stats import pair_scores, rank_units, scored_units
from workbench.stats.rank_units import METHODS, SELECTS

Y = np.arange(40) % 3 == 0


@pytest.fixture
def x():
    found = np.random.default_rng(2).standard_normal((40, 12))
    found[Y, 7] += 3
    return found


@pytest.mark.parametrize("method", [name for name in METHODS if name != "random"])
def test_a_planted_feature_is_first(x, method):
    order = rank_units(x, Y, method)
    assert order[0] == 7
    assert sorted(order.tolist()) == list(range(12))


@pytest.mark.parametrize("method", METHODS)
def test_the_same_call_gives_the_same_order(x, method):
    assert rank_units(x, Y, method).tolist() == rank_units(x, Y, method).tolist()


@pytest.mark.parametrize("labels", [Y.astype(int), np.where(Y, 1, -1), np.where(Y, "yes", "no"), Y.astype(float)])
def test_labels_may_be_of_any_kind(x, labels):
    assert rank_units(x, labels, "f_stat").tolist() == rank_units(x, Y, "f_stat").tolist()


def test_scores_are_those_of_scikit_learn_and_scipy(x):
    np.testing.assert_allclose(scored_units(x, Y, "f_stat").score, f_classif(x, Y)[0], rtol=1e-9)
    known = mutual_info_classif(x, Y, n_neighbors=3, random_state=0)
    np.testing.assert_allclose(scored_units(x, Y, "mutual_info").score, known, atol=1e-12)
    welch = stats.ttest_ind(x[Y], x[~Y], equal_var=False).statistic
    np.testing.assert_allclose(scored_units(x, Y, "contrast").score, np.abs(welch), rtol=1e-9)
    np.testing.assert_allclose(scored_units(x, Y, "mean_difference").score, np.abs(x[Y].mean(0) - x[~Y].mean(0)))
    assert rank_units(x, Y, "f_stat").tolist() == np.argsort(-f_classif(x, Y)[0]).tolist()


def test_random_orders_differ_by_seed_and_say_nothing_of_the_labels(x):
    assert rank_units(x, Y, "random", seed=1).tolist() != rank_units(x, Y, "random", seed=2).tolist()
    assert rank_units(x, ~Y, "random", seed=1).tolist() == rank_units(x, Y, "random", seed=1).tolist()


def test_equal_scores_go_by_the_difference_of_means_and_then_by_index():
    base = np.where(Y, 1.0, 0.0)
    x = np.stack([base, 3 * base, base, 0.1 * (1 - base)], axis=1)  # all separate perfectly: t is infinite
    for select in ("contrast", "f_stat"):
        assert scored_units(x, Y, select).order.tolist() == [1, 0, 2, 3]


@pytest.mark.parametrize("select", SELECTS)
def test_constant_and_masked_features_come_last_with_a_status(x, select):
    x[:, 3], x[5, 1] = 4.2, np.nan
    found = scored_units(x, Y, select)
    assert found.order[-2:].tolist() == [1, 3]
    assert (found.status[1], found.status[3], found.usable) == ("masked", "constant", 10)
    assert np.isnan(found.score[[1, 3]]).all()


@pytest.mark.parametrize("select", SELECTS)
def test_all_features_constant_is_an_order_without_scores(select):
    found = scored_units(np.ones((40, 3)), Y, select)
    assert (found.usable, found.order.tolist()) == (0, [0, 1, 2])


@pytest.mark.parametrize("kind", ["discriminative", "categorical"])
def test_pair_scores_are_those_of_explicit_distances(x, kind):
    x[:, 4] = np.maximum(x[:, 4], 0.5) + 1e6  # a large offset must not cancel the digits away
    x[:, 5] = Y
    pairs = list(itertools.combinations(range(40), 2))
    sort = np.array(["between" if Y[i] != Y[j] else "within" if Y[i] else "rest" for i, j in pairs])
    other = "between" if kind == "discriminative" else "rest"
    weights = (sort == other) / (sort == other).sum() - (sort == "within") / (sort == "within").sum()
    distances = np.array([(x[i] - x[j]) ** 2 for i, j in pairs])
    known = [np.corrcoef(column, weights)[0, 1] for column in distances.T]
    np.testing.assert_allclose(pair_scores(x, Y, kind), known, rtol=1e-6, atol=1e-9)


def test_pair_scores_are_positive_when_the_positives_are_more_alike():
    rng = np.random.default_rng(0)
    x = np.where(Y, 0.1, 2.0)[:, None] * rng.standard_normal((40, 50))
    assert (pair_scores(x, Y, "categorical") > 0).all()
    assert (pair_scores(x, Y, "discriminative") > 0).all()
    assert (pair_scores(x, ~Y, "categorical") < 0).all()


@pytest.mark.parametrize(
    ("y", "message"),
    [(np.ones(40), "two classes, got 1"), (np.arange(40), "two classes, got 40"), (np.ones(39), r"\(39,\)")],
)
def test_labels_that_are_not_two_classes_are_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        rank_units(x, y, "f_stat")


def test_infinite_activations_and_unknown_methods_are_refused(x):
    with pytest.raises(ValueError, match="'best'"):
        rank_units(x, Y, "best")
    with pytest.raises(ValueError, match="'contrast'"):
        rank_units(x, Y, "contrast")
    x[2, 3] = np.inf
    with pytest.raises(ValueError, match="item 2, unit 3"):
        rank_units(x, Y, "f_stat")
