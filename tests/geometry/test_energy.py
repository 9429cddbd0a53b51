"""Energies against closed forms, their gradients against finite differences, the optima against known ones."""

import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from workbench.geometry import (
    coordinate_shuffle_grams,
    cosine_gram,
    cross_polytope_energy,
    cross_polytope_vectors,
    energy,
    energy_gradient,
    fit_gram,
    identity_to_simplex,
    label_shuffle_grams,
    mean_cosine,
    minimum_energy,
    orthonormal_energy,
    perturbation_curve,
    polygon_energy,
    polygon_vectors,
    probe_directions,
    rbf_gram,
    settled,
    simplex_energy,
    simplex_vectors,
    softmax_weights,
    welch_bound,
)

KERNELS = [("exp", None), ("log", None), ("riesz", 1), ("riesz", 4), ("riesz", 2.5), ("riesz", -1)]
X = np.random.default_rng(0).standard_normal((6, 3))


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_simplex_closed_forms(n):
    assert simplex_energy(n, "exp") == pytest.approx(n * math.e + n * (n - 1) * math.exp(-1 / (n - 1)))
    assert simplex_energy(n, "log") == pytest.approx(-n * (n - 1) / 2 * math.log(2 * n / (n - 1)))
    for s in (1, 4, -1):
        expected = np.sign(s) * n * (n - 1) * ((n - 1) / (2 * n)) ** (s / 2)
        assert simplex_energy(n, "riesz", s) == pytest.approx(expected)


@pytest.mark.parametrize("n", [3, 4, 7, 12])
def test_polygon_closed_forms(n):
    assert polygon_energy(n, "log") == pytest.approx(-n * math.log(n))
    assert polygon_energy(n, "riesz", 1) == pytest.approx(
        n / 2 * sum(1 / math.sin(math.pi * k / n) for k in range(1, n))
    )
    assert polygon_energy(n, "riesz", 2) == pytest.approx(n * (n**2 - 1) / 12)
    assert polygon_energy(n, "riesz", 4) == pytest.approx(n * (n**2 - 1) * (n**2 + 11) / 720)


@pytest.mark.parametrize("d", [2, 3, 6])
def test_cross_polytope_closed_forms(d):
    n = 2 * d
    assert cross_polytope_energy(d, "exp") == pytest.approx(n * math.e + n / math.e + n * (n - 2))
    assert cross_polytope_energy(d, "riesz", 1) == pytest.approx(n * (0.5 + (n - 2) / math.sqrt(2)))


@pytest.mark.parametrize(("kernel", "s"), KERNELS)
def test_energy_of_the_vectors_is_the_closed_form(kernel, s):
    for vectors, known in (
        (simplex_vectors(6), simplex_energy(6, kernel, s)),
        (polygon_vectors(9), polygon_energy(9, kernel, s)),
        (cross_polytope_vectors(4), cross_polytope_energy(4, kernel, s)),
        (np.eye(5), orthonormal_energy(5, kernel, s)),
    ):
        assert energy(vectors, kernel, s) == pytest.approx(known)


def test_exp_does_not_see_lengths_and_the_others_do():
    assert energy(7 * X, "exp") == pytest.approx(energy(X, "exp"))
    assert energy(2 * X, "riesz", 1) == pytest.approx(energy(X, "riesz", 1) / 2)
    assert energy(2 * X, "log") == pytest.approx(energy(X, "log") - 30 * math.log(2))


def test_weights_of_zero_logits_divide_by_n_squared():
    assert energy(X, "log", weights=softmax_weights(np.zeros(6))) == pytest.approx(energy(X, "log") / 36)


@pytest.mark.parametrize(("kernel", "s"), KERNELS)
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_those_of_finite_differences(kernel, s, weighted):
    weights = softmax_weights(np.arange(6) / 3) if weighted else None
    found = energy_gradient(X, kernel, s, weights=weights)
    numeric = approx_fprime(X.ravel(), lambda flat: energy(flat.reshape(6, 3), kernel, s, weights=weights), 1e-7)
    np.testing.assert_allclose(found.ravel(), numeric, rtol=1e-3, atol=1e-5 * np.abs(numeric).max())


@pytest.mark.parametrize(("kernel", "s"), KERNELS)
@pytest.mark.parametrize(("n", "d"), [(5, 4), (4, 6), (3, 2)])
def test_the_least_energy_with_enough_dimensions_is_the_simplex(kernel, s, n, d):
    found = minimum_energy(n, d, kernel, s)
    assert found.energy == pytest.approx(simplex_energy(n, kernel, s), rel=1e-9)
    assert found.spread < 1e-6
    off = cosine_gram(found.vectors)[~np.eye(n, dtype=bool)]
    np.testing.assert_allclose(off, -1 / (n - 1), atol=1e-4)


@pytest.mark.parametrize("s", [1, 4])
def test_the_least_energy_in_the_plane_is_the_polygon(s):
    assert minimum_energy(7, 2, "riesz", s).energy == pytest.approx(polygon_energy(7, "riesz", s), rel=1e-8)


def test_thomson_problem():
    # published minima of the electrostatic energy over unordered pairs
    for n, known in ((4, 3.674234614), (6, 9.985281374), (8, 19.675287861), (12, 49.165253058)):
        assert minimum_energy(n, 3, "riesz", 1, restarts=5).energy / 2 == pytest.approx(known, abs=1e-7)


def test_optimum_is_on_the_sphere_repeats_and_tells_its_spread():
    found = minimum_energy(16, 3, "log", restarts=6)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1)
    np.testing.assert_array_equal(found.vectors, minimum_energy(16, 3, "log", restarts=6).vectors)
    assert found.spread == pytest.approx(np.ptp(found.energies))
    assert found.energy == found.energies.min() == energy(found.vectors, "log")


def test_in_one_dimension_the_minimum_is_exact():
    assert minimum_energy(5, 1, "exp").energy == pytest.approx(13 * math.e + 12 / math.e)
    assert minimum_energy(2, 1, "riesz", 1).energy == pytest.approx(1)
    assert minimum_energy(1, 3, "log").energy == 0
    with pytest.raises(ValueError, match="3 unit vectors in 1 dimension"):
        minimum_energy(3, 1, "log")


def test_settling_lowers_the_energy():
    units = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert energy(settled(X, "exp"), "exp") < energy(units, "exp")


def test_welch_bound_is_reached_by_the_simplex_and_passed_by_all():
    assert welch_bound(5, 4) == pytest.approx(1 / 4)
    assert welch_bound(4, 4) == 0
    for seed in range(20):
        gram = cosine_gram(np.random.default_rng(seed).standard_normal((7, 3)))
        assert np.abs(gram - np.eye(7)).max() >= welch_bound(7, 3)


def test_the_identity_is_as_far_from_every_simplex_as_the_published_intercepts():
    for n, intercept in ((5, 0.04472), (8, 0.01670)):
        distance = np.linalg.norm(np.eye(n) - cosine_gram(simplex_vectors(n)))
        assert identity_to_simplex(n) == pytest.approx(distance)
        assert distance / n**2 == pytest.approx(intercept, abs=1e-5)
        # and nothing of rank n - 1 is nearer: the intercept of the permuted control is a constant of the set-up
        assert fit_gram(np.eye(n), n - 1).cost == pytest.approx(distance)


def test_the_published_finding_on_weights_is_of_a_fit_without_energy():
    gram = cosine_gram(np.random.default_rng(1).standard_normal((6, 4)))
    without = fit_gram(gram, 4)
    np.testing.assert_allclose(without.logits, 0, atol=1e-6)  # whatever the data, and from random logits
    with_energy = fit_gram(gram, 4, energy_share=1)
    assert np.ptp(with_energy.weights) > 0.05


def test_a_gram_of_low_rank_is_fitted_exactly():
    gram = cosine_gram(np.random.default_rng(2).standard_normal((9, 3)))
    assert fit_gram(gram, 3).cost < 1e-5


def test_after_a_push_the_target_is_forgotten_as_from_a_random_start():
    gram = cosine_gram(np.random.default_rng(3).standard_normal((6, 4)))
    found = perturbation_curve(gram, 4, "exp", draws=3)
    assert found.cost.shape == (3, 3)
    assert found.fit_cost < 1e-6
    assert found.cost.min() > 10 * found.fit_cost
    assert found.cost.mean() == pytest.approx(found.random_cost.mean(), rel=0.05)
    simplex = perturbation_curve(cosine_gram(simplex_vectors(5)), 4, "log", draws=2)
    np.testing.assert_allclose(simplex.cost, 0, atol=1e-5)


def test_one_against_the_rest_makes_a_simplex_of_shuffled_labels():
    rng = np.random.default_rng(0)
    x, classes = rng.standard_normal((600, 1200)), rng.integers(0, 5, 600)
    off = ~np.eye(5, dtype=bool)
    shuffled = label_shuffle_grams(x, classes, draws=5)[:, off]
    assert shuffled.mean() == pytest.approx(-1 / 4, abs=0.02)
    # which a shuffle of coordinates does not show
    assert abs(coordinate_shuffle_grams(probe_directions(x, classes), draws=5)[:, off].mean()) < 0.03


def test_probe_directions_are_ridge_regression():
    rng = np.random.default_rng(0)
    x, classes = rng.standard_normal((40, 7)) + 3, np.arange(40) % 3
    centred = x - x.mean(axis=0)
    penalty = np.square(centred).sum() / 40
    for number, found in enumerate(probe_directions(x, classes)):
        target = (classes == number) - np.mean(classes == number)
        expected = np.linalg.solve(centred.T @ centred + penalty * np.eye(7), centred.T @ target)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_grams_and_the_mean_cosine_in_closed_form():
    np.testing.assert_allclose(cosine_gram([[2, 0], [1, 1]]), [[1, math.sqrt(0.5)], [math.sqrt(0.5), 1]])
    np.testing.assert_allclose(rbf_gram([[0, 0], [0, 10]]), [[1, math.exp(-0.5)], [math.exp(-0.5), 1]])
    assert mean_cosine(simplex_vectors(4)) == pytest.approx(-1 / 3)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: energy([[1, 0], [1, 0], [0, 1]], "log"), "0 and 1 coincide"),
        (lambda: energy([[1, 0], [0, 1], [0, 1 + 1e-15]], "riesz", 4), "1 and 2 coincide"),
        (lambda: energy_gradient([[1, 0], [1, 0]], "riesz", 1), "coincide"),
        (lambda: energy([[0, 0], [1, 0]], "exp"), "vector 0 is 0"),
        (lambda: energy([[1, np.nan]], "exp"), "vector 0"),
        (lambda: energy(X, "cosine"), "riesz"),
        (lambda: energy(X, "riesz"), "exponent"),
        (lambda: energy(X, "riesz", 0), "log"),
        (lambda: energy(X, "exp", 2), "takes none"),
        (lambda: energy(X, "exp", weights=[1, 2]), "weights"),
        (lambda: minimum_energy(0, 3, "exp"), "at least 1"),
        (lambda: simplex_energy(1, "exp"), "2 or more"),
        (lambda: fit_gram(np.ones((2, 3)), 2), r"\(2, 3\)"),
        (lambda: fit_gram([[1, 0.5], [0, 1]], 2), "symmetric"),
        (lambda: perturbation_curve(np.eye(3), 1, "exp"), "2 dimensions"),
        (lambda: probe_directions(X, [0] * 6), "one class"),
        (lambda: rbf_gram(X, width=0), "width"),
        (lambda: mean_cosine([[1, 2]]), "no pair"),
    ],
)
def test_errors_say_what_is_wrong(call, said):
    with pytest.raises(ValueError, match=said):
        call()
