"""Alignment, differences, shared features and surprise on arrays whose answers can be worked out by hand."""

from __future__ import annotations

import math
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.index.read import EDGES, HISTOGRAM_BINS, histogram_bins
from workbench.sentences.align import GAP, MATCH, OTHER, align
from workbench.sentences.difference import by_column, differences
from workbench.sentences.shared import shared
from workbench.sentences.surprise import as_strong, expected_share, surprise
from workbench.sentences.table import SentenceFeatures

words = st.lists(st.integers(0, 3), max_size=7)


def table_of(*sentences: list[list[float]]) -> SentenceFeatures:
    """Sentences as dense (tokens, features) lists."""
    dense = np.concatenate([np.array(sentence, dtype=np.float32) for sentence in sentences])
    rows, features = np.nonzero(dense)
    starts = np.cumsum([0, *(len(sentence) for sentence in sentences)])
    return SentenceFeatures(dense.shape[1], starts, rows, features, dense[rows, features])


def best_score(a: list[int], b: list[int]) -> int:
    """The textbook recursion."""

    @cache
    def best(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return GAP * (i + j)
        pair = best(i - 1, j - 1) + (MATCH if a[i - 1] == b[j - 1] else OTHER)
        return max(pair, best(i - 1, j) + GAP, best(i, j - 1) + GAP)

    return best(len(a), len(b))


@settings(deadline=None, max_examples=300)
@given(words, words)
def test_an_alignment_is_whole_and_no_other_is_better(a: list[int], b: list[int]) -> None:
    columns = align(a, b)
    assert [i for i, _ in columns if i is not None] == list(range(len(a)))
    assert [j for _, j in columns if j is not None] == list(range(len(b)))
    score = sum(GAP if i is None or j is None else MATCH if a[i] == b[j] else OTHER for i, j in columns)
    assert score == best_score(a, b)


def test_a_minimal_pair_is_aligned_word_by_word() -> None:
    assert align([5, 6, 7], [5, 9, 7]) == [(0, 0), (1, 1), (2, 2)]
    assert align([5, 6, 7], [5, 6, 8, 7]) == [(0, 0), (1, 1), (None, 2), (2, 3)]
    assert align([], [4]) == [(None, 0)]


def test_peaks_are_the_strongest_token_of_each_feature() -> None:
    table = table_of([[0.0, 2.0], [3.0, 2.0]], [[-4.0, 0.0], [1.0, 0.0]])
    peaks = table.peaks()
    assert list(zip(peaks.sentence, peaks.feature, peaks.value, peaks.token, strict=True)) == [
        (0, 0, 3.0, 1), (0, 1, 2.0, 0), (1, 0, -4.0, 0),
    ]  # fmt: skip
    assert table.peaks(signed=True).value.tolist() == [3.0, 2.0, 1.0]


def test_differences_of_a_pair() -> None:
    # columns: same token, substituted token, a token that only b has
    columns = [(0, 0), (1, 1), (None, 2)]
    pair = table_of(
        [[1.0, 0.0, 0.0, 0.0005], [0.0, 2.0, 5.0, 0.0]],
        [[1.0, 0.0, 0.0, 0.0], [0.0, 5.0, 4.0, 0.0], [7.0, 0.0, 0.0, 0.0]],
    )
    found = differences(pair, columns, 0.001)
    assert found.tolerance == pytest.approx(0.007)
    assert found.features.tolist() == [0, 1, 2]  # the last one differs by less than the tolerance
    assert found.change.tolist() == [7.0, 3.0, -1.0]
    assert found.column.tolist() == [2, 1, 1]
    assert found.distance == pytest.approx([0.0, math.hypot(3, 1), 7.0])
    assert found.active.tolist() == [[True, True, True, False], [True, True, True, False]]
    assert by_column(pair, columns, 0) == [[1.0, 0.0, None], [1.0, 0.0, 7.0]]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_differences_are_those_of_dense_arrays(seed: int) -> None:
    draw = np.random.default_rng(seed)
    width, sizes = 5, draw.integers(1, 5, size=2)
    dense = [np.where(draw.random((size, width)) < 0.5, draw.normal(size=(size, width)), 0) for size in sizes]
    ids = [draw.integers(0, 3, size=size).tolist() for size in sizes]
    columns = align(*ids)
    found = differences(table_of(*[one.tolist() for one in dense]), columns, 0.0)
    silent = np.zeros(width, dtype=np.float32)
    change = np.array(
        [
            (silent if j is None else dense[1][j].astype(np.float32)).astype(np.float64)
            - (silent if i is None else dense[0][i].astype(np.float32))
            for i, j in columns
        ]
    )
    largest = np.abs(change).max(axis=0)
    expected = [int(number) for number in np.lexsort((np.arange(width), -largest)) if largest[number] > 0]
    assert found.features.tolist() == expected
    assert np.abs(found.change) == pytest.approx(largest[expected])
    assert found.distance == pytest.approx(np.linalg.norm(change, axis=1))


def test_what_sentences_share_and_controls_have_not() -> None:
    both, only, control, faint = [1.0, 2.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.4], [1.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 0.1]
    table = table_of([both], [only, faint], [both, both], [control])
    found = shared(table, 3, threshold=0.0, share=1.0, control_share=0.0)
    assert (found.found.tolist(), found.needed, found.allowed) == ([1], 3, 0)
    assert found.counts.tolist() == [2, 3, 0, 1]
    assert found.control_counts.tolist() == [1, 0, 1, 0]
    assert found.means == pytest.approx([2 / 3, 2.0, 0.0, 0.4 / 3])
    assert found.above.tolist() == [[True], [True], [True]]
    less = shared(table, 3, threshold=0.0, share=0.3, control_share=0.0)
    assert less.found.tolist() == [1, 3]
    assert less.above[:, 1].tolist() == [False, True, False]
    assert shared(table, 3, threshold=0.5, share=0.3, control_share=0.0).found.tolist() == [1]
    assert shared(table, 4, threshold=0.0, share=0.75, control_share=0.0).found.tolist() == [1, 0]


@pytest.mark.parametrize(("share", "needed"), [(0.7, 7), (0.71, 8), (1.0, 10), (0.001, 1)])
def test_a_share_of_the_sentences_is_rounded_up(share: float, needed: int) -> None:
    table = table_of(*[[[1.0]]] * 10)
    assert shared(table, 10, threshold=0, share=share, control_share=0).needed == needed


def made_index(values: np.ndarray, tokens: int) -> Any:
    """What `surprise` reads of an index, of one feature with these activations."""
    histogram = np.bincount(histogram_bins(values.astype(np.float32)), minlength=HISTOGRAM_BINS)[None]
    summary = {"histogram": histogram, "maximum": np.array([values.max()]), "fired": np.array([len(values)])}
    return SimpleNamespace(summary=summary, meta={"tokens": tokens})


def test_surprise_is_the_logarithm_of_how_many_tokens_are_as_strong() -> None:
    values = np.repeat(EDGES[20:24], [8, 4, 2, 1]) * (1 + 1e-6)  # at the lower edges of four bins
    index = made_index(values, 1023)
    asked = EDGES[20:24] * (1 + 1e-6)
    counted = np.array([(values >= value).sum() for value in asked], dtype=float)
    assert as_strong(index, np.zeros(4, int), asked)[:-1] == pytest.approx(counted[:-1], abs=1e-3)
    assert surprise(index, np.zeros(3, int), asked[:3]) == pytest.approx(-np.log2((counted[:3] + 1) / 1024), abs=1e-3)
    assert surprise(index, np.zeros(2, int), np.array([values.max() * 2, 0.0])).tolist() == [10.0, 0.0]


def test_surprise_is_close_to_the_true_tail_of_many_activations() -> None:
    values = np.random.default_rng(0).lognormal(size=20_000)
    index = made_index(values, 100_000)
    asked = np.quantile(values, [0.1, 0.5, 0.9, 0.99])
    true = -np.log2([((values >= value).sum() + 1) / 100_001 for value in asked])
    assert surprise(index, np.zeros(4, int), asked) == pytest.approx(true, abs=0.2)


def test_what_random_texts_would_have() -> None:
    index = made_index(np.ones(10), 100)
    lengths = np.array([1, 2])
    assert expected_share(index, np.zeros(1, int), 0.0, lengths) == pytest.approx([(0.1 + 0.19) / 2])
    assert expected_share(index, np.zeros(1, int), 5.0, lengths) == pytest.approx([0.0])
