"""Token rows of the demo's corpus: documents one to a row, or packed several to a row."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from tokenizers import Tokenizer

from workbench.demo.corpus import CONCEPTS, Document, document, documents
from workbench.demo.tokenizer import CONTEXT

BOUNDARY_ID = 0
NO_CONCEPT = -1


def document_tokens(tokenizer: Tokenizer, texts: Iterable[str]) -> list[list[int]]:
    """Token ids of each text, with the boundary token before and after it."""
    return [[*encoding.ids, BOUNDARY_ID] for encoding in tokenizer.encode_batch(list(texts))]


def corpus_rows(tokenizer: Tokenizer, seed: int, start: int, count: int, mix: str = "full") -> list[list[int]]:
    """Token ids of `count` documents, one row each."""
    return document_tokens(tokenizer, (document(seed, i, mix).text for i in range(start, start + count)))


def concept_labels(tokenizer: Tokenizer, found: Sequence[Document]) -> list[list[int]]:
    """For each token of `document_tokens`, the index in `CONCEPTS` of its sentence's concept; -1 at boundaries."""
    labels = []
    for text, encoding in zip(found, tokenizer.encode_batch([text.text for text in found]), strict=True):
        ends = [sentence.end for sentence in text.sentences]
        known = [CONCEPTS.index(sentence.concept) for sentence in text.sentences]
        inside = [known[bisect_left(ends, end)] for _, end in encoding.offsets[1:]]
        labels.append([NO_CONCEPT, *inside, NO_CONCEPT])
    return labels


def packed(rows: Sequence[Sequence[int]], boundary: int = BOUNDARY_ID) -> list[list[int]]:
    """Whole documents one after the other in rows of at most `CONTEXT` tokens, sharing their boundary tokens."""
    full: list[list[int]] = []
    row: list[int] = [boundary]
    for tokens in rows:
        if len(row) + len(tokens) - 1 > CONTEXT:
            full.append(row)
            row = [boundary]
        row.extend(tokens[1:])
    return [*full, row]


def padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of ids as one matrix, filled up on the right, and the mask of what is text.

    Returns:
        ids (rows, length) int64 and present (rows, length) bool.
    """
    length = max(len(row) for row in rows)
    ids = torch.full((len(rows), length), BOUNDARY_ID)
    present = torch.zeros(len(rows), length, dtype=torch.bool)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
        present[at, : len(row)] = True
    return ids, present


@dataclass(frozen=True)
class Layout:
    """Texts laid side by side in rows of `CONTEXT` tokens, each of them to be read as if it stood alone.

    Attributes:
        ids: token ids, (rows, CONTEXT).
        places: position of each token, (rows, CONTEXT).
        owner: which text a token belongs to, -1 for none, (rows, CONTEXT).
        concepts: each token's label, -1 for none, (rows, CONTEXT).
    """

    ids: torch.Tensor
    places: torch.Tensor
    owner: torch.Tensor
    concepts: torch.Tensor

    @property
    def visible(self) -> torch.Tensor:
        """Which token (last axis) each token may look at, (rows, 1, CONTEXT, CONTEXT) bool."""
        same = self.owner[:, :, None] == self.owner[:, None, :]
        return (same & torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).tril())[:, None]

    @property
    def predicted(self) -> torch.Tensor:
        """Whether the next token is of the same text, (rows, CONTEXT - 1) bool."""
        return (self.owner[:, 1:] == self.owner[:, :-1]) & (self.owner[:, 1:] >= 0)


def laid_out(
    texts: Sequence[Sequence[int]], starts: Sequence[int], labels: Sequence[Sequence[int]] | None = None
) -> Layout:
    """Put texts (token ids), longest first, into the first row with room; `starts` are their first positions."""
    rooms: list[int] = []
    spots: list[tuple[int, int, int]] = []  # text, row, column
    for text in sorted(range(len(texts)), key=lambda at: -len(texts[at])):
        row = next((r for r, room in enumerate(rooms) if room >= len(texts[text])), len(rooms))
        if row == len(rooms):
            rooms.append(CONTEXT)
        spots.append((text, row, CONTEXT - rooms[row]))
        rooms[row] -= len(texts[text])
    ids = torch.full((len(rooms), CONTEXT), BOUNDARY_ID)
    places, owner, concepts = torch.zeros_like(ids), torch.full_like(ids, -1), torch.full_like(ids, NO_CONCEPT)
    for text, row, column in spots:
        tokens = torch.tensor(texts[text])
        inside = slice(column, column + len(tokens))
        ids[row, inside], owner[row, inside] = tokens, text
        places[row, inside] = torch.arange(starts[text], starts[text] + len(tokens))
        if labels is not None:
            concepts[row, inside] = torch.tensor(labels[text])
    return Layout(ids, places, owner, concepts)


def by_length(rows: Sequence[Sequence[int]], parts: int) -> list[list[Sequence[int]]]:
    """The rows in `parts` groups of like length, so that little is wasted on filling up."""
    ordered = sorted(rows, key=len)
    size = -(-len(ordered) // parts)
    return [ordered[at : at + size] for at in range(0, len(ordered), size)]


def token_slice(tokenizer: Tokenizer, seed: int, tokens: int, start: int = 0) -> Iterator[list[int]]:
    """Rows of documents from `start` on until they hold `tokens` predicted tokens."""
    source, held = documents(seed, start), 0
    while held < tokens:
        for row in document_tokens(tokenizer, (d.text for d in islice(source, 256))):
            if held < tokens:
                held += len(row) - 1
                yield row
