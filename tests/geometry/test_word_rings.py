"""The ring test and the null of words: circles of words pass, simplices, lattices and heaps of words do not."""

import numpy as np
import pytest

from workbench.geometry import grouped_interval, index_null, ring_kurtosis, ring_test, word_means
from workbench.geometry.irreducibility import _words_null

DRAWS = 199


def ring(words, noise=0.0, seed=0):
    angle = 2 * np.pi * np.arange(words) / words
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) + noise * np.random.default_rng(
        seed
    ).standard_normal((words, 2))  # fmt: skip


def disc(words, seed=0):
    rng = np.random.default_rng(seed)
    return np.sqrt(rng.random((words, 1))) * (lambda a: np.concatenate([np.cos(a), np.sin(a)], 1))(
        2 * np.pi * rng.random((words, 1))
    )  # fmt: skip


def lattice(side):
    return np.array(np.meshgrid(np.arange(side), np.arange(side)), dtype=float).reshape(2, -1).T


def simplex(frequencies, spread=0.1, seed=0):
    """Points on few words, each with a direction of its own, as principal components: corners of a simplex."""
    rng = np.random.default_rng(seed)
    words = np.repeat(np.arange(len(frequencies)), frequencies)
    points = np.eye(len(frequencies))[words] + spread * rng.standard_normal((words.size, len(frequencies)))
    centred = points - points.mean(axis=0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:5].T, words


def test_kurtosis_of_closed_forms():
    stretched = ring(12) @ np.array([[3.0, 1.0], [0.0, 0.2]]) + [5, -7]
    for points in (ring(5), ring(7), ring(12), stretched):
        assert ring_kurtosis(points) == pytest.approx(4)
    for side in (3, 5, 9):
        x = np.arange(side) - (side - 1) / 2
        assert ring_kurtosis(lattice(side)) == pytest.approx(2 * np.mean(x**4) / np.mean(x**2) ** 2 + 2)
    rng = np.random.default_rng(0)
    assert ring_kurtosis(disc(200_000)) == pytest.approx(16 / 3, abs=0.02)
    assert ring_kurtosis(rng.standard_normal((200_000, 2))) == pytest.approx(8, abs=0.1)
    assert ring_kurtosis(rng.standard_normal((4000, 24, 2))).mean() == pytest.approx(8 * 23 / 25, abs=0.1)  # Mardia
    assert ring_kurtosis(np.outer(np.arange(6), [1.0, 2.0])) == np.inf


@pytest.mark.parametrize("words", [12, 24])
def test_a_ring_of_words_passes_both_nulls_and_names_its_plane(words):
    around = np.random.default_rng(1).standard_normal((words, 2))
    means = np.column_stack([around[:, 0], ring(words, 0.05), around[:, 1]])
    for null in ("disc", "gaussian"):
        found = ring_test(means, null=null, draws=DRAWS)
        assert (found.status, found.axes, found.words) == ("ok", (1, 2), words)
        assert found.p <= 0.03
        assert found.z > 1.5
        assert found.kurtosis[1] < 4.1
    assert ring_test(ring(words), draws=DRAWS).p == 1 / (DRAWS + 1), "never 0"


def test_what_is_filled_does_not_pass_the_disc():
    rng = np.random.default_rng(2)
    for means in (disc(40), rng.standard_normal((40, 2)), lattice(6), rng.random((40, 2))):
        assert ring_test(means, draws=DRAWS).p > 0.1
    assert ring_test(lattice(12), null="gaussian", draws=DRAWS).p < 0.05  # why the Gaussian is the weaker null


def test_discs_are_called_rings_as_often_as_the_level_says():
    p = [ring_test(np.column_stack([disc(15, s), disc(15, s + 100)]), draws=99, seed=s).p for s in range(60)]
    assert np.mean(np.array(p) <= 0.1) < 0.25
    assert 0.35 < np.mean(p) < 0.75


def test_few_words_and_lines_have_a_status():
    assert ring_test(ring(4)).status == "few_words"
    assert ring_test(np.outer(np.arange(9), [1.0, 2.0])).status == "line"
    assert ring_test(np.arange(9.0)[:, None]).status == "line"
    assert ring_test(ring(4)).z is None


def test_words_count_once_whatever_their_frequency():
    points = np.concatenate([np.repeat(ring(8), np.arange(5, 13), axis=0), [[9.0, 9.0]]])
    words = np.append(np.repeat(np.arange(8), np.arange(5, 13)), 99)
    means, counts = word_means(points, words)
    np.testing.assert_allclose(means, ring(8))  # the word of one point is left out
    assert counts.tolist() == list(range(5, 13))
    assert len(word_means(points, words, least=1)[0]) == 9


def test_a_simplex_of_words_is_beyond_a_shuffle_but_not_beyond_words_elsewhere():
    """Discrete words at the corners of a simplex: the case that the published score puts before rings."""
    scores, words = simplex([200, 160, 120, 100, 80, 60, 50, 40])
    plane = scores[:, :2]
    shuffled = index_null(plane, "separability", draws=19)
    elsewhere = index_null(plane, "separability", kind="words", words=words, draws=19)
    assert shuffled.p == 0.05
    assert elsewhere.p > 0.1
    assert ring_test(word_means(scores, words)[0], draws=DRAWS).p > 0.1


def test_many_words_on_a_ring_are_beyond_words_elsewhere():
    words = np.repeat(np.arange(60), 15)
    plane = ring(60)[words] + 0.02 * np.random.default_rng(0).standard_normal((900, 2))
    assert index_null(plane, "separability", kind="words", words=words, draws=19).p == 0.05
    drawn = index_null(plane, "mixture", kind="words", words=words, draws=5)
    assert drawn.draws.max() < 0.5


def test_words_elsewhere_keep_their_points_around_them_and_the_covariance_of_all():
    rng = np.random.default_rng(0)
    counts = rng.integers(2, 60, 12)
    words = np.repeat(np.arange(12), counts)
    points = (rng.standard_normal((12, 2)) * [3, 1] * (counts[:, None] / 30))[words] + rng.standard_normal(
        (words.size, 2)
    )
    points -= points.mean(axis=0)
    draw = _words_null(points, words)
    drawn = [draw(rng) for _ in range(4000)]
    around = points - word_means(points, words, least=1)[0][words]
    np.testing.assert_allclose(drawn[0] - word_means(drawn[0], words, least=1)[0][words], around, atol=1e-9)
    moments = np.mean([one.T @ one for one in drawn], axis=0) / words.size
    np.testing.assert_allclose(moments, points.T @ points / words.size, rtol=0.1, atol=0.2)


def test_a_jackknife_of_a_mean_is_the_standard_error_of_group_means():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(10), 30)
    points = (rng.standard_normal(10)[groups] + rng.standard_normal(300))[:, None]
    found = grouped_interval(lambda p: float(p.mean()), points, groups)
    means = points.reshape(10, 30).mean(axis=1)
    assert found.error == pytest.approx(means.std(ddof=1) / np.sqrt(10))
    assert found.high - found.value == pytest.approx(2.262157 * found.error)
    assert found.value - found.low == pytest.approx(found.high - found.value)
    alone = grouped_interval(lambda p: float(p.mean()), points, np.arange(300), seed=1)
    assert alone.error < found.error  # points of a group are alike, which points alone do not see
    assert alone.groups == 10


def test_one_group_has_no_error():
    assert np.isnan(grouped_interval(lambda p: 1.0, np.zeros((4, 1)), np.zeros(4)).error)


def test_what_has_no_value_without_a_fold_has_no_error():
    found = grouped_interval(lambda p: 1.0 if len(p) > 3 else np.nan, np.zeros((4, 1)), np.arange(4))
    assert np.isnan([found.error, found.low, found.high]).all()
    assert found.value == 1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: ring_test(np.full((6, 2), np.nan)), r"\(6, 2\)"),
        (lambda: ring_test(ring(6), null="x"), "disc"),
        (lambda: ring_test(ring(6), draws=1), "at least 2, got 1"),  # one draw has no spread to count z in
        (lambda: word_means(ring(6), np.zeros(5)), r"\(5,\)"),
        (lambda: word_means(ring(6), np.zeros(6), least=0), "least"),
        (lambda: index_null(ring(60), "mixture", kind="words"), "60 points, got 0"),
        (lambda: grouped_interval(np.mean, ring(6), np.zeros(5)), "5 groups"),
        (lambda: grouped_interval(np.mean, ring(6), np.zeros(6), folds=1), "folds"),
    ],
)
def test_errors_name_the_value(call, said):
    with pytest.raises(ValueError, match=said):
        call()
