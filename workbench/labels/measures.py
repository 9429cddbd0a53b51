"""How well yes-and-no answers tell active windows from silent ones, with intervals; pure functions on arrays.

Balanced accuracy is the mean of sensitivity and specificity: a scorer that always says yes, or no, gets one half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.stats.metrics import share_interval


@dataclass(frozen=True)
class Measured:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """The number as it is stored."""
        return {"value": round(self.value, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


def balanced_accuracy(active: Sequence[bool], silent: Sequence[bool]) -> Measured | None:
    """Balanced accuracy of the answers `yes` to active windows and to silent ones; None where a side is empty.

    The interval joins Wilson's intervals of the two shares (the method of variance estimates recovery; Zou and
    Donner 2008, Stat. Med. 27, 1693), which does not shrink to a point where every answer is right.
    """
    if not active or not silent:
        return None
    right, wrong = float(np.mean(active)), float(np.mean(silent))
    sensitive = share_interval(right, len(active))
    specific = share_interval(1 - wrong, len(silent))
    value = (right + 1 - wrong) / 2
    below = math.hypot(right - sensitive[0], 1 - wrong - specific[0]) / 2
    above = math.hypot(sensitive[1] - right, specific[1] - (1 - wrong)) / 2
    return Measured(value, max(0.0, value - below), min(1.0, value + above))


def margin(
    active: Sequence[bool],
    silent: Sequence[bool],
    other_active: Sequence[bool],
    other_silent: Sequence[bool],
) -> Measured | None:
    """How much balanced accuracy one label has above another on the same windows; None where a side is empty.

    Every window is of a document of its own. The interval joins those of the two differences of paired shares as
    `balanced_accuracy` joins two shares. A bootstrap would have no spread where all windows say the same, and call
    one window of each kind proof.

    Args:
        active: answers with the label to active windows.
        silent: to silent ones.
        other_active: answers with the other label to the same active windows.
        other_silent: to the same silent ones.
    """
    if not active or not silent:
        return None
    gained = paired_difference(active, other_active)
    spared = paired_difference(other_silent, silent)
    value = (gained.value + spared.value) / 2
    below = math.hypot(gained.value - gained.low, spared.value - spared.low) / 2
    above = math.hypot(gained.high - gained.value, spared.high - spared.value) / 2
    return Measured(value, max(-1.0, value - below), min(1.0, value + above))


def paired_difference(first: Sequence[bool], second: Sequence[bool]) -> Measured:
    """Share of yes in the first less that in the second, of the same things asked twice.

    The interval is Newcombe's tenth (1998, Stat. Med. 17, 2635): Wilson's intervals of both shares, joined with their
    correlation, which is taken less half a thing where it is positive.
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    p, q, n = float(a.mean()), float(b.mean()), a.size
    low, high = share_interval(p, n)
    other_low, other_high = share_interval(q, n)
    together = _correlation(a, b)

    def reach(one: float, two: float) -> float:
        return math.sqrt(max(0.0, one**2 - 2 * together * one * two + two**2))

    return Measured(p - q, p - q - reach(p - low, other_high - q), p - q + reach(high - p, q - other_low))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Phi of two yes-and-no answers, with Newcombe's correction; 0 where one of them is always the same."""
    both, neither = int((a & b).sum()), int((~a & ~b).sum())
    here, there = int((a & ~b).sum()), int((~a & b).sum())
    product = (both + here) * (there + neither) * (both + there) * (here + neither)
    if not product:
        return 0.0
    found = both * neither - here * there
    return (max(found - a.size / 2, 0.0) if found > 0 else float(found)) / math.sqrt(product)
