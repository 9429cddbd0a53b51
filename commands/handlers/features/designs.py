"""Which sentences a ranking takes, and how they are labelled: two classes, matched items, two factors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.errors import UnknownNameError, UsageError
from workbench.stimuli.sets import Stimulus, StimulusSet


@dataclass(frozen=True)
class Design:
    """Sentences in two classes.

    Attributes:
        labels: (sentences,) whether a sentence is of the positive class.
        items: (sentences,) codes of matched sentences, within which labels move; None where they move freely.
        whole: items with sentences of both classes; 0 where labels move freely.
    """

    positive: str
    against: str
    stimuli: tuple[Stimulus, ...]
    labels: np.ndarray
    items: np.ndarray | None = None
    whole: int = 0

    @property
    def unmatched(self) -> int:
        """Sentences whose label cannot move, because their item has no other class."""
        if self.items is None:
            return 0
        mixed = [code for code in np.unique(self.items) if len(set(self.labels[self.items == code])) == 2]
        return int((~np.isin(self.items, mixed)).sum())


def two_classes(found: StimulusSet, positive: str, against: str) -> Design:
    """The positive category against another one, or against all others.

    Raises:
        UsageError: no positive category is named, or it is to be compared with itself.
        UnknownNameError: no such category.
    """
    positive = positive or found.positive
    if not positive:
        raise UsageError(
            f"stimulus set {found.name!r} names no positive category",
            f"Add --positive with one of: {', '.join(found.counts)}.",
        )
    for category in filter(None, (positive, against)):
        if category not in found.counts:
            raise UnknownNameError.among(f"category of {found.name!r}", category, found.counts)
    if against == positive:
        raise UsageError(f"{positive!r} cannot be compared with itself", "Choose another --against.")
    wanted = {positive, against} if against else set(found.counts)
    stimuli = tuple(one for one in found.included if one.category in wanted)
    return Design(positive, against, stimuli, np.array([one.category == positive for one in stimuli]))


def unused_pairs(design: Design, name: str, verb: str, instead: str) -> list[str]:
    """What to say where a set has matched items and the command leaves them aside.

    Args:
        name: of the stimulus set.
        verb: the command, as `features contrast`.
        instead: what becomes of the matched sentences.
    """
    if design.items is not None:
        return []
    classes: dict[str, set[bool]] = {}
    for one, label in zip(design.stimuli, design.labels, strict=True):
        if one.item:
            classes.setdefault(one.item, set()).add(bool(label))
    whole = sum(len(found) == 2 for found in classes.values())
    if not whole:
        return []
    told = "1 matched item is" if whole == 1 else f"{whole} matched items are"
    return [f"{told} not used: {instead}. `workbench {verb} {name} --pairs` uses them"]


def matched(design: Design, name: str, *, one_of_each: bool) -> Design:
    """The same with labels that move only between sentences of one item.

    Args:
        name: of the stimulus set, for messages.
        one_of_each: whether an item may have one sentence of each class at most, as the paired t needs it.

    Raises:
        UsageError: no sentence has an item, no item has both classes, or one has too many.
    """
    names = [one.item for one in design.stimuli]
    if not any(names):
        raise UsageError(
            f"stimulus set {name!r} has no matched items",
            "Give its sentences a column `item` that the two of a pair share, or leave --pairs and paired out.",
        )
    classes: dict[str, list[bool]] = {}
    for item, label in zip(names, design.labels, strict=True):
        if item:
            classes.setdefault(item, []).append(bool(label))
    whole = sum(len(set(found)) == 2 for found in classes.values())
    if not whole:
        raise UsageError(
            f"no item of {name!r} has a sentence of both classes, so no label can move",
            "Check the column `item`, or choose another --positive or --against.",
        )
    crowded = [item for item, found in classes.items() if max(Counter(found).values()) > 1]
    if one_of_each and crowded:
        raise UsageError(
            f"item {crowded[0]!r} has more than one sentence of a class; the paired t needs one of each",
            "Use --pairs with another --statistic, or take one of them out.",
        )
    # a sentence without an item is an item of its own: its label stays where it is
    codes = np.unique([item or f"\0{place}" for place, item in enumerate(names)], return_inverse=True)[1]
    return Design(design.positive, design.against, design.stimuli, design.labels, codes, whole)


@dataclass(frozen=True)
class TwoFactors:
    """Sentences that are crossed by two factors of two levels.

    Attributes:
        names: of the factors.
        high: the level of each factor that counts as yes; effects are yes minus no.
        low: the other one.
        a: (sentences,) bool, the first factor.
        b: (sentences,) bool, the second.
    """

    names: tuple[str, str]
    high: tuple[str, str]
    low: tuple[str, str]
    stimuli: tuple[Stimulus, ...]
    a: np.ndarray
    b: np.ndarray

    @property
    def interaction(self) -> str:
        """The interaction's name."""
        return f"{self.names[0]} x {self.names[1]}"


def two_factors(found: StimulusSet, factors: Sequence[str], positive: str) -> TwoFactors:
    """The two factors of a set, or the two that are named.

    Args:
        factors: their names, or nothing where the set has just two.
        positive: a category whose levels count as yes; else the set's own, else the level that stands first.

    Raises:
        UsageError: not two factors, a factor without just two levels, or an empty cell.
        UnknownNameError: no such factor or category.
    """
    known = found.factors
    if not known:
        raise UsageError(
            f"stimulus set {found.name!r} has no factors",
            "Import it with columns for them, or compare categories: leave --design, --factor and --factors out.",
        )
    for name in factors:
        if name not in known:
            raise UnknownNameError.among(f"factor of {found.name!r}", name, known)
    chosen = tuple(factors) or tuple(known)
    if len(chosen) != 2 or len(set(chosen)) != 2:
        raise UsageError(
            f"a factorial contrast takes two factors, {found.name!r} gives {', '.join(chosen)}",
            f"Name two with --factors: {', '.join(known)}.",
        )
    for name in chosen:
        if len(known[name]) != 2:
            raise UsageError(
                f"factor {name!r} of {found.name!r} has {len(known[name])} levels ({', '.join(known[name])})",
                "A factorial contrast takes factors of two levels.",
            )
    high = _high(found, chosen, positive or found.positive)
    low = tuple(next(level for level in known[name] if level != top) for name, top in zip(chosen, high, strict=True))
    stimuli = tuple(one for one in found.included if set(chosen) <= {name for name, _ in one.factors})
    labels = [
        np.array([dict(one.factors)[name] == top for one in stimuli]) for name, top in zip(chosen, high, strict=True)
    ]
    cells = Counter(zip(*(label.tolist() for label in labels), strict=True))
    for cell in ((True, True), (True, False), (False, True), (False, False)):
        if cells[cell] < 2:
            levels = [top if yes else bottom for yes, top, bottom in zip(cell, high, low, strict=True)]
            raise UsageError(
                f"{found.name!r} has {cells[cell]} sentences that are {' and '.join(levels)}",
                "A factorial contrast needs at least two in each of the four cells.",
            )
    return TwoFactors((chosen[0], chosen[1]), (high[0], high[1]), (low[0], low[1]), stimuli, labels[0], labels[1])


def _high(found: StimulusSet, chosen: Sequence[str], positive: str) -> tuple[str, ...]:
    """The level of each factor that counts as yes."""
    if not positive:
        return tuple(found.factors[name][0] for name in chosen)
    if positive not in found.counts:
        raise UnknownNameError.among(f"category of {found.name!r}", positive, found.counts)
    levels = dict(next(one for one in found.included if one.category == positive).factors)
    return tuple(levels.get(name, found.factors[name][0]) for name in chosen)
