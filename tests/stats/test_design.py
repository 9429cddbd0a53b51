"""Designs: permutations counted by hand, effects from tables of power, confounds from closed forms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from workbench.stats import contrast_map
from workbench.stats.design import (
    accuracy_p,
    balanced_folds,
    confound,
    detectable_effect,
    leveling_swaps,
    reachable_p,
    word_leak,
)


def sides(ones: int, others: int) -> np.ndarray:
    return np.arange(ones + others) < ones


@pytest.mark.parametrize(("n", "labellings"), [(2, 3), (3, 10), (4, 35), (5, 126), (8, 6435)])
def test_two_equal_sides_admit_so_many_labellings(n: int, labellings: int) -> None:
    found = reachable_p(sides(n, n))
    assert found.labellings == labellings
    assert found.smallest == 1 / labellings


@pytest.mark.parametrize(
    ("ones", "others", "p"), [(2, 2, 0.333), (3, 3, 0.1), (4, 4, 0.0286), (5, 5, 0.00794), (8, 8, 0.000155)]
)
def test_smallest_p_of_equal_sides(ones: int, others: int, p: float) -> None:
    assert reachable_p(sides(ones, others)).smallest == pytest.approx(p, rel=5e-3)


def test_unequal_sides_and_pairs() -> None:
    assert reachable_p(sides(2, 4)).labellings == 15, "the other side cannot be called positive: 6 choose 2"
    pairs = np.tile(np.arange(6), 2)
    assert reachable_p(sides(6, 6), pairs).labellings == 2**5
    uneven = np.array([0, 0, 0, 1, 1])  # one of three, one of two
    assert reachable_p(np.array([1, 0, 0, 1, 0], dtype=bool), uneven).labellings == 6
    assert reachable_p(np.ones(4, dtype=bool)).labellings == 1


@pytest.mark.parametrize("n", [3, 4, 5])
def test_a_perfect_feature_reaches_it(n: int) -> None:
    x = np.where(sides(n, n), 1.0, 0.0)[:, None] + np.linspace(0, 0.1, 2 * n)[:, None]
    assert contrast_map(x, sides(n, n), permutations=1000).p[0] == pytest.approx(reachable_p(sides(n, n)).smallest)


@pytest.mark.parametrize(("n", "d"), [(26, 0.8), (64, 0.5), (394, 0.2)])
def test_detectable_effects_are_those_of_cohens_table(n: int, d: float) -> None:
    """Cohen (1988), table 2.4.1: 26, 64 and 393 or 394 on each side for large, medium, small effects at 80 %."""
    assert detectable_effect(n, n) <= d < detectable_effect(n - 1, n - 1) + 2e-3


@pytest.mark.parametrize(("pairs", "d"), [(15, 0.8), (34, 0.5), (199, 0.2)])
def test_detectable_paired_effects(pairs: int, d: float) -> None:
    """The least numbers of pairs for 80 % power, as published for the paired t test."""
    assert detectable_effect(pairs, paired=True) <= d < detectable_effect(pairs - 1, paired=True)


@pytest.mark.parametrize(("n", "m"), [(2, 2), (5, 9), (50, 50), (400, 30)])
@pytest.mark.parametrize("power", [0.3, 0.8, 0.95])
def test_power_is_that_of_the_noncentral_t(n: int, m: int, power: float) -> None:
    d, freedom = detectable_effect(n, m, power=power), n + m - 2
    at = scipy_stats.t.isf(0.025, freedom)
    found = scipy_stats.nct(freedom, d * math.sqrt(n * m / (n + m)))
    wrong = np.nan_to_num(found.cdf(-at))  # NaN for 2 + 2, where it is 0 to many digits
    assert found.sf(at) + wrong == pytest.approx(power, abs=1e-4)


def test_a_detectable_effect_is_found_that_often() -> None:
    d, rng = detectable_effect(12, 20, alpha=0.01), np.random.default_rng(5)
    one, other = rng.normal(d, 1, (20_000, 12)), rng.normal(0, 1, (20_000, 20))
    found = (scipy_stats.ttest_ind(one, other, axis=1).pvalue < 0.01).mean()
    assert found == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 20_000))


def test_detectable_effects_at_the_edges() -> None:
    assert all(math.isnan(detectable_effect(*n)) for n in [(1, 1), (0, 5), (5, 0), (0, 0)])
    assert math.isnan(detectable_effect(1, paired=True))
    assert detectable_effect(50, 50, alpha=0.05 / 16_384) > detectable_effect(50, 50)
    assert math.isfinite(detectable_effect(2, 2, alpha=1e-7))


def test_auc_counts_ties_half() -> None:
    x, y = np.array([3.0, 2.0, 1.0, 2.0, 0.0]), sides(3, 2)
    found = confound(x, y, balanced_folds(y))
    pairs = [(a > b) + 0.5 * (a == b) for a, b in itertools.product(x[:3], x[3:])]
    assert found.auc == sum(pairs) / 6
    assert (found.mean_positive, found.mean_rest, found.known) == (2.0, 1.0, 5)
    assert confound(-x, y, balanced_folds(y)).auc == pytest.approx(1 - found.auc)


def test_a_perfect_confound_and_a_constant_one() -> None:
    y = sides(20, 20)
    folds = balanced_folds(y)
    for sign in (1, -1):
        perfect = confound(np.where(y, 5.0, 3.0) * sign, y, folds)
        assert (perfect.auc, perfect.accuracy) == ((1.0 if sign > 0 else 0.0), 1.0)
        assert perfect.p < 1e-8
    constant = confound(np.full(40, 7.0), y, folds)
    assert (constant.auc, constant.accuracy, constant.p, constant.status) == (0.5, 0.5, 1.0, "constant")


def test_accuracy_is_honest_under_noise() -> None:
    y, rng = sides(30, 30), np.random.default_rng(1)
    found = [confound(rng.normal(size=60), y, balanced_folds(y, seed=n)) for n in range(300)]
    assert np.mean([one.accuracy for one in found]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([one.p < 0.05 for one in found]) == pytest.approx(0.05, abs=0.04)


def test_unknown_numbers_are_left_out_and_counted() -> None:
    y = sides(4, 4)
    x = np.array([1.0, 2.0, np.nan, np.nan, 5.0, 6.0, 7.0, np.nan])
    found = confound(x, y, balanced_folds(y))
    assert (found.known, found.status, found.auc) == (5, "ok", 0.0)
    few = confound(np.where(y, np.nan, x), y, balanced_folds(y))
    assert few.status == "too_few"
    assert math.isnan(few.auc) and math.isnan(few.mean_positive)


def test_folds_hold_both_sides_evenly_and_never_split_an_item() -> None:
    y = sides(50, 50)
    folds = balanced_folds(y, folds=5, seed=3)
    assert all((folds[y] == fold).sum() == (folds[~y] == fold).sum() == 10 for fold in range(5))
    items = np.tile(np.arange(50), 2)
    paired = balanced_folds(y, items, folds=5, seed=3)
    np.testing.assert_array_equal(paired[:50], paired[50:])
    assert (np.bincount(paired) == 20).all()


def test_words_that_leak_have_fishers_p() -> None:
    y = sides(4, 4)
    held = np.array([[1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1]], dtype=bool).T
    found = word_leak(held, y, balanced_folds(y, folds=4))
    np.testing.assert_allclose(found.p, [2 / 70, 1.0, 1.0])
    np.testing.assert_allclose(found.positive, [1.0, 0.5, 1.0])
    np.testing.assert_allclose(found.rest, [0.0, 0.5, 1.0])
    assert found.accuracy == 1.0


def test_the_leak_agrees_with_sklearns_naive_bayes() -> None:
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import PredefinedSplit, cross_val_predict
    from sklearn.naive_bayes import BernoulliNB

    rng, y = np.random.default_rng(2), sides(30, 20)
    held = rng.random((50, 40)) < np.where(y[:, None], 0.3, 0.2)
    folds = balanced_folds(y, seed=1)
    guessed = cross_val_predict(BernoulliNB(fit_prior=False), held, y, cv=PredefinedSplit(folds))
    assert word_leak(held, y, folds).accuracy == pytest.approx(balanced_accuracy_score(y, guessed))


def test_no_words_leak_nothing() -> None:
    y = sides(3, 3)
    found = word_leak(np.zeros((6, 0), dtype=bool), y, balanced_folds(y))
    assert (found.p.size, found.accuracy) == (0, 0.5)


def test_the_chance_of_an_accuracy_by_guessing() -> None:
    assert accuracy_p(0.5, 50, 50) == 0.5
    exact = scipy_stats.binom.sf(59, 100, 0.5)  # 60 or more of 100
    assert accuracy_p(0.6, 50, 50) == pytest.approx(exact, abs=0.006)
    assert math.isnan(accuracy_p(0.6, 0, 5))


def test_swaps_level_a_length() -> None:
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.normal(12, 2, 40), rng.normal(10, 2, 40)]).round()
    y = sides(40, 40)
    used = np.arange(80) % 2 == 0
    swaps = leveling_swaps(values, y, used, most=20)
    now = used.copy()
    aucs = [confound(values[now], y[now], balanced_folds(y[now])).auc]
    for swap in swaps:
        assert now[swap.out] and not now[swap.into] and y[swap.out] == y[swap.into]
        now[swap.out], now[swap.into] = False, True
        aucs.append(confound(values[now], y[now], balanced_folds(y[now])).auc)
        assert aucs[-1] == pytest.approx(swap.auc)
    assert all(abs(b - 0.5) < abs(a - 0.5) for a, b in itertools.pairwise(aucs))
    assert abs(aucs[-1] - 0.5) < 0.02 < abs(aucs[0] - 0.5)
    assert now[y].sum() == used[y].sum()


def test_the_first_swap_is_the_best_of_all() -> None:
    rng = np.random.default_rng(8)
    values, y, used = rng.normal(size=14).round(1), sides(7, 7), np.array([1, 1, 1, 1, 0, 0, 0] * 2, dtype=bool)
    values[y] += 1
    found = leveling_swaps(values, y, used, most=1)[0]
    tried = []
    for out, into in itertools.product(np.flatnonzero(used), np.flatnonzero(~used)):
        if y[out] == y[into]:
            now = used.copy()
            now[out], now[into] = False, True
            above = values[now & y][:, None] - values[now & ~y]
            tried.append(abs(((np.sign(above) + 1) / 2).mean() - 0.5))
    assert abs(found.auc - 0.5) == pytest.approx(min(tried))


def test_without_two_sides_or_a_difference_nothing_is_swapped() -> None:
    y = sides(3, 3)
    assert leveling_swaps(np.arange(6.0), y, np.ones(6, dtype=bool)) == []
    assert leveling_swaps(np.zeros(6), y, np.array([1, 1, 0] * 2, dtype=bool)) == []
