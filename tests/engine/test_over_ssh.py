"""An engine behind a real ssh server: asked, cut off in the middle, and found again with nothing lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine import toy
from tests.engine.conftest import PATIENCE, Place, _place
from tests.engine.sshd import Box, box
from workbench.engine.async_client import AsyncClient
from workbench.engine.client import Client
from workbench.engine.remote import ssh_command
from workbench.engine.spawn import python_command, python_environment
from workbench.engine.streams import program_dial
from workbench.errors import EngineDied, EngineUnreachable


@pytest.fixture(scope="module")
def far() -> Iterator[tuple[Box, Place]]:
    """A server, and the place of the engine behind it."""
    with box() as server, _place() as place:
        server.program(
            " ".join(python_command("tests.engine.toy_stdio")),
            PYTHONPATH=python_environment()["PYTHONPATH"],
            WORKBENCH_HOME=os.environ["WORKBENCH_HOME"],
            WORKBENCH_RUNTIME=os.environ["WORKBENCH_RUNTIME"],
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", f"{server.folder}{os.pathsep}{os.environ['PATH']}")
            yield server, place


def way(server: Box, ask: bool = True) -> list[str]:
    return ssh_command(f"{server.user}:{server.folder}/workbench", ask=ask)


def test_the_shell_s_client_works_in_a_session_over_there(far: tuple[Box, Place]) -> None:
    server, place = far
    place.session("afar")
    with Client(None, through=way(server)) as client:
        reply = client.request(toy.Note(text="grüße"), session="afar", sessions=place.sessions)
        assert reply["result"]["text"] == "grüße"
        work = client.request(toy.Work(steps=2), session="afar", sessions=place.sessions)
        assert work["result"]["note"] == "grüße"
    assert [line.do for line in place.record("afar").lines] == ["toy.note", "toy.work"]


def test_a_link_cut_under_a_request_is_said_and_repeating_it_goes_on(far: tuple[Box, Place]) -> None:
    server, place = far
    place.session("cut")
    first = Client(None, through=way(server), where="me@box")
    first.request(toy.Note(text="kept"), session="cut", sessions=place.sessions)
    pid = first.engine["pid"]

    def cut(*_: Any) -> None:
        server.cut()

    work = toy.Work(steps=60, pause=0.02)
    with pytest.raises(EngineDied, match="the link to me@box broke before the answer came") as caught:
        first.request(work, session="cut", sessions=place.sessions, detach=True, progress=cut)
    assert "goes on over there" in caught.value.hint
    first.close()
    with Client(None, through=way(server)) as again:
        assert again.engine["pid"] == pid, "another engine"
        reply = again.request(work, session="cut", sessions=place.sessions)
        assert (reply["result"]["steps"], reply["reused"]) == (60, 2), "computed twice, or lost"
    assert [line.do for line in place.record("cut").lines] == ["toy.note", "toy.work", "toy.work"]


def test_the_app_s_client_says_that_the_link_is_lost_and_finds_it_again(far: tuple[Box, Place]) -> None:
    server, place = far
    place.session("app")

    async def scenario() -> list[Any]:
        client = AsyncClient(program_dial(way(server, ask=False)), place.sessions, where="me@box")
        events: list[dict[str, Any]] = []
        client.on_event = events.append

        async def until(check: Any) -> None:
            async with asyncio.timeout(PATIENCE):
                while not check():
                    await asyncio.sleep(0.02)

        await client.watch("app")
        started = asyncio.Event()
        work = asyncio.create_task(
            client.request(toy.Work(steps=60, pause=0.02), session="app", progress=lambda *_: started.set())
        )
        async with asyncio.timeout(PATIENCE):
            await started.wait()
        assert server.stop() == 1
        with pytest.raises(EngineDied, match="the link to the engine on me@box was lost") as caught:
            await work
        assert "see Jobs" in caught.value.hint
        await until(lambda: client.state == "lost")
        server.start()
        await until(lambda: client.state == "connected")
        assert (await client.request(toy.Note(text="after"), session="app"))["result"]["text"] == "after"
        await until(lambda: "toy.note" in {event.get("do") for event in events})  # it watches the session again
        await until(lambda: len(place.record("app").lines) == 2)
        await client.close()
        return [event["state"] for event in events if event["event"] == "state"]

    assert asyncio.run(scenario()) == ["connected", "lost", "connected", "closed"]
    assert sorted(line.do for line in place.record("app").lines) == ["toy.note", "toy.work"]


def test_a_server_that_is_not_there_is_explained(far: tuple[Box, Place], capfd: pytest.CaptureFixture[str]) -> None:
    server, _ = far
    server.stop()
    try:
        with pytest.raises(EngineUnreachable, match="me@box cannot be reached") as told:
            Client(None, through=way(server), where="me@box")
        assert "Connection refused" in told.value.hint
        assert "Connection refused" in capfd.readouterr().err
        with pytest.raises(EngineUnreachable) as caught:
            asyncio.run(AsyncClient(program_dial(way(server, ask=False))).connect())
        assert "Connection refused" in str(caught.value)
    finally:
        server.start()


def test_a_host_that_is_not_known_is_not_trusted(far: tuple[Box, Place], capfd: pytest.CaptureFixture[str]) -> None:
    server, _ = far
    known = server.folder / "known"
    keys = known.read_text()
    known.write_text("")
    try:
        with pytest.raises(EngineUnreachable, match="does not know the host key of me@box"):
            asyncio.run(AsyncClient(program_dial(way(server, ask=False)), where="me@box").connect())
        with pytest.raises(EngineUnreachable, match="does not know the host key of me@box"):
            Client(None, through=way(server, ask=False), where="me@box")
        assert "Host key verification failed" in capfd.readouterr().err, "what ssh says is not shown at once"
    finally:
        known.write_text(keys)


def test_a_key_that_is_not_known_is_not_let_in(far: tuple[Box, Place], capfd: pytest.CaptureFixture[str]) -> None:
    server, _ = far
    keys = server.folder / "key.pub"
    known = keys.read_text()
    keys.write_text((server.folder / "host.pub").read_text())
    try:
        with pytest.raises(EngineUnreachable, match="me@box did not let this user in"):
            Client(None, through=way(server, ask=False), where="me@box")
        assert "Permission denied" in capfd.readouterr().err
    finally:
        keys.write_text(known)
