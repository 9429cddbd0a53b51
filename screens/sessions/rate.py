"""How fast a job goes and how long it will still take, from what it says of itself."""

from __future__ import annotations

from screens.painting.text import duration, thousands

FEWEST = 5
"""A job with fewer steps counts parts of its work, which take unequal times."""
SOONEST = 1.0
"""Seconds of watching before anything is said."""


class Rate:
    """Watches a job's steps; begins anew where the job begins another part of its work."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None
        self._done = self._total = 0
        self._seconds = 0.0

    def take(self, done: int, total: int, seconds: float) -> None:
        """Take in how far the job is at a time, in seconds by any clock that runs on."""
        if self._first is None or total != self._total or done < self._done:
            self._first = (done, seconds)
        self._done, self._total, self._seconds = done, total, seconds

    @property
    def per_second(self) -> float | None:
        """Steps a second, or None while too little was seen."""
        if self._first is None or self._total < FEWEST:
            return None
        steps, seconds = self._done - self._first[0], self._seconds - self._first[1]
        return steps / seconds if steps > 0 and seconds >= SOONEST else None

    @property
    def left(self) -> str:
        """The time left in words, or an empty text."""
        rate = self.per_second
        return f"{duration((self._total - self._done) / rate)} left" if rate else ""

    @property
    def lead(self) -> str:
        """How much is done and how long still, to stand before what is being done; empty where neither is known."""
        share = f"{self._done * 100 // self._total}% " if self._total else ""
        return share + (f"{self.left} · " if self.left else "")

    @property
    def told(self) -> str:
        """How far, how fast and how long still, or an empty text."""
        rate = self.per_second
        if not rate:
            return ""
        speed = f"{rate:,.{0 if rate >= 10 else 1}f} a second" if rate >= 1 else f"{1 / rate:.1f} s each"
        return f"{thousands(self._done)} of {thousands(self._total)} · {speed} · {self.left}"
