"""A tokenizer as the token store needs it: its digest, its special ids, and ids of texts that may be hostile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.corpus.pieces import vocabulary_bytes
from workbench.digests import text_digest, value_digest


@dataclass(frozen=True)
class StoreTokenizer:
    """A model's own tokenizer.

    Attributes:
        tokenizer: the Hugging Face object.
        size: how many ids the model knows.
    """

    tokenizer: Any
    size: int

    @property
    def digest(self) -> str:
        """Changes when any text would give other ids."""
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is not None:
            return text_digest(str(backend.to_str()))
        return value_digest({"class": type(self.tokenizer).__name__, "vocabulary": self.tokenizer.get_vocab()})

    @property
    def special(self) -> list[int]:
        """Ids that no analysis counts, such as BOS."""
        return sorted(int(token) for token in self.tokenizer.all_special_ids)

    @property
    def pieces(self) -> list[bytes]:
        """The bytes of each id."""
        return vocabulary_bytes(self.tokenizer, max(self.size, len(self.tokenizer)))

    def encode(self, texts: Sequence[str], most: int) -> tuple[list[list[int]], int, int]:
        """Ids of each text, at most `most` of each (0: all); how many were cut, how many repaired.

        Half a surrogate pair is no text that can be written in UTF-8: it becomes U+FFFD.
        """
        repaired_texts = [sound(text) for text in texts]
        repaired = sum(before is not after for before, after in zip(texts, repaired_texts, strict=True))
        rows: list[list[int]] = self.tokenizer(repaired_texts, verbose=False)["input_ids"]
        cut = sum(len(row) > most for row in rows) if most else 0
        return ([row[:most] for row in rows] if most else rows), cut, repaired


def sound(text: str) -> str:
    """The text itself, with U+FFFD for half a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
