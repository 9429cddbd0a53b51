"""What rsa_map promises of every input: invariances, statuses, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.stats import (
    categorical_rdm,
    categorical_rsa,
    compare_models,
    cyclic_rdm,
    discriminative_rsa,
    factorial_rdms,
    graded_rdm,
    overlap_rdm,
    rsa_map,
    rsa_null_discoveries,
)
from workbench.stats.rdm import pair_vector
from workbench.stats.rsa_models import COMPARISONS

N = 10
MODEL = graded_rdm([0, 0, 0, 1, 1, 2, 2, 3, 3, 3])
NUMBERS = ("score", "p", "p_fwer", "q", "effect", "p_tail")
comparisons = st.sampled_from(COMPARISONS)


@st.composite
def activations(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    x = rng.standard_normal((N, draw(st.integers(1, 6))))
    if draw(st.booleans()):
        x = np.round(np.maximum(x, 0), 1)
    if draw(st.booleans()):
        x[rng.random(x.shape) < 0.3] = np.nan
    return x


def rsa(x, model=MODEL, comparison="corr", **options):
    return rsa_map(x, model, comparison=comparison, **{"permutations": 30, **options})


@settings(deadline=None, max_examples=30)
@given(activations(), comparisons)
def test_numbers_are_in_range_or_nan_with_a_reason(x, comparison):
    found = rsa(x, comparison=comparison)
    ok = found.status == "ok"
    for name in NUMBERS:
        values = getattr(found, name)
        assert values.shape == (x.shape[1],)
        assert np.isfinite(values[ok]).all(), name
        assert np.isnan(values[~ok]).all(), name
    for name in ("p", "p_fwer", "q", "p_tail"):
        assert ((getattr(found, name)[ok] > 0) & (getattr(found, name)[ok] <= 1)).all(), name
    assert (np.abs(found.score[ok]) <= 1).all()
    assert (found.p_fwer[ok] >= found.p[ok] - 1e-12).all()


@settings(deadline=None, max_examples=30)
@given(activations(), comparisons, st.sampled_from([-3.0, 0.01, 250.0]), st.floats(-50, 50))
def test_scale_sign_and_offset_of_a_feature_leave_its_scores(x, comparison, scale, offset):
    x = np.round(x, 3)
    found, moved = rsa(x, comparison=comparison), rsa(scale * (x + offset), comparison=comparison)
    np.testing.assert_array_equal(moved.status, found.status)
    np.testing.assert_allclose(moved.score, found.score, atol=1e-7)
    np.testing.assert_allclose(moved.effect, scale**2 * found.effect, rtol=1e-6, atol=1e-9 * scale**2)


@settings(deadline=None, max_examples=30)
@given(activations(), comparisons, st.randoms(use_true_random=False))
def test_permuting_stimuli_and_model_together_leaves_everything_but_the_draws(x, comparison, random):
    order = random.sample(range(N), N)
    found, permuted = rsa(x, comparison=comparison), rsa(x[order], MODEL[np.ix_(order, order)], comparison)
    np.testing.assert_array_equal(permuted.status, found.status)
    for name in ("score", "effect"):
        np.testing.assert_allclose(getattr(permuted, name), getattr(found, name), atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(activations(), st.randoms(use_true_random=False), comparisons)
def test_reordering_the_features_reorders_the_answer(x, random, comparison):
    order = random.sample(range(x.shape[1]), x.shape[1])
    found, reordered = rsa(x, comparison=comparison), rsa(x[:, order], comparison=comparison)
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(reordered, name), getattr(found, name)[order], atol=1e-9)


@pytest.mark.parametrize("comparison", ["corr", "spearman", "rho-a", "tau-a", "corr_cov"])
def test_scale_and_offset_of_the_model_leave_the_scores(comparison):
    x = np.random.default_rng(0).standard_normal((N, 20))
    found, moved = rsa(x, comparison=comparison), rsa(x, 7 * MODEL + 3, comparison)
    np.testing.assert_allclose(moved.score, found.score, atol=1e-10)
    np.testing.assert_array_equal(moved.p, found.p)


def test_a_masked_stimulus_is_as_good_as_absent():
    rng = np.random.default_rng(1)
    x, model = rng.standard_normal((N, 5)), MODEL
    x[[1, 6]] = np.nan
    kept = ~np.isnan(x[:, 0])
    for comparison in COMPARISONS:
        masked = rsa(x, comparison=comparison, permutations=2000)
        absent = rsa(x[kept], model[np.ix_(kept, kept)], comparison, permutations=2000)
        np.testing.assert_allclose(masked.score, absent.score, atol=1e-10)
        np.testing.assert_allclose(masked.p, absent.p, atol=0.06)
        assert (masked.seen == 8).all()


def test_masking_one_feature_leaves_the_others_alone():
    x = np.random.default_rng(2).standard_normal((N, 5))
    holed = x.copy()
    holed[::3, 0] = np.nan
    for name in ("score", "p", "effect"):
        np.testing.assert_allclose(getattr(rsa(holed), name)[1:], getattr(rsa(x), name)[1:], atol=1e-12)


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_undefined_features_have_a_reason_and_no_number(comparison):
    x = np.random.default_rng(3).standard_normal((N, 6))
    x[:, 0] = 4.0
    x[:, 1] = np.nan
    x[2:, 2] = np.nan
    x[3:, 3] = np.nan  # three stimuli of one level of the model
    x[:, 4] = 0.0
    found = rsa(x, comparison=comparison)
    assert found.status.tolist() == ["constant", "masked", "too_few", "too_few", "constant", "ok"]
    for name in NUMBERS:
        assert np.isnan(getattr(found, name)[:5]).all(), name
    assert found.tested == 1
    # a feature that is not tested is not in the count of the correction
    assert found.q[0:5].tolist() != [1.0] * 5
    assert found.q[5] == found.p_tail[5]


def test_equidistant_stimuli_are_constant():
    x = np.eye(4)[:, None, :]  # four corners of a simplex
    for comparison in ("corr", "spearman", "rho-a", "tau-a"):
        assert rsa(x, graded_rdm(np.arange(4)), comparison).status[0] == "constant"


def test_what_the_nuisance_explains_whole_is_said():
    x = np.random.default_rng(4).standard_normal((N, 2))
    of_first = np.square(x[:, None, 0] - x[:, 0])
    found = rsa(x, nuisance=[of_first])
    assert found.status.tolist() == ["explained", "ok"]
    assert np.isnan(found.p[0])


def test_a_confound_explains_a_score_away():
    rng = np.random.default_rng(5)
    lengths = np.r_[rng.normal(0, 1, 20), rng.normal(3, 1, 20)]
    x = (lengths + 0.3 * rng.standard_normal(40))[:, None]
    model = categorical_rdm((np.arange(40) < 20).tolist())
    nuisance = np.square(lengths[:, None] - lengths)
    assert rsa(x, model).score[0] > 0.4
    assert abs(rsa(x, model, nuisance=[nuisance]).score[0]) < 0.15


def test_p_does_not_depend_on_the_block_a_feature_is_in():
    rng = np.random.default_rng(6)
    x = rng.standard_normal((N, 1200))
    many, few = rsa(x, permutations=200), rsa(x[:, :5], permutations=200)
    np.testing.assert_array_equal(many.p[:5], few.p)


def test_single_precision_permutations_keep_p():
    rng = np.random.default_rng(7)
    x, model = rng.standard_normal((70, 4000)), rng.random((70, 70))
    model = model + model.T
    many, few = rsa(x, model, permutations=600), rsa(x[:, :40], model, permutations=600)
    np.testing.assert_allclose(many.p[:40], few.p, atol=1.01 / 601)
    np.testing.assert_allclose(many.score[:40], few.score, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model_rdm": np.triu(MODEL)}, "model_rdm is not symmetric"),
        ({"model_rdm": MODEL[:5, :5]}, r"model_rdm has shape \(5, 5\), but there are 10 stimuli"),
        ({"model_rdm": np.where(MODEL == 1, np.nan, MODEL)}, "model_rdm must be finite, got nan"),
        ({"model_rdm": np.ones((N, N))}, "same value for all pairs"),
        ({"nuisance": [MODEL[:5, :5]]}, r"nuisance\[0\] has shape"),
        ({"nuisance": [2 * MODEL + 1]}, "combination of the nuisance"),
        ({"nuisance": [MODEL**2], "comparison": "tau-a"}, "cannot be left out of 'tau-a'"),
        ({"comparison": "pearson"}, "unknown comparison 'pearson'; choose one of corr"),
        ({"x": np.full((N, 2), np.inf)}, "got inf at stimulus 0, feature 0"),
        ({"x": np.zeros(N)}, r"got shape \(10,\)"),
        ({"permutations": -1}, "must not be negative"),
        ({"items": np.arange(N)}, "none can move"),
        ({"items": [1, 2]}, r"items has shape \(2,\)"),
    ],
)
def test_errors_name_what_is_wrong(change, says):
    good = {"x": np.random.default_rng(0).standard_normal((N, 2)), "model_rdm": MODEL, "permutations": 5}
    with pytest.raises(ValueError, match=says):
        rsa_map(**{**good, **change})


def test_memory_does_not_grow_with_features_times_pairs():
    import tracemalloc

    x = np.random.default_rng(8).standard_normal((60, 6000)).astype(np.float32)
    rsa(x[:, :600], permutations=20, model=graded_rdm(np.arange(60)), comparison="spearman")
    tracemalloc.start()
    rsa(x, permutations=20, model=graded_rdm(np.arange(60)), comparison="spearman")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6000 * (60 * 59 / 2) * 8  # less than the features' RDMs: 85 MB


def test_discriminative_and_categorical_rsa_have_their_sign():
    rng = np.random.default_rng(9)
    positive = np.arange(40) < 15
    tight = np.where(positive, 5 + 0.1 * rng.standard_normal(40), 5 * rng.standard_normal(40))
    loose = np.where(positive, 5 * rng.standard_normal(40), 5 + 0.1 * rng.standard_normal(40))
    x = np.stack([tight, loose], axis=1)
    d = np.square(x[:, None] - x[None]).transpose(2, 0, 1)
    apart = ~np.eye(40, dtype=bool)
    between, within, rest = (
        np.array([f[mask].mean() for f in d])
        for mask in (
            positive[:, None] & ~positive,
            positive[:, None] & positive & apart,
            ~positive[:, None] & ~positive & apart,
        )
    )
    found = discriminative_rsa(x, positive), categorical_rsa(x, positive)
    np.testing.assert_allclose(found[0].effect, between - within, rtol=1e-10)
    np.testing.assert_allclose(found[1].effect, rest - within, rtol=1e-10)
    for result in found:
        assert result.p[0] < 0.01
        assert result.score[0] > 0 > result.score[1]
    with pytest.raises(ValueError, match="needs 2 positive"):
        categorical_rsa(x, np.arange(40) < 1)


def test_factorial_models_are_the_three_effects():
    first, second = list("aabb"), list("xyxy")
    found = factorial_rdms(first, second)
    assert pair_vector(found.first).tolist() == [0, 1, 1, 1, 1, 0]
    assert pair_vector(found.second).tolist() == [1, 0, 1, 1, 0, 1]
    assert pair_vector(found.interaction).tolist() == [1, 1, 0, 0, 1, 1]
    with pytest.raises(ValueError, match="second factor must have two levels, got 3"):
        factorial_rdms(first, list("xyzz"))


def test_cyclic_and_overlap_and_one_against_the_rest():
    assert cyclic_rdm([0, 6], 12)[0, 1] == pytest.approx(2)
    assert cyclic_rdm([1, 13], 12)[0, 1] == pytest.approx(0)
    assert pair_vector(overlap_rdm([{"a", "b"}, {"b", "c"}, set()])).tolist() == pytest.approx([2 / 3, 1, 1])
    assert pair_vector(categorical_rdm(list("abc"), one="a")).tolist() == [1, 1, 0]
    with pytest.raises(ValueError, match="'z' is no category; there are 'a', 'b'"):
        categorical_rdm(list("ab"), one="z")


def test_the_better_model_is_told_apart_and_equals_are_not():
    rng = np.random.default_rng(10)
    steps = np.repeat(np.arange(6), 5)
    x = (steps + 0.5 * rng.standard_normal(30))[:, None]
    graded, wrong = graded_rdm(steps) ** 2, categorical_rdm((np.arange(30) % 3).tolist())
    found = compare_models(x, [graded, wrong, graded], bootstraps=300)
    assert found.scores[0] == pytest.approx(rsa(x, graded).score[0], abs=1e-10)
    assert found.p[0, 1] == pytest.approx(2 / 301)
    assert found.p[0, 2] == 1
    assert found.low[0] < found.scores[0] < found.high[0]


def test_whitened_models_that_are_equally_good_are_rarely_told_apart():
    first, second = np.arange(40) % 2, np.arange(40) // 2 % 2
    models = [categorical_rdm(first.tolist()), categorical_rdm(second.tolist())]
    rng, told, widths, scores = np.random.default_rng(0), 0, [], []
    for seed in range(60):
        x = np.stack([first, second], axis=1) + rng.standard_normal((40, 2))
        found = compare_models(x, models, comparison="corr_cov", bootstraps=100, seed=seed)
        told += found.p[0, 1] <= 0.05
        widths.append(found.high[0] - found.low[0])
        scores.append(found.scores[0])
        assert found.low[0] < found.scores[0] < found.high[0]
    assert told <= 6
    assert 0.85 < np.mean(widths) / (2 * 1.96 * np.std(scores)) < 1.6  # 0.75 by the different stimuli of a bootstrap


def test_null_discoveries_judges_a_shuffle_as_the_map_does():
    x = np.random.default_rng(11).standard_normal((N, 300))
    assert rsa_null_discoveries(x, MODEL, permutations=50, shuffles=3, alpha=2.0) == (300.0, 300)
    assert rsa_null_discoveries(x, MODEL, permutations=50, shuffles=5, alpha=1e-9) == (0.0, 0)
    with pytest.raises(ValueError, match="shuffles must be at least 1"):
        rsa_null_discoveries(x, MODEL, shuffles=0)
