"""Spectral clusters against planted partitions, scikit-learn and the published failure of the angular affinity."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.linalg import eigsh
from sklearn.cluster import SpectralClustering
from sklearn.manifold import spectral_embedding as sklearn_embedding
from sklearn.metrics import adjusted_rand_score

from workbench.geometry import (
    adjusted_rand_index,
    affinity,
    angular_affinity,
    coactivation_affinity,
    nearest_neighbour_affinity,
    spectral_clusters,
    spectral_embedding,
)
from workbench.geometry import affinities as affinities_module
from workbench.geometry import spectral as spectral_module
from workbench.geometry.eigenvectors import leading_eigenpairs


def two_circles(m, seed=0):
    """Decoder directions on two circles in orthogonal planes of R^10."""
    angle = 2 * np.pi * np.random.default_rng(seed).random((2, m))
    decoder = np.zeros((2 * m, 10))
    for plane in (0, 1):
        decoder[plane * m : (plane + 1) * m, 2 * plane] = np.cos(angle[plane])
        decoder[plane * m : (plane + 1) * m, 2 * plane + 1] = np.sin(angle[plane])
    return decoder, np.repeat([0, 1], m)


def planted(groups, per_group, width, within, seed=0):
    """Directions of groups whose members have a mean cosine of `within`."""
    rng = np.random.default_rng(seed)
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in rng.standard_normal((2, groups * per_group, width))]
    middle = np.repeat(unit[0][:groups], per_group, axis=0)
    return np.sqrt(within) * middle + np.sqrt(1 - within) * unit[1], np.repeat(np.arange(groups), per_group)


@pytest.mark.parametrize("m", [10, 32])
@pytest.mark.parametrize("name", ["clipped", "squared", "knn"])
def test_affinities_with_contrast_separate_two_circles(m, name):
    decoder, plane = two_circles(m)
    assert adjusted_rand_index(spectral_clusters(affinity(decoder, name, k=6), 2), plane) == 1


@pytest.mark.parametrize("m", [10, 32])
def test_the_published_angular_affinity_does_not(m):
    found = []
    for seed in range(8):
        decoder, plane = two_circles(m, seed)
        found.append(adjusted_rand_index(spectral_clusters(affinity(decoder, "angular"), 2), plane))
    assert np.mean(found) < 0.35


@pytest.mark.parametrize("name", ["clipped", "squared", "knn"])
def test_tight_blocks_are_recovered(name):
    decoder, group = planted(20, 8, 128, 0.3)
    assert adjusted_rand_index(spectral_clusters(affinity(decoder, name, k=6), 20), group) == 1


def test_the_partition_is_scikit_learns():
    decoder, _ = planted(12, 10, 32, 0.5, seed=4)  # hard enough that neither finds the planted groups exactly
    similarity = affinity(decoder, "clipped")
    theirs = SpectralClustering(12, affinity="precomputed", random_state=0).fit_predict(similarity)
    assert adjusted_rand_index(spectral_clusters(similarity, 12), theirs) == 1


def test_the_coordinates_span_what_scikit_learns_do():
    similarity = affinity(planted(12, 10, 32, 0.35, seed=4)[0], "clipped")
    theirs = sklearn_embedding(similarity, n_components=12, drop_first=False, eigen_tol=1e-10)
    left = np.linalg.lstsq(spectral_embedding(similarity, 12).points, theirs)[1]
    np.testing.assert_allclose(left, 0, atol=1e-18)


def test_angular_affinity_is_half_for_orthogonal_and_for_the_zeroed_diagonal():
    np.testing.assert_allclose(angular_affinity([1, 0.5, 0, -1]), [1, 2 / 3, 0.5, 0], atol=1e-12)
    np.testing.assert_allclose(np.diagonal(affinity(np.eye(3), "angular")), 0.5)


def test_nearest_neighbours_are_exact_in_any_blocks(monkeypatch):
    decoder = np.random.default_rng(1).standard_normal((120, 9))
    unit = decoder / np.linalg.norm(decoder, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -2)
    near = np.zeros_like(cosines, dtype=bool)
    np.put_along_axis(near, np.argsort(-cosines, axis=1)[:, :4], True, axis=1)
    expected = np.where(near | near.T, np.maximum(cosines, 0), 0)
    for entries in (affinities_module.ENTRIES, 120 * 7):
        monkeypatch.setattr(affinities_module, "ENTRIES", entries)
        np.testing.assert_allclose(nearest_neighbour_affinity(decoder, 4).toarray(), expected, atol=1e-12)


def test_coactivation_is_the_jaccard_overlap():
    active = np.array([[1, 1, 0, 0], [2, 0, 0, 0], [0, 3, 1, 0], [1, 1, 0, 0]])
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[1, 0] = 2 / 4
    expected[1, 2] = expected[2, 1] = 1 / 3
    np.testing.assert_allclose(coactivation_affinity(active).toarray(), expected)


def test_one_decomposition_serves_every_number_of_clusters():
    decoder, _ = planted(9, 8, 64, 0.4)
    similarity = affinity(decoder, "squared")
    embedding = spectral_embedding(similarity, 9)
    for number in (3, 9):
        found = embedding.clusters(number)
        assert len(np.unique(found)) == number
        assert adjusted_rand_index(found, spectral_clusters(similarity, number)) == 1
    assert spectral_embedding(similarity, 15).eigengap() == 9


def test_the_diagonal_plays_no_part():
    decoder, _ = planted(5, 6, 16, 0.2)
    similarity = affinity(decoder, "clipped")
    other = similarity - 0.5 * np.eye(len(similarity))
    np.testing.assert_array_equal(spectral_clusters(similarity, 5), spectral_clusters(other, 5))


def test_sparse_and_dense_similarities_agree():
    decoder, _ = planted(8, 8, 32, 0.3)
    similarity = affinity(decoder, "knn", k=5)
    np.testing.assert_array_equal(spectral_clusters(similarity, 8), spectral_clusters(similarity.toarray(), 8))


def test_the_iteration_finds_arpacks_eigenvalues_and_the_same_partition(monkeypatch):
    decoder, group = planted(40, 15, 96, 0.3, seed=2)
    similarity = affinity(decoder, "knn", k=8)
    degree = np.asarray(similarity.sum(axis=1)).ravel()
    matrix = similarity.multiply(1 / np.sqrt(np.outer(degree, degree))).tocsr()
    expected = np.sort(eigsh(matrix, 40, which="LA", return_eigenvectors=False))[::-1]
    pairs = leading_eigenpairs(matrix.astype(np.float32), 40, bound=1, tolerance=1e-4, seed=0)
    assert pairs.converged
    np.testing.assert_allclose(pairs.values, expected, atol=1e-5)
    np.testing.assert_allclose(pairs.vectors.T @ pairs.vectors, np.eye(40), atol=1e-4)
    monkeypatch.setattr(spectral_module, "DENSE", 100)
    monkeypatch.setattr(spectral_module, "MANY", 1000)
    assert adjusted_rand_index(spectral_clusters(similarity, 40), group) > 0.95


def test_separate_parts_are_counted():
    blocks = np.kron(np.eye(3), np.ones((5, 5)))
    assert spectral_embedding(blocks, 6).parts == 3
    assert spectral_embedding(affinity(np.eye(6) + 0.1, "clipped"), 6).parts == 1


def test_points_similar_to_nothing_are_told_and_take_no_vectors():
    decoder, group = planted(4, 6, 32, 0.5)
    similarity = np.zeros((27, 27))
    similarity[:24, :24] = affinity(decoder, "clipped")
    embedding = spectral_embedding(similarity, 4)
    assert embedding.isolated.sum() == 3
    assert adjusted_rand_index(embedding.clusters(4)[:24], group) == 1


def test_labels_are_numbered_by_first_appearance_and_repeat():
    decoder, _ = planted(6, 5, 24, 0.3)
    first = spectral_clusters(affinity(decoder, "clipped"), 6, seed=3)
    np.testing.assert_array_equal(first, spectral_clusters(affinity(decoder, "clipped"), 6, seed=3))
    assert [int(i) for i in dict.fromkeys(first.tolist())] == list(range(6))


def test_adjusted_rand_index_is_scikit_learns():
    rng = np.random.default_rng(0)
    for a, b in rng.integers(0, 5, (20, 2, 40)):
        assert adjusted_rand_index(a, b) == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)
    assert adjusted_rand_index([0, 0, 0], [1, 1, 1]) == 1
    assert adjusted_rand_index([0, 1, 2], [2, 0, 1]) == 1
    assert adjusted_rand_index([0, 0, 0], [0, 1, 2]) == 0


@pytest.mark.parametrize(
    ("similarity", "number", "said"),
    [
        (np.ones((2, 3)), 1, r"\(2, 3\)"),
        (np.eye(3), 4, "1 to 3"),
        (np.array([[0, 1.0], [0.5, 0]]), 1, "symmetric"),
        (np.array([[0, np.nan], [np.nan, 0]]), 1, "NaN"),
        (csr_array(np.array([[0, -1.0], [-1.0, 0]])), 1, "clipped_affinity"),
    ],
)
def test_errors_say_what_is_wrong(similarity, number, said):
    with pytest.raises(ValueError, match=said):
        spectral_clusters(similarity, number)


def test_unknown_affinities_and_dense_ones_that_are_too_large_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="clipped"):
        affinity(np.eye(2), "nearest")
    monkeypatch.setattr(affinities_module, "DENSE", 4)
    with pytest.raises(ValueError, match="knn"):
        affinity(np.eye(5), "clipped")
