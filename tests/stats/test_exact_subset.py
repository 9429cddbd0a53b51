"""The exact best subset against brute force, its proof, and what happens when the time is up."""

import itertools

import numpy as np
import pytest

from workbench.stats import exact_subset


def objective(x, y, support, ridge):
    part = x[:, list(support)]
    b = np.linalg.solve(part.T @ part + ridge * np.eye(part.shape[1]), part.T @ y)
    residual = y - part @ b
    return (residual @ residual + ridge * b @ b) / (2 * len(y))


def brute(x, y, k, ridge):
    every = itertools.combinations(range(x.shape[1]), k)
    return min((objective(x, y, support, ridge), support) for support in every)


def problem(seed, n=40, features=9):
    rng = np.random.default_rng(seed)
    mix = np.eye(features) + 0.5 * rng.standard_normal((features, features))
    x = rng.standard_normal((n, features)) @ mix
    return x, x[:, 0] - x[:, 3] + rng.standard_normal(n) * 2


@pytest.mark.parametrize("few", [0, 10_000], ids=["planes", "all"])
@pytest.mark.parametrize(("k", "ridge"), [(1, 1.0), (2, 0.1), (3, 10.0), (9, 1.0)])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_the_subset_of_brute_force(seed, k, ridge, few):
    x, y = problem(seed)
    found = exact_subset(x, y, k, ridge=ridge, time_limit=60, few=few)
    best, support = brute(x, y, k, ridge)
    assert found.status == "optimal"
    assert found.support.tolist() == list(support)
    assert found.objective == pytest.approx(best, rel=1e-10)
    assert 0 <= found.gap <= 1e-7 * best
    assert found.coefficients.shape == (k,)


def test_without_a_ridge_it_is_the_best_least_squares_even_of_collinear_features():
    x, y = problem(4)
    x[:, 6] = 2 * x[:, 0]
    found = exact_subset(x, y, 2, ridge=0.0, time_limit=10)
    every = [np.linalg.lstsq(x[:, list(pair)], y)[1] for pair in itertools.combinations(range(9), 2)]
    assert found.objective == pytest.approx(min(float(rest[0]) for rest in every if rest.size) / 80)


def test_more_features_than_items():
    x, y = problem(2, n=6, features=12)
    found = exact_subset(x, y, 2, ridge=0.5, time_limit=60, few=0)
    assert found.support.tolist() == list(brute(x, y, 2, 0.5)[1])


def test_out_of_time_the_best_so_far_comes_back_with_a_true_gap():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 24)), rng.standard_normal(60)
    found = exact_subset(x, y, 4, ridge=0.1, time_limit=0.3, few=0)
    assert found.status == "time_limit"
    assert found.seconds < 5
    assert found.gap > 0
    assert found.objective == pytest.approx(objective(x, y, found.support, 0.1))
    best = brute(x, y, 4, 0.1)[0]
    assert found.objective - found.gap - 1e-12 <= best <= found.objective + 1e-12


def test_the_limit_of_planes_is_told_and_the_same_every_time():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 20)), rng.standard_normal(60)
    one, two = (exact_subset(x, y, 4, ridge=0.1, time_limit=60, few=0, cuts=15) for _ in range(2))
    assert (one.status, one.cuts, one.objective, one.gap) == ("cut_limit", two.cuts, two.objective, two.gap)


def test_a_constant_feature_and_zero_labels_do_no_harm():
    x, y = problem(1)
    x[:, 5] = 0
    assert 5 not in exact_subset(x, y, 3, ridge=1.0, time_limit=20, few=0).support
    assert exact_subset(x, np.zeros(40), 2, ridge=1.0, time_limit=20, few=0).objective == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 10}, "from 1 to the 9 features, got 10"),
        ({"k": 0}, "got 0"),
        ({"ridge": 0.0, "few": 0}, "ridge must be above 0 for 36 subsets"),
        ({"ridge": -1.0}, "got -1.0"),
        ({"time_limit": 0}, "time_limit"),
        ({"x": np.full((40, 9), np.nan)}, "finite"),
        ({"y": np.ones(3)}, r"\(3,\)"),
    ],
)
def test_bad_input_is_named(change, message):
    x, y = problem(0)
    kind = {"x": x, "y": y, "k": 2, "ridge": 1.0, "time_limit": 5, **change}
    with pytest.raises(ValueError, match=message):
        exact_subset(kind.pop("x"), kind.pop("y"), kind.pop("k"), **kind)
