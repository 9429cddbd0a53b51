"""From the shards of an index to its files: each non-zero by token and by feature, and the summary of every feature.

Features are written in blocks of a bounded number of non-zeros; of the corpus only what a block needs is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from workbench.corpus.store import TokenStore
from workbench.errors import storage_error
from workbench.files import write_atomic
from workbench.index.entries import Entries, by_feature, in_order
from workbench.index.read import ARRAYS
from workbench.index.summary import Summary

BLOCK = 4_000_000
"""Non-zeros of the features that are written together."""


def finish(
    parts: Sequence[Entries],
    store: TokenStore,
    folder: Path,
    *,
    features: int,
    examples: int,
    extra: dict[str, np.ndarray],
    tick: Callable[[int, int], None],
) -> Summary:
    """Write the index of these shards into a folder, in whatever order they are given.

    Args:
        extra: further arrays for the summary, such as logits.

    Raises:
        WorkbenchError: the shards do not meet.
        StorageError: the disk is full or cannot be written.
    """
    parts = in_order(parts)
    _by_token(parts, folder)
    table = _documents(store, parts[-1].last, folder)
    summary = Summary(features, examples, np.memmap(table, dtype="<i8", mode="r"))
    offsets = np.sum([part.offsets.astype(np.int64) for part in parts], axis=0)
    with _Growing(folder, "at") as at_file, _Growing(folder, "values") as value_file:
        for low, high in blocks(offsets):
            tick(low, features)
            if offsets[high] - offsets[low] > BLOCK:
                for at, values in _long(parts, low):
                    at_file.append(at)
                    value_file.append(values)
                summary.add_long(low, partial(_long, parts, low), store)
                continue
            at, values = by_feature(parts, low, high, 0)
            at_file.append(at)
            value_file.append(values)
            summary.add(low, offsets[low : high + 1] - offsets[low], at, values, store)
    table.unlink()
    with _Growing(folder, "offsets") as file:
        file.append(offsets)
    write_atomic(
        folder / "summary.safetensors",
        save({name: np.ascontiguousarray(array) for name, array in {**summary.arrays, **extra}.items()}),
    )
    return summary


def blocks(offsets: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of features with at most `BLOCK` non-zeros together, or a single one with more."""
    low, features = 0, len(offsets) - 1
    while low < features:
        high = int(np.searchsorted(offsets, offsets[low] + BLOCK, side="right")) - 1
        high = min(max(high, low + 1), features)
        yield low, high
        low = high


def _long(parts: Sequence[Entries], feature: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Tokens and values of one feature, shard by shard."""
    for part in parts:
        chosen = slice(int(part.offsets[feature]), int(part.offsets[feature + 1]))
        yield part.at[chosen].astype(np.int64) + part.first, np.asarray(part.values[chosen])


def _documents(store: TokenStore, tokens: int, folder: Path) -> Path:
    """A file with the document of each token: looking it up costs less than searching for it."""
    path = folder / ".documents"
    with _Growing(folder, ".documents", "<i8") as file:
        for first in range(0, tokens, 1 << 20):
            places = np.array([first, min(first + (1 << 20), tokens) - 1])
            low, high = (int(number) for number in store.document_of(places))
            ends = np.clip(store.starts[low : high + 2], first, places[1] + 1)
            file.append(np.repeat(np.arange(low, high + 1), np.diff(ends)))
    return path


def _by_token(parts: Sequence[Entries], folder: Path) -> None:
    before = 0
    with _Growing(folder, "pointers") as pointers, _Growing(folder, "features") as features:
        pointers.append(np.zeros(1))
        for part in parts:
            pointers.append(part.pointers[1:].astype(np.int64) + before)
            features.append(part.features)
            before += part.count


class _Growing:
    """One array of the index, appended to; what does not fit on the disk shows when it is written."""

    def __init__(self, folder: Path, name: str, kind: str = "") -> None:
        self._path, self._kind = folder / (name if kind else f"{name}.bin"), kind or ARRAYS[name]

    def __enter__(self) -> _Growing:
        try:
            self._file = self._path.open("wb", buffering=0)
        except OSError as error:
            raise storage_error(self._path, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, values: np.ndarray) -> None:
        """Add to the array."""
        rest = memoryview(np.ascontiguousarray(values, dtype=self._kind).tobytes())
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise storage_error(self._path, error) from error
