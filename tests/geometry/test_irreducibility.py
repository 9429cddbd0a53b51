"""The two indices against closed forms, brute force and the definition they state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import mutual_info_score

from workbench.geometry import (
    index_null,
    irreducibility,
    irreducibility_score,
    mixture_index,
    rank_by_irreducibility,
    separability_index,
)
from workbench.geometry.separability import information
from workbench.geometry.shapes import SHAPES, circle, gaussian, lattice, mixture

LINE = np.array([5, -2]) + np.outer(np.linspace(-1, 2, 50), [1.0, 3.0])
ANGLE = 2 * np.pi * np.arange(20_000) / 20_000
RING = np.stack([np.cos(ANGLE), np.sin(ANGLE)], axis=1)


def turned(points, angle):
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def inside(points, found, eps):
    across = points @ found.direction + found.offset
    return np.mean(np.abs(across) < eps * np.sqrt(np.mean(across**2)))


@pytest.mark.parametrize(("eps", "share"), [(0.05, 0.15600), (0.1, 0.21866), (0.2, 0.30443)])
def test_the_mixture_index_of_a_uniform_circle(eps, share):
    assert mixture_index(RING, eps=eps).value == pytest.approx(share, abs=2e-4)


def test_its_band_is_off_centre():
    assert abs(mixture_index(RING).offset) == pytest.approx(0.8866, abs=2e-3)


@pytest.mark.parametrize("eps", [0.05, 0.1, 0.3])
def test_the_mixture_index_of_a_gaussian_grid(eps):
    # a product of normal quantiles stands for the distribution, with next to no sampling error
    quantiles = norm.ppf((np.arange(150) + 0.5) / 150)
    points = np.array(np.meshgrid(quantiles, quantiles)).reshape(2, -1).T @ np.array([[2, 1], [0, 0.5]])
    assert mixture_index(points, eps=eps).value == pytest.approx(2 * norm.cdf(eps) - 1, abs=0.012)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 60), st.sampled_from([0.05, 0.1, 0.4]))
def test_the_band_returned_holds_the_share_returned_and_none_on_a_grid_holds_more(seed, n, eps):
    points = np.random.default_rng(seed).standard_normal((n, 2)) * [3, 1] + [7, -4]
    found = mixture_index(points, eps=eps)
    assert inside(points, found, eps) == pytest.approx(found.value, abs=1e-12) or n == 2
    assert np.linalg.norm(found.direction) == pytest.approx(1)
    for angle in np.pi * np.arange(0, 360, 15) / 360:
        along = points @ [np.cos(angle), np.sin(angle)]
        for offset in np.linspace(along.min(), along.max(), 200):
            across = along - offset
            assert np.mean(np.abs(across) < eps * np.sqrt(np.mean(across**2))) <= found.value + 1e-12


def test_points_on_a_line_are_a_mixture_and_separable():
    found = mixture_index(LINE)
    assert found.value == 1
    np.testing.assert_allclose(LINE @ found.direction + found.offset, 0, atol=1e-12)
    assert separability_index(LINE) == 0
    assert separability_index(np.ones((5, 2))) == 0
    assert mixture_index(np.ones((5, 2))).value == 1


@pytest.mark.parametrize("index", [separability_index, lambda p: mixture_index(p).value])
def test_indices_do_not_depend_on_place_scale_and_grid_angles(index):
    points = np.random.default_rng(0).standard_normal((800, 2)) ** 3
    # quarter turns map the grid of angles onto itself, where other turns leave it to the refinement
    assert index(np.array([1, 2]) + turned(3e-5 * points, np.pi / 2)) == pytest.approx(index(points), abs=0.005)


def test_information_is_scikit_learns():
    points = circle(500, noise=0.1)
    for angle in (0.0, 0.3, 1.2):
        a, b = turned(points, -angle).T
        cut = [np.digitize(v, np.linspace(v.min(), v.max(), 11)[1:-1]) for v in (a, b)]
        expected = mutual_info_score(*cut) / np.log(2)
        assert information(points, np.array([angle]), 10, False)[0] == pytest.approx(expected, abs=1e-9)


def test_the_bias_of_independent_gaussians_is_as_known_and_the_correction_removes_most_of_it():
    clouds = [np.random.default_rng(seed).standard_normal((4096, 2)).clip(-3, 3) for seed in range(10)]
    for bins, known, left in ((10, 0.016, 0.2), (40, 0.245, 0.45)):
        plain, corrected = (
            np.mean([information(cloud, np.zeros(1), bins, correct)[0] for cloud in clouds])
            for correct in (False, True)
        )
        assert plain == pytest.approx(known, rel=0.15)
        assert abs(corrected) < left * plain


def test_two_axes_that_never_meet_have_one_bit_and_are_a_mixture():
    points = mixture(5000)
    assert separability_index(points) == pytest.approx(1, abs=0.02)
    assert mixture_index(points).value > 0.5


def test_the_four_shapes_are_told_apart():
    found = {name: (separability_index(make(4000)), mixture_index(make(4000)).value) for name, make in SHAPES.items()}
    assert found["circle"][0] > 1 and found["circle"][1] < 0.25
    assert found["gaussian"][0] < 0.02 and found["gaussian"][1] < 0.11
    assert found["mixture"][1] > 0.5
    assert found["lattice"][0] < 0.02
    score = {name: (1 - M) * S for name, (S, M) in found.items()}
    assert max(score, key=score.get) == "circle"


def test_an_exact_line_between_grid_angles_is_found_by_the_principal_axis():
    points = np.random.default_rng(0).standard_normal((3000, 2)) * [1, 1e-6]
    assert separability_index(turned(points, 0.123456)) < 0.02


def test_a_broad_intensity_drowns_the_ring():
    radius = np.sqrt(-2 * np.log(np.random.default_rng(1).random(5000)))  # Rayleigh: the ring is a Gaussian
    assert separability_index(circle(5000) * radius[:, None]) < 0.02


def test_nulls_are_beaten_by_the_circle_and_not_by_what_is_a_product():
    for kind in ("permutation", "gaussian"):
        assert index_null(circle(600), "separability", kind=kind).p == pytest.approx(1 / 21)
        assert index_null(mixture(600), "mixture", kind=kind, draws=10).p == pytest.approx(1 / 11)
    p = [index_null(gaussian(300, seed=s), "separability", draws=19, seed=s).p for s in range(20)]
    assert 0.3 < np.mean(p) < 0.7
    drawn = index_null(gaussian(500), "mixture", kind="gaussian", draws=5)
    assert drawn.draws.mean() == pytest.approx(drawn.value, abs=0.03)


def test_scores_with_and_without_the_published_zero():
    assert irreducibility_score([0.5, 0.2], [1.0, 2.0]) == pytest.approx((0.5 + 1.6) / 2)
    assert irreducibility_score([0.5, 0.2], [1.0, 2.0], legacy_zero=True) == pytest.approx((0.5 + 1.6) / 3)


def test_clusters_without_a_score_have_a_status_and_are_never_ranked():
    rng = np.random.default_rng(0)
    ring = np.column_stack([circle(500), 0.1 * rng.standard_normal(500)])
    found = {
        4: irreducibility(rng.standard_normal((500, 3))),
        7: irreducibility(ring),
        8: irreducibility(rng.standard_normal((500, 1))),
        9: irreducibility(np.zeros((0, 3))),
        10: irreducibility(rng.standard_normal((60, 3))),
        11: irreducibility(np.outer(rng.standard_normal(500), [1, 2, 3])),
    }
    ranked, undefined = rank_by_irreducibility(found)
    assert ranked == [7, 4]
    assert undefined == {8: "one_feature", 9: "silent", 10: "too_few", 11: "line"}
    assert rank_by_irreducibility(found, legacy_zero=True)[0] == [7, 4]
    planes = found[7].planes
    assert [plane.axes for plane in planes] == [(0, 1), (1, 2)]
    assert found[7].score == pytest.approx(np.mean([(1 - p.mixture) * p.separability for p in planes]))
    assert found[7].legacy_score == pytest.approx(found[7].score * 2 / 3)


def test_a_line_beside_a_plane_is_left_out_not_scored_as_zero():
    ring = np.column_stack([circle(400), np.zeros(400)])
    found = irreducibility(ring)
    assert [plane.status for plane in found.planes] == ["ok", "line"]
    assert found.score == pytest.approx((1 - found.planes[0].mixture) * found.planes[0].separability)


def test_the_lattice_sits_on_a_grid():
    points = lattice(100, side=3, noise=0)
    assert set(np.unique(points)) == {-1, 0, 1}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: separability_index(np.ones((4, 3))), r"\(4, 3\)"),
        (lambda: separability_index(np.array([[0, 1], [np.nan, 2]])), "point 1"),
        (lambda: separability_index(RING[:9] * [1, 2]), "9 points are too few for 10"),
        (lambda: separability_index(RING, bins=1), "bins"),
        (lambda: separability_index(RING, angles=0), "angles"),
        (lambda: mixture_index(RING, eps=1), "eps"),
        (lambda: mixture_index(np.zeros((0, 2))), "at least one"),
        (lambda: index_null(RING, "s"), "separability"),
        (lambda: index_null(RING, "mixture", kind="x"), "gaussian"),
        (lambda: index_null(RING, "mixture", draws=0), "draws"),
        (lambda: irreducibility_score([], []), "no score"),
        (lambda: irreducibility(np.full((3, 2), np.inf)), "finite"),
    ],
)
def test_errors_name_the_value(call, said):
    with pytest.raises(ValueError, match=said):
        call()
