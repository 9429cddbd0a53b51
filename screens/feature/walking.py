"""From one feature to the next: through the ranking as Select shows it, else by number."""

from __future__ import annotations

from typing import Any

from screens.painting.text import thousands
from screens.widgets.lines import Lines

AHEAD = 40
"""Rows that are fetched before they are needed, so that a held key does not wait for them."""


class Walk:
    """Knows what comes after a feature.

    Args:
        lines: the ranking.
        summary: what the session knows; its SAE says how many features there are.
    """

    def __init__(self, lines: Lines, summary: dict[str, Any]) -> None:
        self._lines = lines
        self._width = int((summary.get("sae") or {}).get("width") or 0)

    def place(self, feature: str) -> str:
        """Where a feature stands, in words."""
        at = self._lines.place_of(feature)
        if at is not None:
            return f"{thousands(at + 1)} of {thousands(self._lines.total)} in Select"
        return ""

    def after(self, feature: str, step: int) -> tuple[str, str]:
        """The feature some steps on, and why there is none."""
        at = self._lines.place_of(feature)
        if at is None:
            return self._by_number(feature, step)
        self._lines.reach(at + (AHEAD if step > 0 else -AHEAD))
        if 0 <= at + step < self._lines.total:
            return self._lines.key_at(at + step), "the next rows of the ranking are on their way"
        return "", "the ranking ends here" if step > 0 else "this is the first of the ranking"

    def _by_number(self, feature: str, step: int) -> tuple[str, str]:
        space, _, number = feature.rpartition("#")
        if not (space and number.isdecimal() and self._width):
            return "", "this feature is not among the rows of Select: open the ranking there (3) first"
        found = int(number) + step
        if 0 <= found < self._width:
            return f"{space}#{found}", ""
        return "", "this is the last feature" if step > 0 else "this is the first feature"
