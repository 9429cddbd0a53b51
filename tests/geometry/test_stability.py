import numpy as np

from workbench.geometry import (
    affinity,
    best_jaccard,
    graph_stability,
    partition,
    spectral_embedding,
    spectral_stability,
)


def blocks(spread, seed=0):
    rng = np.random.default_rng(seed)
    return np.repeat(np.eye(8), 6, axis=0) + spread * rng.standard_normal((48, 8))


def test_tight_clusters_are_stable_and_noise_is_not():
    tight, noise = (spectral_embedding(affinity(d, "squared"), 9) for d in (blocks(0.05), blocks(3)))
    stable, unstable = spectral_stability(tight, 8), spectral_stability(noise, 8)
    assert stable.settings == ("seed 1", "seed 2", "seed 3", "n_clusters 7", "n_clusters 9")
    np.testing.assert_allclose(stable.ari[:3], 1)
    assert unstable.ari.mean() < stable.ari.mean()


def test_graph_clusters_are_compared_with_neighbouring_settings():
    found = graph_stability(blocks(0.02), 5, 0.5)
    assert found.settings == ("k 4", "k 6", "tau 0.45", "tau 0.55")
    np.testing.assert_allclose(found.ari, 1)
    assert graph_stability(blocks(0.02), 1, 1.0).settings == ("k 2", "tau 0.95")


def test_a_partition_gives_points_in_no_cluster_labels_of_their_own():
    assert partition([[3, 1], [0]], 5).tolist() == [1, 0, 2, 0, 3]


def test_best_jaccard_is_the_most_alike_cluster_and_0_without_any():
    assert best_jaccard([1, 2, 3], [[1, 2], [3, 4], [2, 3, 1, 9]]) == 3 / 4
    assert best_jaccard([1], []) == 0
