"""Choosing samples on Quanta, before there are clusters: the conditions that keys move, and what is seen of them."""

from __future__ import annotations

from typing import Any

from screens.widgets.painted import TextLines

FILTERS = ("present-trigram", "present-bigram", "none")
THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
SKIPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Counts(TextLines, can_focus=True):
    """What a selection would find; takes the keys while samples are chosen."""

    HELP = (
        "Left and right move the threshold, t turns the filter, < and > say one in how many, h turns to the next model "
        "or pair of models, low in one and high in the other, whose limit up and down move; enter takes the samples."
    )


class Choice:
    """Which predictions are to be taken: of low loss here and, of a pair of models, of high loss there."""

    def __init__(self) -> None:
        self.threshold, self.filter, self.skip = 0.1, FILTERS[0], 1
        self.low, self.high, self.high_threshold = "", "", 2.0
        self.models: list[str] = []
        """Those whose losses were taken."""

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of `quanta.counts` and `quanta.select` that keys move."""
        pair = {"high": self.high, "high_threshold": self.high_threshold} if self.high else {}
        return {"threshold": self.threshold, "filter": self.filter, "skip": self.skip, "model": self.low, **pair}

    def step(self, step: int) -> None:
        """The next threshold."""
        self.threshold = beside(THRESHOLDS, self.threshold, step)

    def step_high(self, step: int) -> None:
        """The next threshold of the other model."""
        self.high_threshold = beside(THRESHOLDS, self.high_threshold, step)

    def thin(self, step: int) -> None:
        """Take one in more, or in fewer."""
        self.skip = int(beside(SKIPS, self.skip, step))

    def turn_filter(self) -> None:
        """The next filter."""
        self.filter = FILTERS[(FILTERS.index(self.filter) + 1) % len(FILTERS)]

    def turn_models(self) -> None:
        """Each model alone, then with each other one: low here, high there."""
        turns = [(low, high) for low in self.models for high in ("", *self.models) if low != high]
        now = (self.low or self.models[0], self.high)
        self.low, self.high = turns[(turns.index(now) + 1) % len(turns)] if now in turns else turns[0]


def beside(steps: tuple[float, ...] | tuple[int, ...], value: float, step: int) -> float:
    """The next larger or smaller step; the last one where there is no other."""
    if step > 0:
        return next((one for one in steps if one > value), steps[-1])
    return next((one for one in reversed(steps) if one < value), steps[0])
