"""Progress at a bearable rate: the last word wins, at most five a second."""

from __future__ import annotations

import time

INTERVAL = 0.2
"""Seconds between two progress messages of one request."""


class Pace:
    """Says whether it is time for another message."""

    def __init__(self, interval: float = INTERVAL, *, at_once: bool = True) -> None:
        self._interval = interval
        self._next = 0.0 if at_once else time.monotonic() + interval

    def due(self) -> bool:
        """True at most once an interval."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._interval
        return True
