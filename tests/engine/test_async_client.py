"""The app's client: many requests, events of what others do, and a lost link found again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.engine import toy
from tests.engine.conftest import PATIENCE, Place
from workbench.engine.async_client import AsyncClient
from workbench.engine.protocol import Engine
from workbench.engine.spawn import python_command, python_environment
from workbench.engine.streams import program_dial
from workbench.errors import EngineDied, EngineUnreachable, UnknownNameError


async def until(check: Callable[[], Any], what: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not check():
            await asyncio.sleep(0.02)
    assert check(), what


def play(scenario: Awaitable[Any]) -> Any:
    async def main() -> Any:
        return await scenario

    return asyncio.run(main())


def listening(client: AsyncClient) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    client.on_event = events.append
    return events


def changes(events: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return [(event["session"], event["seq"], event["do"]) for event in events if event["event"] == "changed"]


def test_it_is_an_engine(shared: Place) -> None:
    engine: Engine = shared.async_client()
    assert engine.state == "connecting"


def test_two_clients_hear_what_the_other_does_to_their_session(shared: Place) -> None:
    shared.session("common")
    shared.session("apart")

    async def scenario() -> None:
        one, two, other = shared.async_client(), shared.async_client(), shared.async_client()
        heard = [listening(client) for client in (one, two, other)]
        await asyncio.gather(one.watch("common"), two.watch("common"), other.watch("apart"))
        await one.request(toy.Note(text="a"), session="common")
        await two.request(toy.Work(steps=1), session="common")
        expected = [("common", 1, "toy.note"), ("common", 2, "toy.work")]
        await until(lambda: changes(heard[0]) == expected and changes(heard[1]) == expected, "both heard both")
        assert changes(heard[2]) == []
        assert "common" in (await one.request(toy.Status(), session=None))["result"]["sessions"]
        for client in (one, two, other):
            await client.close()

    play(scenario())
    assert "common" not in shared.status()["sessions"]


def test_requests_overlap_and_a_job_is_announced(shared: Place) -> None:
    shared.session("overlap")

    async def scenario() -> list[str]:
        client = shared.async_client()
        events = listening(client)
        work = asyncio.create_task(client.request(toy.Work(steps=100, pause=0.02), session="overlap"))
        answers = await asyncio.gather(
            *(client.request(toy.Echo(text=str(number)), session="overlap") for number in range(5))
        )
        assert [answer["result"]["text"] for answer in answers] == ["0", "1", "2", "3", "4"]
        assert (await work)["result"]["steps"] == 100
        await client.close()
        return [event["job"]["state"] for event in events if event["event"] == "job"]

    states = play(scenario())
    assert states[0] == "waiting"
    assert "running" in states
    assert states[-1] == "done"


def test_cancelling_the_task_cancels_the_work(shared: Place) -> None:
    shared.session("task")

    async def scenario() -> None:
        client = shared.async_client()
        events = listening(client)
        started = asyncio.Event()
        work = asyncio.create_task(
            client.request(toy.Work(steps=3000), session="task", progress=lambda *_: started.set())
        )
        async with asyncio.timeout(PATIENCE):
            await started.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await until(lambda: events[-1].get("job", {}).get("state") == "cancelled", "the job was cancelled")
        await client.close()

    play(scenario())


def test_the_view_is_kept(shared: Place) -> None:
    shared.session("view")

    async def scenario() -> None:
        client = shared.async_client()
        await client.save_view("view", {"screen": "feature", "row": 3})
        with pytest.raises(UnknownNameError):
            await client.save_view("nowhere", {})
        await client.close()

    play(scenario())
    assert shared.record("view").view() == {"screen": "feature", "row": 3}


def test_a_fault_in_a_progress_callback_ends_only_its_request(shared: Place) -> None:
    shared.session("fault")

    def fault(*_: Any) -> None:
        raise ZeroDivisionError

    async def scenario() -> None:
        client = shared.async_client()
        with pytest.raises(ZeroDivisionError):
            await client.request(toy.Work(steps=5), session="fault", progress=fault)
        assert (await client.request(toy.Echo(text="x"), session=None))["result"]["text"] == "x"
        await client.close()

    play(scenario())


def test_a_lost_engine_fails_what_ran_and_the_next_request_starts_another(own: Place) -> None:
    own.session("lost")

    async def scenario() -> None:
        client = own.async_client()
        events = listening(client)
        await client.watch("lost")
        before = client.engine["pid"]
        started = asyncio.Event()
        work = asyncio.create_task(
            client.request(toy.Work(steps=3000), session="lost", progress=lambda *_: started.set())
        )
        async with asyncio.timeout(PATIENCE):
            await started.wait()
        os.kill(before, signal.SIGKILL)
        with pytest.raises(EngineDied):
            await work
        await until(lambda: client.state == "lost", "the loss was noticed")
        await client.request(toy.Note(), session="lost")
        assert client.engine["pid"] != before
        await until(lambda: ("lost", 1, "toy.note") in changes(events), "the session is watched again")
        states = [event["state"] for event in events if event["event"] == "state"]
        assert states == ["connected", "lost", "connected"]
        await client.close()

    play(scenario())


def test_an_engine_started_by_another_is_found_again(own: Place) -> None:
    own.session("found")

    async def scenario() -> None:
        client = own.async_client()
        await client.watch("found")
        await asyncio.to_thread(own.request, toy.Stop())
        await until(lambda: client.state == "lost", "the loss was noticed")
        await asyncio.sleep(0.5)
        assert not own.address.socket.exists(), "a stopped engine stays stopped"
        events = listening(client)
        await asyncio.to_thread(own.request, toy.Note(), "found")
        await until(lambda: client.state == "connected", "the link was found again")
        await asyncio.to_thread(own.request, toy.Note(), "found")
        await until(lambda: changes(events), "the session is watched again")
        await client.close()
        assert client.state == "closed"
        with pytest.raises(EngineUnreachable):
            await client.request(toy.Echo(), session=None)

    play(scenario())


def test_a_byte_pipe_is_as_good_as_a_socket(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", python_environment()["PYTHONPATH"])
    shared.session("piped")

    async def scenario() -> None:
        client = AsyncClient(program_dial(python_command("tests.engine.toy_stdio")), shared.sessions)
        assert (await client.request(toy.Note(text="through"), session="piped"))["result"]["text"] == "through"
        await client.close()

    play(scenario())


def test_a_pipe_that_fails_is_quoted() -> None:
    async def scenario() -> None:
        command = [sys.executable, "-c", "import sys; sys.exit('no such host')"]
        client = AsyncClient(program_dial(command))
        with pytest.raises(EngineUnreachable, match="without a word") as caught:
            await client.request(toy.Echo(), session=None)
        assert "no such host" in caught.value.hint
        with pytest.raises(EngineUnreachable, match="cannot be run"):
            await AsyncClient(program_dial(["/no/such/program"])).watch(None)
        await client.close()

    play(scenario())
