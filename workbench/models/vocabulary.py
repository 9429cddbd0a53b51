"""The text that a token id stands for, readable where it is no text of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

UNDECODABLE = "\ufffd"


def _byte_letters() -> dict[str, int]:
    """The letter by which byte-level tokenizers name each byte: itself where it is printable, else one from U+0100 on.

    Radford et al., 2019 (GPT-2).
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + at): byte for at, byte in enumerate(rest)}


BYTES = _byte_letters()
"""The byte that each letter of a byte-level tokenizer's names stands for."""


def token_texts(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """The text of each id inside a sentence, its leading space included.

    Special tokens go by their name. Bytes that are only a part of a character are shown as `<0xE2>`.
    """
    anchor = tokenizer("a", add_special_tokens=False)["input_ids"][-1:]
    before = tokenizer.decode(anchor)
    texts = tokenizer.batch_decode([[*anchor, int(token)] for token in ids])
    names = tokenizer.convert_ids_to_tokens([int(token) for token in ids])
    texts = [text[len(before) :] if text.startswith(before) else text for text in texts]
    return [_named(text, name) for text, name in zip(texts, names, strict=True)]


def _named(text: str, name: str | None) -> str:
    if name is None:  # an id beyond the tokenizer: the embedding is often larger
        return text
    if UNDECODABLE in text and all(letter in BYTES for letter in name):
        return "".join(f"<0x{BYTES[letter]:02X}>" for letter in name)
    return name if UNDECODABLE in text or not text else text
