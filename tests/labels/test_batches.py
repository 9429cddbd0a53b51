"""Message batches over HTTP: found again after a kill at any moment, never made twice, all replies kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.labels.conftest import PRICE, Local, client, labels, quiet, requests
from workbench.errors import Cancelled, UsageError, WorkbenchError
from workbench.labels.batches import BatchAsking
from workbench.labels.budget import Budget
from workbench.labels.replies import Replies, Reply
from workbench.labels.service import Failure


def batching(home: Path, budget: Budget | None = None, tick: Any = quiet, grace: float = 0.0) -> BatchAsking:
    spending = budget or Budget(PRICE, 1.0, batch=True)
    return BatchAsking(client(), Replies(home), spending, tick, poll=0.02, grace=grace)


def stop(done: int, total: int, text: str) -> None:
    raise Cancelled("cancelled")


def test_a_batch_is_found_again_by_its_stored_name(serve: Callable[..., Local], tmp_path: Path) -> None:
    server = serve(batch_polls=2, faults=["errored"])
    with pytest.raises(Cancelled):
        batching(tmp_path, tick=stop).ask(requests(3))
    assert [batch.name for batch in Replies(tmp_path).batches()] == ["msgbatch_1"]
    budget = Budget(PRICE, 1.0, batch=True)
    answers = batching(tmp_path, budget).ask(requests(3))
    assert server.stats()["batches"] == 1
    assert isinstance(answers[0], Failure)
    assert labels(answers[1:]) == ["text with w1", "text with w2"]
    assert all(one.batch for one in answers[1:] if isinstance(one, Reply))
    assert 0 < budget.spent < 1.0
    assert Replies(tmp_path).batches() == []


def test_replies_of_a_batch_that_are_not_wanted_now_are_kept_as_well(
    serve: Callable[..., Local], tmp_path: Path
) -> None:
    server = serve(batch_polls=0)
    with pytest.raises(Cancelled):
        batching(tmp_path, tick=stop).ask(requests(5))
    assert labels(batching(tmp_path).ask(requests(2))) == ["text with w0", "text with w1"]
    answers = batching(tmp_path).ask(requests(5))
    assert all(labels(answers))
    assert all(one.prompt == asked.prompt_digest for one, asked in zip(answers, requests(5), strict=True)
               if isinstance(one, Reply))  # fmt: skip
    assert server.stats()["batches"] == 1


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.labels.test_batches import batching, requests
asking = batching(Path(sys.argv[1]))
create = asking._client.messages.batches.create
def killed(**asked):
    if sys.argv[2] == "after":
        create(**asked)
    os.kill(os.getpid(), signal.SIGKILL)
asking._client.messages.batches.create = killed
asking.ask(requests(4))
"""


def killed(home: Path, when: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(home), when], env=dict(os.environ), check=False)
    assert done.returncode == -signal.SIGKILL
    assert [batch.name for batch in Replies(home).batches()] == [None]


def test_a_kill_between_the_making_of_a_batch_and_its_name_pays_once(
    serve: Callable[..., Local], tmp_path: Path
) -> None:
    server = serve(batch_polls=1)
    killed(tmp_path, "after")
    for other in (3, 4, 2):  # of other work in the same workspace, and later: one of them holds as many requests
        batching(tmp_path / f"other{other}").ask([one.again(7) for one in requests(other)])
    before = server.stats()["batches"]
    answers = batching(tmp_path).ask(requests(4))
    assert labels(answers) == [f"text with w{number}" for number in range(4)]
    assert server.stats()["batches"] == before
    assert Replies(tmp_path).batches() == []


def test_a_kill_before_a_batch_is_sent_loses_nothing_and_it_is_sent_then(
    serve: Callable[..., Local], tmp_path: Path
) -> None:
    server = serve(batch_polls=0)
    batching(tmp_path / "other").ask([one.again(7) for one in requests(4)])
    killed(tmp_path, "before")
    assert all(labels(batching(tmp_path).ask(requests(4))))
    assert server.stats()["batches"] == 2
    assert Replies(tmp_path).batches() == []


def test_a_batch_that_the_service_took_with_an_error_is_not_made_again(
    serve: Callable[..., Local], tmp_path: Path
) -> None:
    server = serve(batch_polls=0, batch_fault=500)
    with pytest.raises(WorkbenchError, match="500"):
        batching(tmp_path).ask(requests(2))
    assert all(labels(batching(tmp_path).ask(requests(2))))
    assert server.stats()["batches"] == 1


@pytest.mark.parametrize("status", [400, 401, 402, 429])
def test_a_refused_batch_leaves_nothing_to_look_for(serve: Callable[..., Local], tmp_path: Path, status: int) -> None:
    server = serve(batch_polls=0, batch_fault=status)
    with pytest.raises(WorkbenchError) as caught:
        batching(tmp_path).ask(requests(2))
    assert isinstance(caught.value, UsageError) == (status in (401, 402))
    assert Replies(tmp_path).batches() == []
    assert all(labels(batching(tmp_path).ask(requests(2))))
    assert server.stats()["batches"] == 1


def test_a_batch_just_sent_is_waited_for_before_it_is_sent_again(serve: Callable[..., Local], tmp_path: Path) -> None:
    serve(batch_polls=0)
    Replies(tmp_path).intend_batch({one.key: one.prompt_digest for one in requests(4)})
    with pytest.raises(Cancelled):
        batching(tmp_path, tick=stop, grace=600).ask(requests(4))
    assert [batch.name for batch in Replies(tmp_path).batches()] == [None]


def test_a_batch_that_could_pass_the_cap_is_not_sent(serve: Callable[..., Local], tmp_path: Path) -> None:
    server = serve()
    with pytest.raises(WorkbenchError, match="budget"):
        batching(tmp_path, Budget(PRICE, 1e-6, batch=True)).ask(requests(3))
    assert server.stats()["calls"] == 0
    assert Replies(tmp_path).batches() == []
