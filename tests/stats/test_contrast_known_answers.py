"""contrast_map against scipy, closed forms and the complete permutation distribution of tiny designs."""

import itertools

import numpy as np
import pytest
from scipy import stats

from workbench.stats import contrast_map

POSITIVE = np.arange(24) < 10
PAIRED, PAIRS = np.arange(24) % 2 == 0, np.arange(24) // 2


@pytest.fixture
def x():
    rng = np.random.default_rng(3)
    dense = rng.standard_normal((24, 6)) * [1e-3, 1, 50, 1, 1, 1] + [0, 0, 1e4, 5, -3, 0]
    return np.concatenate([dense, np.round(np.maximum(rng.standard_normal((24, 6)), 0), 1)], axis=1)


@pytest.fixture
def masked(x):
    return np.where(np.random.default_rng(4).random(x.shape) < 0.2, np.nan, x)


@pytest.mark.parametrize("which", ["x", "masked"])
def test_welch_is_scipys(which, request):
    x = request.getfixturevalue(which)
    found = contrast_map(x, POSITIVE, permutations=20)
    known = stats.ttest_ind(x[POSITIVE], x[~POSITIVE], equal_var=False, nan_policy="omit")
    np.testing.assert_allclose(found.t, np.asarray(known.statistic), rtol=1e-9)
    np.testing.assert_allclose(found.p_parametric, np.asarray(known.pvalue), rtol=1e-9)
    np.testing.assert_allclose(found.effect, np.nanmean(x[POSITIVE], 0) - np.nanmean(x[~POSITIVE], 0), rtol=1e-9)


@pytest.mark.parametrize("which", ["x", "masked"])
def test_mann_whitney_is_scipys(which, request):
    x = request.getfixturevalue(which)
    found = contrast_map(x, POSITIVE, statistic="mann_whitney", permutations=20)
    for j in range(x.shape[1]):
        a, b = (g[~np.isnan(g)] for g in (x[POSITIVE, j], x[~POSITIVE, j]))
        known = stats.mannwhitneyu(a, b, use_continuity=False, method="asymptotic")
        assert found.p_parametric[j] == pytest.approx(known.pvalue, rel=1e-9)
        assert found.auc[j] == pytest.approx(known.statistic / (a.size * b.size), rel=1e-12)
        assert found.n_positive[j] == a.size
        assert found.n_rest[j] == b.size
        assert np.sign(found.t[j]) == np.sign(found.auc[j] - 0.5)


@pytest.mark.parametrize("which", ["x", "masked"])
def test_paired_is_scipys_over_whole_pairs(which, request):
    x = request.getfixturevalue(which)
    found = contrast_map(x, PAIRED, items=PAIRS, statistic="paired", permutations=20)
    a, b = x[PAIRED], x[~PAIRED]
    for j in range(x.shape[1]):
        whole = ~np.isnan(a[:, j] - b[:, j])
        known = stats.ttest_rel(a[whole, j], b[whole, j])
        assert found.t[j] == pytest.approx(known.statistic, rel=1e-8)
        assert found.p_parametric[j] == pytest.approx(known.pvalue, rel=1e-8)
        assert found.n_positive[j] == found.n_rest[j] == whole.sum()
        assert found.effect[j] == pytest.approx((a - b)[whole, j].mean(), rel=1e-9)


def test_paired_finds_the_pairs_in_any_order_and_drops_the_incomplete(x):
    order = np.random.default_rng(0).permutation(24)
    names = np.array([f"pair {i}" for i in PAIRS])
    straight = contrast_map(x, PAIRED, items=names, statistic="paired", permutations=20)
    shuffled = contrast_map(x[order], PAIRED[order], items=names[order], statistic="paired", permutations=20)
    np.testing.assert_allclose(shuffled.t, straight.t, rtol=1e-12)
    short = contrast_map(x[1:], PAIRED[1:], items=names[1:], statistic="paired", permutations=20)
    np.testing.assert_allclose(short.t, stats.ttest_rel(x[2::2], x[3::2]).statistic, rtol=1e-8)


def test_rate_is_welch_on_firing(x):
    found = contrast_map(x, POSITIVE, statistic="rate", permutations=20)
    fires = (x > 0).astype(float)
    ok = found.status == "ok"
    known = stats.ttest_ind(fires[POSITIVE][:, ok], fires[~POSITIVE][:, ok], equal_var=False)
    np.testing.assert_allclose(found.t[ok], known.statistic, rtol=1e-9)
    share = fires[POSITIVE].mean(0) - fires[~POSITIVE].mean(0)
    np.testing.assert_allclose(found.rate_difference[ok], share[ok], atol=1e-15)


def test_d_is_the_difference_in_pooled_deviations():
    x = np.array([[1.0], [3.0], [2.0], [6.0], [8.0], [7.0]])
    found = contrast_map(x, np.arange(6) >= 3)
    assert found.d[0] == pytest.approx(5.0)  # means 2 and 7, both variances 1


def test_d_z_of_pairs_is_the_mean_difference_in_its_own_deviations():
    x = np.array([[5.0], [9.0], [2.0], [1.0], [3.0], [0.0]])  # differences 4, 6, 2: mean 4, deviation 2
    items, positive = np.tile(np.arange(3), 2), np.arange(6) < 3
    found = contrast_map(x, positive, items=items, statistic="paired")
    assert found.d_z[0] == pytest.approx(2.0)
    assert found.d[0] == pytest.approx(4 / np.sqrt((74 / 3 + 14 / 3) / 4)), "d stays that of two groups"
    assert np.isnan(contrast_map(x, positive, items=items).d_z).all()
    same = contrast_map(
        np.array([[2.0], [3.0], [1.0], [2.0]]), np.arange(4) < 2, items=[0, 1, 0, 1], statistic="paired"
    )
    assert same.d_z[0] == np.inf


@pytest.mark.parametrize(("n", "smallest"), [(2, 1 / 3), (3, 0.1), (4, 2 / 70), (5, 2 / 252)])
def test_smallest_p_of_small_balanced_designs(n, smallest):
    x = np.concatenate([np.arange(n), 100 + np.arange(n)])[:, None] + 0.0
    found = contrast_map(x, np.arange(2 * n) >= n)
    assert found.p[0] == found.p_fwer[0] == found.min_p == pytest.approx(smallest, rel=1e-12)
    assert found.exhaustive


def every_p(statistic_of, labels, observed):
    """The exact two-sided p: the share of all labellings at least as extreme, ties up to rounding included."""
    sizes = np.abs([statistic_of(row) for row in labels])
    return (sizes >= abs(statistic_of(observed)) * (1 - 1e-9)).mean()


@pytest.mark.parametrize(("n", "ones"), [(8, 4), (8, 3), (7, 2)])
@pytest.mark.parametrize("statistic", ["welch", "mann_whitney"])
def test_exhaustive_p_is_the_share_of_all_labellings(n, ones, statistic):
    x = np.random.default_rng(n).standard_normal((n, 1))
    labels = [np.isin(np.arange(n), c) for c in itertools.combinations(range(n), ones)]

    def of(row):
        if statistic == "welch":
            return stats.ttest_ind(x[row, 0], x[~row, 0], equal_var=False).statistic
        return stats.mannwhitneyu(x[row, 0], x[~row, 0]).statistic - ones * (n - ones) / 2

    observed = labels[3]
    found = contrast_map(x, observed, statistic=statistic)
    assert found.permutations == len(labels) - 1
    assert found.p[0] == pytest.approx(every_p(of, labels, observed), rel=1e-12)


def test_exhaustive_p_of_pairs_is_the_share_of_all_sign_flips():
    d = np.array([0.5, 1.0, 2.0, -0.25, 1.5])
    x = np.concatenate([d, np.zeros(5)])[:, None]
    found = contrast_map(x, np.arange(10) < 5, items=np.arange(10) % 5, statistic="paired")
    sums = np.array([np.dot(signs, d) for signs in itertools.product([-1, 1], repeat=5)])
    assert found.permutations == 31
    assert found.p[0] == pytest.approx((np.abs(sums) >= d.sum()).mean(), rel=1e-12)


def test_labels_move_only_within_items():
    # each item has its own level; within items the positive is always higher: 2 of 2^4 labellings are as extreme
    x = np.array([0.0, 1, 10, 11, 20, 21, 30, 31])[:, None]
    positive = np.arange(8) % 2 == 1
    assert contrast_map(x, positive, items=np.arange(8) // 2).p[0] == pytest.approx(2 / 16)
    assert contrast_map(x, positive).p[0] > 0.5


def test_sampled_p_is_near_the_exact_one_and_never_zero():
    x = np.random.default_rng(1).standard_normal((16, 40))
    positive = np.arange(16) < 8
    exact = contrast_map(x, positive, permutations=20_000)
    sampled = contrast_map(x, positive, permutations=4000, seed=5)
    assert exact.exhaustive
    assert not sampled.exhaustive
    np.testing.assert_allclose(sampled.p, exact.p, atol=5 * 0.5 / np.sqrt(4000))
    assert sampled.p.min() >= 1 / 4001
    scaled = sampled.p * 4001
    np.testing.assert_allclose(scaled, np.round(scaled), atol=1e-8)


def test_p_fwer_is_the_largest_t_of_each_labelling():
    x = np.random.default_rng(2).standard_normal((6, 30))
    labels = [np.isin(np.arange(6), c) for c in itertools.combinations(range(6), 3)]
    t = np.abs([stats.ttest_ind(x[row], x[~row], equal_var=False).statistic for row in labels])  # (20, 30)
    found = contrast_map(x, labels[0])
    known = (t.max(1)[:, None] >= t[0] * (1 - 1e-9)).mean(0)
    np.testing.assert_allclose(found.p_fwer, known, rtol=1e-12)
    assert (found.p_fwer >= found.p - 1e-15).all()


def test_ties_count_as_extreme():
    # one firing: every labelling gives the same |t|, whatever the rounding of the sums
    x = np.zeros((20, 1))
    x[2] = 0.1
    assert contrast_map(x, np.arange(20) < 10, permutations=500).p[0] == 1.0


def test_a_masked_stimulus_is_as_good_as_absent(x):
    masked = x.copy()
    masked[[0, 5, 20]] = np.nan
    kept = ~np.isnan(masked[:, 0])
    with_mask = contrast_map(masked, POSITIVE, permutations=4000)
    without = contrast_map(x[kept], POSITIVE[kept], permutations=4000)
    np.testing.assert_allclose(with_mask.t, without.t, rtol=1e-9)
    np.testing.assert_allclose(with_mask.p, without.p, atol=0.04)


def test_masking_one_feature_leaves_the_others_alone(x):
    masked = x.copy()
    masked[::3, 0] = np.nan
    whole, holed = (contrast_map(v, POSITIVE, permutations=200) for v in (x, masked))
    np.testing.assert_array_equal(whole.p[1:], holed.p[1:])
    np.testing.assert_array_equal(whole.t[1:], holed.t[1:])
