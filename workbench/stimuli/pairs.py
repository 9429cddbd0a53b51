"""Matched pairs of a stimulus set: those it names, whether they are whole, and those its order suggests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.errors import UsageError
from workbench.stimuli.sets import StimulusSet
from workbench.stimuli.words import likeness, word_table

LARGEST = 2000
"""Sentences of a set beyond which no pairs are looked for: every sentence is compared with every other."""


@dataclass(frozen=True)
class Suggestion:
    """The sentences at the same place of each category look like pairs.

    Attributes:
        pairs: sentences in each category.
        best: at how many places the sentences resemble each other more than any other of the other category.
        likeness: mean likeness of sentences at the same place.
        otherwise: the largest such mean when one category is shifted against the other.
    """

    pairs: int
    best: int
    likeness: float
    otherwise: float


@dataclass(frozen=True)
class Pairs:
    """The matched pairs among the sentences in use.

    Attributes:
        status: `none` where no sentence has an item; `complete` where every one has and every item stands once in
            every category; else `incomplete`.
        pairs: items that stand once in every category.
        uneven: items that stand elsewhere, with their sentences by category.
        without: sentences without an item, where others have one.
        suggestion: what the order of the sentences suggests, where no sentence has an item.
    """

    status: Literal["none", "complete", "incomplete"]
    pairs: int = 0
    uneven: tuple[tuple[str, dict[str, int]], ...] = ()
    without: int = 0
    suggestion: Suggestion | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it travels on the wire; at most 20 of the uneven items."""
        suggested = self.suggestion
        return {
            "status": self.status,
            "pairs": self.pairs,
            "uneven": [{"item": item, "sentences": counts} for item, counts in self.uneven[:20]],
            "without": self.without,
            "suggested": None
            if suggested is None
            else {
                "pairs": suggested.pairs,
                "best": suggested.best,
                "likeness": round(suggested.likeness, 4),
                "otherwise": round(suggested.otherwise, 4),
            },
        }

    def words(self, name: str) -> list[str]:
        """What an investigator must know of them."""
        if self.suggestion is not None:
            like = self.suggestion
            return [
                f"the sentences look like matched pairs in order (at {like.best} of {like.pairs} places they resemble "
                f"each other most), but the set does not say so: `stimuli edit {name} --pairs order` pairs them"
            ]
        if self.status != "incomplete":
            return []
        told = []
        if self.uneven:
            item, counts = self.uneven[0]
            stands = ", ".join(f"{count} in {category!r}" for category, count in counts.items())
            told.append(f"{len(self.uneven)} items do not stand once in every category (item {item!r}: {stands})")
        if self.without:
            told.append(f"{self.without} sentences have no item")
        return [f"the pairs are incomplete: {'; '.join(told)}; a paired test takes only whole pairs"]


def find_pairs(found: StimulusSet) -> Pairs:
    """The pairs that the items name; where no sentence has an item, what the order suggests."""
    with_item = [one for one in found.included if one.item]
    if not with_item:
        return Pairs("none", suggestion=_suggestion(found))
    counts: dict[str, Counter[str]] = {}
    for one in with_item:
        counts.setdefault(one.item, Counter())[one.category] += 1
    uneven = tuple(
        (item, {category: count[category] for category in found.names})
        for item, count in counts.items()
        if any(count[category] != 1 for category in found.names)
    )
    without = len(found.included) - len(with_item)
    status: Literal["complete", "incomplete"] = "incomplete" if uneven or without else "complete"
    return Pairs(status, len(counts) - len(uneven), uneven, without)


def _suggestion(found: StimulusSet) -> Suggestion | None:
    """Whether sentences at the same place resemble each other more than under any shift of one category."""
    sizes = set(found.counts.values())
    count = next(iter(sizes), 0)
    if len(sizes) != 1 or len(found.counts) < 2 or count < 4 or len(found.included) > LARGEST:
        return None
    alike = likeness(word_table([one.text for one in found.included])[0])  # (sentences, sentences)
    weakest: Suggestion | None = None
    for place in range(1, len(found.counts)):
        between = alike[:count, place * count : (place + 1) * count]  # the first category against another
        own = np.diagonal(between)
        shifted = max(float(np.diagonal(np.roll(between, shift, axis=1)).mean()) for shift in range(1, count))
        others = between - np.diag(own)
        best = int(((own > others.max(axis=0)) & (own > others.max(axis=1))).sum())
        if 2 * best <= count or own.mean() <= shifted:
            return None
        if weakest is None or best < weakest.best:
            weakest = Suggestion(count, best, float(own.mean()), shifted)
    return weakest


def pair_by_order(found: StimulusSet) -> dict[tuple[str, str], str]:
    """Item 1, 2, ... for the sentences in use, by their place in their category; by (category, text).

    Raises:
        UsageError: the categories have unequal counts.
    """
    if len(set(found.counts.values())) != 1:
        counts = ", ".join(f"{category} {count}" for category, count in found.counts.items())
        raise UsageError(
            f"the categories of {found.name!r} have unequal counts ({counts}) and cannot be paired in order",
            "Exclude or remove sentences, or give items in the file.",
        )
    places: Counter[str] = Counter()
    items = {}
    for one in found.included:
        places[one.category] += 1
        items[one.category, one.text] = str(places[one.category])
    return items
