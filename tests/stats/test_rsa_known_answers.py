"""rsa_map against closed forms, explicit RDMs, complete permutation distributions and rsatoolbox."""

import itertools

import numpy as np
import pytest

from tests.stats import oracle
from workbench.stats import (
    categorical_rdm,
    compare_rdms,
    contrast_map,
    cyclic_rdm,
    graded_rdm,
    rsa_map,
)
from workbench.stats.rdm import pair_vector
from workbench.stats.rsa_models import COMPARISONS


def score(x, model, comparison, **options):
    return float(rsa_map(np.asarray(x, dtype=float)[:, None], model, comparison=comparison, **options).score[0])


def random_model(rng, n):
    m = rng.random((n, n))
    return m + m.T


@pytest.mark.parametrize(("a", "b"), [(2, 2), (3, 5), (50, 50)])
def test_a_perfect_binary_feature_reaches_the_top_of_each_comparison(a, b):
    x = np.repeat([1.0, 0.0], [a, b])
    model = categorical_rdm(x.tolist())
    for comparison in ("corr", "cosine", "spearman", "cosine_cov", "corr_cov"):
        assert score(x, model, comparison) == pytest.approx(1, abs=1e-12), comparison
    within, between = a * (a - 1) / 2 + b * (b - 1) / 2, a * b
    total = within + between
    assert score(x, model, "tau-a") == pytest.approx(2 * within * between / (total * (total - 1)), rel=1e-12)
    assert score(x, model, "rho-a") == pytest.approx(3 * within * between / (total**2 - 1), rel=1e-12)


@pytest.mark.parametrize(
    ("comparison", "known"),
    [("cosine", 0.950437), ("corr", 0.973035), ("spearman", 1), ("tau-a", 0.833333), ("rho-a", 0.954545)],
)
def test_seven_steps_against_the_graded_model(comparison, known):
    assert score(np.arange(7), graded_rdm(np.arange(7)), comparison) == pytest.approx(known, abs=5e-7)


def test_rounding_of_equal_distances_makes_no_ranks():
    angles = 2 * np.pi * np.arange(7) / 7
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)[:, None, :] + 0.1  # (7, 1 set, 2 channels)
    model = cyclic_rdm(np.arange(7), 7)
    assert rsa_map(x, model, comparison="spearman").score[0] == pytest.approx(1, abs=1e-12)
    assert rsa_map(x, model, comparison="corr").score[0] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("n", [4, 7, 100])
@pytest.mark.parametrize("comparison", ["corr", "cosine", "cosine_cov", "corr_cov"])
def test_closed_forms_equal_explicit_rdms(n, channels, comparison):
    rng = np.random.default_rng(n)
    x, model = rng.standard_normal((n, 9, channels)) * 40 + 7, random_model(rng, n)
    found = rsa_map(x, model, comparison=comparison, permutations=3)
    known = [compare_rdms(pair_vector(d), pair_vector(model), comparison) for d in oracle.distances(x)]
    np.testing.assert_allclose(found.score, known, atol=1e-10)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("n", [4, 9, 30])
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_scores_are_rsatoolboxs(n, sparse, comparison):
    rng = np.random.default_rng(n)
    x = rng.standard_normal((n, 6))
    if sparse:
        x = np.maximum(np.round(x, 1), 0)
        x[:2] = [[1], [2]]  # no feature is constant
    for model in (random_model(rng, n), categorical_rdm((np.arange(n) % 2).tolist()), graded_rdm(np.arange(n) % 4)):
        found = rsa_map(x, model, comparison=comparison, permutations=3)
        np.testing.assert_allclose(found.score, oracle.scores(x, model, comparison), atol=1e-10)


def test_compare_rdms_is_rsatoolboxs():
    rng = np.random.default_rng(2)
    a, b = random_model(rng, 12), np.round(random_model(rng, 12), 1)
    for comparison in COMPARISONS:
        known = oracle.compare(oracle.RDMs(pair_vector(a)[None]), oracle.RDMs(pair_vector(b)[None]), method=comparison)
        assert compare_rdms(a, b, comparison) == pytest.approx(known[0, 0], abs=1e-10), comparison


def test_effect_of_two_categories_is_the_difference_of_mean_distances():
    x = np.random.default_rng(0).standard_normal((9, 4)) * 3
    model = categorical_rdm(list("aaaabbbbb"))
    between = pair_vector(model) == 1
    d = pair_vector(oracle.distances(x))
    found = rsa_map(x, model)
    np.testing.assert_allclose(found.effect, d[:, between].mean(1) - d[:, ~between].mean(1), rtol=1e-12)


def test_two_balanced_categories_say_nothing_beyond_t_squared():
    x = np.random.default_rng(1).standard_normal((40, 50))
    positive = np.arange(40) < 20
    found, contrast = rsa_map(x, categorical_rdm(positive.tolist())), contrast_map(x, positive)
    pooled = (x[positive].var(0, ddof=1) + x[~positive].var(0, ddof=1)) / 2
    np.testing.assert_allclose(found.effect, 2 * pooled / 20 * (contrast.t**2 - 1), rtol=1e-9)


def every_p(x, model, comparison):
    """The share of all orders of the stimuli whose score is at least the observed one."""
    d = pair_vector(oracle.distances(x[:, None]))[0]
    orders = np.array(list(itertools.permutations(range(x.size))))
    found = [compare_rdms(d, pair_vector(model[np.ix_(order, order)]), comparison) for order in orders]
    return (np.array(found) >= found[0] - 1e-9).mean()


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_exhaustive_p_is_the_share_of_all_orders(comparison):
    rng = np.random.default_rng(3)
    x, model = rng.standard_normal(5), graded_rdm([0, 1, 1, 2, 3])
    found = rsa_map(x[:, None], model, comparison=comparison)
    assert found.exhaustive
    assert found.permutations == 119
    assert found.p[0] == found.p_fwer[0] == pytest.approx(every_p(x, model, comparison), rel=1e-12)


def test_p_fwer_is_the_largest_score_of_each_order():
    rng = np.random.default_rng(4)
    x, model = rng.standard_normal((5, 8)), random_model(rng, 5)
    d = pair_vector(oracle.distances(x))
    orders = list(itertools.permutations(range(5)))
    found = np.array([[compare_rdms(f, pair_vector(model[np.ix_(o, o)])) for f in d] for o in orders])  # (120, 8)
    known = (found.max(axis=1)[:, None] >= found[0] - 1e-9).mean(axis=0)
    np.testing.assert_allclose(rsa_map(x, model).p_fwer, known, rtol=1e-12)


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_sampled_p_is_near_the_exact_one(comparison):
    rng = np.random.default_rng(5)
    x, model = rng.standard_normal((6, 12)), graded_rdm([0, 0, 1, 1, 2, 2])
    exact = rsa_map(x, model, comparison=comparison)
    sampled = rsa_map(x, model, comparison=comparison, permutations=700)
    assert (exact.exhaustive, sampled.exhaustive) == (True, False)
    np.testing.assert_allclose(sampled.p, exact.p, atol=5 * 0.5 / np.sqrt(700))
    np.testing.assert_allclose(sampled.p * 701, np.round(sampled.p * 701), atol=1e-9)


def test_stimuli_move_only_within_items():
    # two blocks of three: 3! x 3! orders
    x = np.array([0.0, 1, 3, 10, 12, 17])[:, None]
    found = rsa_map(x, graded_rdm(np.arange(6)), items=[0, 0, 0, 1, 1, 1])
    assert found.permutations == 35


@pytest.mark.parametrize("comparison", ["corr", "cosine", "spearman"])
def test_partial_scores_are_those_of_the_residuals(comparison):
    rng = np.random.default_rng(6)
    x, model, other = rng.standard_normal((12, 5)), random_model(rng, 12), random_model(rng, 12)
    found = rsa_map(x, model + other, comparison=comparison, nuisance=[other, 2 * other], permutations=9)

    def vector(pairs):
        if comparison == "spearman":
            pairs = pairs.argsort().argsort().astype(float)
        return pairs if comparison == "cosine" else pairs - pairs.mean()

    z = vector(pair_vector(other))
    m = vector(pair_vector(model + other))

    def residual(v):
        return v - z * (v @ z) / (z @ z)

    known = []
    for d in pair_vector(oracle.distances(x)):
        a, b = residual(vector(d)), residual(m)
        known.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    np.testing.assert_allclose(found.score, known, atol=1e-10)


@pytest.mark.parametrize("comparison", ["corr", "cosine"])
def test_few_eigenvalues_and_all_pairs_agree(comparison):
    """A model of rank two goes the short way with one channel, the long way with fifteen, all but one silent."""
    rng = np.random.default_rng(7)
    x, model, other = rng.standard_normal((24, 6)), cyclic_rdm(np.arange(24) % 7, 7), random_model(rng, 24)
    wide = np.concatenate([x[:, :, None], np.zeros((24, 6, 14))], axis=2)
    for nuisance in ((), (other,)):
        short, long = (rsa_map(v, model, comparison=comparison, nuisance=nuisance) for v in (x, wide))
        for name in ("score", "p", "p_fwer", "q", "effect"):
            np.testing.assert_allclose(getattr(short, name), getattr(long, name), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("comparison", ["corr", "cosine", "spearman"])
def test_the_effect_holds_the_nuisances_as_a_regression_does(comparison):
    rng = np.random.default_rng(8)
    length = rng.standard_normal(30)
    model = categorical_rdm((np.arange(30) % 3).tolist())
    nuisance = np.square(length[:, None] - length) + model  # the two go together
    x = length[:, None] * [1.0, 0.5, 0.0] + rng.standard_normal((30, 3))
    found = rsa_map(x, model, comparison=comparison, nuisance=[nuisance], permutations=0)
    pairs = np.triu_indices(30, 1)
    columns = np.stack([np.ones(pairs[0].size), model[pairs], nuisance[pairs]], axis=1)
    for feature in range(3):
        distances = np.square(x[:, None, feature] - x[:, feature])[pairs]
        assert found.effect[feature] == pytest.approx(np.linalg.lstsq(columns, distances, rcond=None)[0][1], rel=1e-9)


def test_the_score_without_a_nuisance_is_the_partial_correlation():
    rng = np.random.default_rng(9)
    x, other = rng.standard_normal((12, 1)), rng.random((12, 12))
    other = other + other.T
    model = categorical_rdm((np.arange(12) % 2).tolist())
    found = rsa_map(x, model, nuisance=[other], permutations=0)
    pairs = np.triu_indices(12, 1)
    d, m, z = np.square(x - x.T)[pairs], model[pairs], other[pairs]
    r = np.corrcoef([d, m, z])
    partial = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert found.score[0] == pytest.approx(partial, rel=1e-9)
