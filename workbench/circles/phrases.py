"""How far off phrases are read on the circle of the bare names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mean_off(row: Mapping[str, Any], period: int) -> float:
    """The mean distance in steps, either way, of one phrase of `circle probe --continuity`.

    `error` is the mean with its sign, in which early and late cancel. Results of older versions have no `off`: there
    the distances are made from the angles (`reads`), one a name, whose places are 0, 1, ... on a turn of `period`.
    """
    if "off" in row:
        return float(row["off"])
    away = [(angle - place) % period for place, angle in enumerate(row["reads"])]
    return float(sum(min(steps, period - steps) for steps in away) / len(away))
