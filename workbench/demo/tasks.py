"""The demo's arithmetic problems with their answers: 49 of weekdays and 144 of months."""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.demo.lexicon import DAYS, MONTHS, OFFSETS


@dataclass(frozen=True)
class Problem:
    """One problem, such as `Two days from Monday is` with the answer `Wednesday`.

    Attributes:
        prompt: the sentence up to its verb, to be read after the boundary token.
        answer: the name that follows, without its leading space.
        a: index of the name in the prompt.
        b: how many steps on, from 1.
        target: index of the answer, (a + b) modulo the number of names.
    """

    prompt: str
    answer: str
    a: int
    b: int
    target: int


def _problems(names: Sequence[str], unit: str) -> tuple[Problem, ...]:
    period = len(names)
    return tuple(
        Problem(
            prompt=f"{OFFSETS[b - 1]} {unit}{'s' * (b > 1)} from {names[a]} is",
            answer=names[(a + b) % period],
            a=a,
            b=b,
            target=(a + b) % period,
        )
        for a in range(period)
        for b in range(1, period + 1)
    )


def weekday_problems() -> tuple[Problem, ...]:
    """The 49 problems `B days from DAY is`, B from One to Seven."""
    return _problems(DAYS, "day")


def month_problems() -> tuple[Problem, ...]:
    """The 144 problems `B months from MONTH is`, B from One to Twelve."""
    return _problems(MONTHS, "month")
