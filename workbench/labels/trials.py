"""What a scorer is asked: windows without their activations, for detection, for fuzzing, or to be rated.

Detection and rating show the window alone. Fuzzing marks tokens and asks whether the marks are right: in an active
window those on which the feature is strong, in a silent one as many drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.labels.windows import ScoreWindows, Window

Protocol = Literal["detection", "fuzzing", "rubric"]
PROTOCOLS: tuple[Protocol, ...] = ("detection", "fuzzing", "rubric")
MARKED = 0.3
"""Share of a window's largest activation above which a token is marked."""
RELEVANT = 2
"""Ratings from 0 to 3 that count as yes."""


@dataclass(frozen=True)
class Question:
    """A window as the scorer sees it.

    Attributes:
        tokens: their texts.
        marks: which of them are marked; outside of fuzzing the predicted token, where predictions are asked about.
    """

    tokens: tuple[str, ...]
    marks: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The window as it is read, without marks."""
        return "".join(self.tokens)


@dataclass(frozen=True)
class Trial:
    """The questions about one feature under one protocol, active windows apart from silent ones.

    Attributes:
        active: windows in which the feature fires.
        quantile: the fifth of the activations of each.
        silent: windows in which it does not.
        random: windows drawn without regard to the feature, which stand in for the active ones in a baseline.
    """

    protocol: Protocol
    active: tuple[Question, ...]
    quantile: tuple[int, ...]
    silent: tuple[Question, ...]
    random: tuple[Question, ...]


def trial(
    protocol: Protocol, windows: ScoreWindows, silent: Sequence[Window], random: Sequence[Window], seed: int
) -> Trial:
    """The questions of a protocol.

    Args:
        windows: what may be asked about the feature.
        silent: its negatives of one kind.
        random: windows that have nothing to do with it.
        seed: of the marks that are drawn.
    """
    rng = np.random.default_rng(seed)
    if protocol != "fuzzing":
        shown = _peak_marked if windows.marked else _plain
        return Trial(protocol, shown(windows.active), windows.quantile, shown(silent), shown(random))
    active = tuple(Question(window.tokens, _strong(window)) for window in windows.active)
    patterns = [question.marks for question in active] or [(0,)]

    def drawn(window: Window, number: int) -> Question:
        return Question(window.tokens, _moved(patterns[number % len(patterns)], len(window.tokens), rng))

    return Trial(
        protocol,
        active,
        windows.quantile,
        tuple(drawn(window, number) for number, window in enumerate(silent)),
        tuple(drawn(window, number) for number, window in enumerate(random)),
    )


def _plain(windows: Sequence[Window]) -> tuple[Question, ...]:
    return tuple(Question(window.tokens) for window in windows)


def _peak_marked(windows: Sequence[Window]) -> tuple[Question, ...]:
    return tuple(Question(window.tokens, (window.peak,)) for window in windows)


def _strong(window: Window) -> tuple[int, ...]:
    limit = MARKED * max(window.values)
    return tuple(place for place, value in enumerate(window.values) if value > limit)


def _moved(marks: tuple[int, ...], length: int, rng: np.random.Generator) -> tuple[int, ...]:
    """The marks of an active window at another place: their runs stay, so that no answer is in the pattern."""
    shift = int(rng.integers(length))
    return tuple(sorted({(place + shift) % length for place in marks}))
