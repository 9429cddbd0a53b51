"""Heat in steps, so that it can be shown by the weight of an underline as well as by colour."""

from __future__ import annotations

import math

LEVELS = 8


def level(value: float | None, maximum: float) -> int:
    """The step of a value, 0 for silence to `LEVELS` for the maximum; the sign is shown in another way."""
    if not value or not maximum or value != value:
        return 0
    return max(1, min(LEVELS, math.ceil(LEVELS * abs(value) / abs(maximum) - 1e-9)))


def strongest(values: list[float]) -> int | None:
    """The place of the value farthest from 0, or None where all are 0."""
    places = [place for place, value in enumerate(values) if value]
    return max(places, key=lambda place: abs(values[place])) if places else None
