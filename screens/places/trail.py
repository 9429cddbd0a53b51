"""Where the investigator has been: back and forward through visited places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LONGEST = 50


@dataclass(frozen=True)
class Place:
    """A screen and what it is about: a feature, a cluster, a stimulus set, or nothing in particular."""

    screen: str
    subject: str = ""


class Trail:
    """Places in the order they were visited, with the one we are at."""

    def __init__(self, start: Place) -> None:
        self.places = [start]
        self.at = 0

    @property
    def here(self) -> Place:
        """The place we are at."""
        return self.places[self.at]

    def visit(self, place: Place) -> None:
        """Go to a place; what lay forward is forgotten."""
        if place == self.here:
            return
        self.places = [*self.places[: self.at + 1], place][-LONGEST:]
        self.at = len(self.places) - 1

    def step(self, by: int) -> Place | None:
        """One place back (-1) or forward (1), or None when there is none."""
        if not 0 <= self.at + by < len(self.places):
            return None
        self.at += by
        return self.here

    def as_list(self) -> list[list[str]]:
        """The places as plain JSON, oldest first."""
        return [[place.screen, place.subject] for place in self.places]

    @classmethod
    def from_view(cls, places: Any, at: Any, screens: frozenset[str]) -> Trail | None:
        """The trail that a view recorded, or None when it holds nothing usable: a view is only a convenience."""
        if not isinstance(places, list):
            return None
        kept = [Place(str(item[0]), str(item[1])) for item in places if isinstance(item, list) and len(item) == 2]
        kept = [place for place in kept if place.screen in screens][-LONGEST:]
        if not kept:
            return None
        trail = cls(kept[0])
        trail.places = kept
        trail.at = at if isinstance(at, int) and 0 <= at < len(kept) else len(kept) - 1
        return trail
