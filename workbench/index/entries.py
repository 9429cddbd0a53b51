"""The non-zero activations of a stretch of a corpus, by token and by feature, and how such runs are joined.

Joining is associative and knows no order of arrival: runs are joined by where they stand in the corpus, and the
joined bytes are the same whatever was joined first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors.numpy import save
from scipy import sparse

from workbench.digests import file_digest
from workbench.errors import InputFileError, WorkbenchError
from workbench.files import write_atomic
from workbench.index.mapped import mapped

SEAL = ".sha256"


@dataclass(frozen=True)
class Entries:
    """Non-zeros of the tokens `first` to `last` (exclusive).

    Attributes:
        first: first token.
        last: one past the last token.
        pointers: (tokens + 1,) where the non-zeros of each token begin in `features`.
        features: (entries,) which features are active, token by token, ascending within a token.
        offsets: (features + 1,) where the non-zeros of each feature begin in `at` and `values`.
        at: (entries,) the token of each, counted from `first`, feature by feature, ascending within a feature.
        values: (entries,) the activation there; kept once, in this order.
    """

    first: int
    last: int
    pointers: np.ndarray
    features: np.ndarray
    offsets: np.ndarray
    at: np.ndarray
    values: np.ndarray

    @property
    def count(self) -> int:
        """How many non-zeros there are."""
        return len(self.values)

    def arrays(self) -> dict[str, np.ndarray]:
        """What is stored."""
        return {
            "range": np.array([self.first, self.last], dtype=np.int64),
            "pointers": self.pointers.astype(np.int64),
            "features": self.features.astype(np.int32),
            "offsets": self.offsets.astype(np.int64),
            "at": self.at.astype(np.int32),
            "values": self.values.astype(np.float32),
        }


def entries_of(
    first: int, last: int, width: int, tokens: np.ndarray, features: np.ndarray, values: np.ndarray
) -> Entries:
    """Entries from non-zeros in any order: token (counted from `first`), feature and value of each."""
    shape = (last - first, width)
    columns = sparse.csr_matrix(sparse.coo_matrix((values, (tokens, features)), shape=shape)).tocsc()
    rows = columns.tocsr()
    return Entries(first, last, rows.indptr, rows.indices, columns.indptr, columns.indices, columns.data)


def join(parts: Sequence[Entries]) -> Entries:
    """Runs that stand side by side in the corpus as one, in whatever order they are given.

    Raises:
        WorkbenchError: a token is in two of them, or in none.
    """
    parts = in_order(parts)
    first, width = parts[0].first, len(parts[0].offsets) - 1
    starts = np.cumsum([0, *(part.count for part in parts)])
    pointers = [part.pointers[:-1] + start for part, start in zip(parts, starts, strict=False)]
    return Entries(
        first,
        parts[-1].last,
        np.concatenate([*pointers, starts[-1:]]),
        np.concatenate([part.features for part in parts]),
        np.asarray(np.sum([part.offsets for part in parts], axis=0, dtype=np.int64)),
        *by_feature(parts, 0, width, first),
    )


def in_order(parts: Sequence[Entries]) -> list[Entries]:
    """Runs by where they stand.

    Raises:
        WorkbenchError: a token is in two of them, or in none.
    """
    found = sorted(parts, key=lambda part: part.first)
    for left, right in pairwise(found):
        if left.last != right.first:
            raise WorkbenchError(
                f"parts of an index do not meet (one ends at {left.last}, the next begins at {right.first})",
                "Build the index again.",
            )
    return found


def by_feature(parts: Sequence[Entries], low: int, high: int, origin: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (counted from `origin`) and values of the features low..high of all parts, feature by feature."""
    bounds = [part.offsets[low : high + 1].astype(np.int64) for part in parts]
    sizes = [np.diff(bound) for bound in bounds]
    ends = np.cumsum(np.sum(sizes, axis=0))
    free = np.concatenate([[0], ends[:-1]])  # where each feature's next entry goes
    total = int(ends[-1]) if len(ends) else 0
    at, values = np.empty(total, np.int64), np.empty(total, np.float32)
    for part, bound, size in zip(parts, bounds, sizes, strict=True):
        chosen = slice(int(bound[0]), int(bound[-1]))
        target = np.arange(chosen.stop - chosen.start) + np.repeat(free - (bound[:-1] - bound[0]), size)
        at[target] = part.at[chosen].astype(np.int64) + (part.first - origin)
        values[target] = part.values[chosen]
        free = free + size
    return at, values


def write(path: Path, found: Entries) -> None:
    """Store a run, and beside it the digest by which damage is seen.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    keep(path, save({name: np.ascontiguousarray(array) for name, array in found.arrays().items()}))


def keep(path: Path, raw: bytes) -> None:
    """Store the bytes of a shard, and beside them their digest.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    write_atomic(path, raw)
    write_atomic(path.with_name(path.name + SEAL), file_digest(path))


def is_whole(path: Path) -> bool:
    """Whether a stored run is there and has the digest it was stored with."""
    try:
        return path.with_name(path.name + SEAL).read_text("ascii") == file_digest(path)
    except (OSError, UnicodeDecodeError):
        return False


def read(path: Path) -> Entries:
    """A stored run, mapped into memory.

    Raises:
        InputFileError: it is gone or damaged.
    """
    arrays = mapped(path)
    try:
        first, last = (int(place) for place in arrays["range"])
        return Entries(first, last, *(arrays[name] for name in ("pointers", "features", "offsets", "at", "values")))
    except (KeyError, ValueError) as error:
        raise InputFileError(f"{path} is no part of an index ({error})", "Build the index again.") from error
