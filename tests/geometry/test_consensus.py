"""Consensus over halves of the data: planted clusters exactly, and noise said to be noise."""

from functools import cache

import numpy as np
import pytest
from scipy.cluster.hierarchy import cut_tree
from scipy.sparse import csr_array

from workbench.geometry import (
    activation_affinity,
    adjusted_rand_index,
    affinity,
    best_jaccard,
    consensus_clusters,
    consensus_range,
    number_curve,
    recurrence,
    replicated_clusters,
    spectral_embedding,
    steadiest_number,
)
from workbench.geometry.consensus import DOUBTFUL, RECURRENT

UNEQUAL = np.repeat(np.arange(8), [3, 4, 5, 6, 8, 10, 12, 16])
EQUAL = np.repeat(np.arange(6), 10)
TOKENS = 2000


def fired(groups, alone, seed=0):
    """Activations in which a group's features fire on the group's own tokens, and on any other with chance `alone`."""
    rng = np.random.default_rng(seed)
    on = rng.integers(0, groups.max() + 1, TOKENS)
    fires = (on[:, None] == groups) & (rng.random((TOKENS, groups.size)) < 0.8)
    fires |= rng.random(fires.shape) < alone
    return fires * rng.exponential(size=fires.shape)


def noise(seed=0):
    rng = np.random.default_rng(seed)
    return rng.exponential(size=(TOKENS, 64)) * (rng.random((TOKENS, 64)) < 0.1)


def embedded(activations):
    similarity = activation_affinity(activations)
    return spectral_embedding(similarity, consensus_range(similarity.shape[0])[1])


def found(activations, splits=3, runs=30, seed=0):
    rng, half = np.random.default_rng(seed), len(activations) // 2
    order = [rng.permutation(len(activations)) for _ in range(splits)]
    pairs = [(embedded(activations[rows[:half]]), embedded(activations[rows[half:]])) for rows in order]
    return replicated_clusters(pairs, runs=runs, seed=seed)


@cache
def planted():
    return found(fired(UNEQUAL, 0.02))


def alone_or_not(labels):
    clusters = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    return [cluster for cluster in clusters if cluster.size > 1]


@pytest.mark.parametrize(("groups", "alone"), [(UNEQUAL, 0.1), (EQUAL, 0.02), (EQUAL, 0.0)])
def test_planted_clusters_are_found_without_their_number(groups, alone):
    seen = found(fired(groups, alone))
    assert seen.chosen == groups.max() + 1
    assert adjusted_rand_index(seen.labels, groups) == 1


def test_planted_clusters_of_unequal_size_come_back_in_every_half():
    seen = planted()
    assert adjusted_rand_index(seen.labels, UNEQUAL) == 1
    assert (seen.numbers[0], seen.numbers[-1]) == consensus_range(64) == (4, 16)
    assert seen.agreement > 0.9
    assert recurrence(alone_or_not(seen.labels), seen.halves).min() >= RECURRENT


def test_noise_replicates_at_no_number():
    seen = found(noise())
    assert np.abs(seen.curves.mean(axis=0)).max() < 0.08
    assert abs(seen.agreement) < 0.08
    assert np.median(recurrence(alone_or_not(seen.labels), seen.halves)) < DOUBTFUL


def test_the_number_is_the_largest_within_one_standard_error_of_the_best():
    curves = np.array([[0.50, 0.90, 0.85, 0.80], [0.50, 0.80, 0.81, 0.60]])  # best mean 0.85 at 3, error 0.05
    assert steadiest_number([2, 3, 4, 5], curves) == 4
    assert steadiest_number([2, 3, 4, 5], curves - [0, 0, 0.04, 0]) == 3
    assert steadiest_number([2, 3], np.ones((2, 2))) == 3  # of equals the most that is told apart


def test_features_that_never_fire_are_alone():
    activations = fired(UNEQUAL, 0.02)
    activations[:, [0, 50]] = 0
    seen = found(activations, splits=2, runs=20)
    assert seen.consensus.isolated.nonzero()[0].tolist() == [0, 50]
    assert (seen.labels == seen.labels[0]).sum() == (seen.labels == seen.labels[50]).sum() == 1
    others = np.delete(np.arange(64), [0, 50])
    assert adjusted_rand_index(seen.labels[others], UNEQUAL[others]) == 1


def test_a_feature_that_fires_in_one_half_alone_is_with_its_group_in_that_one():
    activations = fired(EQUAL, 0.0)
    activations[: TOKENS // 2, 7] = 0
    first, second = embedded(activations[: TOKENS // 2]), embedded(activations[TOKENS // 2 :])
    assert first.isolated[7]
    assert not second.isolated[7]
    tree = consensus_clusters([first, second], runs=20, least=6, most=6)
    labels = tree.divided(6)
    assert not tree.isolated.any()
    apart = [0.0] * 53 + [0.5] + [1.0] * 5  # shares of runs: the one is parted from its group by every second run
    np.testing.assert_allclose(tree.tree[:, 2], apart)
    assert adjusted_rand_index(labels, EQUAL) == 1  # the runs that know it say where it belongs


def test_a_half_in_which_nothing_is_similar_puts_no_two_together():
    known, nothing = embedded(fired(EQUAL, 0.0)), spectral_embedding(np.zeros((60, 60)), 16)
    tree = consensus_clusters([known, nothing], runs=20, least=6, most=6)
    np.testing.assert_allclose(tree.tree[:, 2], [0.5] * 54 + [1.0] * 5)


def test_the_same_seed_gives_the_same_tree_and_another_seed_other_runs():
    embedding = embedded(fired(UNEQUAL, 0.3))
    same = [consensus_clusters([embedding], seed=seed, runs=12) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(same[0].tree, same[1].tree)
    assert same[0].numbers != same[2].numbers
    assert len(set(same[0].numbers)) > 4


def test_a_tree_is_cut_into_the_number_asked_for():
    tree = consensus_clusters([embedded(fired(UNEQUAL, 0.1))], runs=10)
    for number in (1, 2, 7, 64):
        assert np.unique(tree.divided(number)).size == number
        assert adjusted_rand_index(tree.divided(number), cut_tree(tree.tree, number)) == 1
    assert number_curve(tree, tree, [2, 9, 64]).tolist() == [1, 1, 1]


def test_recurrence_is_the_mean_best_jaccard():
    rng = np.random.default_rng(0)
    clusters = [[0, 1, 2], [3, 4], [5, 6, 7, 8, 9]]
    others = [rng.integers(0, 4, 10) for _ in range(5)]
    groups = [[np.flatnonzero(labels == label) for label in range(4)] for labels in others]
    expected = [np.mean([best_jaccard(cluster, those) for those in groups]) for cluster in clusters]
    np.testing.assert_allclose(recurrence(clusters, others), expected)


def test_activation_affinity_is_the_cosine_without_its_diagonal():
    activations = fired(UNEQUAL, 0.05, seed=1)
    activations[:, 9] = 0
    plain = activations / np.maximum(np.linalg.norm(activations, axis=0), 1e-300)
    expected = plain.T @ plain
    np.fill_diagonal(expected, 0)
    for given in (activations, csr_array(activations)):
        np.testing.assert_allclose(activation_affinity(given).toarray(), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda e: consensus_clusters([e], runs=1), "at least 2 runs"),
        (lambda e: consensus_clusters([], runs=9), "got 0 and 9"),
        (lambda e: consensus_clusters([e], most=21), "4 to 21"),
        (lambda e: consensus_clusters([e], least=9, most=8), "9 to 8"),
        (lambda e: consensus_clusters([e], runs=2).divided(65), "1 to 64"),
        (lambda _: consensus_clusters([spectral_embedding(np.zeros((5, 5)), 4)]), "0 points"),
        (lambda e: replicated_clusters([(e, e)]), "got 1"),
        (lambda _: steadiest_number([2, 3], np.ones((1, 2))), r"\(1, 2\)"),
        (lambda _: recurrence([[1]], []), "at least one"),
        (lambda _: activation_affinity(np.ones(3)), r"\(3,\)"),
        (lambda _: activation_affinity(np.full((2, 2), np.nan)), "finite"),
    ],
)
def test_errors_name_the_value(call, said):
    embedding = spectral_embedding(affinity(np.random.default_rng(0).standard_normal((64, 9)), "squared"), 20)
    with pytest.raises(ValueError, match=said):
        call(embedding)
