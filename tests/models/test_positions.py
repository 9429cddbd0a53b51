"""Choosing tokens of a prompt: by number, by text, the last, all."""

from __future__ import annotations

import pytest

from workbench.errors import UsageError
from workbench.models.positions import chosen_tokens
from workbench.models.tokens import TokenizedText

PIECES = ("<s>", "the", " cat", " won", " the", " ca", "t", " last", "3")
TEXT = TokenizedText(tuple(range(9)), PIECES, (False, *[True] * 8))


@pytest.mark.parametrize(
    ("positions", "places"),
    [
        ("all", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("last", [8]),
        ("0", [1]),
        ("0,2,-1", [1, 3, 8]),
        ("7", [8]),
        ("the", [1, 4]),
        (" won ", [3]),
        ("cat", [2, 5, 6]),
        ("cat won", [2, 3]),
        ('"last"', [7]),
        ('"3"', [8]),
        ("the cat", [1, 2, 4, 5, 6]),
        ("ca", [5]),
    ],
)
def test_tokens_are_chosen(positions: str, places: list[int]) -> None:
    assert [place for place, on in enumerate(chosen_tokens(positions, TEXT)) if on] == places


@pytest.mark.parametrize(
    ("positions", "names"), [("8", "position 8"), ("-9", "position -9"), ("dog", "'dog'"), ("", "''")]
)
def test_tokens_that_are_not_there_are_named(positions: str, names: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen_tokens(positions, TEXT)
    assert names in caught.value.message
    assert caught.value.hint
