"""How unlikely an activation is on a token of the corpus, from the histogram that the index keeps of each feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.index.read import EDGES, histogram_bins

if TYPE_CHECKING:
    from workbench.index.read import FeatureIndex


def as_strong(index: FeatureIndex, features: np.ndarray, values: np.ndarray) -> np.ndarray:
    """On how many tokens of the corpus each feature is at least as strong as the value beside it.

    Within a bin of the histogram activations count as spread evenly; beyond the largest one there are none.
    """
    kept = np.asarray(values, dtype=np.float32)
    counts = index.summary["histogram"][features].astype(np.float64)  # (pairs, bins)
    bins = histogram_bins(kept)
    pairs = np.arange(len(bins))
    low, high = EDGES[bins], EDGES[bins + 1]
    inside = counts[pairs, bins] * np.clip((high - kept) / (high - low), 0.0, 1.0)
    above = counts.sum(axis=1) - np.cumsum(counts, axis=1)[pairs, bins]
    found: np.ndarray = np.where(kept > index.summary["maximum"][features], 0.0, inside + above)
    return found


def surprise(index: FeatureIndex, features: np.ndarray, values: np.ndarray) -> np.ndarray:
    """-log2 of the share of corpus tokens on which each feature is as strong, one token added to both; (pairs,) bits.

    An activation stronger than any of the corpus has log2(tokens + 1) bits; one of 0 or less has none.
    """
    share = (as_strong(index, features, values) + 1) / (int(index.meta["tokens"]) + 1)
    return np.where(np.asarray(values) > 0, np.maximum(-np.log2(share), 0.0), 0.0)


def expected_share(index: FeatureIndex, features: np.ndarray, threshold: float, lengths: np.ndarray) -> np.ndarray:
    """Share of random texts of these lengths in which each feature is above a threshold, if tokens were independent.

    The mean over texts of 1 - (1 - d)^tokens, with d the share of corpus tokens above the threshold. Tokens of one
    text are not independent: it is what to hold a count against, and no test.
    """
    if threshold <= 0:
        above = index.summary["fired"][features].astype(np.float64)
    else:
        above = as_strong(index, features, np.full(len(features), threshold))
    density = np.clip(above / max(int(index.meta["tokens"]), 1), 0.0, 1.0)
    found: np.ndarray = np.mean(1 - (1 - density[:, None]) ** np.asarray(lengths)[None, :], axis=1)
    return found
