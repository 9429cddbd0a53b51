"""Jobs: one at a time, cancelled between batches, detached from the terminal that asked."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.engine import toy
from tests.engine.conftest import Place, eventually
from workbench.engine import jobs
from workbench.engine.client import Client
from workbench.engine.messages import Request
from workbench.engine.wire import encode
from workbench.errors import Cancelled, UsageError

LONG = toy.Work(steps=2000, pause=0.02)


def job(place: Place, name: str) -> dict[str, Any]:
    jobs = {item["job"]: item for item in place.request(toy.Jobs())["result"]["jobs"]}
    found: dict[str, Any] = jobs[name]
    return found


def start(client: Client, place: Place, session: str, verb: Any = LONG) -> str:
    name = client.detach(verb, session=session, sessions=place.sessions)
    assert isinstance(name, str)
    return name


def running(place: Place, name: str) -> None:
    eventually(lambda: job(place, name)["state"] == "running" and job(place, name)["done"] > 0, f"{name} runs")


def test_a_query_is_answered_while_a_job_runs(shared: Place) -> None:
    shared.session("busy")
    with shared.client() as client:
        name = start(client, shared, "busy")
        running(shared, name)
        assert client.request(toy.Ask(text="in between"))["result"]["text"] == "in between"
        assert client.request(toy.Echo(text="beside"))["result"]["text"] == "beside"
        assert job(shared, name)["state"] == "running"
        client.request(toy.Cancel(job=name))


def test_a_note_written_while_a_job_runs_comes_first_in_the_log(shared: Place) -> None:
    shared.session("order")
    with shared.client() as client:
        name = start(client, shared, "order", toy.Work(steps=100, pause=0.02))
        running(shared, name)
        assert shared.request(toy.Note(text="meanwhile"), "order")["seq"] == 1
        reply = client.request(toy.Attach(job=name))
    assert (reply["command"], reply["seq"], reply["result"]["note"]) == ("toy.work", 2, None)
    assert reply["artifact"] == "artifacts/0002-toy-work"


def test_the_second_job_waits_for_the_first(shared: Place) -> None:
    shared.session("fifo")
    with shared.client() as client:
        first, second = (start(client, shared, "fifo", toy.Work(steps=2000, pause=0.02, seed=n)) for n in (1, 2))
        running(shared, first)
        assert job(shared, second)["state"] == "waiting"
        assert job(shared, second)["text"] == f"waiting behind {first} toy.work"
        client.request(toy.Cancel(job=second))
        assert job(shared, second)["state"] == "cancelled"
        client.request(toy.Cancel(job=first))
        eventually(lambda: job(shared, first)["state"] == "cancelled", "the running job was cancelled")
    assert [line.error and line.error["kind"] for line in shared.record("fifo").lines] == ["cancelled"]


def test_a_stored_result_does_not_wait_for_a_job_of_another_session(shared: Place) -> None:
    shared.session("stored")
    shared.session("slow")
    first = shared.request(toy.Work(steps=1), "stored")
    with shared.client() as client:
        name = start(client, shared, "slow")
        running(shared, name)
        assert shared.request(toy.Work(steps=1), "stored")["reused"] == first["seq"]
        assert job(shared, name)["state"] == "running"
        client.request(toy.Cancel(job=name))
    assert [line.do for line in shared.record("stored").lines] == ["toy.work", "toy.work"]


def test_a_cancelled_job_without_batch_boundary_says_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PATIENCE", 0.05)

    async def scenario() -> list[str]:
        release, texts = asyncio.Event(), []

        async def run(_job: jobs.Job) -> dict[str, Any]:
            await release.wait()
            return {}

        queue = jobs.JobQueue(run, lambda _job: None)
        worker = asyncio.create_task(queue.work())
        request = Request(1, "toy.long", {}, None, None)
        task = jobs.Job(queue.next_id(), toy.Long(), "toy.long", request, None, Path())
        queue.submit(task)
        await asyncio.sleep(0)
        task.stop = lambda: texts.append("asked to stop")
        queue.cancel(task)
        await asyncio.sleep(0.2)
        texts.append(task.text)
        release.set()
        await task.outcome()
        worker.cancel()
        return texts

    asked, said = asyncio.run(scenario())
    assert asked == "asked to stop"
    assert "waits for the running batch" in said


def test_a_long_query_is_a_job_without_a_session(shared: Place) -> None:
    with shared.client() as client:
        assert client.request(toy.Long(steps=2))["result"]["steps"] == 2
        assert client.request(toy.Jobs())["result"]["jobs"][-1]["do"] == "toy.long"


def test_a_closed_terminal_cancels_its_job(shared: Place) -> None:
    shared.session("closed")
    client = shared.client()
    thread = threading.Thread(target=lambda: _until_lost(client, shared), daemon=True)
    thread.start()
    name = eventually(lambda: _latest(shared, "closed"), "the job was taken")
    running(shared, name)
    client._link.shutdown(2)
    thread.join()
    client.close()
    eventually(lambda: job(shared, name)["state"] == "cancelled", "the job was cancelled with its client")


def test_a_job_detached_while_it_runs_outlives_its_terminal(shared: Place) -> None:
    shared.session("outlived")
    client = shared.client()
    thread = threading.Thread(target=lambda: _until_lost(client, shared, "outlived"), daemon=True)
    thread.start()
    name = eventually(lambda: _latest(shared, "outlived"), "the job was taken")
    running(shared, name)
    assert shared.request(toy.Detach(job=name))["result"]["job"]["detached"] is True
    client._link.shutdown(2)
    thread.join()
    client.close()
    before = job(shared, name)["done"]
    eventually(lambda: job(shared, name)["state"] != "running" or job(shared, name)["done"] > before + 20,
               "the engine heard of the end")  # fmt: skip
    assert job(shared, name)["state"] == "running"
    shared.request(toy.Cancel(job=name))
    eventually(lambda: job(shared, name)["state"] == "cancelled", "it can still be cancelled")
    with pytest.raises(UsageError, match="is cancelled already"):
        shared.request(toy.Detach(job=name))


def _until_lost(client: Client, place: Place, session: str = "closed") -> None:
    with pytest.raises(Exception, match="engine ended"):
        client.request(LONG, session=session, sessions=place.sessions)


def _latest(place: Place, session: str) -> str | None:
    names = [item["job"] for item in place.request(toy.Jobs())["result"]["jobs"] if item["session"] == session]
    return names[-1] if names else None


def test_who_leaves_a_job_that_was_detached_is_told_that_it_goes_on(shared: Place) -> None:
    shared.session("leaving")
    with shared.client() as client:
        asked = client._send(LONG, "leaving", shared.sessions, False, False)
        name = str(client._answer_to(asked)["job"])
        shared.request(toy.Detach(job=name))
        client._link.sendall(encode({"cancel": asked}))  # as Ctrl-C does
        with pytest.raises(Cancelled) as caught:
            client._outcome(asked, None)
    assert caught.value.hint.startswith("It goes on")
    assert job(shared, name)["state"] in ("waiting", "running")
    shared.request(toy.Detach(job=name))  # once more, with nobody waiting
    shared.request(toy.Cancel(job=name))


def test_a_detached_job_goes_on_and_gives_its_result_later(shared: Place) -> None:
    shared.session("detached")
    with shared.client() as client:
        name = start(client, shared, "detached", toy.Work(steps=60, pause=0.02))
    steps: list[Any] = []
    reply = shared.request(toy.Attach(job=name), progress=lambda *step: steps.append(step))
    assert reply["result"]["steps"] == 60
    assert steps
    assert shared.request(toy.Attach(job=name)) == reply
    assert job(shared, name)["detached"] is True


def test_leaving_an_attached_job_does_not_stop_it(shared: Place) -> None:
    shared.session("left")
    with shared.client() as client:
        name = start(client, shared, "left")
    with shared.client() as client:
        _interrupt_soon()
        with pytest.raises(Cancelled, match="no longer waiting"):
            client.request(toy.Attach(job=name))
    assert job(shared, name)["state"] in ("running", "waiting")
    shared.request(toy.Cancel(job=name))


def test_an_interrupt_cancels_the_work_and_keeps_the_connection(shared: Place) -> None:
    shared.session("interrupted")
    with shared.client() as client:
        _interrupt_soon()
        with pytest.raises(Cancelled):
            client.request(LONG, session="interrupted", sessions=shared.sessions)
        assert client.request(toy.Echo(text="after"))["result"]["text"] == "after"


def _interrupt_soon() -> None:
    # started from a script's background, this process ignores the signal; the product does well to do so, the test not
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def send() -> None:
        time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=send, daemon=True).start()


def test_progress_comes_at_most_five_times_a_second(shared: Place) -> None:
    shared.session("pace")
    times: list[float] = []
    started = time.monotonic()
    shared.request(toy.Work(steps=300, pause=0.005), "pace", progress=lambda *_: times.append(time.monotonic()))
    assert len(times) <= 5 * (time.monotonic() - started) + 3
