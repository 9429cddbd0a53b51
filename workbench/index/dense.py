"""The index of raw units, which are active on every token: summaries and windows, and no list of non-zeros.

Which tokens make the fair samples is decided by their hash before the model reads anything; the pass keeps all
units' activations around those, and around each unit's strongest token of a document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save

from workbench.corpus.store import TokenStore
from workbench.files import write_atomic
from workbench.index.mapped import mapped
from workbench.index.read import HISTOGRAM_BINS, histogram_bins
from workbench.index.reading import placed
from workbench.index.sampling import AFTER, AT_RANDOM, BEFORE, peaks_of, priority, samples, top_windows
from workbench.index.shards import batches, stretches

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace

FAIR = 256
"""Tokens from which the samples and the edges of the quantiles are taken; the same for all units."""
WINDOW = BEFORE + AFTER + 1
_SPARE = 2
"""How many times the windows wanted are kept of a shard, since some read the same."""
_POWERS = ("total", "squares", "cubes", "fourths")


def dense_shard(
    model: LoadedModel,
    space: FeatureSpace,
    store: TokenStore,
    bounds: tuple[int, int],
    fair: np.ndarray,
    examples: int,
    tick: Callable[[int], None],
) -> dict[str, np.ndarray]:
    """What is kept of a shard; a function of its arguments alone.

    Args:
        fair: the places of `fair_places`.
        tick: called with the tokens done, between batches.
    """
    shard = _Shard(store, fair, space.width, _SPARE * examples)
    done = 0
    for batch in batches(list(stretches(store, *bounds, model.context))):
        tick(done)
        acts, places = placed(model, space, store, batch)
        shard.add(acts, places)
        done += int((places >= 0).sum())
    return shard.arrays()


def write_dense(
    space: FeatureSpace, store: TokenStore, building: Path, paths: Sequence[Path], total: int, examples: int
) -> dict[str, Any]:
    """Write the summary of stored shards, and give its counts.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    parts = [mapped(path) for path in paths]
    summary = _joined(parts, store, space.width, examples, fair_places(store, total))
    write_atomic(building / "summary.safetensors", save({k: np.ascontiguousarray(v) for k, v in summary.items()}))
    counted = int(sum(int(part["count"][0]) for part in parts))
    return {"kind": "dense", "entries": counted * space.width, "alive": int((summary["maximum"] > 0).sum())}


def fair_places(store: TokenStore, total: int) -> np.ndarray:
    """The `FAIR` tokens with the smallest hash of those that count, ascending."""
    found, ranks = np.zeros(0, np.int64), np.zeros(0, np.uint64)
    for low in range(0, total, 1 << 20):
        at = np.arange(low, min(low + (1 << 20), total))
        at = at[~np.isin(store.tokens[at], store.special)]
        document = store.document_of(at)
        found = np.concatenate([found, at])
        ranks = np.concatenate([ranks, priority(document, at - store.starts[document])])
        kept = np.lexsort((found, ranks))[:FAIR]
        found, ranks = found[kept], ranks[kept]
    return np.sort(found)


@dataclass
class _Shard:
    """What is kept of a shard: sums, histograms, the strongest windows of each unit, the fair tokens' windows."""

    store: TokenStore
    fair: np.ndarray
    width: int
    kept: int

    def __post_init__(self) -> None:
        width = self.width
        self.count = 0
        self.sums = np.zeros((len(_POWERS), width))
        self.maximum, self.minimum = np.full(width, -np.inf, np.float32), np.full(width, np.inf, np.float32)
        self.histograms = np.zeros((2, width, HISTOGRAM_BINS), np.int64)
        self.best = np.full((self.kept, width), -np.inf, np.float32)
        self.at = np.full((self.kept, width), -1, np.int64)
        self.windows = np.zeros((self.kept, width, WINDOW), np.float32)
        self.fair_windows = np.zeros((len(self.fair), WINDOW, width), np.float32)
        self.fair_seen = np.zeros(len(self.fair), np.int8)

    def add(self, acts: np.ndarray, places: np.ndarray) -> None:
        """Take a batch: activations (rows, tokens, units) and the place of each token, -1 where it does not count."""
        flat = acts[places >= 0]  # (tokens that count, units)
        self.count += len(flat)
        power = wide = flat.astype(np.float64)
        for number in range(len(_POWERS)):
            self.sums[number] += power.sum(axis=0)
            power = power * wide
        self.maximum = np.maximum(self.maximum, flat.max(axis=0, initial=-np.inf))
        self.minimum = np.minimum(self.minimum, flat.min(axis=0, initial=np.inf))
        for sign in (0, 1):
            self._count_bins(sign, -flat if sign else flat)
        padded = np.where((places >= 0)[:, :, None], acts, 0)
        padded = np.pad(padded, ((0, 0), (BEFORE, AFTER), (0, 0)))
        self._strongest(acts, places, padded)
        self._fair(places, padded)

    def _count_bins(self, sign: int, flat: np.ndarray) -> None:
        rows, units = np.nonzero(flat > 0)
        bins = histogram_bins(flat[rows, units])
        counts = np.bincount(units * HISTOGRAM_BINS + bins, minlength=self.width * HISTOGRAM_BINS)
        self.histograms[sign] += counts.reshape(self.width, HISTOGRAM_BINS)

    def _strongest(self, acts: np.ndarray, places: np.ndarray, padded: np.ndarray) -> None:
        hidden = np.where((places >= 0)[:, :, None], acts, -np.inf)
        token = hidden.argmax(axis=1)  # (rows, units)
        value = np.take_along_axis(hidden, token[:, None], axis=1)[:, 0]
        at = np.where(np.isfinite(value), np.take_along_axis(places, token, axis=1), -1)
        values, ats = np.concatenate([self.best, value]), np.concatenate([self.at, at])
        order = np.lexsort((ats, -values), axis=0)[: self.kept]  # (kept, units)
        units = np.broadcast_to(np.arange(self.width), order.shape)
        windows = self.windows[np.minimum(order, self.kept - 1), units]  # (kept, units, window)
        slot, unit = np.nonzero(order >= self.kept)
        row = order[slot, unit] - self.kept
        around = token[row, unit][:, None] + np.arange(WINDOW)
        windows[slot, unit] = padded[row[:, None], around, unit[:, None]]
        self.best, self.at = np.take_along_axis(values, order, 0), np.take_along_axis(ats, order, 0)
        self.windows = windows

    def _fair(self, places: np.ndarray, padded: np.ndarray) -> None:
        number = np.searchsorted(self.fair, places)
        hit = (number < len(self.fair)) & (self.fair[np.minimum(number, len(self.fair) - 1)] == places)
        for row, token in zip(*np.nonzero(hit), strict=True):
            self.fair_windows[number[row, token]] = padded[row, token : token + WINDOW]
            self.fair_seen[number[row, token]] = 1

    def arrays(self) -> dict[str, np.ndarray]:
        """What is stored."""
        seen = np.flatnonzero(self.fair_seen)
        return {
            "count": np.array([self.count]),
            "sums": self.sums,
            "maximum": self.maximum,
            "minimum": self.minimum,
            "histograms": self.histograms,
            "best": self.best,
            "at": self.at,
            "windows": self.windows,
            "fair": seen,
            "fair_windows": self.fair_windows[seen],
        }


def _joined(
    parts: Sequence[dict[str, np.ndarray]], store: TokenStore, width: int, examples: int, fair: np.ndarray
) -> dict[str, np.ndarray]:
    """The summary of all shards."""
    sums = np.sum([part["sums"] for part in parts], axis=0)
    histograms = np.sum([part["histograms"] for part in parts], axis=0)
    counted = int(sum(int(part["count"][0]) for part in parts))
    found = {
        "fired": np.full(width, counted, np.int64),
        **dict(zip(_POWERS, sums, strict=True)),
        "maximum": np.max([part["maximum"] for part in parts], axis=0),
        "minimum": np.min([part["minimum"] for part in parts], axis=0),
        "histogram": histograms[0],
        "histogram_negative": histograms[1],
    }
    return {**found, **_top(parts, store, width, examples), **_sampled(parts, store, width, fair)}


def _top(parts: Sequence[dict[str, np.ndarray]], store: TokenStore, width: int, examples: int) -> dict[str, np.ndarray]:
    """The strongest windows of each unit, positive ones only, one for each document, repeats left out."""
    best = np.concatenate([part["best"] for part in parts])  # (kept of all shards, units)
    at = np.concatenate([part["at"] for part in parts])
    order = np.argsort(at, axis=0, kind="stable")
    at, best = np.take_along_axis(at, order, 0).T.ravel(), np.take_along_axis(best, order, 0).T.ravel()
    segment = np.repeat(np.arange(width), order.shape[0])
    known = (at >= 0) & (best > 0)
    at, best, segment = at[known], best[known], segment[known]
    slot = order.T.ravel()[known]  # which row of the joined shards each was
    peaks = peaks_of(segment, store.document_of(at), at, best)
    begins, ends = store.starts[peaks.document], store.starts[peaks.document + 1]
    chosen = top_windows(peaks, width, examples, store.tokens, begins, ends)
    some = chosen >= 0
    windows = np.zeros((width, examples, WINDOW), np.float32)
    size, span = parts[0]["best"].shape[0], len(store.tokens)
    of_peak = slot[np.searchsorted(segment * span + at, peaks.segment * span + peaks.at)]
    for unit, place in zip(*np.nonzero(some), strict=True):
        shard, row = divmod(int(of_peak[chosen[unit, place]]), size)
        windows[unit, place] = parts[shard]["windows"][row, unit]
    return {
        "best": np.where(some, peaks.value[chosen], 0).astype(np.float32),
        "document": np.where(some, peaks.document[chosen], -1),
        "position": np.where(some, (peaks.at - begins)[chosen], 0),
        "top_windows": windows,
    }


def _sampled(
    parts: Sequence[dict[str, np.ndarray]], store: TokenStore, width: int, fair: np.ndarray
) -> dict[str, np.ndarray]:
    """Edges of the quantiles of each unit, and windows of each, all from the fair tokens."""
    numbers = np.concatenate([part["fair"] for part in parts])
    windows = np.concatenate([part["fair_windows"] for part in parts])[np.argsort(numbers)]  # (fair, window, units)
    places = fair[np.sort(numbers)]
    document = store.document_of(places)
    ranks = priority(document, places - store.starts[document])
    count = len(places)
    values = np.ascontiguousarray(windows[:, BEFORE].T)  # (units, fair)
    offsets = np.arange(width + 1) * count
    edges, few, some = samples(offsets, values.ravel(), np.tile(ranks, width))
    unit = np.arange(width)[:, None]
    inside = np.where(few >= 0, few - offsets[:-1, None, None], 0)
    random = np.where(some >= 0, some - offsets[:-1, None], 0)[:, :AT_RANDOM]
    return {
        "edges": edges,
        "sample_at": np.where(few >= 0, places[inside], -1),
        "sample_value": values[unit[:, :, None], inside],
        "sample_windows": windows[inside, :, unit[:, :, None]],
        "random_at": np.where(some >= 0, places[random], -1),
        "random_value": values[unit, random],
        "random_windows": windows[random, :, unit],
    }
