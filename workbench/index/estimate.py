"""What an index will cost, said before it is built: a few batches are read in memory, nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import memory
from workbench.corpus.store import TokenStore
from workbench.corpus.tokenizing import StoreTokenizer
from workbench.errors import InputFileError
from workbench.index.build import LOGITS_AT_ONCE, SHOWN_LOGITS
from workbench.index.finish import BLOCK
from workbench.index.reading import CELLS, counted, nonzeros
from workbench.index.sampling import AFTER, BEFORE
from workbench.index.shards import SHARD, Tokens, batches, shard_bounds, stretches
from workbench.index.summary import Summary

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace

TRIED = 6
"""Batches read; the first is not timed."""
_STORED, _POINTER = 4 + 4 + 4, 8
"""Bytes on disk of a non-zero (its feature, its token, its activation), and of a token's place among them."""
_HELD, _SORTED = 48, 120
"""Bytes in memory of a non-zero of a shard while it is put in order, and of one of a block while it is summarised."""
_FINISHING = 4e-7
"""Seconds a non-zero takes to be put in order and summarised."""


@dataclass(frozen=True)
class Estimate:
    """Cost of building an index: seconds, most bytes that the process will hold, bytes on disk."""

    seconds: float
    memory: int
    disk: int


def first_documents(documents: Iterable[str], tokenizer: StoreTokenizer, tokens: int) -> Tokens:
    """The first documents of a stream as tokens in memory, as many as a shard takes."""
    rows: list[list[int]] = []
    size, wanted = 0, min(tokens, SHARD)
    stream = iter(documents)
    while size < wanted and (texts := list(islice(stream, 256))):
        rows += tokenizer.encode(texts, 0)[0]
        size = sum(len(row) for row in rows)
    starts = np.cumsum([0, *(len(row) for row in rows)])
    return Tokens(np.array([token for row in rows for token in row], dtype=np.int32), starts, tokenizer.special)


def estimate(
    model: LoadedModel, space: FeatureSpace, corpus: TokenStore | Tokens, *, tokens: int, examples: int
) -> Estimate:
    """Try a few batches and add up.

    Args:
        corpus: a store, or the beginning of a corpus that has more.
        tokens: how many tokens of the corpus are to be indexed.

    Raises:
        InputFileError: the corpus is empty.
    """
    if not len(corpus.tokens):
        raise InputFileError("the corpus has no text", "Give a corpus with at least one document.")
    memory.forget_peak()
    rate, share = _try(model, space, corpus)
    dense = space.info["units"] != "latents"
    entries, shard = (0, 0) if dense else (round(share * tokens), round(share * min(tokens, SHARD)))
    summary = _summary_bytes(space.width, examples, dense)
    directions = 0 if dense else 2 * int(space.directions().numel())
    disk = _STORED * entries + (0 if dense else _POINTER * (tokens + space.width)) + summary + directions
    # in the end the summary is held once more as the bytes that are written
    end = 3 * summary + _SORTED * min(entries, BLOCK) + _logits(model, space)
    held = memory.resident() + max(_HELD * shard, end)
    return Estimate(tokens / rate + entries * _FINISHING, max(memory.peak(), held), disk)


def _try(model: LoadedModel, space: FeatureSpace, corpus: Any) -> tuple[float, float]:
    """Tokens a second, and non-zeros a token, of batches of all lengths."""
    found = list(batches(list(stretches(corpus, *shard_bounds(corpus, SHARD)[0], model.context))))
    seen = read = entries = 0
    began, step = time.perf_counter(), max(1, CELLS // space.width)
    # shortest and longest among them; the first is read once more, since it is not timed
    chosen = np.unique(np.linspace(0, len(found) - 1, TRIED - 1).astype(int)).tolist()
    for number, place in enumerate([chosen[0], *chosen]):
        if number == 1:
            began = time.perf_counter()
        acts, _ = counted(model, space, corpus, found[place])
        some = sum(len(nonzeros(space, acts[low : low + step])[0]) for low in range(0, len(acts), step))
        if number:
            seen += sum(len(stretch.ids) - stretch.front for stretch in found[place])
            read += len(acts)
            entries += some
    return seen / max(time.perf_counter() - began, 1e-9), entries / max(seen, 1)


def _summary_bytes(width: int, examples: int, dense: bool) -> int:
    one = Summary(1, examples, np.zeros(0, np.int64)).arrays
    each = sum(array.nbytes for array in one.values()) + 2 * SHOWN_LOGITS * (8 + 4)
    windows = 4 * (BEFORE + AFTER + 1) * (examples + one["sample_at"].size + one["random_at"].size)
    return width * (each + (windows + one["histogram"].nbytes if dense else 0))


def _logits(model: LoadedModel, space: FeatureSpace) -> int:
    """Bytes that the direct logits take: the unembedding as read and centred, the directions, scores both ways."""
    head = model.plain.get_output_embeddings() if model.info.get("causal", True) else None
    if head is None:
        return 0
    vocabulary, units = head.weight.shape
    return int(4 * (2 * vocabulary * units + space.width * units + 2 * min(LOGITS_AT_ONCE, space.width) * vocabulary))
