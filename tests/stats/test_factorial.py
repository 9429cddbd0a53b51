"""Two-by-two designs: the t of ordinary least squares, exact permutations, and effects that do not leak."""

import itertools

import numpy as np
import pytest

from workbench.stats.factorial import EFFECTS, effect_null, factorial_map

RNG = np.random.default_rng(0)


def design(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a, b = rng.random(n) < 0.5, rng.random(n) < 0.4
    a[:4], b[:4] = [True, True, False, False], [True, False, True, False]
    a[4:8], b[4:8] = a[:4], b[:4]
    return a, b


def least_squares(x: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(3, features) coefficients and t of A, B and A x B in effect coding, by the normal equations."""
    one, two = np.where(a, 0.5, -0.5), np.where(b, 0.5, -0.5)
    full = np.stack([np.ones(len(a)), one, two, one * two], axis=1)
    beta = np.linalg.lstsq(full, x, rcond=None)[0]
    variance = ((x - full @ beta) ** 2).sum(axis=0) / (len(a) - 4)
    error = np.sqrt(np.diag(np.linalg.inv(full.T @ full))[:, None] * variance)
    return beta[1:], (beta / error)[1:]


def test_t_and_effect_are_those_of_least_squares_with_unequal_cells() -> None:
    a, b = design(41)
    x = RNG.standard_normal((41, 7)) * np.array([1e-4, 1, 1, 10, 1e3, 1, 1])
    beta, t = least_squares(x, a, b)
    found = factorial_map(x, a, b, permutations=50)
    for place, (_, effect) in enumerate(found.effects()):
        np.testing.assert_allclose(effect.t, t[place], rtol=1e-9)
        np.testing.assert_allclose(effect.effect, beta[place], rtol=1e-9)


def test_the_cells_are_their_means() -> None:
    a, b = design(20)
    x = RNG.standard_normal((20, 3))
    cells = factorial_map(x, a, b, permutations=20).cells
    levels = [(False, False), (False, True), (True, False), (True, True)]
    for cell, (one, two) in zip(cells, levels, strict=True):
        np.testing.assert_allclose(cell, x[(a == one) & (b == two)].mean(axis=0), rtol=1e-12)


def test_a_main_effect_permutes_within_the_other_factor_and_is_exact_where_all_labellings_are_used() -> None:
    a, b = np.tile([True, False], 4), np.repeat([True, False], 4)
    x = RNG.standard_normal((8, 3))
    found = factorial_map(x, a, b, permutations=100).a
    assert found.exhaustive
    assert found.permutations == 6 * 6 - 1  # (4 choose 2) at each level of b
    for feature in range(3):
        sizes = []
        for first in itertools.combinations(range(4), 2):
            for second in itertools.combinations(range(4, 8), 2):
                label = np.isin(np.arange(8), [*first, *second])
                sizes.append(abs(least_squares(x[:, [feature]], label, b)[1][0, 0]))
        observed = abs(found.t[feature])
        assert found.p[feature] == pytest.approx(np.mean(np.array(sizes) >= observed - 1e-9))


def test_the_interaction_does_not_see_main_effects_however_large() -> None:
    a, b = design(40)
    x = RNG.standard_normal((40, 20))
    plain = factorial_map(x, a, b, permutations=200, seed=3).interaction
    loaded = factorial_map(x + 30 * a[:, None] - 50 * b[:, None], a, b, permutations=200, seed=3).interaction
    np.testing.assert_allclose(loaded.t, plain.t, atol=1e-8)
    np.testing.assert_allclose(loaded.p, plain.p)


@pytest.mark.parametrize("planted", EFFECTS)
def test_a_planted_effect_is_found_as_what_it_is(planted: str) -> None:
    a, b = np.arange(80) % 2 == 0, np.arange(80) % 4 < 2
    x = np.random.default_rng(4).standard_normal((80, 200))
    shift = {"a": a, "b": b, "interaction": a == b}[planted]
    x[shift, :10] += 2.5
    found = dict(factorial_map(x, a, b, permutations=300, shuffles=20).effects())
    assert (found[planted].q[:10] < 0.05).all()
    assert (found[planted].effect[:10] > 0).all()
    for name, effect in found.items():
        if name != planted:
            assert effect.discoveries() <= 1
        assert np.median(effect.null_counts) == 0


@pytest.mark.parametrize("effect", EFFECTS)
def test_the_null_of_one_feature_is_the_one_it_was_tested_by(effect: str) -> None:
    a, b = design(30)
    x = np.maximum(RNG.standard_normal((30, 6)), 0)
    found = getattr(factorial_map(x, a, b, permutations=150, seed=5), effect)
    for feature in range(6):
        observed, draws, exceeding, _ = effect_null(x[:, feature], a, b, effect, permutations=150, seed=5)
        assert observed == pytest.approx(abs(found.t[feature]))
        assert (exceeding + 1) / (draws.size + 1) == pytest.approx(found.p[feature])


def test_undefined_features_have_a_status_and_no_numbers() -> None:
    a, b = np.tile([True, False], 6), np.repeat([True, False], 6)
    x = RNG.standard_normal((12, 4))
    x[:, 1] = 3.0
    x[5, 2] = np.nan
    found = factorial_map(x, a, b, permutations=50).interaction
    assert found.status.tolist() == ["ok", "constant", "masked", "ok"]
    for numbers in (found.t, found.effect, found.p, found.p_fwer, found.q):
        assert np.isnan(numbers[[1, 2]]).all()
        assert not np.isnan(numbers[[0, 3]]).any()


def test_a_stimulus_that_is_masked_everywhere_is_left_out() -> None:
    a, b = np.tile([True, False], 7), np.repeat([True, False], 7)
    x = RNG.standard_normal((14, 5))
    x[3] = np.nan
    kept = np.arange(14) != 3
    np.testing.assert_allclose(
        factorial_map(x, a, b, permutations=20).a.t, factorial_map(x[kept], a[kept], b[kept], permutations=20).a.t
    )


def test_cells_that_differ_without_variance_are_infinite() -> None:
    a, b = np.tile([True, False], 4), np.repeat([True, False], 4)
    found = factorial_map((2.0 * a)[:, None], a, b, permutations=50)
    assert found.a.t[0] == np.inf
    assert found.b.t[0] == 0
    assert found.interaction.t[0] == 0
    assert found.a.p[0] == pytest.approx(2 / 36)  # the labelling itself and its mirror image


def test_one_stimulus_in_a_cell_is_too_few() -> None:
    a = np.array([True, True, False, False, True])
    b = np.array([True, False, True, False, True])
    assert factorial_map(RNG.standard_normal((5, 2)), a, b).a.status.tolist() == ["too_few", "too_few"]


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([True, True, False], [True, False, True], "all four cells"),
        ([1, 0, 1], [True, False, True], "must be boolean"),
        ([True, False], [True, False], "stimuli"),
    ],
)
def test_a_design_that_is_none_is_refused(a: list, b: list, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        factorial_map(np.zeros((3, 1)), np.array(a), np.array(b))


def test_infinite_activations_are_refused() -> None:
    a, b = design(10)
    with pytest.raises(ValueError, match="finite"):
        factorial_map(np.full((10, 1), np.inf), a, b)
