"""Sentences as words: who holds which, and how alike two sentences are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, digits among them, without punctuation."""
    return _WORD.findall(text.casefold())


def word_table(texts: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """(sentences, words) bool, which words each sentence holds, and the words in alphabetical order."""
    bags = [set(words_of(text)) for text in texts]
    vocabulary = sorted(set().union(*bags)) if bags else []
    place = {word: at for at, word in enumerate(vocabulary)}
    held = np.zeros((len(texts), len(vocabulary)), dtype=bool)
    for row, bag in enumerate(bags):
        held[row, [place[word] for word in bag]] = True
    return held, vocabulary


def likeness(held: np.ndarray) -> np.ndarray:
    """(sentences, sentences) shared words over all words of the two, each weighted by its rarity; 1 where equal.

    The weighted Jaccard index with log(1 + N / n) as the weight of a word that n of the N sentences hold.
    """
    present = held.astype(np.float64)  # (sentences, words)
    weights = np.log1p(len(held) / np.maximum(present.sum(axis=0), 1))  # (words,)
    own = present @ weights  # (sentences,)
    shared = (present * weights) @ present.T  # (sentences, sentences)
    either = own[:, None] + own[None, :] - shared
    found: np.ndarray = np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)
    return found
