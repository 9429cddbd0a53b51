"""Filters, the canonical index and the selection, against the published definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.quanta import (
    TokenIndex,
    angular_similarity,
    present_bigram,
    present_trigram,
    select_predictions,
)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [([1, 2, 3, 1, 2, 3], "00001"), ([7] * 5, "0011"), ([1], ""), ([], ""), ([7] * 4, "001")],
)
def test_a_trigram_is_present_from_its_second_time_on(tokens: list[int], expected: str) -> None:
    assert "".join(str(int(value)) for value in present_trigram(tokens)) == expected


def test_a_bigram_is_present_from_its_second_time_on() -> None:
    assert present_bigram([1, 2, 1, 2, 1]).tolist() == [False, False, True, True]
    assert present_bigram(np.array([7, 7, 7])).tolist() == [False, True]


@given(st.lists(st.integers(0, 3), max_size=30))
def test_filters_agree_with_their_definition(tokens: list[int]) -> None:
    """Against the sentence that defines them, searched for afresh at every position."""
    for size, found in ((2, present_bigram(tokens)), (3, present_trigram(tokens))):
        grams = [tuple(tokens[end - size : end]) for end in range(size, len(tokens) + 1)]
        for prediction, value in enumerate(found):
            end = prediction + 2
            expected = end >= size and grams[end - size] in grams[: end - size]
            assert value == expected


def test_the_canonical_index_counts_and_locates_predictions() -> None:
    index = TokenIndex([3, 1, 0, 5, 2])
    assert index.counts.tolist() == [2, 0, 0, 4, 1]
    assert index.starts.tolist() == [0, 2, 2, 2, 6, 7]
    assert len(index) == 7
    documents, positions = index.locate(range(7))
    assert documents.tolist() == [0, 0, 3, 3, 3, 3, 4]
    assert positions.tolist() == [1, 2, 1, 2, 3, 4, 1]
    with pytest.raises(IndexError, match="no prediction 7: there are 7"):
        index.locate([7])
    with pytest.raises(ValueError, match="non-negative"):
        TokenIndex([-1])


def test_a_threshold_in_bits_is_strict_and_skips_before_it_cuts() -> None:
    losses = np.array([0.05, 0.0999, 0.1, 0.2, 0.01, 0.02, 0.03])
    drop = np.array([False, False, False, False, True, False, False])
    bits = 0.1 / math.log(2)
    assert bits == 0.14426950408889636
    assert select_predictions(losses, drop, threshold=bits, unit="bits").tolist() == [0, 1, 5, 6]
    assert select_predictions(losses, drop, threshold=0.1, skip=2).tolist() == [0, 5]
    assert select_predictions(losses, drop, threshold=0.1, skip=2, count=1).tolist() == [0]
    with pytest.raises(ValueError, match=r"2 of the 3 samples asked for: 7 predictions, 5 below 0\.1 nats, 4 of them"):
        select_predictions(losses, drop, threshold=0.1, skip=2, count=3)


def test_low_here_and_high_there() -> None:
    losses, other = np.array([0.1, 0.1, 0.9]), np.array([2.0, 0.5, 2.0])
    chosen = select_predictions(losses, [False] * 3, threshold=0.5, unit="bits", high=other, high_threshold=2)
    assert chosen.tolist() == [0]


def test_angular_similarity_is_1_less_the_angle_over_pi() -> None:
    found = angular_similarity([1, 0.5, 0, -0.5, -1, 1 + 1e-7])
    np.testing.assert_allclose(found, [1, 2 / 3, 1 / 2, 1 / 3, 0, 1], atol=1e-12)
    assert np.isnan(angular_similarity(np.nan))
