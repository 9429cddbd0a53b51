"""Which activations of a feature are shown: the strongest windows, a fair sample of each quantile, a fair sample.

Nothing is drawn: a sample takes the places whose hash is smallest. The hash is of document and position alone, so
that the same places are chosen whoever reads the corpus, in whatever order and parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

QUANTILES, IN_QUANTILE, AT_RANDOM = 5, 5, 10
"""Groups of equal size by activation, windows kept of each, and windows kept of all together."""
BEFORE, AFTER = 20, 10
"""Tokens shown before and after the one a window is about."""
_HASHED = 65_536
"""Windows hashed at once."""
_GOLDEN, _MIX1, _MIX2 = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def priority(documents: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """A hash of each place, (places,) uint64; the smallest are chosen (splitmix64 of both numbers)."""
    return _mixed(_mixed(documents.astype(np.uint64)) ^ positions.astype(np.uint64))


def _mixed(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        x = x + _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * _MIX1
        x = (x ^ (x >> np.uint64(27))) * _MIX2
    found: np.ndarray = x ^ (x >> np.uint64(31))
    return found


def window_hashes(tokens: np.ndarray, at: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """A hash of the text of the window around each place, (places,) uint64.

    Args:
        tokens: ids of the whole corpus.
        at: (places,) the place each window is about.
        begins: (places,) first token of its document.
        ends: (places,) one past the last.
    """
    factors = _mixed(np.arange(1, BEFORE + AFTER + 2, dtype=np.uint64)) | np.uint64(1)
    around = np.arange(-BEFORE, AFTER + 1)
    found = np.empty(len(at), dtype=np.uint64)
    for low in range(0, len(at), _HASHED):
        part = slice(low, low + _HASHED)
        places = at[part, None] + around  # (windows, tokens of a window)
        inside = (places >= begins[part, None]) & (places < ends[part, None])
        ids = np.where(inside, tokens[np.where(inside, places, 0)].astype(np.int64) + 1, 0).astype(np.uint64)
        with np.errstate(over="ignore"):
            found[part] = (_mixed(ids) * factors).sum(axis=1, dtype=np.uint64)
    return found


@dataclass(frozen=True)
class Peaks:
    """The strongest place of each feature in each document, by feature, then document.

    Attributes:
        segment: (peaks,) the feature, counted from 0 within the block.
        document: (peaks,) its document.
        at: (peaks,) its place in the corpus; the first of equals.
        value: (peaks,) the activation there.
    """

    segment: np.ndarray
    document: np.ndarray
    at: np.ndarray
    value: np.ndarray


def peaks_of(segment: np.ndarray, document: np.ndarray, at: np.ndarray, value: np.ndarray) -> Peaks:
    """Peaks from entries by feature, then token: each (entries,); only positive ones count."""
    kept = value > 0
    if not kept.all():
        segment, document, at, value = segment[kept], document[kept], at[kept], value[kept]
    if len(value) == 0:
        return Peaks(segment, document, at, value)
    new = np.concatenate([[True], (segment[1:] != segment[:-1]) | (document[1:] != document[:-1])])
    starts = np.flatnonzero(new)
    best = np.maximum.reduceat(value, starts)
    hits = np.flatnonzero(value == np.repeat(best, np.diff(starts, append=len(value))))
    group = np.cumsum(new)[hits] - 1
    first = hits[np.concatenate([[True], group[1:] != group[:-1]])]
    return Peaks(segment[first], document[first], at[first], value[first])


def top_windows(
    found: Peaks, features: int, wanted: int, tokens: np.ndarray, begins: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Which peaks are the strongest of each feature, windows that read the same counted once.

    Equal peaks go by document. Only as many windows of a feature are compared as it takes.

    Args:
        begins: (peaks,) first token of the document of each.
        ends: (peaks,) one past the last.

    Returns:
        (features, wanted) numbers of peaks, strongest first, -1 where there are no more.
    """
    chosen = np.full((features, wanted), -1, dtype=np.int64)
    bounds = np.concatenate([[0], np.cumsum(np.bincount(found.segment, minlength=features))])
    todo, look = np.flatnonzero(np.diff(bounds)), 2 * wanted
    while len(todo):
        picked = _strongest(found, bounds, todo, look)
        hashes = window_hashes(tokens, found.at[picked], begins[picked], ends[picked])
        picked = picked[_first_of_equals(found.segment[picked], hashes)]
        row = found.segment[picked]
        each = np.bincount(row, minlength=features)
        place = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
        fits = place < wanted
        chosen[row[fits], place[fits]] = picked[fits]
        todo = todo[(each[todo] < wanted) & (np.diff(bounds)[todo] > look)]
        look *= 4
    return chosen


def _strongest(found: Peaks, bounds: np.ndarray, features: np.ndarray, look: int) -> np.ndarray:
    """At least the `look` strongest peaks of each of these features, strongest first, equals by document."""
    least = np.full(len(bounds) - 1, np.inf, dtype=np.float32)
    for feature, begin, end in zip(
        features.tolist(), bounds[features].tolist(), bounds[features + 1].tolist(), strict=True
    ):
        size = end - begin
        least[feature] = 0 if size <= look else np.partition(found.value[begin:end], size - look)[size - look]
    near = np.flatnonzero(found.value >= least[found.segment])
    order: np.ndarray = near[np.lexsort((found.document[near], -found.value[near], found.segment[near]))]
    return order


def _first_of_equals(row: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """Ascending numbers of the items that no earlier one of their row equals."""
    order = np.lexsort((np.arange(len(row)), hashes, row))
    same = (row[order][1:] == row[order][:-1]) & (hashes[order][1:] == hashes[order][:-1])
    return np.sort(order[np.concatenate([[True], ~same])]) if len(order) else order


def samples(offsets: np.ndarray, value: np.ndarray, ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fair samples of each feature's non-zeros: of each quantile of their activations, and of all.

    Args:
        offsets: (features + 1,) where each feature's entries begin.
        value: (entries,).
        ranks: (entries,) the priority of each place.

    Returns:
        edges (features, QUANTILES + 1), NaN where it never fired; entries of the quantiles
        (features, QUANTILES, IN_QUANTILE) and of all (features, AT_RANDOM), -1 where there are no more.
    """
    features = len(offsets) - 1
    counts = np.diff(offsets)
    edges = quantile_edges(offsets, value)
    segment = np.repeat(np.arange(features), counts)
    group = np.zeros(len(value), dtype=np.int64)
    for number in range(1, QUANTILES):
        group += value >= edges[segment, number]
    few = np.full((features, QUANTILES, IN_QUANTILE), -1, dtype=np.int64)
    some = np.full((features, AT_RANDOM), -1, dtype=np.int64)
    # what is far from the smallest hash is not looked at, unless too little is left
    share = np.minimum(1.0, 4.0 * QUANTILES * IN_QUANTILE / np.maximum(counts, 1))
    limit = (share * float(2**64 - 1025)).astype(np.uint64)
    near = np.flatnonzero(ranks <= limit[segment])
    _take(few, some, segment, group, ranks, near)
    full = np.minimum(np.bincount(segment * QUANTILES + group, minlength=features * QUANTILES), IN_QUANTILE)
    lacking = ((few >= 0).sum(axis=2) < full.reshape(features, QUANTILES)).any(axis=1)
    lacking |= (some >= 0).sum(axis=1) < np.minimum(counts, AT_RANDOM)
    _take(few, some, segment, group, ranks, np.flatnonzero(lacking[segment]))
    return edges, few, some


def quantile_edges(offsets: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Edges of the quantiles of each feature's activations by rank, (features, QUANTILES + 1) float32."""
    edges = np.full((len(offsets) - 1, QUANTILES + 1), np.nan, dtype=np.float32)
    bounds = offsets.tolist()
    steps = np.arange(QUANTILES + 1)
    for feature, (begin, end) in enumerate(pairwise(bounds)):
        if end > begin:
            edges[feature] = np.sort(value[begin:end])[np.minimum(steps * (end - begin) // QUANTILES, end - begin - 1)]
    return edges


def _take(
    few: np.ndarray, some: np.ndarray, segment: np.ndarray, group: np.ndarray, ranks: np.ndarray, of: np.ndarray
) -> None:
    """Put the entries with the smallest ranks of those named into both tables."""
    for keys, table in (((segment,), some), ((group, segment), few.reshape(-1, few.shape[2]))):
        order = of[np.lexsort((ranks[of], *(key[of] for key in keys)))]
        row = segment[order] if len(keys) == 1 else segment[order] * QUANTILES + group[order]
        each = np.bincount(row, minlength=len(table))
        place = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
        fits = place < table.shape[1]
        table[row[fits], place[fits]] = order[fits]
