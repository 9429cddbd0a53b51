"""What the engine answers: commands, queries, jobs, views, examples, files and errors."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.engine import toy
from tests.engine.conftest import Place
from workbench.errors import (
    EngineUnreachable,
    MismatchError,
    StorageError,
    UnknownNameError,
    UsageError,
    WorkbenchError,
)
from workbench.files import write_atomic
from workbench.run import Runner


def test_a_command_is_stored_before_it_is_answered(shared: Place) -> None:
    shared.session("stored")
    reply = shared.request(toy.Note(text="first"), "stored")
    line = shared.record("stored").lines[-1]
    assert (reply["seq"], reply["session"], reply["result"]) == (1, "stored", {"text": "first"})
    assert line.artifact == reply["artifact"]
    assert (shared.sessions / "stored" / reply["artifact"] / "result.json").exists()


def test_the_model_process_reads_the_state_and_the_broker_logs_the_result(shared: Place) -> None:
    shared.session("state")
    shared.request(toy.Note(text="known"), "state")
    seen: list[tuple[int, int, str]] = []
    reply = shared.request(toy.Work(steps=3, pause=0.3), "state", progress=lambda *step: seen.append(step))
    assert reply["result"]["note"] == "known"
    assert reply["result"]["pid"] == shared.status()["child"]["pid"]
    assert shared.record("state").lines[-1].uses == [1]
    assert (2, 3, "step 2") in seen


def test_an_equal_command_takes_the_stored_result_unless_it_is_to_be_fresh(shared: Place) -> None:
    shared.session("again")
    first = shared.request(toy.Work(steps=1), "again")
    assert shared.request(toy.Work(steps=1), "again")["reused"] == first["seq"]
    assert shared.request(toy.Work(steps=1), "again", fresh=True)["reused"] is None


def test_a_query_reads_files_in_the_broker_and_leaves_no_trace(shared: Place) -> None:
    shared.session("read")
    shared.request(toy.Note(), "read")
    reply = shared.request(toy.Echo(text="x"), "read")
    assert reply["result"] == {"text": "x", "lines": 1, "title": "read", "pid": shared.status()["pid"]}
    assert len(shared.record("read").lines) == 1


def test_a_verb_that_makes_a_session_needs_none(shared: Place) -> None:
    reply = shared.request(toy.Make(name="made"))
    assert Path(reply["result"]["path"]) == shared.sessions / "made"


def test_the_model_process_imports_torch_only_for_a_model(shared: Place) -> None:
    assert shared.request(toy.Ask(text="q"))["result"]["torch"] is False


@pytest.mark.parametrize(
    ("verb", "session", "error", "words"),
    [
        (toy.Note(), None, UsageError, "no session"),
        (toy.Note(), "nowhere", UnknownNameError, "unknown session 'nowhere'"),
        (toy.Front(), None, UsageError, "carried out by the front end"),
        (toy.Crash(how="usage"), "errors", MismatchError, "do not fit"),
        (toy.Crash(how="bug"), "errors", WorkbenchError, "what nobody expected"),
        (toy.Crash(how="nan"), "errors", WorkbenchError, "nan"),
        (toy.Crash(how="big"), "errors", UsageError, "over the limit"),
        (toy.Ask(text="raise"), None, WorkbenchError, "in a query"),
        (toy.Echo(size=300_000), None, UsageError, "over the limit"),
        (toy.Attach(job="j999"), None, UnknownNameError, "unknown job"),
    ],
)
def test_what_goes_wrong_is_said(
    shared: Place, verb: Any, session: str | None, error: type[WorkbenchError], words: str
) -> None:
    if not (shared.sessions / "errors").exists():
        shared.session("errors")
    with pytest.raises(error, match=words):
        shared.request(verb, session)


def test_a_refused_command_leaves_no_line_and_a_failed_one_does(shared: Place) -> None:
    shared.session("lines")
    for how in ("usage", "bug"):
        with pytest.raises(WorkbenchError):
            shared.request(toy.Crash(how=how), "lines")
    assert [(line.outcome, line.error and line.error["kind"]) for line in shared.record("lines").lines] == [
        ("error", "failed")
    ]
    assert list((shared.sessions / "lines" / "artifacts").iterdir()) == []


def test_an_uploaded_file_is_kept_in_the_session(shared: Place, tmp_path: Path) -> None:
    shared.session("files")
    path = tmp_path / "set.json"
    path.write_text('{"a": ["b"]}')
    reply = shared.request(toy.Take(file=str(path)), "files")
    assert reply["result"]["text"] == path.read_text()
    assert reply["params"]["file"].startswith("inputs/")
    assert str(tmp_path) not in (shared.sessions / "files" / "log.jsonl").read_text()


def test_a_large_file_travels(shared: Place, tmp_path: Path) -> None:
    shared.session("large")
    path = tmp_path / "large.txt"
    path.write_text("x" * 200_000)
    assert len(shared.request(toy.Take(file=str(path)), "large")["result"]["text"]) == 200_000


def test_a_shipped_example_is_copied_on_the_first_change(shared: Place) -> None:
    path = shared.session("example")
    meta = json.loads((path / "session.json").read_text())
    (path / "session.json").write_text(json.dumps({**meta, "example": True}))
    replies = [shared.request(toy.Note(text=text), "example") for text in ("one", "two")]
    assert [reply["session"] for reply in replies] == ["example-2", "example-2"]
    assert "shipped example" in replies[0]["warnings"][0]
    assert shared.record("example").lines == []
    assert [line.params["text"] for line in shared.record("example-2").lines] == ["one", "two"]


def test_a_session_open_for_reading_is_read_and_never_written_nor_computed_on(shared: Place) -> None:
    path = shared.session("opened")
    meta = json.loads((path / "session.json").read_text())
    (path / "session.json").write_text(json.dumps({**meta, "opened": "/somewhere/x.zip"}))
    before = tiny.snapshot(path)
    assert shared.request(toy.Echo(text="read"), "opened")["result"]["text"] == "read"
    for verb, why in ((toy.Note(text="x"), "nothing in it changes"), (toy.Work(), "nothing in it changes"),
                      (toy.Ask(), "toy.ask needs the model"), (toy.Long(), "toy.long needs the model")):  # fmt: skip
        with pytest.raises(UsageError, match=f"'opened' is open for reading: {why}") as caught:
            shared.request(verb, "opened")
        assert "workbench session import x.zip" in caught.value.hint

    async def look() -> None:
        client = shared.async_client()
        await client.save_view("opened", {"screen": "log"})
        await client.close()

    asyncio.run(look())
    assert tiny.snapshot(path) == before


def test_what_stands_over_a_log_is_read_again_when_it_changed(shared: Place) -> None:
    """A record that was read stays while its files are the same: a session that is marked meanwhile is another one."""
    path = shared.session("marked")
    assert shared.request(toy.Note(text="mine"), "marked")["seq"] == 1
    assert shared.request(toy.Echo(), "marked")["result"]["title"] == "marked"
    meta = json.loads((path / "session.json").read_text())
    write_atomic(path / "session.json", json.dumps({**meta, "title": "another"}))
    assert shared.request(toy.Echo(), "marked")["result"]["title"] == "another"


def test_half_a_line_left_by_a_crash_is_cut_off_and_told_once(shared: Place) -> None:
    path = shared.session("torn")
    shared.request(toy.Note(), "torn")
    with (path / "log.jsonl").open("a") as file:
        file.write('{"seq": 2, "do": "toy.no')
    assert "half a line" in shared.request(toy.Note(), "torn")["warnings"][0]
    assert shared.request(toy.Note(), "torn")["warnings"] == []
    assert [line.seq for line in shared.record("torn").lines] == [1, 2, 3]


def test_a_verb_about_no_session_takes_none(shared: Place) -> None:
    assert shared.request(toy.Make(name="aside"), "nowhere")["session"] is None


def test_another_writer_is_refused_with_the_name_of_the_holder(shared: Place) -> None:
    shared.session("held")
    with shared.client() as client:
        client.detach(toy.Work(steps=200, pause=0.05), session="held", sessions=shared.sessions)
        job: dict[str, Any] = {"done": 0}
        while not job["done"]:  # its first step is behind it, so the session is open
            job = client.request(toy.Jobs())["result"]["jobs"][-1]
        wait = job["job"]
        runner = Runner(toy.resolve, shared.sessions, "a test")
        with pytest.raises(UsageError, match="being written by the workbench engine") as caught:
            runner.do(toy.Note(), "held")
        assert str(shared.status()["pid"]) in caught.value.message
        client.request(toy.Cancel(job=wait))


def test_a_session_is_let_go_after_a_command(shared: Place) -> None:
    shared.session("free")
    shared.request(toy.Note(), "free")
    assert "free" not in shared.status()["sessions"]
    Runner(toy.resolve, shared.sessions, "a test").do(toy.Note(), "free")
    assert [line.seq for line in shared.record("free").lines] == [1, 2]
    assert shared.request(toy.Note(), "free")["seq"] == 3


def test_a_session_made_anew_behind_the_engine_s_back_is_read_anew(shared: Place) -> None:
    import asyncio
    import shutil

    async def scenario() -> int:
        path = shared.session("anew")
        client = shared.async_client()
        await client.watch("anew")
        for _ in range(3):
            await client.request(toy.Note(), session="anew")
        shutil.rmtree(path)
        shared.session("anew")
        reply = await client.request(toy.Note(), session="anew")
        await client.close()
        return int(reply["seq"])

    assert asyncio.run(scenario()) == 1


def test_a_folder_that_cannot_be_written_is_refused(shared: Place) -> None:
    path = shared.session("closed")
    (path / ".lock").mkdir()  # refused for every user, also for root, whom permissions do not stop
    with pytest.raises(StorageError, match="closed"):
        shared.request(toy.Note(), "closed")
    assert shared.record("closed").lines == []


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_session_is_refused(shared: Place) -> None:
    path = shared.session("readonly")
    path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="cannot write"):
            shared.request(toy.Note(), "readonly")
    finally:
        path.chmod(0o700)


def test_the_engine_says_what_it_does(shared: Place) -> None:
    status = shared.status()
    assert status["clients"] >= 1
    assert (status["child_idle_limit"], status["idle_limit"]) == (600.0, 1800.0)
    assert Path(status["socket"]).stat().st_mode & 0o777 == 0o600
    assert isinstance(shared.request(toy.Log(lines=3))["result"]["lines"], list)


def test_without_an_engine_none_is_started_unless_asked_for(own: Place) -> None:
    with pytest.raises(EngineUnreachable, match="no engine is running"):
        own.client(spawn=False)
