import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from workbench.geometry import circles, constant, explain_by_regression, one_hot, parity, residual_map, suggest_groups

A, B = np.divmod(np.arange(144), 12)
C = A + B


def mixed(*columns, width=6, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    scores = sum(column @ rng.standard_normal((column.shape[1], width)) for column in columns)
    return scores + noise * rng.standard_normal((len(columns[0]), width))


def test_additive_scores_are_explained_whole_by_one_hots_of_the_true_size():
    scores = mixed(one_hot(A, 12), one_hot(B, 12))
    found = explain_by_regression(scores, [("a", one_hot(A, 12)), ("b", one_hot(B, 12)), ("c", circles(C, 12))])
    assert found.r2[1] == pytest.approx(1)
    assert found.r2[2] == pytest.approx(1)
    np.testing.assert_allclose(found.residual, 0, atol=1e-9)
    # b's one-hots sum to a constant, as a's do; the rank says so
    assert found.rank.tolist() == [12, 11, 2]
    # with one-hots of 8 values, as published for the months, the same scores look unexplained
    short = explain_by_regression(scores, [("a", one_hot(A, 12)[:, :8]), ("b", one_hot(B, 12)[:, :8])])
    assert short.r2[-1] < 0.8


def test_each_step_is_least_squares_on_all_columns_so_far():
    rng = np.random.default_rng(0)
    scores, groups = rng.standard_normal((60, 4)) + 2, rng.standard_normal((3, 60, 5))
    found = explain_by_regression(scores, [(str(i), g) for i, g in enumerate(groups)])
    for step in range(3):
        columns = np.concatenate(groups[: step + 1], axis=1)
        left = scores - LinearRegression(fit_intercept=False).fit(columns, scores).predict(columns)
        assert found.r2[step] == pytest.approx(1 - np.mean(left**2) / np.mean(scores**2))
        np.testing.assert_allclose(found.residuals[step], left, atol=1e-9)
    np.testing.assert_allclose(np.concatenate(groups, axis=1) @ found.coefficients + found.residual, scores, atol=1e-9)


def test_collinear_columns_change_nothing_and_share_the_coefficient():
    scores = mixed(circles(C, 12), noise=0.2)
    once = explain_by_regression(scores, [("c", circles(C, 12))])
    twice = explain_by_regression(scores, [("c", circles(C, 12)), ("again", 1e-6 * circles(C, 12)), ("0", 0 * A)])
    np.testing.assert_allclose(twice.r2, once.r2[0])
    assert twice.rank.tolist() == [2, 0, 0]
    both = explain_by_regression(scores, [("c", np.tile(circles(C, 12), 2))])
    np.testing.assert_allclose(both.coefficients, np.tile(once.coefficients / 2, (2, 1)), atol=1e-9)


def test_r2_is_of_raw_scores_so_a_constant_counts():
    scores = 3 + np.random.default_rng(0).standard_normal((500, 1))
    found = explain_by_regression(scores, [("constant", constant(500))])
    assert found.r2[0] == pytest.approx(np.mean(scores) ** 2 / np.mean(scores**2))


def test_the_suggestion_finds_what_was_put_in_and_nothing_else():
    scores = mixed(3 * circles(C, 12), parity(C), noise=0.3)
    candidates = [
        ("constant", constant(144)),
        ("a", one_hot(A, 12)),
        ("b", one_hot(B, 12)),
        ("circle c", circles(C, 12)),
        ("circle 2c", circles(C, 12, (2,))),
        ("parity c", parity(C)),
    ]
    found = suggest_groups(scores, candidates)
    assert found.names == ("circle c", "parity c")
    assert set(found.rejected) == {"constant", "a", "b", "circle 2c"}
    np.testing.assert_allclose(np.cumsum(found.gain), found.held_out_r2)


def test_noise_gains_nothing_though_it_fits():
    noise = np.random.default_rng(3).standard_normal((144, 6))
    assert explain_by_regression(noise, [("a", one_hot(A, 12))]).r2[0] > 0.05
    assert suggest_groups(noise, [("a", one_hot(A, 12)), ("b", one_hot(B, 12))]).names == ()


def test_regressors_by_hand():
    assert one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert parity([0, 1, 2]).tolist() == [[1], [-1], [1]]
    np.testing.assert_allclose(circles([1], 4, (1,)), [[0, 1]], atol=1e-12)
    assert circles(A, 12, (1, 2, 5)).shape == (144, 6)


def test_a_residual_map_keeps_its_scale_and_puts_pairs_in_their_place():
    rows = mixed(one_hot(A, 12))
    found = residual_map(rows, A, B)
    assert found.colours.shape == (12, 12, 3)
    np.testing.assert_allclose(found.colours, found.colours[:, :1].repeat(12, axis=1), atol=1e-9)  # stripes of a
    assert np.abs(found.colours - 0.5).max() == pytest.approx(0.5)
    fainter = residual_map(0.1 * rows, A, B, scale=found.scale)
    np.testing.assert_allclose(fainter.colours - 0.5, 0.1 * (found.colours - 0.5), atol=1e-9)
    np.testing.assert_allclose(residual_map(-rows, A, B).colours, found.colours, atol=1e-9)  # signs are fixed


def test_its_noise_level_is_that_of_noise_beside_signal():
    noise = 0.3 * np.random.default_rng(0).standard_normal((144, 12))
    alone = residual_map(noise, A, B)
    np.testing.assert_allclose(alone.strength, alone.noise, rtol=0.15)
    beside = residual_map(noise + mixed(3 * circles(C, 12), width=12), A, B)
    assert (beside.strength[:2] > 4 * beside.noise[:2]).all()
    np.testing.assert_allclose(beside.noise, alone.noise, rtol=0.2)


def test_pairs_that_were_never_asked_are_nan():
    colours = residual_map(np.eye(3), [0, 1, 2], [0, 1, 2]).colours
    assert np.isnan(colours[0, 1]).all()
    assert np.isfinite(colours[[0, 1, 2], [0, 1, 2]]).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: explain_by_regression(np.zeros((4, 2)), [("a", np.ones(4))]), "all 0"),
        (lambda: explain_by_regression(np.ones((4, 2)), []), "no groups"),
        (lambda: explain_by_regression(np.ones((4, 2)), [("a", np.ones(3))]), "'a' has 3 rows"),
        (lambda: explain_by_regression(np.ones((4, 2)), [("a", np.array([1, np.nan, 1, 1]))]), "row 1"),
        (lambda: suggest_groups(np.ones((4, 2)), [("a", np.ones(4))], folds=5), "folds"),
        (lambda: one_hot([0, 12], 12), "got 12"),
        (lambda: one_hot([0, -1], 12), "got -1"),
        (lambda: parity([0.5]), "whole"),
        (lambda: circles([0], 12, ()), "empty"),
        (lambda: circles([0], 12, (6,)), "no circle"),
        (lambda: residual_map(np.ones((2, 2)), [0, 1], [0]), "do not fit"),
        (lambda: residual_map(np.ones((2, 2)), [0, 1], [0, -1]), "from 0"),
        (lambda: residual_map(np.ones((2, 2)), [0, 1], [0, 1], scale=0), "scale"),
    ],
)
def test_errors_say_what_is_wrong(call, said):
    with pytest.raises(ValueError, match=said):
        call()
