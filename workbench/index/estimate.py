"""What an index will cost, said before it is built: a few batches are tried in memory, nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from workbench import memory
from workbench.errors import InputFileError
from workbench.index.build import LOGITS_AT_ONCE, SHOWN_LOGITS, Totals, add_batch, batches, cut, need_latents
from workbench.index.read import ARRAYS

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace

TRIED = 6
"""Batches of documents read to see what one costs; the first is not timed."""


@dataclass(frozen=True)
class Estimate:
    """Cost of building an index: seconds, most bytes that the process will hold, bytes on disk."""

    seconds: float
    memory: int
    disk: int


class _Counted:
    """Stands for the files: counts what would be written."""

    def __init__(self) -> None:
        self.bytes = 0

    def append(self, name: str, values: np.ndarray) -> None:
        """Count one piece."""
        self.bytes += np.dtype(ARRAYS[name]).itemsize * len(values)


def estimate(
    model: LoadedModel, space: FeatureSpace, documents: Iterable[str], *, tokens: int, examples: int
) -> Estimate:
    """Try a few batches and add up.

    Raises:
        UsageError: the features are raw units, which are dense.
        InputFileError: the corpus is empty.
    """
    need_latents(space)
    memory.forget_peak()
    totals, counted = Totals(space.width, examples), _Counted()
    seen = timed = number = 0
    began = time.perf_counter()
    for round_, texts in enumerate(islice(batches(documents), TRIED)):
        if seen >= tokens:
            break
        if round_ == 1:
            began, timed = time.perf_counter(), 0
        ids = cut([row[: model.context] for row in model.tokenizer(texts)["input_ids"]], tokens - seen)
        lengths, _ = add_batch(model, space, ids, number, 0, totals, counted)
        seen, timed, number = seen + int(lengths.sum()), timed + int(lengths.sum()), number + len(ids)
    if not seen:
        raise InputFileError("the corpus has no text", "Give a corpus with at least one document.")
    rate = timed / max(time.perf_counter() - began, 1e-9)
    # ids and values of the tokens that a feature's direction makes likelier and unlikelier are part of the summary
    summary = totals.bytes + 2 * SHOWN_LOGITS * (8 + 4) * space.width
    # tokens and starts, which are not appended by a batch's non-zeros, come on top of them
    rows = np.dtype(ARRAYS["tokens"]).itemsize * tokens + np.dtype(ARRAYS["starts"]).itemsize * tokens * number // seen
    disk = counted.bytes * tokens // seen + rows + summary
    # in the end the summary is held once more as the bytes that are written, beside a stretch of direct logits
    end = memory.resident() + 2 * summary + _logits(model, space)
    return Estimate(tokens / rate, max(memory.peak(), end), disk)


def _logits(model: LoadedModel, space: FeatureSpace) -> int:
    """Bytes that the direct logits take: the unembedding as read and centred, the directions, scores both ways."""
    head = model.plain.get_output_embeddings() if model.info.get("causal", True) else None
    if head is None:
        return 0
    vocabulary, units = head.weight.shape
    return int(4 * (2 * vocabulary * units + space.width * units + 2 * min(LOGITS_AT_ONCE, space.width) * vocabulary))
