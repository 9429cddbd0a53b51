"""Asking over HTTP through the real SDK: limits, faults, budgets, kills. The server is another process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import anthropic
import httpx
import pytest

from tests.labels.conftest import PRICE, Local, asking, labels, requests
from workbench.errors import Cancelled, UsageError
from workbench.labels.budget import Budget, price_of
from workbench.labels.replies import Replies, Reply
from workbench.labels.service import Asking, Failure, current, make_client, trouble


def test_each_request_gets_its_own_reply_and_is_asked_once(serve: Callable[..., Local], tmp_path: Path) -> None:
    server = serve()
    asked = requests(20)
    first = asking(tmp_path).ask(asked)
    assert labels(first) == [f"text with w{number}" for number in range(20)]
    assert asking(tmp_path).ask(asked) == first
    assert server.stats()["calls"] == 20


def test_the_concurrency_limit_is_filled_and_kept(serve: Callable[..., Local], tmp_path: Path) -> None:
    server = serve(latency=0.05)
    asking(tmp_path, concurrency=6).ask(requests(40))
    assert server.stats()["peak"] == 6


@pytest.mark.parametrize("status", [429, 529, 500])
def test_a_busy_service_is_asked_again_after_the_time_it_names(
    serve: Callable[..., Local], tmp_path: Path, status: int
) -> None:
    server = serve(faults=[status])
    one = asking(tmp_path)
    assert labels(one.ask(requests(1))) == ["text with w0"]
    times = server.stats()["times"]
    assert len(times) == 2
    assert times[1] - times[0] >= 0.19


def test_a_service_that_stays_busy_gives_a_status_with_a_next_step(serve: Callable[..., Local], tmp_path: Path) -> None:
    serve(always=429)
    (answer,) = asking(tmp_path, attempts=2).ask(requests(1))
    assert isinstance(answer, Failure)
    assert "429" in answer.message
    assert answer.hint
    assert Replies(tmp_path).get(requests(1)[0].key) is None


def test_the_queue_goes_on_past_a_call_that_hangs(serve: Callable[..., Local], tmp_path: Path) -> None:
    serve(faults=["hang"])
    answers = asking(tmp_path, timeout=0.5, attempts=1).ask(requests(3))
    assert isinstance(answers[0], Failure)
    assert "in time" in answers[0].message
    assert labels(answers[1:]) == ["text with w1", "text with w2"]


def test_an_address_where_nobody_listens_ends_the_asking_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://name:word@127.0.0.1:{_free_port()}/path")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    monkeypatch.setattr(Asking, "_pause", lambda self, error, attempt: None)
    told: list[str] = []
    one = asking(tmp_path, concurrency=4, tick=lambda done, total, text: told.append(text))
    answers = one.ask(requests(50))
    assert one.calls == 3, "not 50, and not 50 times as many as one request has attempts"
    assert len({str(answer) for answer in answers}) == 1
    assert isinstance(answers[0], Failure)
    assert answers[0].later
    assert re.search(r"the service at http://127\.0\.0\.1:\d+ cannot be reached$", answers[0].message)
    assert "word" not in f"{answers[0]!r}"
    assert answers[0].message in told[-1], "the queue says why"


def test_connections_that_fail_together_count_once(serve: Callable[..., Local], tmp_path: Path) -> None:
    serve()  # the key
    one, begun = asking(tmp_path), time.monotonic()
    error = anthropic.APIConnectionError(request=httpx.Request("POST", "http://127.0.0.1:9"))
    assert not any(one._nobody_there(error, begun) for _ in range(50))
    assert [one._nobody_there(error, time.monotonic()) for _ in range(2)] == [False, True]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize(("status", "word"), [(401, "key"), (402, "credit"), (404, "model")])
def test_what_no_repeat_can_mend_is_asked_once(
    serve: Callable[..., Local], tmp_path: Path, status: int, word: str
) -> None:
    server = serve(always=status)
    answers = asking(tmp_path, concurrency=1).ask(requests(5))
    assert all(isinstance(answer, Failure) and word in answer.message for answer in answers)
    assert server.stats()["calls"] == 1


def test_a_bad_key_stands_in_no_word_of_the_failure(
    serve: Callable[..., Local], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret-123")  # the server repeats it in its own message
    (answer,) = asking(tmp_path).ask(requests(1))
    assert isinstance(answer, Failure)
    assert "401" in answer.message
    assert "secret" not in f"{answer!r}"


def test_no_key_is_said_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(UsageError, match="ANTHROPIC_API_KEY is not set"):
        make_client()


@pytest.mark.parametrize("fault", ["refusal", "truncated"])
def test_a_paid_reply_of_no_use_is_kept_and_asked_again_only_on_request(
    serve: Callable[..., Local], tmp_path: Path, fault: str
) -> None:
    server = serve(faults=[fault])
    replies = Replies(tmp_path)

    def usable(reply: Reply) -> bool:
        return trouble(reply) is None

    for retry, calls in ((False, 1), (False, 1), (True, 2), (False, 2)):
        (answer,) = asking(tmp_path).ask([current(requests(1)[0], replies, usable, retry=retry)])
        assert isinstance(answer, Reply)
        assert server.stats()["calls"] == calls
    assert labels([answer]) == ["text with w0"]


def test_the_cap_stops_before_the_call_that_could_pass_it(serve: Callable[..., Local], tmp_path: Path) -> None:
    server = serve()
    (request,) = requests(1)
    most = Budget(PRICE, 1.0).most(request.letters, request.most_tokens)
    budget = Budget(PRICE, 1.5 * most)
    answers = asking(tmp_path, budget=budget, concurrency=1).ask(requests(50))
    made = server.stats()["calls"]
    assert 0 < made < 50
    assert budget.spent <= budget.cap
    assert sum(isinstance(answer, Reply) for answer in answers) == made
    refused = [answer for answer in answers if isinstance(answer, Failure)]
    assert all("budget" in answer.message for answer in refused)


def test_a_cancelled_queue_keeps_what_was_paid_for(serve: Callable[..., Local], tmp_path: Path) -> None:
    server = serve(latency=0.05)

    def stop(done: int, total: int, text: str) -> None:
        if done >= 10:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        asking(tmp_path, concurrency=4, tick=stop).ask(requests(60))
    answered = server.stats()["answered"]
    assert answered < 60
    asking(tmp_path, concurrency=4).ask(requests(60))
    assert server.stats()["repeated"] == 0


KILLED = """
import sys
from pathlib import Path
from tests.labels.conftest import asking, requests
asking(Path(sys.argv[1]), concurrency=4).ask(requests(80))
"""


def test_a_kill_loses_at_most_what_was_on_its_way(serve: Callable[..., Local], tmp_path: Path) -> None:
    server = serve(latency=0.05)
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], env=dict(os.environ))
    while server.stats()["answered"] < 12 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stored = [one for one in requests(80) if Replies(tmp_path).get(one.key) is not None]
    assert 8 <= len(stored) < 80
    before = server.stats()["calls"]
    one = asking(tmp_path, concurrency=4)
    assert all(labels(one.ask(requests(80))))
    assert server.stats()["calls"] - before >= one.calls == 80 - len(stored), "nothing stored is asked again"


def test_prices_are_of_a_table_that_may_be_edited(tmp_path: Path) -> None:
    assert price_of("claude-haiku-5-5", tmp_path).of_usage({"input_tokens": 10**6}, batch=True) == pytest.approx(0.05)
    with pytest.raises(UsageError, match="'nobody'"):
        price_of("nobody", tmp_path)
    table = '{"as_of": "2027-01", "batch_share": 1, "cache_write_share": 1, "models": {"nobody": %s}}'
    (tmp_path / "prices.json").write_text(table % '{"input": 3, "output": 4, "cache_read": 0}')
    own = price_of("nobody", tmp_path)
    assert (own.output, own.as_of) == (4.0, "2027-01")
    (tmp_path / "prices.json").write_text("[]")
    with pytest.raises(UsageError, match=r"prices\.json"):
        price_of("nobody", tmp_path)
