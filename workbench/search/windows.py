"""Features by the text of their strongest windows: every window of an index is searched, each stretch of text once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from workbench.corpus.finding import pattern_of
from workbench.index.sampling import AFTER, BEFORE

if TYPE_CHECKING:
    from workbench.index.read import FeatureIndex

BLOCK = 1 << 20
"""Tokens whose text is in memory at once, unless one stretch alone has more."""
GAP = b"\0"
"""Stands between two stretches of text; no word and no white space, so that no phrase goes across."""
Tick = Callable[[int, int, str], None]


@dataclass(frozen=True)
class WindowHit:
    """A feature in whose windows the words stand.

    Attributes:
        number: its strongest window that has them.
        windows: how many have them.
        of: how many windows it has.
    """

    feature: int
    number: int
    windows: int
    of: int


class Windows:
    """The strongest windows of all features, as the index shows them.

    Attributes:
        feature: (windows,)
        number: (windows,) 0 for a feature's strongest.
        begin: (windows,) first token.
        end: (windows,) one past the last token.
    """

    def __init__(self, index: FeatureIndex) -> None:
        documents = np.asarray(index.summary["document"])
        self.feature, self.number = np.nonzero(documents >= 0)
        starts, document = index.store.starts, documents[self.feature, self.number]
        place = starts[document] + np.asarray(index.summary["position"])[self.feature, self.number]
        self.begin = np.maximum(place - BEFORE, starts[document])
        self.end = np.minimum(place + AFTER + 1, starts[document + 1])

    @cached_property
    def stretches(self) -> tuple[np.ndarray, np.ndarray]:
        """Begins and ends of the stretches of tokens that the windows cover together, in order, none overlapping."""
        if not len(self.begin):
            return self.begin, self.end
        order = np.argsort(self.begin, kind="stable")
        begin, reach = self.begin[order], np.maximum.accumulate(self.end[order])
        fresh = np.flatnonzero(np.concatenate([[True], begin[1:] >= reach[:-1]]))
        return begin[fresh], reach[np.append(fresh[1:], len(begin)) - 1]


def by_window(index: FeatureIndex, query: str, tick: Tick) -> list[WindowHit]:
    """The features with a window that has the query as whole words, whatever the case, by number.

    Raises:
        UsageError: the query is empty.
    """
    windows = Windows(index)
    places = np.concatenate([np.zeros(0, np.int64), *matches(index, windows.stretches, query, tick)])
    # a match belongs to a window where its first token lies in it
    counts = np.searchsorted(places, windows.end) - np.searchsorted(places, windows.begin)
    hit = np.flatnonzero(counts > 0)
    every = np.bincount(windows.feature, minlength=int(index.meta["features"]))
    found: dict[int, WindowHit] = {}
    for feature, number in zip(windows.feature[hit].tolist(), windows.number[hit].tolist(), strict=True):
        known = found.get(feature)
        first, count = (number, 1) if known is None else (min(number, known.number), known.windows + 1)
        found[feature] = WindowHit(feature, first, count, int(every[feature]))
    return list(found.values())


def matches(
    index: FeatureIndex, stretches: tuple[np.ndarray, np.ndarray], query: str, tick: Tick
) -> Iterator[np.ndarray]:
    """The first token of every match in the stretches, ascending, block by block."""
    pattern, pieces = pattern_of([query]), _Bytes(index)
    begins, ends = stretches
    total = int((ends - begins).sum())
    done = np.concatenate([[0], np.cumsum(ends - begins)])
    low = 0
    while low < len(begins):
        high = max(low + 1, int(np.searchsorted(done, done[low] + BLOCK, side="right")) - 1)
        tick(int(done[low]), total, "searching windows")
        sizes = ends[low:high] - begins[low:high]
        at = np.arange(int(sizes.sum())) + np.repeat(begins[low:high] - (np.cumsum(sizes) - sizes), sizes)
        breaks = np.cumsum(sizes) - 1  # the last token of each stretch
        raw, lengths = pieces.join(np.asarray(index.store.tokens[at]), breaks)
        text = raw.decode("utf-8", "surrogateescape")
        spans = np.array([match.start() for match in pattern.finditer(text)], dtype=np.int64)
        if len(spans):
            token = np.searchsorted(np.cumsum(lengths), _byte_places(text)[spans], side="right")
            yield np.unique(at[token])
        low = high


def _byte_places(text: str) -> np.ndarray:
    """(letters,) the byte at which each letter of a text begins; a byte that was no letter counts as one."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    sizes = 1 + (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)
    sizes[(codes >= 0xDC80) & (codes <= 0xDCFF)] = 1
    return np.cumsum(sizes) - sizes


class _Bytes:
    """The bytes of all tokens, so that those of many are joined at once; special ones have none."""

    def __init__(self, index: FeatureIndex) -> None:
        pieces, special = index.pieces, set(index.store.special)
        parts = [b"" if token in special else pieces.raw(token) for token in range(len(pieces))]
        self._sizes = np.array([len(part) for part in parts], dtype=np.int64)
        self._at = np.cumsum(self._sizes) - self._sizes
        self._raw = np.frombuffer(b"".join(parts) + GAP, dtype=np.uint8)

    def join(self, tokens: np.ndarray, breaks: np.ndarray) -> tuple[bytes, np.ndarray]:
        """The bytes of the tokens, `GAP` behind those at `breaks`, and how many bytes each has."""
        sizes = self._sizes[tokens]
        places = np.arange(int(sizes.sum())) + np.repeat(self._at[tokens] - (np.cumsum(sizes) - sizes), sizes)
        raw = np.insert(self._raw[places], np.cumsum(sizes)[breaks], GAP[0])
        sizes[breaks] += 1
        return raw.tobytes(), sizes
