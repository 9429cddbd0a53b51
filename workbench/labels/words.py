"""Words of a text as the offline labeller and scorer count them: case folded, with a light stem."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|_+")
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ies", "ied", "ers", "ed", "es", "ly", "er", "s")
_SHORTEST = 4
"""Letters that a stem keeps at least."""


@lru_cache(maxsize=65_536)
def forms_of(text: str) -> tuple[str, ...]:
    """Words and single punctuation marks of a text as they are written, in order."""
    return tuple(_WORD.findall(text))


@lru_cache(maxsize=65_536)
def words_of(text: str) -> tuple[str, ...]:
    """The same, case folded."""
    return tuple(form.casefold() for form in forms_of(text))


@lru_cache(maxsize=65_536)
def lemma(word: str) -> str:
    """A word without its commonest English ending; what is short or no word stays as it is.

    A stem and no dictionary form: `cities` and `city` meet, and it does not matter where.
    """
    word = word.casefold().removesuffix("'s").removesuffix("’s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST - 1:
            word = word[: -len(ending)]
            break
    if len(word) > _SHORTEST and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] if len(word) >= _SHORTEST and word[-1] in "eyi" else word


def lemmas_of(text: str) -> tuple[str, ...]:
    """The stems of a text's words, in order."""
    return tuple(lemma(word) for word in words_of(text))


def near(tokens: Sequence[str], peak: int, before: int, after: int) -> str:
    """The text from some tokens before a place to some after it, without the halves of words at its ends."""
    first, last = max(0, peak - before), min(len(tokens), peak + after + 1)
    while first > 0 and first < peak and tokens[first][:1].isalnum() and tokens[first - 1][-1:].isalnum():
        first += 1
    while last < len(tokens) and tokens[last][:1].isalnum() and tokens[last - 1][-1:].isalnum():
        last += 1  # the rest of a word that is cut at the end
    return "".join(tokens[first:last])
