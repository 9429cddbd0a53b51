"""Asking Anthropic's service through its SDK: many calls at once, each reply stored before it is used.

What fails is a status with a next step, never a reply. A rate limit or an overload makes all calls wait; a key that is
refused ends the asking, since every further call would be refused too; so does an address at which nobody listens.
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

from workbench.errors import BudgetSpent, UsageError
from workbench.labels.budget import Budget
from workbench.labels.prompts import Request
from workbench.labels.replies import Replies, Reply

KEY = "ANTHROPIC_API_KEY"
KEYRING = ("feature-workbench", "anthropic")
ATTEMPTS, LONGEST_WAIT = 6, 60.0
"""Calls of one request at the most, and seconds between two."""
UNREACHED = 3
"""Connections that fail one after the other before the asking ends."""
_TICK = 0.2

Tick = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Failure:
    """A request that has no reply: why, what to do, and whether the same may have one later."""

    message: str
    hint: str
    later: bool = False

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
        self._begun = 0.0
        self._resume_at = 0.0
        self._jitter = random.Random(0)
        self._unreached = 0
        self._unreached_at = 0.0
        self._last = ""
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
        known, model, self._begun = total - len(requests), requests[0].model, time.monotonic()
        self._tick(known, total, self._told(model, {}, len(requests)))
        found: dict[str, Answer] = {requests[0].key: self._one(requests[0])}
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="labels") as pool:
            waiting: dict[Future[Answer], str] = {pool.submit(self._one, one): one.key for one in requests[1:]}
            try:
                while waiting:
                    self._tick(known + len(found), total, self._told(model, found, len(waiting)))
                    done, _ = wait(waiting, timeout=_TICK, return_when=FIRST_COMPLETED)
                    for future in done:
                        found[waiting.pop(future)] = future.result()
            except BaseException:
                self._stop.set()  # what is under way is still stored: it is paid for
                for future in waiting:
                    future.cancel()
                raise
        return found

    def _told(self, model: str, found: dict[str, Answer], left: int) -> str:
        """Whom is asked, how fast it goes, what is left, what it cost so far, and what was of no use."""
        errors = sum(isinstance(one, Failure) or trouble(one) is not None for one in found.values())
        return queue_text(model, len(found), left, time.monotonic() - self._begun, self._budget, errors, self._last)

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
        usage, begun = None, time.monotonic()
        try:
            self.calls += 1
            message = self._client.messages.create(**request.body())
            reply = as_reply(request.key, request.prompt_digest, message)
            usage = reply.usage
            self._replies.put(reply)
            self._unreached = 0
            return reply
        except anthropic.AnthropicError as error:
            failure, again, fatal = explained(error, request.model, str(self._client.base_url))
            self._last = failure.message
            if fatal or self._nobody_there(error, begun):
                self._fatal = failure
            if again:
                self._pause(error, attempt)
            return failure, again
        finally:
            self._budget.settle(amount, usage)

    def _nobody_there(self, error: Exception, begun: float) -> bool:
        """Whether connections failed so often, one after the other, that all further ones would.

        Calls that were under way together fail together, and count once.
        """
        import anthropic

        if not isinstance(error, anthropic.APIConnectionError) or isinstance(error, anthropic.APITimeoutError):
            self._unreached = 0
        elif begun >= self._unreached_at:
            self._unreached, self._unreached_at = self._unreached + 1, time.monotonic()
        return self._unreached >= UNREACHED

    def _pause(self, error: Exception, attempt: int) -> None:
        """Let all calls wait as long as the service says, or longer with every failure."""
        seconds = _retry_after(error)
        if seconds is None:
            seconds = min(LONGEST_WAIT, 0.5 * 2**attempt) * (0.75 + self._jitter.random() / 2)
        self._resume_at = max(self._resume_at, time.monotonic() + min(seconds, LONGEST_WAIT))

    def _wait(self) -> None:
        while (left := self._resume_at - time.monotonic()) > 0 and not self._stop.wait(min(left, _TICK)):
            pass


def queue_text(model: str, done: int, left: int, seconds: float, budget: Budget, errors: int, last: str = "") -> str:
    """How a queue goes, for all who wait for it: `asking MODEL · 9.5/s · 40 s left · $0.0123 of $5 · 2 errors`.

    Args:
        last: what the latest failure was, in words.
    """
    parts = [f"asking {model}"]
    if done and seconds > 0:
        rate = done / seconds
        parts += [f"{rate:.3g}/s", f"{_span(left / rate)} left"]
    parts.append(f"${budget.spent:.4f} of ${budget.cap:g}")
    if errors:
        parts.append(f"{errors} error{'s' * (errors > 1)}")
    if last:
        parts.append(f"last: {last}")
    return " · ".join(parts)


def _span(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def as_reply(key: str, prompt: str, message: Any, *, batch: bool = False) -> Reply:
    """What is kept of a message of the SDK.

    Args:
        key: of the request.
        prompt: digest of what was asked.
    """
    usage = message.usage.model_dump()
    counts = {name: int(value) for name, value in usage.items() if isinstance(value, int)}
    text = "".join(block.text for block in message.content if block.type == "text")
    return Reply(
        key,
        str(message.model),
        text,
        str(message.stop_reason),
        counts,
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        prompt,
        batch,
    )


def explained(error: Exception, model: str, where: str = "") -> tuple[Failure, bool, bool]:
    """A failure in words of the workbench's own, whether to try again, and whether nothing else can succeed.

    The words of the SDK are left out: they may repeat what was sent.

    Args:
        where: the address that was asked.
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
        return (
            Failure("the service did not answer in time", "Repeat: only what is missing is asked.", True),
            True,
            False,
        )
    if isinstance(error, anthropic.APIConnectionError):
        hint = "Check the network and ANTHROPIC_BASE_URL, then repeat."
        return Failure(f"the service{_at(where)} cannot be reached", hint, True), True, False
    if status == 429:
        return (
            Failure("the service limits the rate (429)", "Repeat later, or with a lower --concurrency.", True),
            True,
            False,
        )
    if status is not None and status >= 500:
        return Failure(f"the service is overloaded or broken ({status})", "Repeat later.", True), True, False
    return (
        Failure(f"the service refuses the request ({status or type(error).__name__})", "Repeat with --retry."),
        False,
        False,
    )


def _at(where: str) -> str:
    """` at ADDRESS`, without a name and a password that stand in it, a path or a query."""
    from urllib.parse import urlsplit

    parts = urlsplit(where)
    return f" at {parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""


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


def current(request: Request, replies: Replies, usable: Callable[[Reply], bool], *, retry: bool) -> Request:
    """The request as it was last asked; where its reply was of no use and `retry` is set, as it is to be asked next."""
    attempt = 0
    while (reply := replies.get(request.again(attempt).key)) is not None and not usable(reply):
        if not retry and replies.get(request.again(attempt + 1).key) is None:
            break
        attempt += 1
    return request.again(attempt)
