"""Which predictions a corpus has: its first documents, each cut to a length, numbered canonically."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from workbench.corpus.store import TokenStore
from workbench.quanta import TokenIndex, present_bigram, present_trigram


@dataclass(frozen=True)
class Numbering:
    """The predictable tokens of the first documents of a store.

    Attributes:
        store: the tokens.
        context: of each document so many tokens count.
        documents: so many documents.
    """

    store: TokenStore
    context: int
    documents: int

    @classmethod
    def of(cls, store: TokenStore, context: int, tokens: int) -> Numbering:
        """That of the documents that begin within the first `tokens` tokens."""
        starts = store.starts
        documents = int(np.searchsorted(starts[:-1], min(tokens, len(store.tokens)), side="left"))
        return cls(store, context, max(documents, min(1, len(starts) - 1)))

    @property
    def about(self) -> dict[str, Any]:
        """All that decides the numbers."""
        return {"store": self.store.digest, "context": self.context, "documents": self.documents}

    @cached_property
    def index(self) -> TokenIndex:
        """The numbers of the predictions."""
        lengths = np.diff(self.store.starts[: self.documents + 1])
        return TokenIndex(np.minimum(lengths, self.context))

    def ids(self, document: int) -> np.ndarray:
        """Token ids of a document, as far as they count."""
        first = int(self.store.starts[document])
        return self.store.tokens[first : min(int(self.store.starts[document + 1]), first + self.context)]

    def answers(self) -> np.ndarray:
        """(predictions,) the token that each is of."""
        parts = [self.ids(document)[1:] for document in range(self.documents)]
        return np.concatenate([np.zeros(0, dtype=np.int32), *parts])

    def contexts(self, numbers: np.ndarray) -> list[list[int]]:
        """Token ids up to and with each predicted one."""
        documents, positions = self.index.locate(numbers)
        pairs = zip(documents.tolist(), positions.tolist(), strict=True)
        return [self.ids(document)[: position + 1].tolist() for document, position in pairs]

    def repeats(self, documents: Iterable[int], size: int) -> np.ndarray:
        """(their predictions,) bool: which end an n-gram that the document had before."""
        mark = {2: present_bigram, 3: present_trigram}[size]
        parts = [mark(self.ids(document)) for document in documents]
        return np.concatenate([np.zeros(0, dtype=bool), *parts])
