"""Prompts to steer on, where a stimulus set brings none."""

from __future__ import annotations

import re
from itertools import chain, zip_longest

from workbench.stimuli.sets import StimulusSet

MOST, LONGEST = 6, 8
_WORD = re.compile(r"\s*\S+")


def beginnings(found: StimulusSet, most: int = MOST) -> tuple[str, ...]:
    """The first halves of sentences, of each category in turn, none twice; at most eight words each.

    Half a sentence seldom says yet on which side it will end, so that there is something left to steer. From place to
    place another category comes first: the partners of a pair begin alike.
    """
    places = list(zip_longest(*(texts for _, texts in found.categories)))
    turned = [texts[at % len(texts) :] + texts[: at % len(texts)] for at, texts in enumerate(places)]
    in_turn = chain.from_iterable(zip(*turned, strict=True))
    halves = dict.fromkeys(_half(text) for text in in_turn if text is not None)
    return tuple(halves)[:most]


def _half(text: str) -> str:
    words = _WORD.findall(text)
    return "".join(words[: max(1, min(LONGEST, len(words) // 2))])
