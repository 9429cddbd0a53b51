"""Which features fire together, for all pairs at once, from a fair sample of the index' tokens.

Every pair of features on one token costs an addition, so that the sample is bounded by pairs and not by tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.errors import UsageError
from workbench.index.read import FeatureIndex

PAIRS = 60_000_000
"""Pairs of features that fire on one token, summed over the tokens of the sample, about."""


@dataclass(frozen=True)
class Firing:
    """Where features fire, on a sample of tokens.

    Attributes:
        active: (tokens, features) scipy sparse matrix, of ones or of the activations.
        places: (tokens,) of the sample in the corpus, ascending.
        whole: whether these are all tokens of the index.
    """

    active: Any
    places: np.ndarray
    whole: bool

    @property
    def tokens(self) -> int:
        """How many the sample has."""
        return len(self.places)


def firing(
    index: FeatureIndex, *, above: float = 0.0, seed: int = 0, pairs: int = PAIRS, strength: bool = False
) -> Firing:
    """Where each feature is above a share of its own largest activation, on a uniform sample of tokens.

    Args:
        above: share of the feature's largest activation in the index, 0 to 1; 0 counts every activation.
        seed: of the sample.
        pairs: bounds the sample; see `PAIRS`.
        strength: whether to give the activations themselves and not ones.

    Raises:
        UsageError: the index is of raw units, which are active everywhere.
    """
    from scipy.sparse import csc_array

    if index.meta["kind"] != "sparse":
        raise UsageError("raw units are active on every token", "Co-activation is for the latents of an SAE.")
    total, features = int(index.meta["tokens"]), int(index.meta["features"])
    offsets, at = index.arrays["offsets"], index.arrays["at"]
    on_a_token = len(at) / max(total, 1)
    tokens = int(min(total, max(1, pairs // max(1.0, on_a_token**2))))
    row = _rows(total, tokens, seed)  # (total,) the token's place in the sample, -1 outside
    found, strengths, counts = [], [], np.zeros(features + 1, dtype=np.int64)
    for feature in range(features):
        places, values = index.entries(feature)
        rows = row[places]
        kept = rows >= 0
        if above > 0 and len(values):
            kept &= values > above * values.max()
        found.append(rows[kept])
        strengths.append(np.asarray(values)[kept] if strength else np.ones(len(found[-1])))
        counts[feature + 1] = len(found[-1])
    rows = np.concatenate(found) if offsets[-1] else np.zeros(0, np.int32)
    data = np.concatenate(strengths) if offsets[-1] else np.zeros(0)
    active = csc_array((data, rows, np.cumsum(counts)), shape=(tokens, features))
    return Firing(active.tocsr(), np.flatnonzero(row >= 0), tokens == total)


def _rows(total: int, tokens: int, seed: int) -> np.ndarray:
    if tokens >= total:
        return np.arange(total, dtype=np.int32)
    row = np.full(total, -1, dtype=np.int32)
    chosen = np.sort(np.random.default_rng(seed).choice(total, tokens, replace=False, shuffle=False))
    row[chosen] = np.arange(tokens, dtype=np.int32)
    return row
