"""Windows of a corpus in three parts that share no document: to explain a feature, to score its label, to refer to.

The part of a document follows from a hash of its tokens, so that a document that stands in the corpus twice is in one
part. What explains and what scores are different types, and neither can be made of the other's windows: a
scorer that is handed what the labeller saw does not type-check, and does not run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from workbench.errors import WorkbenchError

Part = Literal["explain", "score", "refer"]
PARTS: tuple[Part, ...] = ("explain", "explain", "score", "score", "refer")
"""Fifths of the documents: two to explain, two to score, one for the word statistics of the offline scorer."""
Negatives = Literal["random", "neighbours", "hard"]


def part_of(tokens: np.ndarray) -> Part:
    """The part to which a document with these token ids belongs."""
    digest = hashlib.blake2b(np.ascontiguousarray(tokens, dtype="<i4").tobytes(), digest_size=8).digest()
    return PARTS[int.from_bytes(digest, "little") % len(PARTS)]


@dataclass(frozen=True)
class Window:
    """A stretch of a document around one place.

    Attributes:
        tokens: their texts.
        values: the feature's activation on each.
        peak: which of them the window is about.
        document: number of the document.
        part: its part of the corpus.
    """

    tokens: tuple[str, ...]
    values: tuple[float, ...]
    peak: int
    document: int
    part: Part

    @property
    def text(self) -> str:
        """The window as it is read."""
        return "".join(self.tokens)

    @property
    def value(self) -> float:
        """The activation on the token that the window is about."""
        return self.values[self.peak]


class _OfOnePart:
    part: ClassVar[Part]

    def _refuse_others(self, windows: Sequence[Window]) -> None:
        for window in windows:
            if window.part != self.part:
                raise WorkbenchError(
                    f"document {window.document} is there to {window.part}, not to {self.part}",
                    "This is a fault of the workbench: labels would be scored on what they were made from.",
                )


@dataclass(frozen=True)
class ExplainWindows(_OfOnePart):
    """What a labeller sees of a feature.

    Attributes:
        top: the strongest windows.
        quantiles: windows of each fifth of the activations, the strongest fifth first.
        contrast: windows drawn from all, whatever the feature does there.
    """

    part: ClassVar[Part] = "explain"
    top: tuple[Window, ...]
    quantiles: tuple[tuple[Window, ...], ...]
    contrast: tuple[Window, ...]

    def __post_init__(self) -> None:
        self._refuse_others([*self.active, *self.contrast])

    @property
    def active(self) -> tuple[Window, ...]:
        """The strongest windows, and those of the quantiles."""
        return self.top + tuple(window for group in self.quantiles for window in group)


@dataclass(frozen=True)
class ScoreWindows(_OfOnePart):
    """What a scorer is asked about: windows where the feature fires, and windows where it does not.

    Attributes:
        active: windows in which it fires.
        quantile: of each of them the fifth of the activations, 1 the weakest.
        negatives: windows in which it is silent, by how they were chosen.
        marked: whether the token that a window is about is marked whatever is asked: a prediction is one token.
    """

    part: ClassVar[Part] = "score"
    active: tuple[Window, ...]
    quantile: tuple[int, ...]
    negatives: Mapping[Negatives, tuple[Window, ...]]
    marked: bool = False

    def __post_init__(self) -> None:
        self._refuse_others([*self.active, *(window for group in self.negatives.values() for window in group)])


@dataclass(frozen=True)
class ReferenceWindows(_OfOnePart):
    """Windows of documents that neither explain nor score, from which the offline scorer has its word statistics."""

    part: ClassVar[Part] = "refer"
    windows: tuple[Window, ...]

    def __post_init__(self) -> None:
        self._refuse_others(self.windows)
