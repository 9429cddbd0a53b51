"""Tokens as text: words with their space, special tokens by name, parts of characters as bytes."""

from __future__ import annotations

from typing import Any

import pytest

from tests import tiny
from workbench.models.vocabulary import token_texts

pytestmark = [pytest.mark.slow]


def test_every_kind_of_token_can_be_read(tiny_model: Any) -> None:
    ids = tiny_model.tokenizer(" cat é", add_special_tokens=False)["input_ids"]
    assert token_texts(tiny_model.tokenizer, [*ids, 0]) == [" cat", " ", "<0xC3>", "<0xA9>", tiny.BOUNDARY]


def test_every_byte_has_its_number(tiny_model: Any) -> None:
    """Bytes from 0x80 on are no characters of their own; those below are themselves."""
    from tokenizers import pre_tokenizers

    size = 1 + len(pre_tokenizers.ByteLevel.alphabet())
    texts = token_texts(tiny_model.tokenizer, range(1, size))
    assert sorted(text for text in texts if text.startswith("<0x")) == [f"<0x{byte:02X}>" for byte in range(128, 256)]
    assert {chr(byte) for byte in range(128)} <= set(texts)
