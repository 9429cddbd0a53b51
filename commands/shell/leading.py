"""Which features of a ranking the demo and the examples go on with."""

from __future__ import annotations

from typing import Any


def leading(result: dict[str, Any]) -> tuple[int | None, int | None]:
    """The discovered features with the largest effect on the positive class, and against it; None where there is none.

    By effect and not by score: a feature that fires weakly and everywhere alike can have the largest t, and turning
    it up changes little.
    """
    found = [row for row in result["rows"] if row["q"] is not None and row["q"] < result["alpha"]]
    found.sort(key=lambda row: row["effect"])
    up = int(found[-1]["index"]) if found and found[-1]["effect"] > 0 else None
    down = int(found[0]["index"]) if found and found[0]["effect"] < 0 else None
    return up, down
