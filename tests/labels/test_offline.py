"""The offline labeller: the words that stand out under a feature, with no model and no key."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.labels.offline import WORDS, suggest

PIECES = [" the", " of", " won", " prize", " dog", " ", "won"]
FREQUENCIES = np.array([5000.0, 3000.0, 20.0, 10.0, 30.0, 100.0, 5.0])


def label(mass: dict[int, float], **options: float) -> str | None:
    found = suggest(np.array(list(mass)), np.array(list(mass.values())), FREQUENCIES, PIECES, **options)
    return None if found is None else found.text


def test_a_planted_token_wins_over_frequent_ones() -> None:
    assert label({0: 30.0, 1: 20.0, 2: 40.0}) == "won"


def test_words_come_strongest_first() -> None:
    text = label({2: 50.0, 3: 30.0, 0: 5.0})
    assert text == "won · prize"


def test_forms_of_one_word_are_merged() -> None:
    found = suggest(np.array([2, 6]), np.array([3.0, 1.0]), FREQUENCIES, PIECES)
    assert found is not None
    assert found.text == "won"
    assert found.tokens == [("won", 1.0)]
    assert found.covered == pytest.approx(1.0)


def test_the_share_of_the_named_words_is_closed_form() -> None:
    found = suggest(np.array([0, 2, 3]), np.array([10.0, 60.0, 30.0]), FREQUENCIES, PIECES)
    assert found is not None
    assert dict(found.tokens) == {"won": 0.6, "prize": 0.3}
    assert found.covered == pytest.approx(0.9)


def test_a_silent_feature_has_no_label() -> None:
    empty = np.zeros(0)
    assert suggest(empty.astype(int), empty, FREQUENCIES, PIECES) is None
    assert suggest(np.array([1]), np.array([0.0]), FREQUENCIES, PIECES) is None


def test_a_feature_that_fires_as_often_as_the_words_stand_has_no_label() -> None:
    assert suggest(np.arange(2), np.array([5.0, 3.0]), np.array([5000.0, 3000.0]), PIECES, smoothing=0.0) is None


def test_ties_are_broken_by_the_token_id() -> None:
    pieces = ["a", "b", "c", "d", "e", "f"]
    for order in ([4, 2, 3, 1], [1, 2, 3, 4], [3, 1, 4, 2]):
        found = suggest(np.array(order), np.ones(4), np.full(6, 10.0), pieces)
        assert found is not None
        assert found.text == "b · c · d · e"


def test_at_most_a_few_words() -> None:
    pieces = [f"w{number}" for number in range(20)]
    found = suggest(np.arange(10), np.linspace(1, 2, 10), np.full(20, 10.0), pieces)
    assert found is not None
    assert found.text.count("·") == WORDS - 1
    assert len(found.tokens) <= 2 * WORDS


@given(
    st.dictionaries(st.integers(0, 6), st.floats(0.001, 100), min_size=1),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_tokens_means_nothing(mass: dict[int, float], draw: object) -> None:
    shuffled = list(mass.items())
    draw.shuffle(shuffled)  # type: ignore[attr-defined]
    assert label(mass) == label(dict(shuffled))
