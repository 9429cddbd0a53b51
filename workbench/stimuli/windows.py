"""Windows: which tokens of a sentence count, and at which place of the window each stands.

BOS and padding are gone before a window is laid. A sentence that is too short for its window has no value there: it is
masked (NaN) and counted, never dropped and never filled up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, get_args

from workbench.errors import UsageError

WindowKind = Literal["whole", "last", "first", "centre", "span", "peak"]
KINDS: tuple[WindowKind, ...] = get_args(WindowKind)
SIZED: tuple[WindowKind, ...] = ("last", "first", "centre", "peak")
"""The windows that have a width of their own."""
WIDTHS = {"last": 1, "first": 5, "centre": 5, "peak": 5}
"""Tokens of a window where no width is asked for."""

Span = tuple[int, int] | None


@dataclass(frozen=True)
class Window:
    """A rule that picks tokens.

    Attributes:
        kind: `whole` all text tokens, `last` and `first` the outermost `width` ones, `centre` the middle ones (of an
            odd choice the earlier), `span` those of the target words, `peak` those around the token where the feature
            itself is largest in the sentence, another one for each feature.
        width: tokens of a sized window; 0 for `whole` and `span`.
    """

    kind: WindowKind = "whole"
    width: int = 0

    @classmethod
    def of(cls, kind: WindowKind, width: int = 0) -> Window:
        """The window, its width filled in.

        Raises:
            UsageError: a width for a window that has none.
        """
        if kind not in SIZED and width:
            raise UsageError(
                f"--width {width} means nothing for --window {kind}", f"Sized windows are {', '.join(SIZED)}."
            )
        return cls(kind, width or WIDTHS.get(kind, 0))

    @property
    def said(self) -> str:
        """The window in words."""
        tokens = "token" if self.width == 1 else f"{self.width} tokens"
        return {
            "whole": "whole sentence",
            "last": f"last {tokens}",
            "first": f"first {tokens}",
            "centre": f"middle {tokens}",
            "span": "target words",
            "peak": f"{tokens} around each feature's peak",
        }[self.kind]

    @property
    def offsets(self) -> range:
        """Places of a peak window relative to the peak; of an even width, one more stands before it than after."""
        return range(-(self.width // 2), self.width - self.width // 2)

    def places(self, pieces: Sequence[str], span: Span = None) -> range | None:
        """The text tokens of the window in a sentence, or None where it has too few or no target.

        A `peak` window has no common place: it is cut at the ends of the sentence, and every sentence has one.

        Args:
            pieces: the text of each text token; joined, they are the sentence.
            span: first and last-but-one character of the target words.

        Raises:
            UsageError: the target span is not in the sentence.
        """
        count = len(pieces)
        if self.kind == "span":
            return None if span is None else _covering(pieces, span)
        if self.kind not in ("first", "last", "centre"):
            return range(count)
        if count < self.width:
            return None
        start = {"first": 0, "last": count - self.width, "centre": (count - self.width) // 2}[self.kind]
        return range(start, start + self.width)

    def names(self, longest: int) -> list[str]:
        """Names of the places, of at most `longest` tokens: counted from the side where the window is laid."""
        if self.kind == "peak":
            return [f"{offset:+d}" if offset else "peak" for offset in self.offsets]
        if self.kind == "last":
            return [str(place - self.width) for place in range(self.width)]
        count = longest if self.kind in ("whole", "span") else self.width
        return [str(place + 1) for place in range(count)]


def _covering(pieces: Sequence[str], span: tuple[int, int]) -> range:
    """The tokens that hold any character of the span; a byte of a longer character has an empty piece and counts."""
    text = "".join(pieces)
    first, end = span
    if not 0 <= first < end <= len(text):
        raise UsageError(
            f"the target span {first} to {end} is not in its sentence of {len(text)} characters ({text[:60]!r}...)",
            "Give the first and last-but-one character of the target words.",
        )
    ends = list(accumulate(len(piece) for piece in pieces))
    starts = [0, *ends[:-1]]
    inside = [
        place
        for place, (start, stop) in enumerate(zip(starts, ends, strict=True))
        if start < end and (stop > first or start == stop >= first)
    ]
    return range(inside[0], inside[-1] + 1)
