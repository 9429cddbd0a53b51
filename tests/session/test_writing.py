"""A result is stored before it is announced; a session has one writer; nothing leaves its folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.session.conftest import Put, storing
from workbench.errors import InputFileError, SessionLockedError, WorkbenchError
from workbench.session import Pending, Session, SessionRecord
from workbench.session import session as session_module
from workbench.session.layout import ALONE, LOG_NAME
from workbench.session.log import read_log

HOLD = """
import sys, time
from pathlib import Path
from workbench.session import Session
session = Session(Path(sys.argv[1]), "the other one")
print("held", flush=True)
time.sleep(600)
"""


def names(session: SessionRecord) -> list[str]:
    return sorted(path.name for path in (session.path / "artifacts").iterdir())


def test_the_artifact_is_there_when_the_line_is_written(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    append = session_module.append_line

    def spy(path: Path, text: str) -> None:
        seen.append((session.path / json.loads(text)["artifact"] / "result.json").is_file())
        append(path, text)

    monkeypatch.setattr(session_module, "append_line", spy)
    session.do(Put(), storing())
    assert seen == [True]


def test_a_crash_between_artifact_and_line_leaves_nothing_after_the_next_opening(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    def die(path: Path, text: str) -> None:
        raise Crash

    with Session(folder, "a test") as session:
        session.do(Put(value=1), storing())
        kept = names(session)
        with monkeypatch.context() as patch:
            patch.setattr(session_module, "append_line", die)
            patch.setattr(session_module.Session, "discard", lambda *_: None)  # a dead process tidies nothing
            with pytest.raises(Crash):
                session.do(Put(value=2), storing())
        assert len(names(session)) == 2
    with Session(folder, "a test") as session:
        assert names(session) == kept
        assert [line.seq for line in session.lines] == [1]


def test_a_crash_while_computing_leaves_nothing_after_the_next_opening(folder: Path) -> None:
    with Session(folder, "a test") as session:
        session.begin(Put())
        assert len(names(session)) == 1
    with Session(folder, "a test") as session:
        assert names(session) == []


def test_a_note_written_meanwhile_comes_first(session: Session) -> None:
    slow = session.begin(Put(value=1))
    assert isinstance(slow, Pending)
    session.do(Put(value=2), storing())
    reply = session.commit(slow, storing()(slow))
    assert (reply.line.seq, reply.line.params["value"]) == (2, 1)
    assert reply.line.artifact == "artifacts/0002-toy-put"


def test_a_second_writer_is_refused_with_the_holders_name(session: Session) -> None:
    with pytest.raises(SessionLockedError) as caught:
        Session(session.path, "the second")
    assert "'s' is being written by a test" in caught.value.message
    assert str(os.getpid()) in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_reading_needs_no_lock(session: Session) -> None:
    session.do(Put(value=3), storing())
    assert SessionRecord(session.path).state.get("entry") == 3


def test_closing_lets_the_next_one_write(folder: Path) -> None:
    first = Session(folder, "a test")
    first.close()
    first.close()
    Session(folder, "the second").close()


def test_the_lock_of_a_dead_process_is_free(folder: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(SessionLockedError, match=f"the other one .pid {other.pid} on "):
            Session(folder, "a test")
    finally:
        other.send_signal(signal.SIGKILL)
        other.communicate()
    Session(folder, "a test").close()


@pytest.mark.parametrize("path", ["../../elsewhere", "/etc", "artifacts/../../..", "notes.md"])
def test_an_artifact_outside_the_session_is_refused(folder: Path, path: str) -> None:
    line = {"seq": 1, "utc": "", "do": "toy.put", "params": {}, "artifact": path}
    (folder / LOG_NAME).write_text(json.dumps(line) + "\n")
    record = SessionRecord(folder)
    with pytest.raises(InputFileError, match="outside the session"):
        record.artifact(record.lines[0])


def test_a_link_that_leaves_the_session_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "result.json").write_text('{"result": {}}')
    (folder / "artifacts" / "0001-x").symlink_to(tmp_path / "secret")
    line = {"seq": 1, "utc": "", "do": "toy.put", "params": {}, "artifact": "artifacts/0001-x"}
    (folder / LOG_NAME).write_text(json.dumps(line) + "\n")
    record = SessionRecord(folder)
    with pytest.raises(InputFileError, match="outside the session"):
        record.artifact(record.lines[0])


def test_a_missing_result_is_named_with_its_line(session: Session) -> None:
    line = session.do(Put(), storing()).line
    (session.path / line.artifact / "result.json").unlink()
    with pytest.raises(InputFileError, match=r"the result of line 1 .toy\.put. cannot be read"):
        session.artifact(line)


def test_a_result_that_json_cannot_say_is_an_error_of_the_verb(session: Session) -> None:
    with pytest.raises(WorkbenchError, match="the result cannot be stored"):
        session.do(Put(), storing(result={"value": float("nan")}))
    assert [line.outcome for line in read_log(session.path)] == ["error"]


@pytest.mark.parametrize("content", ["{broken", "[1]", "3", "", "null", "\x00"])
def test_a_damaged_view_costs_the_cursor_only(session: Session, content: str) -> None:
    session.save_view({"screen": "select", "cursor": 3})
    assert session.view() == {"screen": "select", "cursor": 3}
    (session.path / "view.json").write_text(content)
    assert session.view() == {}
    assert SessionRecord(session.path).lines == []


def test_a_newer_schema_is_refused(folder: Path) -> None:
    meta = json.loads((folder / "session.json").read_text())
    (folder / "session.json").write_text(json.dumps({**meta, "schema": 3}))
    with pytest.raises(InputFileError, match=r"'s' \(.*session.json\) was written by a newer workbench .form 3"):
        SessionRecord(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": "new"}', '{"schema": null}', "\x00"])
def test_a_damaged_session_file_is_named(folder: Path, content: str) -> None:
    (folder / "session.json").write_text(content)
    with pytest.raises(InputFileError, match=r"session\.json is damaged"):
        SessionRecord(folder)


def test_a_folder_that_is_no_session_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="is not a session"):
        SessionRecord(tmp_path)


def test_who_is_refused_is_told_what_to_do_about_the_holder(folder: Path) -> None:
    for holder, mend in ((ALONE, "Repeat when that command has ended"), ("the engine", "Work through that engine")):
        with Session(folder, holder), pytest.raises(SessionLockedError, match=f"by {holder}") as caught:
            Session(folder, "a second one")
        assert caught.value.hint.startswith(mend)
