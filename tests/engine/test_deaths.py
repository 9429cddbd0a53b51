"""Ends of processes: what was running is reported, what was stored is whole, and the next request works."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine import toy
from tests.engine.conftest import Place, alive, eventually
from workbench.engine.client import Client
from workbench.errors import EngineDied, EngineUnreachable, WorkbenchError

LONG = toy.Work(steps=2000, pause=0.02)


def kill_when_running(place: Place, who: str, killed: dict[str, int] | None = None) -> threading.Thread:
    """Kill the broker or its model process as soon as a job makes progress."""

    def work() -> None:
        with place.client() as client:
            eventually(lambda: any(item["done"] > 0 for item in client.request(toy.Jobs())["result"]["jobs"]), "runs")
            status = client.request(toy.Status())["result"]
            if killed is not None:
                killed.update(broker=status["pid"], child=status["child"]["pid"])
            os.kill(status["pid"] if who == "broker" else status["child"]["pid"], signal.SIGKILL)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_killed_model_process_ends_only_its_command(own: Place) -> None:
    path = own.session("one")
    own.request(toy.Note(text="kept"), "one")
    killer = kill_when_running(own, "child")
    with pytest.raises(EngineDied, match=r"SIGKILL while it carried out toy\.work") as caught:
        own.request(LONG, "one")
    killer.join()
    assert "memory" in caught.value.hint
    lines = own.record("one").lines
    assert [(line.do, line.outcome) for line in lines] == [("toy.note", "ok"), ("toy.work", "error")]
    assert [item.name for item in (path / "artifacts").iterdir()] == ["0001-toy-note"]
    assert own.request(toy.Work(steps=1), "one")["result"]["note"] == "kept"


def test_a_request_sent_to_a_process_that_was_just_killed_is_done_by_the_next(own: Place) -> None:
    own.session("one")
    with own.client() as client:
        for number in range(3):
            os.kill(client.request(toy.Ask())["result"]["pid"], signal.SIGKILL)
            reply = client.request(toy.Work(steps=1, seed=number), session="one", sessions=own.sessions)
            assert reply["result"]["steps"] == 1


def test_a_query_that_waited_behind_a_killed_job_is_answered_by_the_next_process(own: Place) -> None:
    own.session("one")
    with own.client() as client, own.client() as other:
        client.detach(toy.Crash(how="sleep"), session="one", sessions=own.sessions)
        eventually(lambda: client.request(toy.Jobs())["result"]["jobs"][0]["text"] == "about to crash", "it runs")
        pid = client.request(toy.Status())["result"]["child"]["pid"]
        threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
        assert other.request(toy.Ask(text="waited"))["result"]["text"] == "waited"
        with pytest.raises(EngineDied):
            client.request(toy.Attach(job="j1"))


def test_the_last_words_of_a_model_process_are_quoted(own: Place) -> None:
    own.session("one")
    with pytest.raises(EngineDied, match="exit status 7") as caught:
        own.request(toy.Crash(how="exit"), "one")
    assert "the last words of the model process" in caught.value.hint


def test_a_killed_broker_is_replaced_and_the_log_is_whole(own: Place) -> None:
    path = own.session("one")
    own.request(toy.Note(text="kept"), "one")
    killed: dict[str, int] = {}
    killer = kill_when_running(own, "broker", killed)
    with pytest.raises(EngineDied, match="ended before it answered"):
        own.request(LONG, "one")
    killer.join()
    eventually(lambda: not alive(killed["child"]), "the model process ended with its broker")
    assert own.request(toy.Work(steps=1), "one")["seq"] == 2
    assert [line.do for line in own.record("one").lines] == ["toy.note", "toy.work"]
    assert sorted(item.name for item in (path / "artifacts").iterdir()) == ["0001-toy-note", "0002-toy-work"]


def test_stopping_the_engine_cancels_its_work_and_frees_its_sessions(own: Place) -> None:
    own.session("one")
    with own.client() as client:
        client.detach(LONG, session="one", sessions=own.sessions)
        reply = own.request(toy.Stop())
        assert reply["result"]["stopped"] is True
        with pytest.raises(WorkbenchError):
            client.request(toy.Echo())
    assert not own.address.socket.exists()
    eventually(lambda: not alive(reply["result"]["pid"]), "the engine ended")
    with own.client() as client:
        assert client.engine["pid"] != reply["result"]["pid"]


def test_a_terminated_engine_leaves_no_socket_and_no_process(own: Place) -> None:
    with own.client() as client:
        child = client.request(toy.Ask())["result"]["pid"]
        os.kill(client.engine["pid"], signal.SIGTERM)
        eventually(lambda: not alive(client.engine["pid"]) and not alive(child), "both processes ended")
    assert not own.address.socket.exists()


def test_an_idle_model_process_is_dropped_and_then_the_engine_ends(hasty: Place) -> None:
    with hasty.client() as client:
        first = client.request(toy.Ask())["result"]["pid"]
        eventually(lambda: client.request(toy.Status())["result"]["child"] is None, "the idle process was dropped")
        assert client.request(toy.Ask())["result"]["pid"] != first
        pid = client.engine["pid"]
    eventually(lambda: not alive(pid), "the idle engine ended")
    assert not hasty.address.socket.exists()


def test_a_stale_socket_is_replaced(own: Place) -> None:
    with own.client() as client:
        pid = client.engine["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid), "the engine ended")
    assert own.address.socket.exists()
    assert own.request(toy.Echo(text="x"))["result"]["text"] == "x"


def test_many_front_ends_at_once_start_one_engine(own: Place) -> None:
    pids: list[int] = []

    def ask() -> None:
        with own.client() as client:
            pids.append(int(client.engine["pid"]))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 6
    assert len(set(pids)) == 1


def test_an_engine_that_cannot_start_is_quoted(own: Place) -> None:
    with pytest.raises(EngineUnreachable, match="ended at its start") as caught:
        Client("tests.engine.no_such_broker", own.address)
    assert "no_such_broker" in caught.value.hint


def test_a_model_process_that_cannot_start_is_reported(own: Place) -> None:
    with Client("tests.engine.toy_broker_without_child", own.address) as client, pytest.raises(EngineDied) as caught:
        client.request(toy.Ask())
    assert "no_such_child" in caught.value.hint


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_what_is_no_socket_is_left_alone_and_reported(own: Place, make: Callable[[Path], None]) -> None:
    path = own.address.socket
    make(path)
    with pytest.raises(EngineUnreachable, match="is not a socket"):
        own.client()
    assert path.exists()
    path.rmdir() if path.is_dir() else path.unlink()
