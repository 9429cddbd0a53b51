import numpy as np
import pytest
from sklearn.base import clone

from workbench.geometry import CircleProbe, circle_points

LABELS = np.tile(np.arange(7), 7)


@pytest.fixture
def plane():
    return np.random.default_rng(0).standard_normal((2, 30))


@pytest.fixture
def acts(plane):
    rng = np.random.default_rng(1)
    return 3 * circle_points(LABELS, 7) @ plane + 5 * rng.standard_normal(30) + 0.3 * rng.standard_normal((49, 30))


def test_a_circle_without_noise_is_read_exactly(plane):
    x = circle_points(LABELS, 7) @ plane + 4
    probe = CircleProbe(7).fit(x, LABELS)
    assert probe.k_ == 2
    assert probe.r2_ == pytest.approx(1)
    assert 0.99 < probe.held_out_r2_ < 1  # a fold's labels are not balanced, so that its mean is not the middle
    np.testing.assert_allclose(probe.read(x), circle_points(LABELS, 7), atol=1e-9)
    np.testing.assert_allclose((probe.read_angle(x) + 0.5) % 7, LABELS + 0.5, atol=1e-6)
    np.testing.assert_allclose(probe.patch(x, LABELS), x, atol=1e-9)  # all there is, is the circle


def test_the_fit_is_least_squares_on_principal_components(acts):
    probe = CircleProbe(7, k=3).fit(acts, LABELS)
    centred = acts - acts.mean(axis=0)
    scores = centred @ np.linalg.svd(centred)[2][:3].T
    fitted = scores @ np.linalg.pinv(scores) @ circle_points(LABELS, 7)
    np.testing.assert_allclose(probe.read(acts), fitted, atol=1e-9)
    spread = np.square(circle_points(LABELS, 7)).sum()
    assert probe.r2_ == pytest.approx(1 - np.square(fitted - circle_points(LABELS, 7)).sum() / spread)


@pytest.mark.parametrize("target", [3, 2.5, LABELS[::-1]])
def test_a_patched_activation_reads_as_its_target(acts, target):
    probe = CircleProbe(7).fit(acts, LABELS)
    patched = probe.patch(acts, target)
    expected = np.broadcast_to(circle_points(target, 7), (49, 2))
    np.testing.assert_allclose(probe.read(patched), expected, atol=1e-9)
    # nothing but the mean and the plane is left
    outside = (patched - probe.mean_) - (patched - probe.mean_) @ probe.plane_ @ probe.plane_.T
    np.testing.assert_allclose(outside, 0, atol=1e-9)


def test_patch_is_the_published_formula_with_centred_reading(acts):
    probe = CircleProbe(7).fit(acts, LABELS)
    Q, R = np.linalg.qr(probe.coefficients_)
    expected = probe.mean_ + circle_points(LABELS, 7) @ np.linalg.inv(R) @ Q.T @ probe.directions_.T
    np.testing.assert_allclose(probe.patch(acts, LABELS), expected, atol=1e-9)


def test_identities_of_the_interventions(acts):
    probe = CircleProbe(7).fit(acts, LABELS)
    np.testing.assert_allclose(probe.patch_pca(acts, acts), acts, atol=1e-9)  # the mean is kept
    np.testing.assert_allclose(probe.ablate(acts), np.broadcast_to(acts.mean(axis=0), acts.shape))
    np.testing.assert_allclose(probe.zero_circle(acts) + probe.keep_circle(acts) - probe.mean_, acts, atol=1e-9)
    np.testing.assert_allclose(probe.read(probe.zero_circle(acts)), 0, atol=1e-9)
    np.testing.assert_allclose(probe.read(probe.keep_circle(acts)), probe.read(acts), atol=1e-9)
    clean = np.roll(acts, 1, axis=0)
    moved = probe.patch_pca(acts, clean)
    np.testing.assert_allclose(probe.read(moved), probe.read(clean), atol=1e-9)
    rest = (moved - acts) - (moved - acts) @ probe.directions_ @ probe.directions_.T
    np.testing.assert_allclose(rest, 0, atol=1e-9)


def test_the_random_patch_goes_as_far_elsewhere(acts):
    probe = CircleProbe(7).fit(acts, LABELS)
    patched, control = probe.patch(acts, LABELS), probe.patch_random(acts, LABELS, seed=3)
    distance = [np.linalg.norm(x - probe.mean_, axis=1) for x in (patched, control)]
    np.testing.assert_allclose(distance[0], distance[1])
    assert np.abs(probe.read(control)).max() < 0.8 * np.abs(probe.read(patched)).max()
    np.testing.assert_array_equal(control, probe.patch_random(acts, LABELS, seed=3))


def test_held_out_r2_unmasks_a_probe_of_noise():
    noise = np.random.default_rng(0).standard_normal((49, 300))
    probe = CircleProbe(7, k=30).fit(noise, LABELS)
    assert probe.r2_ > 0.5
    assert probe.held_out_r2_ < 0.2


def test_groups_are_held_out_together(acts):
    # the same activations three times over: by row the twins leak, by group they cannot
    x, labels = np.tile(np.random.default_rng(2).standard_normal((14, 40)), (3, 1)), np.tile(np.arange(14) % 7, 3)
    leaking = CircleProbe(7, k=13).fit(x, labels).held_out_r2_
    honest = CircleProbe(7, k=13).fit(x, labels, groups=np.tile(np.arange(14), 3)).held_out_r2_
    assert leaking > 0.5 > honest


def test_only_the_frequency_of_the_circle_fits_it(plane):
    labels = np.arange(12)
    x = circle_points(labels, 12, 5) @ plane
    assert CircleProbe(12, frequency=5).fit(x, labels).r2_ == pytest.approx(1)
    assert CircleProbe(12, frequency=1).fit(x, labels).r2_ < 0.5


def test_a_plane_of_ones_own(acts, plane):
    probe = CircleProbe(7, basis=plane.T).fit(acts, LABELS)
    assert probe.k_ == 2
    assert probe.r2_ > 0.9
    np.testing.assert_allclose(plane - plane @ probe.plane_ @ probe.plane_.T, 0, atol=1e-9)


def test_it_is_a_scikit_learn_estimator(acts):
    probe = CircleProbe(7, k=4, folds=3)
    twin = clone(probe)
    assert twin.get_params() == probe.get_params()
    assert twin.fit(acts, LABELS) is twin
    assert twin.set_params(k=2).k == 2
    with pytest.raises(ValueError, match="depth"):
        twin.set_params(depth=2)


@pytest.mark.parametrize(
    ("period", "options", "labels", "said"),
    [
        (2, {}, LABELS, "no circle"),
        (12, {"frequency": 6}, LABELS, "no circle"),
        (0, {}, LABELS, "period"),
        (7, {}, LABELS % 2, "2 of the places of period 7"),
        (7, {}, 7 * LABELS, "1 of the places"),
        (7, {}, LABELS[:-1], "48 labels"),
        (7, {"k": 0}, LABELS, "k must"),
        (7, {"basis": np.ones((4, 2))}, LABELS, "basis"),
        (7, {}, np.where(LABELS == 3, np.nan, LABELS), "finite"),
    ],
)
def test_errors_say_what_is_wrong(acts, period, options, labels, said):
    with pytest.raises(ValueError, match=said):
        CircleProbe(period, **options).fit(acts, labels)


def test_a_probe_not_fitted_and_shapes_that_do_not_fit_are_refused(acts):
    with pytest.raises(ValueError, match="not fitted"):
        CircleProbe(7).read(acts)
    with pytest.raises(ValueError, match="the same"):
        CircleProbe(7).fit(np.ones((49, 3)), LABELS)
    probe = CircleProbe(7).fit(acts, LABELS)
    with pytest.raises(ValueError, match="30"):
        probe.read(acts[:, :5])
    with pytest.raises(ValueError, match="3 targets for 49"):
        probe.patch(acts, [1, 2, 3])
