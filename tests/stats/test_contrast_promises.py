"""What contrast_map promises of every input: invariances, statuses, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.stats import contrast_map, null_discoveries
from workbench.stats.two_groups import STATISTICS

N = 12
ITEMS = np.arange(N) % (N // 2)
BALANCED = np.arange(N) < N // 2
NUMBERS = ("t", "effect", "p", "p_fwer", "q", "d", "auc", "rate_difference", "n_positive", "p_parametric", "p_tail")


@st.composite
def activations(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    x = rng.standard_normal((N, draw(st.integers(1, 8))))
    if draw(st.booleans()):
        x = np.round(np.maximum(x, 0), 1)
    if draw(st.booleans()):
        x[rng.random(x.shape) < 0.3] = np.nan
    return x


def contrast(x, positive=BALANCED, statistic="welch", **options):
    items = ITEMS if statistic == "paired" else None
    return contrast_map(x, positive, items=items, statistic=statistic, permutations=30, **options)


any_statistic = st.sampled_from(STATISTICS)


@settings(deadline=None, max_examples=25)
@given(activations(), any_statistic)
def test_swapping_the_labels_flips_the_sign(x, statistic):
    found, swapped = contrast(x, statistic=statistic), contrast(x, ~BALANCED, statistic)
    for name in ("t", "effect", "d", "rate_difference"):
        np.testing.assert_allclose(getattr(swapped, name), -getattr(found, name), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(swapped.auc, 1 - found.auc, atol=1e-12)
    np.testing.assert_array_equal(swapped.status, found.status)


@settings(deadline=None, max_examples=25)
@given(activations(), any_statistic, st.randoms(use_true_random=False))
def test_reordering_the_features_reorders_the_answer(x, statistic, random):
    order = random.sample(range(x.shape[1]), x.shape[1])
    found, reordered = contrast(x, statistic=statistic), contrast(x[:, order], statistic=statistic)
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(reordered, name), getattr(found, name)[order], rtol=1e-7, atol=1e-12)
    np.testing.assert_array_equal(reordered.status, found.status[order])


@settings(deadline=None, max_examples=25)
@given(activations(), st.sampled_from(["welch", "paired", "mann_whitney"]), st.floats(1e-3, 1e3), st.floats(-50, 50))
def test_scale_and_offset_leave_t_and_p_alone(x, statistic, scale, offset):
    x = np.round(x, 3)  # distinct values stay distinct, equal ones equal, after the shift
    found, moved = contrast(x, statistic=statistic), contrast(scale * x + offset * scale, statistic=statistic)
    np.testing.assert_array_equal(moved.status, found.status)
    np.testing.assert_allclose(moved.t, found.t, rtol=1e-6, atol=1e-9)
    if statistic != "mann_whitney":  # a shift can break ties of ranks by rounding
        np.testing.assert_allclose(moved.effect, scale * found.effect, rtol=1e-6, atol=1e-9 * scale)
        np.testing.assert_allclose(moved.p, found.p, atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(activations(), any_statistic)
def test_numbers_are_probabilities_or_nan_with_a_reason(x, statistic):
    found = contrast(x, statistic=statistic)
    ok = found.status == "ok"
    for name in NUMBERS:
        values = getattr(found, name)
        assert values.shape == (x.shape[1],)
        assert not np.isnan(values[ok]).any(), name
        assert np.isnan(values[~ok]).all(), name
    for name in ("p", "p_fwer", "q", "p_tail", "p_parametric", "auc"):
        values = getattr(found, name)[ok]
        assert ((values >= 0) & (values <= 1)).all(), name
    assert found.tested == ok.sum()


@pytest.mark.parametrize("statistic", STATISTICS)
def test_undefined_features_have_a_status_and_no_numbers(statistic):
    x = np.random.default_rng(0).standard_normal((N, 6))
    x[:, 1] = 0.1
    x[:, 2] = np.nan
    x[1:6, 3] = np.nan  # one positive left
    x[:, 4] = 0.0
    found = contrast(x, statistic=statistic)
    assert found.status.tolist() == ["ok", "constant", "masked", "too_few", "constant", "ok"]
    for name in NUMBERS:
        assert np.isnan(getattr(found, name)[1:5]).all()
    clean = contrast(x[:, [0, 5]], statistic=statistic)
    np.testing.assert_allclose(found.q[[0, 5]], clean.q, rtol=1e-9)


def test_a_constant_offset_of_rounding_is_constant():
    x = np.full((N, 1), 0.1 * 3)
    x[::2] = 0.3  # differs from 0.1 * 3 in the last bit
    assert contrast(x).status[0] == "constant"


def test_a_feature_that_always_fires_has_no_rate():
    x = 1 + np.random.default_rng(0).random((N, 1))
    assert contrast(x, statistic="rate").status[0] == "constant"
    assert contrast(x, statistic="welch").status[0] == "ok"


@pytest.mark.parametrize("statistic", ["welch", "paired", "rate"])
@pytest.mark.parametrize("sign", [1, -1])
def test_separation_without_variance_is_infinite(statistic, sign):
    x = np.where(BALANCED, sign, 0.0)[:, None] + (1.1 if statistic != "rate" else 0)
    x = x if statistic != "rate" else np.where((sign > 0) == BALANCED, 1.0, 0.0)[:, None]
    found = contrast_map(x, BALANCED, items=ITEMS, statistic=statistic, permutations=1000)
    assert found.t[0] == sign * np.inf
    assert found.d[0] == sign * np.inf
    assert found.p[0] == found.p_fwer[0] == found.q[0] == pytest.approx(2 / 64)  # 2^6 labellings within pairs
    assert found.p_parametric[0] == 0


@pytest.mark.parametrize("scale", [1e-200, 1e200, 5e-324])
def test_activations_at_the_ends_of_float64_neither_overflow_nor_vanish(scale):
    x = scale * np.where(BALANCED, 3.0, 1.0)[:, None]
    assert contrast(x).t[0] == np.inf


def test_too_few_stimuli_is_a_status_not_an_error():
    found = contrast_map(np.random.default_rng(0).standard_normal((4, 3)), np.array([True, False, False, False]))
    assert (found.status == "too_few").all()
    assert found.tested == 0


@pytest.mark.parametrize("permutations", [0, 1, 5])
def test_few_permutations_are_no_error(permutations):
    x = np.random.default_rng(0).standard_normal((40, 5))
    found = contrast_map(x, np.arange(40) < 20, permutations=permutations)
    assert (found.p >= 1 / (permutations + 1)).all()
    assert ((found.q >= 0) & (found.q <= 1)).all()


def test_q_is_not_limited_by_the_number_of_permutations():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 2000))
    positive = np.arange(100) < 50
    x[positive, 0] += 3
    found = contrast_map(x, positive, permutations=50)
    assert found.p[0] == pytest.approx(1 / 51)
    assert found.q[0] < 1e-6
    assert found.discoveries() == 1


def test_no_features_is_an_empty_map():
    found = contrast_map(np.zeros((6, 0)), np.arange(6) < 3)
    assert found.t.shape == found.q.shape == found.status.shape == (0,)


def test_seeds_repeat_and_differ():
    x = np.random.default_rng(0).standard_normal((30, 20))
    positive = np.arange(30) < 15
    a, b, c = (contrast_map(x, positive, permutations=99, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(a.p, b.p)
    assert (a.p != c.p).any()
    np.testing.assert_array_equal(a.t, c.t)


def test_strata_and_blocks_leave_p_alone():
    x = np.random.default_rng(0).standard_normal((20, 5000)).astype(np.float32)
    positive = np.arange(20) < 9
    whole, part = (contrast_map(v, positive, permutations=50) for v in (x, x[:, 4990:]))
    np.testing.assert_array_equal(whole.p[4990:], part.p)


X = np.zeros((4, 2))
HALF = np.array([True, True, False, False])


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((X, HALF[:3]), {}, r"\(3,\)"),
        ((X[0], HALF), {}, r"shape \(2,\)"),
        ((X, HALF.astype(int)), {}, "int64"),
        ((X, HALF), {"statistic": "anova"}, "anova"),
        ((X, ~HALF & HALF), {}, "no positive stimulus"),
        ((X, HALF | ~HALF), {}, "no rest stimulus"),
        ((X, HALF), {"items": [1, 2]}, r"items has shape \(2,\)"),
        ((X, HALF), {"items": [1, 1, 2, 2]}, "none of the 2 items"),
        ((X, HALF), {"statistic": "paired"}, "None"),
        ((X, HALF), {"statistic": "paired", "items": ["a", "a", "a", "b"]}, "'a'"),
        ((X, HALF), {"permutations": -1}, "-1"),
        ((X.astype(complex), HALF), {}, "complex128"),
        ((np.array([[0.0, 0], [0, np.inf], [0, 0], [0, 0]]), HALF), {}, "stimulus 1, feature 1"),
    ],
)
def test_errors_name_the_value(arguments, options, said):
    with pytest.raises(ValueError, match=said):
        contrast_map(*arguments, **options)


def test_null_discoveries_needs_a_shuffle():
    with pytest.raises(ValueError, match="0"):
        null_discoveries(X, HALF, shuffles=0)
