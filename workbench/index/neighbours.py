"""Neighbours of a feature among all features: by the directions of the decoder, and by firing on the same tokens.

Firing together is counted when asked, from a fair sample of the feature's tokens; a table of all pairs is never made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.errors import UsageError
from workbench.index.read import FeatureIndex
from workbench.index.sampling import priority

MOST = 10_000
"""Tokens of a feature that are looked at."""
_ROWS = 4096
"""Directions compared at once."""


@dataclass(frozen=True)
class Together:
    """How often other features fire on a feature's tokens.

    Attributes:
        tokens: how many of its tokens were looked at.
        fired: on how many it fires in all.
        counts: (features,) on how many of those looked at each feature fires; 0 for itself.
    """

    tokens: int
    fired: int
    counts: np.ndarray


def together(index: FeatureIndex, feature: int, most: int = MOST) -> Together:
    """Count which features fire where this one does.

    Args:
        most: at most this many of its tokens, those whose hash is smallest.
    """
    at = np.asarray(index.entries(feature)[0]).astype(np.int64)
    fired = len(at)
    if fired > most:
        documents = index.store.document_of(at)
        ranks = priority(documents, at - index.store.starts[documents])
        at = np.sort(at[np.argpartition(ranks, most)[:most]])
    pointers, features = index.arrays["pointers"], index.arrays["features"]
    begins, sizes = pointers[at], pointers[at + 1] - pointers[at]
    places = np.arange(int(sizes.sum())) + np.repeat(begins - (np.cumsum(sizes) - sizes), sizes)
    counts = np.bincount(features[places], minlength=int(index.meta["features"]))
    counts[feature] = 0
    return Together(len(at), fired, counts)


def by_coactivation(index: FeatureIndex, found: Together, limit: int) -> list[dict[str, Any]]:
    """The features whose firing is most correlated with that of the one that `found` is about.

    `phi` is the correlation of the two firing indicators, with P(other | this) estimated from the tokens looked
    at; `lift` is how many times oftener the other fires there than anywhere, `pmi` its logarithm to base 2.
    """
    total = max(int(index.meta["tokens"]), 1)
    if not found.tokens:
        return []
    other = np.flatnonzero(found.counts)
    share = found.counts[other] / found.tokens
    own, base = found.fired / total, index.summary["fired"][other] / total
    lift = share / base
    spread = np.sqrt(own * (1 - own) * base * (1 - base))
    phi = np.divide(own * (share - base), spread, out=np.zeros_like(share), where=spread > 0)
    order = np.lexsort((other, -phi))[:limit]
    return [
        {
            "index": int(other[place]),
            "tokens": int(found.counts[other[place]]),
            "share": round(float(share[place]), 6),
            "lift": round(float(lift[place]), 4),
            "pmi": round(float(np.log2(lift[place])), 4),
            "phi": round(float(phi[place]), 6),
        }
        for place in order
    ]


def by_cosine(index: FeatureIndex, feature: int, limit: int) -> list[dict[str, Any]]:
    """The features whose decoder directions point most alike; empty for raw units, which are all at right angles."""
    units = index.directions
    if not units.size:
        return []
    own = units[feature].astype(np.float32)
    cosines = np.concatenate([units[low : low + _ROWS].astype(np.float32) @ own for low in range(0, len(units), _ROWS)])
    cosines[feature] = -np.inf
    order = np.lexsort((np.arange(len(cosines)), -cosines))[: min(limit, len(cosines) - 1)]
    return [{"index": int(place), "cosine": round(float(cosines[place]), 4)} for place in order]


def near(index: FeatureIndex, feature: int, limit: int, tokens: int, labels: Mapping[int, str]) -> dict[str, Any]:
    """Both lists with label and density of each neighbour; the result of `features.neighbours` in docs/wire.md.

    Raises:
        UsageError: the index is of raw units, which are active everywhere.
    """
    if index.meta["kind"] != "sparse":
        raise UsageError("raw units are active on every token", "Neighbours are for the latents of an SAE.")
    found = together(index, feature, tokens)
    lists = {"cosine": by_cosine(index, feature, limit), "coactive": by_coactivation(index, found, limit)}
    for rows in lists.values():
        for row in rows:
            row |= {"label": labels.get(row["index"], ""), "density": index.density(row["index"])}
    return {"tokens": found.tokens, "fired": found.fired, **lists}
