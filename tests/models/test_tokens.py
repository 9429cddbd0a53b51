"""Pieces: each token with the stretch of text it stands for; joined, they are the text again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import tiny
from workbench import demo
from workbench.models.tokens import TokenizedText, tokenize

pytestmark = pytest.mark.slow
HOSTILE = [
    "\u202e\u0000 \n\t",
    "e\u0301clair",
    "👩‍👩‍👧‍👦 family",
    " leading",
    "trailing ",
    "a  b",
    "日本語",
    "\r\n",
    "[bold]<b>",
    "ﬁ",
    "\ufeff",
]
texts = st.one_of(st.text(min_size=1, max_size=60), st.sampled_from(HOSTILE))
quick = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tiny_tokenizer(tiny_model: Any) -> Any:
    return tiny_model.tokenizer


@pytest.fixture(scope="module")
def demo_tokenizer(torch_loaded: None) -> Any:
    from transformers import AutoTokenizer

    if not (demo.model_dir() / "tokenizer.json").exists():
        tiny.required("the demo model is not here")
    return AutoTokenizer.from_pretrained(str(demo.model_dir()), local_files_only=True)


def check(found: TokenizedText, text: str) -> None:
    assert len(found.ids) == len(found.pieces) == len(found.is_text)
    assert "".join(found.text_pieces) == text
    assert not found.is_text[0], "BOS"
    assert all(found.is_text[1:])


@quick
@given(texts)
def test_pieces_joined_are_the_text(tiny_tokenizer: Any, text: str) -> None:
    check(tokenize(tiny_tokenizer, text, 10**6), text)


@quick
@given(texts)
def test_pieces_joined_are_the_text_on_the_demo(demo_tokenizer: Any, text: str) -> None:
    check(tokenize(demo_tokenizer, text, 10**6), text)


def test_a_word_is_one_piece_with_its_space(tiny_tokenizer: Any) -> None:
    found = tokenize(tiny_tokenizer, "the cat won", 32)
    assert found.pieces == (tiny.BOUNDARY, "the", " cat", " won")
    assert found.is_text == (False, True, True, True)
    assert found.ids == tuple(tiny_tokenizer("the cat won")["input_ids"])


def test_a_character_of_several_tokens_stands_in_one_piece(tiny_tokenizer: Any) -> None:
    found = tokenize(tiny_tokenizer, "a😀b", 32)
    assert len(found.text_pieces) == 6
    assert [piece for piece in found.text_pieces if piece] == ["a", "😀", "b"]
