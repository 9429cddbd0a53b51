"""Predictions that mere copying within the document explains: repeated bigrams and trigrams."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def present_trigram(tokens: Sequence[int] | NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether each predicted token completes a trigram that occurred earlier in the document.

    Args:
        tokens: token ids of one document; overlapping repeats count ([7, 7, 7, 7] -> F F T).

    Returns:
        (predictions,) bool, True = drop; prediction i is of token i + 1, so a document of n tokens has n - 1, and an
        empty one none. The first prediction ends no trigram and is always False.
    """
    return _present(tokens, 3)


def present_bigram(tokens: Sequence[int] | NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether each predicted token and the one before it occurred together earlier in the document.

    Args:
        tokens: token ids of one document.

    Returns:
        (predictions,) bool, True = drop; as `present_trigram`.
    """
    return _present(tokens, 2)


def _present(tokens: Sequence[int] | NDArray[np.integer], size: int) -> NDArray[np.bool_]:
    ids = [int(token) for token in tokens]
    found = np.zeros(max(len(ids) - 1, 0), dtype=bool)
    seen: set[tuple[int, ...]] = set()
    for last in range(size - 1, len(ids)):
        gram = tuple(ids[last - size + 1 : last + 1])
        found[last - 1] = gram in seen  # looked up before it is added: a gram is no repeat of itself
        seen.add(gram)
    return found
