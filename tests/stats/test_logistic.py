"""The two logistic fits against scikit-learn's, and against the conditions of an optimum."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from workbench.stats.logistic import class_weights, elastic_logistic, ridge_logistic, standardised


@pytest.fixture
def data():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((90, 6))
    return x, x[:, 0] + 0.5 * rng.standard_normal(90) > 0.6


@pytest.mark.parametrize("balanced", [True, False])
def test_the_ridge_fit_is_scikit_learns(data, balanced):
    x, y = data
    known = LogisticRegression(C=0.7, class_weight="balanced" if balanced else None, tol=1e-10, max_iter=5000)
    known.fit(x, y)
    found = ridge_logistic(x, y, c=0.7, balanced=balanced)
    assert found.converged
    np.testing.assert_allclose(found.coef, known.coef_[0], atol=1e-5)
    np.testing.assert_allclose(found.intercept, known.intercept_[0], atol=1e-5)


def test_separated_classes_have_a_finite_fit():
    x = np.r_[np.full(10, -1.0), np.full(10, 1.0)][:, None]
    found = ridge_logistic(x, x[:, 0] > 0)
    assert found.converged
    assert np.isfinite(found.coef).all()


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
@pytest.mark.parametrize("features", [6, 200])
def test_the_elastic_net_meets_the_conditions_of_an_optimum(features, l1_ratio):
    rng = np.random.default_rng(1)
    x = standardised(rng.standard_normal((80, features)))[0]
    y = x[:, 0] - x[:, 1] + rng.standard_normal(80) > 0
    c = 0.2
    found = elastic_logistic(x, y, c=c, l1_ratio=l1_ratio, tolerance=1e-9, steps=50_000)
    assert found.converged
    sign = np.where(y, 1.0, -1.0)
    pull = -c * class_weights(y, True) * sign / (1 + np.exp(sign * found.scores(x)))
    slope = x.T @ pull + (1 - l1_ratio) * found.coef
    on = found.coef != 0
    assert 0 < on.sum() < features or features == 6
    np.testing.assert_allclose(slope[on], -l1_ratio * np.sign(found.coef[on]), atol=1e-5)
    assert np.abs(slope[~on]).max(initial=0) <= l1_ratio + 1e-5
    assert abs(pull.sum()) < 1e-5


def test_the_lasso_is_scikit_learns(data):
    x, y = data
    found = elastic_logistic(x, y, c=0.3, tolerance=1e-9, steps=50_000)
    known = LogisticRegression(
        C=0.3, l1_ratio=1.0, solver="saga", class_weight="balanced", tol=1e-9, max_iter=50_000, random_state=0
    )
    known.fit(x, y)
    np.testing.assert_allclose(found.coef, known.coef_[0], atol=1e-4)


def test_a_fit_that_is_cut_short_says_so(data):
    x, y = data
    assert not elastic_logistic(x, y, c=50.0, steps=3).converged
