"""Windows: which tokens count, what is masked and counted, and that nothing is ever filled up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.errors import UsageError
from workbench.stimuli.windows import Window

PIECES = ("the", " cat", " won", " a", " prize", " today")


@pytest.mark.parametrize(
    ("kind", "width", "expected"),
    [
        ("whole", 0, [0, 1, 2, 3, 4, 5]), ("last", 0, [5]), ("last", 2, [4, 5]), ("first", 0, [0, 1, 2, 3, 4]),
        ("first", 3, [0, 1, 2]), ("centre", 2, [2, 3]), ("centre", 3, [1, 2, 3]), ("first", 6, [0, 1, 2, 3, 4, 5]),
    ],
)  # fmt: skip
def test_a_window_takes_these_tokens(kind: Any, width: int, expected: list[int]) -> None:
    places = Window.of(kind, width).places(PIECES)
    assert places is not None
    assert list(places) == expected


@pytest.mark.parametrize("kind", ["first", "last", "centre"])
def test_a_sentence_that_is_too_short_is_masked(kind: Any) -> None:
    assert Window.of(kind, 7).places(PIECES) is None


@pytest.mark.parametrize(
    ("span", "expected"), [((8, 11), [2]), ((5, 10), [1, 2]), ((0, 3), [0]), ((12, 19), [3, 4]), ((0, 25), range(6))]
)
def test_a_span_takes_every_token_it_touches(span: tuple[int, int], expected: Any) -> None:
    places = Window.of("span").places(PIECES, span)
    assert places is not None
    assert list(places) == list(expected)


def test_bytes_of_a_character_in_the_span_count() -> None:
    places = Window.of("span").places(("a ", "", "é", " b"), (2, 3))
    assert places is not None
    assert list(places) == [1, 2]


def test_a_sentence_without_a_target_is_masked() -> None:
    assert Window.of("span").places(PIECES, None) is None


@pytest.mark.parametrize("span", [(0, 99), (5, 5), (7, 3), (-1, 3)])
def test_a_span_that_is_not_in_its_sentence_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="is not in its sentence of 25 characters"):
        Window.of("span").places(PIECES, span)


@pytest.mark.parametrize("kind", ["whole", "span"])
def test_a_width_for_a_window_without_one_is_refused(kind: Any) -> None:
    with pytest.raises(UsageError, match="means nothing"):
        Window.of(kind, 3)


def test_places_are_named_from_the_side_where_the_window_is_laid() -> None:
    assert Window.of("last", 3).names(9) == ["-3", "-2", "-1"]
    assert Window.of("first", 2).names(9) == ["1", "2"]
    assert Window.of("peak", 3).names(9) == ["-1", "peak", "+1"]
    assert Window.of("whole").names(4) == ["1", "2", "3", "4"]


@pytest.mark.slow
class TestPooling:
    """What a window's tokens become, on activations written by hand."""

    def values(self, kind: Any, width: int, encoded: Any) -> np.ndarray:
        import torch

        from workbench.stimuli.activations import window_values

        window = Window.of(kind, width)
        acts = torch.tensor(encoded, dtype=torch.float32)
        places = window.places([" x"] * len(encoded))
        assert places is not None
        return window_values(acts, window, places).numpy()

    def test_a_peak_is_each_features_own_and_is_cut_at_the_ends(self) -> None:
        # (tokens, features): feature 0 peaks at token 0, feature 1 at token 2, feature 2 is silent
        encoded = [[5.0, 0.0, 0.0], [1.0, 2.0, 0.0], [0.0, 7.0, 0.0], [0.0, 1.0, 0.0]]
        found = self.values("peak", 3, encoded)
        assert np.isnan(found[0, 0])
        assert found[1:, 0].tolist() == [5.0, 1.0]
        assert found[:, 1].tolist() == [2.0, 7.0, 1.0]
        assert found[:, 2].tolist() == [0.0, 0.0, 0.0]

    @pytest.mark.parametrize(("pool", "expected"), [("mean", [3.0, 10 / 3]), ("max", [5.0, 7.0]), ("last", [1.0, 1.0])])
    def test_what_lies_beyond_the_sentence_counts_for_nothing(self, pool: Any, expected: list[float]) -> None:
        import torch

        from workbench.stimuli.activations import pool_tokens

        inside = torch.tensor([[torch.nan, 2.0], [5.0, 7.0], [1.0, 1.0]])
        assert pool_tokens(inside, pool).tolist() == pytest.approx(expected)

    def test_last_is_the_last_token_that_is_there(self) -> None:
        import torch

        from workbench.stimuli.activations import pool_tokens

        assert pool_tokens(torch.tensor([[1.0], [2.0], [torch.nan]]), "last").tolist() == [2.0]

    def test_a_window_of_one_token_at_the_end_is_that_token(self) -> None:
        assert self.values("last", 1, [[1.0], [2.0], [9.0]]).tolist() == [[9.0]]

    def test_no_sentence_long_enough_is_refused_with_the_longest(self, tiny_model: Any) -> None:
        from workbench.stimuli.activations import lay_window

        texts = [tiny_model.tokenize(text) for text in ("the cat", "the cat won")]
        with pytest.raises(UsageError, match=r"no sentence has 9 tokens \(the longest has 3\)"):
            lay_window(Window.of("first", 9), texts)
        with pytest.raises(UsageError, match="no sentence of this set has a target span"):
            lay_window(Window.of("span"), texts)
