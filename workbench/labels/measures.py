"""How well yes-and-no answers tell active windows from silent ones, with intervals; pure functions on arrays.

Balanced accuracy is the mean of sensitivity and specificity: a scorer that always says yes, or no, gets one half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.stats.metrics import share_interval

_DRAWS = 2000


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
    seed: int,
) -> Measured | None:
    """How much balanced accuracy one label has above another on the same windows, by a bootstrap over documents.

    Every window is of a document of its own. None where a side is empty.

    Args:
        active: answers with the label to active windows.
        silent: to silent ones.
        other_active: answers with the other label to the same active windows.
        other_silent: to the same silent ones.
        seed: of the bootstrap.
    """
    if not active or not silent:
        return None
    first = np.asarray(active, dtype=float) - np.asarray(other_active, dtype=float)  # (active windows,)
    second = np.asarray(other_silent, dtype=float) - np.asarray(silent, dtype=float)  # (silent windows,)
    rng = np.random.default_rng(seed)
    drawn = first[rng.integers(len(first), size=(_DRAWS, len(first)))].mean(1)
    drawn = (drawn + second[rng.integers(len(second), size=(_DRAWS, len(second)))].mean(1)) / 2
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Measured(float(first.mean() + second.mean()) / 2, float(low), float(high))
