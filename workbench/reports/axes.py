"""Axes of a plot: where the numbers fall on the page, and which of them are written beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.reports.text import number


@dataclass(frozen=True)
class Scale:
    """Maps [low, high] onto page positions [start, end]; `end` may lie before `start`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The page position of a value."""
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


def extent(values: Sequence[float], *, zero: bool, margin: float = 0.04) -> tuple[float, float]:
    """The range of the finite values, with a margin, holding 0 where asked; (0, 1) where there are none."""
    finite = [value for value in values if math.isfinite(value)]
    if zero:
        finite.append(0.0)
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    pad = (high - low) * margin or max(abs(high), 1.0) * margin
    return (low if zero and low == 0 else low - pad), (high if zero and high == 0 else high + pad)


def ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """About `wanted` round numbers inside [low, high]."""
    step = _round_step((high - low) / max(wanted, 1))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def _round_step(rough: float) -> float:
    if not rough > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def tick_label(value: float) -> str:
    """A tick's number, without trailing zeros."""
    shown = number(value)
    return shown.rstrip("0").rstrip(".") if "." in shown and "×" not in shown else shown
