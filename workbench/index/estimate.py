"""What an index will cost, said before it is built: a few batches are read in memory, nothing is written."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from workbench import memory
from workbench.corpus.store import TokenStore
from workbench.errors import InputFileError
from workbench.index.reading import CELLS, counted, nonzeros
from workbench.index.shards import SHARD, batches, shard_bounds, stretches

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace

TRIED = 5
"""Batches read; the first is not timed."""
_ENTRY = 16
"""Bytes of a non-zero on disk in all: its feature, its token, its activation; 12 in a shard, and pointers."""
_FINISHING = 2.5e-7
"""Seconds for each non-zero to be sorted by feature and summarised, measured on one core."""


def estimate(model: LoadedModel, space: FeatureSpace, store: TokenStore, tokens: int) -> dict[str, Any]:
    """Seconds, memory and disk of an index of the first `tokens` tokens.

    Raises:
        InputFileError: the corpus is empty.
    """
    bounds = shard_bounds(store, tokens)
    if not bounds:
        raise InputFileError("the corpus has no text", "Give a corpus with at least one document.")
    before = memory.resident()
    memory.forget_peak()
    seen, read, found, seconds = 0, 0, 0, 0.0
    # batches of all lengths, as they come in the order of their length
    spread = list(batches(list(stretches(store, *bounds[0], model.context))))
    for number, batch in enumerate(islice(spread, 0, None, max(1, len(spread) // TRIED))):
        began = time.perf_counter()
        acts, _ = counted(model, space, store, batch)
        step = max(1, CELLS // space.width)
        entries = sum(len(nonzeros(space, acts[low : low + step])[0]) for low in range(0, len(acts), step))
        read += len(acts)
        found += entries
        if number or len(spread) == 1:
            seen += len(acts)
            seconds += time.perf_counter() - began
    total, dense = bounds[-1][1], space.info["units"] != "latents"
    entries = 0 if dense else round(found / max(read, 1) * total)
    working = max(0, memory.peak() - before)
    return {
        "tokens": total,
        "shards": len(bounds),
        "seconds": round(total * seconds / max(seen, 1) + entries * _FINISHING, 3),
        "memory_bytes": before + working + round(5 * _ENTRY * found / max(read, 1) * min(total, SHARD)),
        "disk_bytes": 2 * _ENTRY * entries + 1300 * space.width + 8 * total,
        "entries": entries,
    }
