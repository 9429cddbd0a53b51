"""The parts of a corpus that are indexed one by one, and in which pieces a model reads them.

Where shards and batches begin depends on the token store alone, so that a shard holds the same bytes whoever makes
it, whenever, and whatever was made before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.corpus.store import TokenStore

SHARD = 65_536
"""Tokens of a shard, unless the next document does not fit; only a document longer than that is parted."""
BATCH_TOKENS = 8_192
"""Tokens that the model reads at once, padding included."""


@dataclass(frozen=True)
class Stretch:
    """What the model reads as one text.

    Attributes:
        ids: token ids; at the front perhaps special ones that stand further ahead in the store.
        first: place in the store of the first id that is not put in front again.
        front: how many ids were put in front again.
    """

    ids: np.ndarray
    first: int
    front: int


@dataclass(frozen=True)
class Tokens:
    """Tokens in memory, as a store has them: ids of all documents, where each begins, and which are special."""

    tokens: np.ndarray
    starts: np.ndarray
    special: list[int]


def shard_bounds(store: TokenStore | Tokens, tokens: int) -> list[tuple[int, int]]:
    """First and last place (exclusive) of each shard of the first `tokens` tokens."""
    end = min(tokens, len(store.tokens))
    found: list[tuple[int, int]] = []
    begin = 0
    while begin < end:
        document = int(np.searchsorted(store.starts, begin + SHARD, side="right")) - 1
        stop = int(store.starts[document])
        stop = min(stop if stop > begin else begin + SHARD, end)
        found.append((begin, stop))
        begin = stop
    return found


def stretches(store: TokenStore | Tokens, first: int, last: int, context: int) -> Iterator[Stretch]:
    """The documents of a shard in stretches that fit the model's context.

    A part of a document that is not its beginning gets the special tokens of the beginning in front, as the
    model never reads without them.
    """
    special = set(store.special)
    document = int(np.searchsorted(store.starts, first, side="right")) - 1
    while first < last:
        begin, end = int(store.starts[document]), min(int(store.starts[document + 1]), last)
        document += 1
        if end <= first:
            continue
        front = _front(store.tokens[begin:end], special)
        while first < end:
            again = front if first > begin else front[:0]
            room = max(1, context - len(again))
            part = store.tokens[first : min(first + room, end)]
            yield Stretch(np.concatenate([again, part]), first, len(again))
            first += len(part)


def _front(ids: np.ndarray, special: set[int]) -> np.ndarray:
    count = next((place for place, token in enumerate(ids[:16].tolist()) if token not in special), 0)
    return ids[:count]


def batches(found: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """Stretches of similar length together."""
    order = sorted(range(len(found)), key=lambda number: len(found[number].ids))
    batch: list[Stretch] = []
    for number in order:
        if batch and (len(batch) + 1) * len(found[number].ids) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(found[number])
    if batch:
        yield batch
