"""How alike words are, by the trigrams that they share; the same on every machine."""

from __future__ import annotations

import re
from functools import lru_cache

ALIKE = 0.5
"""Dice coefficient from which on two words count as alike: one letter more, fewer or other in a word of six."""
_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """The words of a text in lower case."""
    return _WORD.findall(text.casefold())


@lru_cache(maxsize=65_536)
def _trigrams(word: str) -> frozenset[str]:
    padded = f"  {word} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


@lru_cache(maxsize=65_536)
def word_likeness(one: str, other: str) -> float:
    """Dice coefficient of the trigrams of two words, each with two spaces before and one behind; 1 for equal ones."""
    if one == other:
        return 1.0
    a, b = _trigrams(one), _trigrams(other)
    return 2 * len(a & b) / (len(a) + len(b))


def likeness(query: str, text: str) -> tuple[float, bool]:
    """How well a text answers a query, and whether it contains it as it is, whatever the case.

    Returns:
        (1.0, True) where it contains it; else the mean over the query's words of the likeness of the nearest word,
        or (0.0, False) where one of them has none that is alike
    """
    wanted = query.casefold().strip()
    if wanted and wanted in text.casefold():
        return 1.0, True
    there = set(words_of(text))
    best = [max((word_likeness(word, other) for other in there), default=0.0) for word in words_of(wanted)]
    if not best or min(best) < ALIKE:
        return 0.0, False
    return sum(best) / len(best), False
