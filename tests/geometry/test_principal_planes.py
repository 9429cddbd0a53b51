import numpy as np
import pytest
from sklearn.decomposition import PCA

from workbench.geometry import circle_points, irreducibility, principal_planes, reconstruction_planes


@pytest.fixture
def cluster():
    rng = np.random.default_rng(0)
    return np.maximum(rng.standard_normal((400, 6)) - 1, 0), rng.standard_normal((6, 50))


def test_planes_of_points_are_scikit_learns(cluster):
    points = cluster[0] @ cluster[1] + 3
    found, theirs = principal_planes(points), PCA(5).fit(points)
    np.testing.assert_allclose(np.abs(found.scores), np.abs(theirs.transform(points)), atol=1e-9)
    np.testing.assert_allclose(found.explained, theirs.explained_variance_ratio_)
    np.testing.assert_allclose(found.singular_values, theirs.singular_values_)
    np.testing.assert_allclose(found.mean, theirs.mean_)


def test_a_reconstruction_is_the_members_directions_by_their_activations(cluster):
    activations, directions = cluster
    found = reconstruction_planes(activations, directions)
    np.testing.assert_array_equal(found.rows, np.flatnonzero(activations.max(axis=1) > 0))
    whole = principal_planes((activations @ directions)[found.rows])
    for name in ("scores", "explained", "singular_values", "mean", "directions"):
        np.testing.assert_allclose(getattr(found, name), getattr(whole, name), atol=1e-9)


def test_the_threshold_is_strict_and_only_picks_tokens(cluster):
    activations, directions = np.round(cluster[0], 1), cluster[1]
    found = reconstruction_planes(activations, directions, threshold=0.5)
    np.testing.assert_array_equal(found.rows, np.flatnonzero(activations.max(axis=1) > 0.5))
    back = found.mean + found.scores @ found.directions
    np.testing.assert_allclose(  # five components of six members lose the sixth
        np.square(back - (activations @ directions)[found.rows]).sum() / np.square(found.scores).sum(),
        (1 - found.explained.sum()) / found.explained.sum(),
    )


def test_dependent_directions_and_more_members_than_width():
    activations = np.random.default_rng(1).random((30, 8))
    found = reconstruction_planes(activations, np.tile(np.eye(3)[:2], (4, 1)))
    assert found.scores.shape == (30, 3)
    assert found.explained[:2].sum() == pytest.approx(1)


def test_a_cone_of_days_has_its_ring_behind_the_axis_of_intensity():
    rng = np.random.default_rng(0)
    intensity, day = 8 * rng.random(3000), rng.integers(0, 7, 3000)
    directions = np.column_stack([np.full(7, 2.0), circle_points(np.arange(7), 7)])
    found = reconstruction_planes(np.eye(7)[day] * intensity[:, None], directions)
    middles = np.array([found.scores[day == number].mean(axis=0) for number in range(7)])  # (days, components)
    radius = np.linalg.norm(middles[:, 1:3], axis=1)
    assert np.ptp(radius) < 0.1 * radius.mean()
    assert np.abs(np.corrcoef(found.scores[:, 0], intensity[found.rows])[0, 1]) > 0.99


def test_clusters_that_never_fire_or_have_one_member_get_a_status():
    directions = np.random.default_rng(0).standard_normal((3, 9))
    silent = reconstruction_planes(np.zeros((20, 3)), directions)
    assert silent.rows.size == 0
    assert irreducibility(silent.scores).status == "silent"
    alone = reconstruction_planes(np.ones((20, 1)), directions[:1])
    assert irreducibility(alone.scores).status == "one_feature"
    assert np.isfinite(alone.explained).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: reconstruction_planes(np.ones((3, 2)), np.ones((3, 2))), "2 columns of activations and 3"),
        (lambda: principal_planes(np.ones((3, 2)), 0), "components"),
        (lambda: principal_planes([[1, np.nan]]), "finite"),
    ],
)
def test_errors_say_what_is_wrong(call, said):
    with pytest.raises(ValueError, match=said):
        call()
