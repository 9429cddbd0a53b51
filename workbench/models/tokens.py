"""Texts as token ids, and each token as the piece of text it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.errors import UsageError


@dataclass(frozen=True)
class TokenizedText:
    """One text: ids with special tokens, the piece of text for each id, and which ids count as text.

    Attributes:
        ids: token ids, special tokens included.
        pieces: for each id the exact stretch of the text it covers, spaces included; special tokens by name.
        is_text: False for BOS, EOS and other special tokens, which no analysis counts.
    """

    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    is_text: tuple[bool, ...]

    @property
    def text_pieces(self) -> list[str]:
        """The pieces without special tokens."""
        return [piece for piece, keep in zip(self.pieces, self.is_text, strict=True) if keep]


def tokenize(tokenizer: Any, text: str, context: int) -> TokenizedText:
    """Tokenize one text as the model's own tokenizer does, BOS included where it adds one.

    Raises:
        UsageError: the text is longer than the model's context; the message names it.
    """
    encoded = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
    ids = tuple(int(token) for token in encoded["input_ids"])
    if len(ids) > context:
        raise UsageError(
            f"a sentence has {len(ids)} tokens, the model reads {context} ({text[:60]!r}...)",
            "Shorten it, or choose a model with a longer context.",
        )
    special = [bool(flag) for flag in encoded["special_tokens_mask"]]
    pieces = _pieces(text, encoded["offset_mapping"], special, tokenizer.convert_ids_to_tokens(list(ids)))
    return TokenizedText(ids, tuple(pieces), tuple(not flag for flag in special))


def _pieces(text: str, offsets: list[tuple[int, int]], special: list[bool], names: list[str]) -> list[str]:
    """Cut the text at the starts of the tokens, so that the pieces joined give the text again.

    A token that starts where the one before it did (a byte of a longer character) gets an empty piece.
    """
    starts = [start for (start, _), flag in zip(offsets, special, strict=True) if not flag]
    if starts:
        starts[0] = 0
    ends = [*starts[1:], len(text)]
    cuts = iter(zip(starts, ends, strict=True))
    pieces = []
    for flag, name in zip(special, names, strict=True):
        if flag:
            pieces.append(name)
        else:
            start, end = next(cuts)
            pieces.append(text[start:end] if end >= start else "")
    return pieces
