"""Exact statistics of every feature and the places that are shown of it, from its non-zeros, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from workbench.corpus.store import TokenStore
from workbench.index.read import HISTOGRAM_BINS, histogram_bins
from workbench.index.sampling import AT_RANDOM, IN_QUANTILE, QUANTILES, peaks_of, priority, samples, top_windows

LONGEST = 1_000_000
"""Places of one feature that are compared with each other at once."""
Chunk = tuple[np.ndarray, np.ndarray]


@dataclass
class Summary:
    """Statistics of all features; filled block by block.

    Attributes:
        features: how many there are.
        examples: top windows kept of each.
        documents: (tokens,) the document of each token; may be mapped from a file.
        arrays: by name; see `_empty`.
    """

    features: int
    examples: int
    documents: np.ndarray
    arrays: dict[str, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        self.arrays = _empty(self.features, self.examples)

    def add(self, low: int, offsets: np.ndarray, at: np.ndarray, values: np.ndarray, store: TokenStore) -> None:
        """Put in the features from `low` on.

        Args:
            offsets: (features + 1,) where each one's entries begin.
            at: (entries,) tokens, ascending within a feature.
            values: (entries,) activations.
            store: the corpus.
        """
        part = slice(low, low + len(offsets) - 1)
        segment = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        document = self.documents[at]
        self._statistics(part, offsets, segment, values)
        self._top(part, segment, document, at, values, store)
        self._samples(part, offsets, document, at, values, store)

    def add_long(self, feature: int, chunks: Callable[[], Iterator[Chunk]], store: TokenStore) -> None:
        """Put in one feature with more entries than should be in memory at once.

        Its windows come from the strongest `LONGEST` documents, its samples and the edges of its quantiles from
        the `LONGEST` places whose hash is smallest; counts, moments and histogram are of all its entries.

        Args:
            chunks: gives its tokens and activations in the order of the corpus, as often as it is called.
        """
        part, totals = slice(feature, feature + 1), _empty(1, self.examples)
        for at, values in chunks():
            one = Summary(1, self.examples, self.documents)
            one._statistics(slice(0, 1), np.array([0, len(at)]), np.zeros(len(at), np.int64), values)
            totals["maximum"] = np.maximum(totals["maximum"], one.arrays["maximum"])
            for name in ("fired", "total", "squares", "cubes", "fourths", "histogram"):
                totals[name] += one.arrays[name]
        for name in ("fired", "total", "squares", "cubes", "fourths", "histogram", "maximum"):
            self.arrays[name][part] = totals[name]
        strong, fair = _Least(), _Least()
        for at, values in chunks():
            documents = self.documents[at]
            fair.add(at, values, priority(documents, at - store.starts[documents]))
            peaks = peaks_of(np.zeros(len(at), np.int64), documents, at, values)
            strong.add(peaks.at, peaks.value, -peaks.value)
        zeros = np.zeros(len(strong.at), np.int64)
        self._top(part, zeros, self.documents[strong.at], strong.at, strong.values, store)
        one_feature = np.array([0, len(fair.at)])
        self._samples(part, one_feature, self.documents[fair.at], fair.at, fair.values, store)

    def _samples(
        self,
        part: slice,
        offsets: np.ndarray,
        document: np.ndarray,
        at: np.ndarray,
        values: np.ndarray,
        store: TokenStore,
    ) -> None:
        edges, few, some = samples(offsets, values, priority(document, at - store.starts[document]))
        self.arrays["edges"][part] = edges
        for name, chosen in (("sample", few), ("random", some)):
            self.arrays[f"{name}_at"][part] = np.where(chosen >= 0, at[chosen] if len(at) else 0, -1)
            self.arrays[f"{name}_value"][part] = np.where(chosen >= 0, values[chosen] if len(at) else 0, 0)

    def _statistics(self, part: slice, offsets: np.ndarray, segment: np.ndarray, values: np.ndarray) -> None:
        counts = np.diff(offsets)
        fired = np.flatnonzero(counts)
        self.arrays["fired"][part] = counts
        if len(fired):
            starts, wide = offsets[fired], values.astype(np.float64)
            rows = part.start + fired
            self.arrays["maximum"][rows] = np.maximum.reduceat(values, starts)
            power = wide
            for name in ("total", "squares", "cubes", "fourths"):
                self.arrays[name][rows] = np.add.reduceat(power, starts)
                power = power * wide
        flat = np.bincount(segment * HISTOGRAM_BINS + histogram_bins(values), minlength=len(counts) * HISTOGRAM_BINS)
        self.arrays["histogram"][part] = flat.reshape(-1, HISTOGRAM_BINS)

    def _top(
        self,
        part: slice,
        segment: np.ndarray,
        document: np.ndarray,
        at: np.ndarray,
        values: np.ndarray,
        store: TokenStore,
    ) -> None:
        peaks = peaks_of(segment, document, at, values)
        if not len(peaks.value):
            return
        begins, ends = store.starts[peaks.document], store.starts[peaks.document + 1]
        chosen = top_windows(peaks, part.stop - part.start, self.examples, store.tokens, begins, ends)
        some = chosen >= 0
        self.arrays["best"][part] = np.where(some, peaks.value[chosen], 0)
        self.arrays["document"][part] = np.where(some, peaks.document[chosen], -1)
        self.arrays["position"][part] = np.where(some, (peaks.at - begins)[chosen], 0)


def _empty(features: int, examples: int) -> dict[str, np.ndarray]:
    quantiles = (features, QUANTILES, IN_QUANTILE)
    return {
        "fired": np.zeros(features, np.int64),
        "total": np.zeros(features),
        "squares": np.zeros(features),
        "cubes": np.zeros(features),
        "fourths": np.zeros(features),
        "maximum": np.zeros(features, np.float32),
        "histogram": np.zeros((features, HISTOGRAM_BINS), np.int64),
        "best": np.zeros((features, examples), np.float32),
        "document": np.full((features, examples), -1, np.int64),
        "position": np.zeros((features, examples), np.int64),
        "edges": np.full((features, QUANTILES + 1), np.nan, np.float32),
        "sample_at": np.full(quantiles, -1, np.int64),
        "sample_value": np.zeros(quantiles, np.float32),
        "random_at": np.full((features, AT_RANDOM), -1, np.int64),
        "random_value": np.zeros((features, AT_RANDOM), np.float32),
    }


@dataclass
class _Least:
    """The `LONGEST` places with the smallest keys of those added, in the order of the corpus."""

    at: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    values: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    keys: np.ndarray | None = None

    def add(self, at: np.ndarray, values: np.ndarray, keys: np.ndarray) -> None:
        at, values = np.concatenate([self.at, at]), np.concatenate([self.values, values])
        keys = keys if self.keys is None else np.concatenate([self.keys, keys])
        if len(at) > LONGEST:
            kept = np.sort(np.lexsort((at, keys))[:LONGEST])
            at, values, keys = at[kept], values[kept], keys[kept]
        self.at, self.values, self.keys = at, values, keys
