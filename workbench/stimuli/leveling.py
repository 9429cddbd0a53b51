"""Exchanging sentences, or whole pairs, for excluded ones so that a confound no longer tells the sides apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.stats.design import leveling_pair_swaps, leveling_swaps
from workbench.stimuli.pairs import LARGEST
from workbench.stimuli.sets import Stimulus, StimulusSet

LEVEL = 0.02
"""How far from 1/2 an AUC is that needs no exchange."""


@dataclass(frozen=True)
class Exchange:
    """Sentences out, as many in, and the AUC of the measure afterwards."""

    out: tuple[Stimulus, ...]
    into: tuple[Stimulus, ...]
    auc: float


def side_auc(found: StimulusSet, values: Sequence[float], positive: str) -> float | None:
    """The chance that a sentence in use of one category has the larger number, ties half; None with an empty side.

    Args:
        values: the measure, one for each sentence of `everything`; NaN where unknown.
        positive: that category.
    """
    from scipy.stats import mannwhitneyu

    sides: tuple[list[float], list[float]] = ([], [])
    for one, value in zip(found.everything, values, strict=True):
        if one.include and np.isfinite(value):
            sides[one.category == positive].append(value)
    rest, named = sides
    return float(mannwhitneyu(named, rest).statistic) / (len(named) * len(rest)) if named and rest else None


def exchanges(found: StimulusSet, values: Sequence[float], positive: str) -> list[Exchange]:
    """The swaps one by one; none where the set has not two categories, is very large, or nothing is excluded.

    Args:
        values: the measure, one for each sentence of `everything`; NaN where unknown.
        positive: one of the two categories.
    """
    if len(found.names) != 2 or len(found.stimuli) > LARGEST or all(one.include for one in found.stimuli):
        return []
    if any(one.item for one in found.stimuli):
        return _of_pairs(found, values, positive)
    rows = [(one, value) for one, value in zip(found.everything, values, strict=True) if np.isfinite(value)]
    numbers = np.array([value for _, value in rows])
    sides, used = (
        np.array(mask, dtype=bool) for mask in zip(*((o.category == positive, o.include) for o, _ in rows), strict=True)
    )
    return [
        Exchange((rows[swap.out][0],), (rows[swap.into][0],), swap.auc) for swap in leveling_swaps(numbers, sides, used)
    ]


def _of_pairs(found: StimulusSet, values: Sequence[float], positive: str) -> list[Exchange]:
    """Whole pairs alone are exchanged, those of which both sentences are in use or both are not."""
    by_item: dict[str, list[tuple[Stimulus, float]]] = {}
    for one, value in zip(found.everything, values, strict=True):
        if one.item:
            by_item.setdefault(one.item, []).append((one, value))
    pairs = []
    for members in by_item.values():
        members.sort(key=lambda member: member[0].category != positive)
        same = len({one.include for one, _ in members}) == 1
        whole = len(members) == 2 and members[0][0].category != members[1][0].category
        if same and whole and all(np.isfinite(value) for _, value in members):
            pairs.append(members)
    if not pairs:
        return []
    first, second = (np.array([members[side][1] for members in pairs]) for side in (0, 1))
    used = np.array([members[0][0].include for members in pairs])
    return [
        Exchange(tuple(m[0] for m in pairs[swap.out]), tuple(m[0] for m in pairs[swap.into]), swap.auc)
        for swap in leveling_pair_swaps(first, second, used)
    ]


def exchanged(found: StimulusSet, swaps: Sequence[Exchange]) -> StimulusSet:
    """The set after the swaps: what goes out is excluded, what comes in is used."""
    use: dict[tuple[str, str], bool] = {}
    for swap in swaps:
        use |= {(one.category, one.text): False for one in swap.out}
        use |= {(one.category, one.text): True for one in swap.into}
    stimuli = tuple(replace(one, include=use.get((one.category, one.text), one.include)) for one in found.stimuli)
    return replace(found, stimuli=stimuli)
