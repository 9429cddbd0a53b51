"""Asking Anthropic's service through its SDK: many calls at once or a batch, each reply stored before it is used.

What fails is a status with a next step, never a reply. A rate limit or an overload makes all calls wait; a key that is
refused ends the asking, since every further call would be refused too.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workbench.errors import BudgetSpent, UsageError, WorkbenchError
from workbench.labels.budget import Budget
from workbench.labels.prompts import Request
from workbench.labels.replies import Replies, Reply

KEY = "ANTHROPIC_API_KEY"
KEYRING = ("feature-workbench", "anthropic")
ATTEMPTS, LONGEST_WAIT = 6, 60.0
"""Calls of one request at the most, and seconds between two."""
_TICK = 0.2

Tick = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Failure:
    """A request that has no reply: why, and what to do."""

    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}"


Answer = Reply | Failure


def make_client(timeout: float = 120.0) -> Any:
    """A client of the service; the key comes from the environment or the keyring and is kept nowhere else.

    Raises:
        UsageError: there is no key.
    """
    key = os.environ.get(KEY) or _from_keyring()
    if not key:
        raise UsageError(
            f"no language model can be asked: {KEY} is not set",
            "Set it where the engine starts (then `workbench engine stop`), or use the offline labeller and scorer.",
        )
    import anthropic

    return anthropic.Anthropic(api_key=key, timeout=timeout, max_retries=0, open_telemetry=False)


def _from_keyring() -> str | None:
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    try:
        found: str | None = keyring.get_password(*KEYRING)
    except Exception:  # a keyring without a desktop raises whatever its backend likes
        return None
    return found


class Asking:
    """Asks for replies that are not stored yet.

    Args:
        client: of the SDK, with no retries of its own.
        replies: where they are stored.
        budget: what may be spent.
        concurrency: calls at once.
        tick: called with (done, total, text); may raise to stop.
        attempts: calls of one request at the most.
    """

    def __init__(
        self,
        client: Any,
        replies: Replies,
        budget: Budget,
        *,
        concurrency: int = 8,
        tick: Tick,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._client = client
        self._replies = replies
        self._budget = budget
        self._concurrency = concurrency
        self._tick = tick
        self._attempts = attempts
        self._stop = threading.Event()
        self._fatal: Failure | None = None
        self._resume_at = 0.0
        self._jitter = random.Random(0)
        self.calls = 0
        """Calls made, repeats after a failure counted."""

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """A reply or a failure for each request; what is stored is not asked again."""
        found: dict[str, Answer] = {}
        missing: dict[str, Request] = {}
        for request in requests:
            reply = self._replies.get(request.key)
            if reply is None:
                missing[request.key] = request
            else:
                found[request.key] = reply
        if missing:
            found |= self._ask_missing(list(missing.values()), len(requests))
        return [found[request.key] for request in requests]

    def _ask_missing(self, requests: list[Request], total: int) -> dict[str, Answer]:
        """Ask one request alone, which fills the service's cache with the constant part, then the others at once."""
        known = total - len(requests)
        self._tick(known, total, f"asking {requests[0].model}")
        found: dict[str, Answer] = {requests[0].key: self._one(requests[0])}
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="labels") as pool:
            waiting: dict[Future[Answer], str] = {pool.submit(self._one, one): one.key for one in requests[1:]}
            try:
                while waiting:
                    self._tick(known + len(found), total, f"asking {requests[0].model}")
                    done, _ = wait(waiting, timeout=_TICK, return_when=FIRST_COMPLETED)
                    for future in done:
                        found[waiting.pop(future)] = future.result()
            except BaseException:
                self._stop.set()  # what is under way is still stored: it is paid for
                for future in waiting:
                    future.cancel()
                raise
        return found

    def _one(self, request: Request) -> Answer:
        failure = Failure("it was not asked", "Repeat.")
        for attempt in range(self._attempts):
            self._wait()
            if self._fatal is not None:
                return self._fatal
            if self._stop.is_set():
                return failure
            result = self._call(request, attempt)
            if isinstance(result, Reply) or not result[1]:
                return result if isinstance(result, Reply) else result[0]
            failure = result[0]
        return failure

    def _call(self, request: Request, attempt: int) -> Reply | tuple[Failure, bool]:
        """One call: a reply, or a failure and whether to try again."""
        import anthropic

        amount = self._budget.most(request.letters, request.most_tokens)
        try:
            self._budget.hold(amount)
        except BudgetSpent as error:
            self._fatal = Failure(error.message, error.hint)
            return self._fatal, False
        usage = None
        try:
            self.calls += 1
            message = self._client.messages.create(**request.body())
            reply = as_reply(request, message)
            usage = reply.usage
            self._replies.put(reply)
            return reply
        except anthropic.AnthropicError as error:
            failure, again, fatal = explained(error, request.model)
            if fatal:
                self._fatal = failure
            if again:
                self._pause(error, attempt)
            return failure, again
        finally:
            self._budget.settle(amount, usage)

    def _pause(self, error: Exception, attempt: int) -> None:
        """Let all calls wait as long as the service says, or longer with every failure."""
        seconds = _retry_after(error)
        if seconds is None:
            seconds = min(LONGEST_WAIT, 0.5 * 2**attempt) * (0.75 + self._jitter.random() / 2)
        self._resume_at = max(self._resume_at, time.monotonic() + min(seconds, LONGEST_WAIT))

    def _wait(self) -> None:
        while (left := self._resume_at - time.monotonic()) > 0 and not self._stop.wait(min(left, _TICK)):
            pass


def as_reply(request: Request, message: Any, *, batch: bool = False) -> Reply:
    """What is kept of a message of the SDK."""
    usage = message.usage.model_dump()
    counts = {name: int(value) for name, value in usage.items() if isinstance(value, int)}
    text = "".join(block.text for block in message.content if block.type == "text")
    return Reply(
        request.key,
        str(message.model),
        text,
        str(message.stop_reason),
        counts,
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        request.prompt_digest,
        batch,
    )


def explained(error: Exception, model: str) -> tuple[Failure, bool, bool]:
    """A failure in words of the workbench's own, whether to try again, and whether nothing else can succeed.

    The words of the SDK are left out: they may repeat what was sent.
    """
    import anthropic

    status = getattr(error, "status_code", None)
    if isinstance(error, anthropic.AuthenticationError | anthropic.PermissionDeniedError):
        return Failure(f"the service refuses the key ({status})", f"Check {KEY}."), False, True
    if status == 402:
        return (
            Failure("the account has no credit (402)", "Add credit, then repeat: what was answered is kept."),
            False,
            True,
        )
    if isinstance(error, anthropic.NotFoundError):
        return Failure(f"the service knows no model {model!r}", "Give another with --model."), False, True
    if isinstance(error, anthropic.APITimeoutError):
        return Failure("the service did not answer in time", "Repeat: only what is missing is asked."), True, False
    if isinstance(error, anthropic.APIConnectionError):
        return Failure("the service cannot be reached", "Check the network, then repeat."), True, False
    if status == 429:
        return Failure("the service limits the rate (429)", "Repeat later, or with a lower --concurrency."), True, False
    if status is not None and status >= 500:
        return Failure(f"the service is overloaded or broken ({status})", "Repeat later."), True, False
    return (
        Failure(f"the service refuses the request ({status or type(error).__name__})", "Repeat with --retry."),
        False,
        False,
    )


def _retry_after(error: Exception) -> float | None:
    response = getattr(error, "response", None)
    if response is None:
        return None
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def trouble(reply: Reply) -> Failure | None:
    """Why the text of a reply is no answer, whatever it says; None where it may be one."""
    if reply.stop == "refusal":
        return Failure("the language model refused", "Repeat with --retry, or label it by hand.")
    if reply.stop in ("max_tokens", "model_context_window_exceeded"):
        return Failure("the reply was cut off", "Repeat with --retry.")
    return None


def ask_in_batch(
    client: Any, requests: Sequence[Request], replies: Replies, budget: Budget, tick: Tick, poll: float = 15.0
) -> list[Answer]:
    """The same through a message batch, at half the price; its id is stored before anything is waited for.

    A batch of an earlier run that holds a wanted request is waited for and not sent again.

    Raises:
        WorkbenchError: the service refuses the batch or cannot be reached; what was sent is found again.
    """
    import anthropic

    try:
        return _in_batch(client, requests, replies, budget, tick, poll)
    except anthropic.AnthropicError as error:
        failure, _, fatal = explained(error, requests[0].model)
        raise (UsageError if fatal else WorkbenchError)(failure.message, failure.hint) from None


def _in_batch(
    client: Any, requests: Sequence[Request], replies: Replies, budget: Budget, tick: Tick, poll: float
) -> list[Answer]:
    wanted = {request.key: request for request in requests if replies.get(request.key) is None}
    failures: dict[str, Answer] = {}
    for known in replies.batches():
        if wanted.keys() & set(known["keys"]):
            failures |= _collect(client, str(known["id"]), wanted, replies, budget, tick, poll)
    rest = [one for key, one in wanted.items() if key not in failures and replies.get(key) is None]
    if rest:
        amount = sum(budget.most(one.letters, one.most_tokens) for one in rest)
        budget.hold(amount)
        try:
            made = client.messages.batches.create(
                requests=[{"custom_id": one.key, "params": one.body()} for one in rest]
            )
            replies.remember_batch(str(made.id), [one.key for one in rest])
        finally:
            budget.settle(amount, None)
        failures |= _collect(client, str(made.id), wanted, replies, budget, tick, poll)
    lost = Failure("the batch holds no reply to it", "Repeat.")
    return [replies.get(one.key) or failures.get(one.key, lost) for one in requests]


def _collect(
    client: Any, name: str, wanted: dict[str, Request], replies: Replies, budget: Budget, tick: Tick, poll: float
) -> dict[str, Answer]:
    """Wait for a batch and store its replies; the failures among those wanted."""
    _await_end(client, name, tick, poll)
    failures: dict[str, Answer] = {}
    for item in client.messages.batches.results(name):
        request = wanted.get(item.custom_id)
        if request is None:
            continue
        if item.result.type == "succeeded":
            reply = as_reply(request, item.result.message, batch=True)
            replies.put(reply)
            budget.settle(0.0, reply.usage)
        else:
            failures[request.key] = Failure(f"the batch ended with {item.result.type}", "Repeat.")
    replies.forget_batch(name)
    return failures


def _await_end(client: Any, name: str, tick: Tick, poll: float) -> None:
    while True:
        state = client.messages.batches.retrieve(name)
        counts = state.request_counts
        done = counts.succeeded + counts.errored + counts.canceled + counts.expired
        tick(done, done + counts.processing, "waiting for the batch")
        if state.processing_status == "ended":
            return
        until = time.monotonic() + poll
        while time.monotonic() < until:
            time.sleep(min(_TICK, poll))
            tick(done, done + counts.processing, "waiting for the batch")


def current(request: Request, replies: Replies, usable: Callable[[Reply], bool], *, retry: bool) -> Request:
    """The request as it was last asked; where its reply was of no use and `retry` is set, as it is to be asked next."""
    attempt = 0
    while (reply := replies.get(request.again(attempt).key)) is not None and not usable(reply):
        if not retry and replies.get(request.again(attempt + 1).key) is None:
            break
        attempt += 1
    return request.again(attempt)
