"""Samples in context: the tokens before the predicted one, that one, and those after it, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.predictions.numbering import Numbering


@dataclass(frozen=True)
class SampleContext:
    """One sample.

    Attributes:
        before: texts of the tokens before the answer.
        answer: text of the predicted token.
        after: texts of the tokens after it, which the model never saw.
        cut: whether the document begins before the first token shown.
    """

    before: list[str]
    answer: str
    after: list[str]
    cut: bool


def sample_context(numbering: Numbering, document: int, position: int, before: int, after: int) -> SampleContext:
    """A predicted token with so many tokens before and after it; special tokens by their name."""
    ids = numbering.ids(document)
    pieces = numbering.store.pieces
    first = max(0, position - before)
    texts = [pieces[int(token)] for token in ids[first : position + 1 + after]]
    at = position - first
    return SampleContext(texts[:at], texts[at], texts[at + 1 :], first > 0)


def plain_text(numbering: Numbering, document: int, first: int, last: int) -> str:
    """The text of tokens `first` to `last` (exclusive) of a document, special ones left out."""
    ids, special = numbering.ids(document)[first:last], set(numbering.store.special)
    raw = b"".join(numbering.store.pieces.raw(int(token)) for token in ids if int(token) not in special)
    return raw.decode("utf-8", "replace")


def answer_span(numbering: Numbering, document: int, position: int) -> tuple[int, int]:
    """First and last character (exclusive) of a token in the text of its document, spaces around it left out."""
    start = len(plain_text(numbering, document, 0, position))
    piece = plain_text(numbering, document, position, position + 1)
    left = len(piece) - len(piece.lstrip())
    return start + left, start + max(len(piece.rstrip()), left + 1 if piece else left)


def document_order(documents: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The samples in the order of the corpus."""
    return np.lexsort((positions, documents))
