"""A probabilistic grammar whose one declaration both writes text and reads it back with its exact probability.

A *slot* maps what a document has said so far (its `State`) to weighted options. Writing draws an option; reading
tries every option that the text agrees with. Because both sides walk the same options, the probability that the
writer reports can be checked against the sum over all readings, and one reading only means: not ambiguous.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any, Generic, TypeVar

State = Mapping[str, Any]
T = TypeVar("T")


class Choice(Generic[T]):
    """Weighted options, with the cost in nats of each.

    Args:
        options: what can be chosen.
        weights: one positive weight an option, in any unit; equal if left out.
    """

    def __init__(self, options: Sequence[T], weights: Sequence[float] | None = None) -> None:
        weights = [1.0] * len(options) if weights is None else weights
        total = math.fsum(weights)
        self.options = tuple(options)
        self.nats = tuple(-math.log(weight / total) for weight in weights)
        self._cumulative = list(accumulate(weight / total for weight in weights))
        self._last = len(self.options) - 1

    def draw(self, random: Random) -> tuple[T, float]:
        """One option with its -log probability."""
        at = min(bisect_right(self._cumulative, random.random()), self._last)
        return self.options[at], self.nats[at]

    def __iter__(self) -> Iterator[tuple[T, float]]:
        return zip(self.options, self.nats, strict=True)


def falling(count: int) -> list[float]:
    """Weights of a word list, falling with rank like the words of a language: 1 / (rank + 4)."""
    return [1.0 / (rank + 4) for rank in range(count)]


@dataclass(frozen=True)
class Option:
    """Words that a slot may write, and what the document's state remembers when it does."""

    text: str
    update: Mapping[str, Any] | None = None


Slot = Callable[[State], Choice[Option]]


def fixed(choice: Choice[Option]) -> Slot:
    """A slot that offers the same options whatever was said before."""
    return lambda _state: choice


def words(options: Sequence[str]) -> Slot:
    """A slot that writes one word of a list, the first ones most often."""
    return fixed(Choice([Option(word) for word in options], falling(len(options))))


class Template:
    """A sentence pattern: literal text and slots in braces, such as `{Name} felt {feeling}.`."""

    def __init__(self, pattern: str, slots: Mapping[str, Slot]) -> None:
        self.pattern = pattern
        pieces = re.split(r"\{(\w+)\}", pattern)
        self.parts: tuple[str | Slot, ...] = tuple(
            slots[piece] if at % 2 else piece for at, piece in enumerate(pieces) if piece
        )

    def write(self, random: Random, state: dict[str, Any]) -> tuple[str, float]:
        """Draw the sentence; `state` is updated. Returns the text and its -log probability."""
        pieces, nats = [], 0.0
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            option, cost = part(state).draw(random)
            pieces.append(option.text)
            nats += cost
            if option.update:
                state.update(option.update)
        return "".join(pieces), nats

    def read(self, text: str, at: int, state: State) -> Iterator[tuple[int, float, State]]:
        """Every way in which this pattern can have written `text` from `at` on: (end, nats, state after)."""
        return self._read(text, at, state, 0, 0.0)

    def _read(self, text: str, at: int, state: State, part_at: int, nats: float) -> Iterator[tuple[int, float, State]]:
        if part_at == len(self.parts):
            yield at, nats, state
            return
        part = self.parts[part_at]
        if isinstance(part, str):
            if text.startswith(part, at):
                yield from self._read(text, at + len(part), state, part_at + 1, nats)
            return
        for option, cost in part(state):
            if text.startswith(option.text, at):
                after = {**state, **option.update} if option.update else state
                yield from self._read(text, at + len(option.text), after, part_at + 1, nats + cost)
