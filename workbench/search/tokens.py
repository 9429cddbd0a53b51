"""Features by the tokens that they fire on, and by those whose logits they raise, from an index alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.search.likeness import ALIKE, word_likeness

if TYPE_CHECKING:
    from workbench.index.read import FeatureIndex

MOST_PLACES = 200_000
"""Places of a token in the corpus that are looked at, spread evenly."""
PART = 1 << 22
"""Tokens of the corpus looked at at once."""
LEAST_SHARE = 0.02
"""Share of a feature's firings from which on a token is one of its own."""


@dataclass(frozen=True)
class TokenHit:
    """A feature that has to do with a token.

    Attributes:
        token: the id.
        likeness: 1 where the token is the word asked for.
        strength: share of the feature's firings on it; or of logits 1 / (1 + place among the most raised).
    """

    feature: int
    token: int
    likeness: float
    strength: float


def alike_tokens(index: FeatureIndex, query: str, *, exact: bool) -> dict[int, float]:
    """The token ids whose text is the query, or is like it, with how alike; letters' case and spaces do not count."""
    wanted = query.casefold().strip()
    found: dict[int, float] = {}
    if not wanted:
        return found
    special = set(index.store.special)
    for token, piece in enumerate(index.pieces):
        text = piece.strip().casefold()
        if not text or token in special:
            continue
        if text == wanted:
            found[token] = 1.0
        elif not exact and len(text) > 2 and (like := word_likeness(wanted, text)) >= ALIKE:
            found[token] = like
    return found


def by_token(index: FeatureIndex, tokens: dict[int, float]) -> list[TokenHit]:
    """The features for which one of the tokens makes up at least `LEAST_SHARE` of all places where they fire.

    Of a token that stands in more than `MOST_PLACES` places every n-th is looked at, and counts n times.
    """
    if index.meta["kind"] != "sparse":
        return []
    fired = np.maximum(index.summary["fired"], 1)
    text = np.asarray(index.store.tokens[: int(index.meta["tokens"])])
    pointers, features = index.arrays["pointers"], index.arrays["features"]
    found, hits = _places(text, tokens, len(index.pieces)), []
    for token, like in tokens.items():
        at = found[text[found] == token]
        step = -(-len(at) // MOST_PLACES) or 1
        at = at[::step]
        begins, sizes = pointers[at], pointers[at + 1] - pointers[at]
        places = np.arange(int(sizes.sum())) + np.repeat(begins - (np.cumsum(sizes) - sizes), sizes)
        counts = np.bincount(features[places], minlength=len(fired))
        share = np.minimum(counts * step / fired, 1.0)
        hits += [
            TokenHit(int(feature), token, like, float(share[feature]))
            for feature in np.flatnonzero(share >= LEAST_SHARE)
        ]
    return hits


def _places(text: np.ndarray, tokens: Iterable[int], vocabulary: int) -> np.ndarray:
    """Where any of the tokens stands in the corpus, ascending, a part at a time."""
    wanted = np.zeros(vocabulary, dtype=bool)
    wanted[list(tokens)] = True
    parts = [np.flatnonzero(wanted[text[low : low + PART]]) + low for low in range(0, len(text), PART)]
    return np.concatenate([np.zeros(0, np.int64), *parts])


def by_logit(index: FeatureIndex, tokens: dict[int, float]) -> list[TokenHit]:
    """The features among whose most raised tokens one of these is."""
    if "up_ids" not in index.summary or not tokens:
        return []
    ids = np.asarray(index.summary["up_ids"])
    features, places = np.nonzero(np.isin(ids, list(tokens)))
    return [
        TokenHit(int(feature), int(ids[feature, place]), tokens[int(ids[feature, place])], 1 / (1 + float(place)))
        for feature, place in zip(features, places, strict=True)
    ]
