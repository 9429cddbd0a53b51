"""Asking through message batches, so that no batch is paid for twice, whenever the process ends.

What a batch will hold is stored before it is sent, and the service's name of it as soon as there is one. A batch whose
name was lost between the two is looked for among those of the service: keys are digests of what is asked, so that one
result that carries a key proves whose batch it is. Only where there is none is it sent again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from workbench.errors import UsageError, WorkbenchError
from workbench.labels.budget import Budget
from workbench.labels.prompts import Request
from workbench.labels.replies import Replies, SentBatch
from workbench.labels.service import Answer, Failure, Tick, as_reply, explained

POLL = 15.0
"""Seconds between two looks at a batch."""
GRACE = 60.0
"""Seconds in which a batch that was sent may still come to stand in the service's list."""
_SLACK = timedelta(days=1)
"""How far the service's clock may be behind this one."""
_PAGE = 100
_TICK = 0.2


class BatchAsking:
    """Asks for replies that are not stored yet through message batches, at half the price.

    Args:
        client: of the SDK, with no retries of its own: a second try could make a second batch.
        replies: where they are stored.
        budget: what may be spent.
        tick: called with (done, total, text); may raise to stop.
        poll: seconds between two looks.
        grace: seconds after which a batch that is in no list was never taken.
    """

    def __init__(
        self, client: Any, replies: Replies, budget: Budget, tick: Tick, poll: float = POLL, grace: float = GRACE
    ) -> None:
        self._client = client
        self._replies = replies
        self._budget = budget
        self._tick = tick
        self._poll = poll
        self._grace = grace

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """A reply or a failure for each request.

        A batch of an earlier run that holds a wanted request is waited for and not sent again.

        Raises:
            WorkbenchError: the service refuses the batch or cannot be reached; what was sent is found again.
        """
        import anthropic

        try:
            return self._ask(requests)
        except anthropic.AnthropicError as error:
            failure, _, fatal = explained(error, requests[0].model, str(self._client.base_url))
            raise (UsageError if fatal else WorkbenchError)(failure.message, failure.hint) from None

    def _ask(self, requests: Sequence[Request]) -> list[Answer]:
        wanted = {request.key: request for request in requests if self._replies.get(request.key) is None}
        failures: dict[str, Answer] = {}
        for known in self._replies.batches():
            if not wanted.keys() & known.prompts.keys():
                continue
            found = known if known.name else self._found_again(known)
            if found is None:
                self._replies.forget_batch(known)
            else:
                failures |= self._collect(found)
        rest = [one for key, one in wanted.items() if key not in failures and self._replies.get(key) is None]
        if rest:
            failures |= self._collect(self._send(rest))
        lost = Failure("the batch holds no reply to it", "Repeat.")
        return [self._replies.get(one.key) or failures.get(one.key, lost) for one in requests]

    # --- sending

    def _send(self, requests: Sequence[Request]) -> SentBatch:
        """Make a batch; what it holds is stored before, its name after."""
        import anthropic

        amount = sum(self._budget.most(one.letters, one.most_tokens) for one in requests)
        self._budget.hold(amount)
        try:
            intended = self._replies.intend_batch({one.key: one.prompt_digest for one in requests})
            try:
                made = self._client.messages.batches.create(
                    requests=[{"custom_id": one.key, "params": one.body()} for one in requests]
                )
            except anthropic.APIStatusError as error:
                if error.status_code < 500:  # refused, so that there is no batch; after anything else there may be
                    self._replies.forget_batch(intended)
                raise
            return self._replies.name_batch(intended, str(made.id))
        finally:
            self._budget.settle(amount, None)

    def _found_again(self, lost: SentBatch) -> SentBatch | None:
        """The batch whose name was lost, or None where the service never took it."""
        since = datetime.fromisoformat(lost.at)
        while True:
            name = self._listed(lost, since)
            if name is not None:
                return self._replies.name_batch(lost, name)
            if (datetime.now(UTC) - since).total_seconds() >= self._grace:
                return None
            self._wait(0, len(lost.prompts), "asking the service whether it took the batch of an earlier run")

    def _listed(self, lost: SentBatch, since: datetime) -> str | None:
        """The name of the service's batch that holds the same requests."""
        others = {batch.name for batch in self._replies.batches() if batch.name}
        for batch in self._client.messages.batches.list(limit=_PAGE):  # the latest first
            if batch.created_at < since - _SLACK:
                return None
            name, total = str(batch.id), _total(batch.request_counts)
            if name not in others and total == len(lost.prompts) and self._holds(name, lost):
                return name
        return None

    def _holds(self, name: str, lost: SentBatch) -> bool:
        """Whether a batch is the lost one, which its results say once it has ended."""
        self._await_end(name, "waiting for a batch that may be of an earlier run")
        keys = [item.custom_id for item in self._client.messages.batches.results(name)]  # all: the answer is read out
        return not lost.prompts.keys().isdisjoint(keys)

    # --- collecting

    def _collect(self, batch: SentBatch) -> dict[str, Answer]:
        """Wait for a batch and store all its replies, whoever asked for them; gives the failures."""
        name = str(batch.name)
        self._await_end(name, f"waiting for the batch · ${self._budget.spent:.4f} of ${self._budget.cap:g}")
        failures: dict[str, Answer] = {}
        for item in self._client.messages.batches.results(name):
            key = str(item.custom_id)
            if key not in batch.prompts or self._replies.get(key) is not None:
                continue
            if item.result.type == "succeeded":
                reply = as_reply(key, batch.prompts[key], item.result.message, batch=True)
                self._replies.put(reply)
                self._budget.settle(0.0, reply.usage)
            else:
                failures[key] = Failure(f"the batch ended with {item.result.type}", "Repeat.")
        self._replies.forget_batch(batch)
        return failures

    def _await_end(self, name: str, text: str) -> None:
        while True:
            state = self._client.messages.batches.retrieve(name)
            total = _total(state.request_counts)
            done = total - int(state.request_counts.processing)
            self._tick(done, total, text)
            if state.processing_status == "ended":
                return
            self._wait(done, total, text)

    def _wait(self, done: int, total: int, text: str) -> None:
        until = time.monotonic() + self._poll
        while time.monotonic() < until:
            time.sleep(min(_TICK, self._poll))
            self._tick(done, total, text)


def _total(counts: Any) -> int:
    return int(counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired)
