import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.geometry import cosine_gram, match_gram
from workbench.geometry import matching as module


def brute_force(a, b):
    n = len(a)
    return min(np.linalg.norm(a - b[np.ix_(p, p)]) for p in itertools.permutations(range(n)))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 6), st.booleans(), st.booleans())
def test_small_matrices_are_matched_as_by_trying_everything(seed, n, symmetric, rounded):
    a, b = np.random.default_rng(seed).standard_normal((2, n, n))
    a, b = (m + m.T if symmetric else m for m in (a, b))
    a, b = (np.round(m) if rounded else m for m in (a, b))
    found = match_gram(a, b)
    p = found.permutation
    assert found.exact
    assert sorted(p.tolist()) == list(range(n))
    assert found.cost == pytest.approx(np.linalg.norm(a - b[p][:, p]))
    assert found.cost == pytest.approx(brute_force(a, b), abs=1e-9)


@pytest.mark.parametrize("n", [4, 5, 8, 10, 11, 25])
def test_a_relabelled_gram_is_recovered_signs_and_all(n):
    rng = np.random.default_rng(n)
    gram, shuffle = cosine_gram(rng.standard_normal((n, 4))), rng.permutation(n)
    found = match_gram(gram, gram[np.ix_(shuffle, shuffle)])
    np.testing.assert_array_equal(shuffle[found.permutation], np.arange(n))  # the permutation, not its inverse
    assert found.cost == pytest.approx(0, abs=1e-9)
    assert found.exact == (n <= 10)


@pytest.mark.parametrize("n", [6, 10, 14])
def test_it_is_never_worse_than_its_start_or_any_swap_from_its_end(n):
    rng = np.random.default_rng(0)
    a, b = (cosine_gram(rng.standard_normal((n, 3))) for _ in range(2))
    found = match_gram(a, b)
    assert found.cost <= np.linalg.norm(a - b)
    for i, j in itertools.combinations(range(n), 2):
        p = found.permutation.copy()
        p[[i, j]] = p[[j, i]]
        assert np.linalg.norm(a - b[np.ix_(p, p)]) >= found.cost - 1e-9


def test_the_exact_search_beats_swaps_where_they_are_stuck():
    gained = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        a, b = (cosine_gram(rng.standard_normal((8, 3))) for _ in range(2))
        stuck = module.relabelled_cost(a, b, module._swapped(a, b, np.arange(8)))
        gained += match_gram(a, b).cost < stuck - 1e-6
    assert gained > 5


def test_equal_entries_do_not_make_it_visit_every_permutation():
    assert match_gram(np.eye(10), np.ones((10, 10))).cost == pytest.approx(np.sqrt(90))


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (np.eye(2), np.eye(3), r"\(3, 3\)"),
        (np.ones((2, 3)), np.ones((2, 3)), r"\(2, 3\)"),
        (np.eye(2), np.full((2, 2), np.nan), "NaN"),
    ],
)
def test_errors_say_what_is_wrong(a, b, said):
    with pytest.raises(ValueError, match=said):
        match_gram(a, b)
