"""The scorer that asks a language model: windows in batches, in a drawn order, many calls at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.labels.prompts import Kind, Request, read_answers, to_score
from workbench.labels.replies import Replies, Reply
from workbench.labels.scoring import Ask
from workbench.labels.service import Answer, Failure, current, trouble

AT_ONCE = 20
"""Windows of one call."""


@dataclass(frozen=True)
class _Part:
    request: Request
    places: tuple[int, ...]


class AskedScorer:
    """Answers questions about labels by asking.

    Args:
        model: whom.
        ask: gives a reply or a failure for each request.
        replies: where replies are stored.
        where: the address of the service.
        seed: of the order of the windows.
        retry: whether to ask again what was answered with nothing of use.
        kind: what the labels are of.
    """

    def __init__(
        self,
        model: str,
        ask: Callable[[Sequence[Request]], list[Answer]],
        replies: Replies,
        *,
        where: str = "",
        seed: int = 0,
        retry: bool = False,
        kind: Kind = "features",
    ) -> None:
        self.name = model
        self._ask = ask
        self._replies = replies
        self._where = where
        self._seed = seed
        self._retry = retry
        self._kind: Kind = kind
        self.used: list[Reply] = []
        """Replies that answers were read from."""
        self.failures: list[Failure] = []
        """Calls without a reply."""

    def requests(self, asks: Sequence[Ask]) -> list[Request]:
        """Every call that the questions need."""
        return [part.request for ask in asks for part in self._parts(ask)]

    def answers(self, asks: Sequence[Ask]) -> list[list[int] | str]:
        """For each label and its windows the answers in their order; or in words why there are none."""
        parts = [self._parts(ask) for ask in asks]
        flat = [part.request for some in parts for part in some]
        given = iter(self._ask(flat))
        return [self._joined(ask, some, [next(given) for _ in some]) for ask, some in zip(asks, parts, strict=True)]

    def _parts(self, ask: Ask) -> list[_Part]:
        order = np.random.default_rng(self._seed).permutation(len(ask.questions))
        found = []
        for start in range(0, len(order), AT_ONCE):
            places = tuple(int(place) for place in order[start : start + AT_ONCE])
            questions = [ask.questions[place] for place in places]
            request = to_score(self.name, ask.protocol, ask.label, questions, self._where, self._kind)

            def usable(reply: Reply, count: int = len(places)) -> bool:
                return trouble(reply) is None and read_answers(reply.text, ask.protocol, count) is not None

            found.append(_Part(current(request, self._replies, usable, retry=self._retry), places))
        return found

    def _joined(self, ask: Ask, parts: Sequence[_Part], answers: Sequence[Answer]) -> list[int] | str:
        """The answers in the order of the windows; a part without them leaves the whole without a score."""
        found = [0] * len(ask.questions)
        for part, answer in zip(parts, answers, strict=True):
            if isinstance(answer, Failure):
                self.failures.append(answer)
                return str(answer)
            self.used.append(answer)
            if (failure := trouble(answer)) is not None:
                return str(failure)
            read = read_answers(answer.text, ask.protocol, len(part.places))
            if read is None:
                return "the reply holds no answers of the form asked for. Repeat with --retry."
            for place, one in zip(part.places, read, strict=True):
                found[place] = one
        return found
