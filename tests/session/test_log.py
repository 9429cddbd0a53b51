"""The log: one line a command, append-only; damage is found and said, a crash costs a line at most."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.session.conftest import Put, storing
from workbench.errors import InputFileError, UsageError, WorkbenchError
from workbench.session import Session, SessionRecord
from workbench.session.layout import LOG_NAME
from workbench.session.log import read_log
from workbench.session.migrations import header


def write_log(folder: Path, lines: list[str]) -> None:
    (folder / LOG_NAME).write_text("".join(line + "\n" for line in lines), "utf-8")


def line(seq: int, **more: object) -> str:
    return json.dumps({"seq": seq, "utc": "2025-01-01T00:00:00Z", "do": "toy.put", "params": {}, **more})


def test_what_is_appended_is_read_again(session: Session) -> None:
    session.do(Put(value=3), storing(warnings=["mind the gap"], provenance={"corpus": "ü\ud800"}))
    session.do(Put(value=4), storing())
    assert read_log(session.path) == session.lines
    assert [found.seq for found in read_log(session.path)] == [1, 2]


def test_one_line_holds_one_command_whatever_its_texts(session: Session) -> None:
    session.do(Put(name="a\nb\u2028c\r\x85d"), storing())
    assert len((session.path / LOG_NAME).read_bytes().splitlines()) == 2  # the first says the form
    assert read_log(session.path)[0].params["name"] == "a\nb\u2028c\r\x85d"


def test_a_session_without_a_log_is_empty(folder: Path) -> None:
    assert SessionRecord(folder).lines == []


def test_a_torn_last_line_is_not_read(folder: Path) -> None:
    write_log(folder, [line(1)])
    with (folder / LOG_NAME).open("a") as file:
        file.write(line(2)[:20])
    assert [found.seq for found in SessionRecord(folder).lines] == [1]


def test_a_torn_last_line_is_cut_by_the_next_writer_who_reports_it(folder: Path) -> None:
    write_log(folder, [line(1)])
    whole = header().encode() + b"\n" + (folder / LOG_NAME).read_bytes()
    with (folder / LOG_NAME).open("ab") as file:
        file.write(b'{"seq": 2, "do')
    with Session(folder, "a test") as session:
        assert session.torn == b'{"seq": 2, "do'
        assert (folder / LOG_NAME).read_bytes() == whole
        assert session.do(Put(), storing()).line.seq == 2
    with Session(folder, "a test") as again:
        assert again.torn == b""


@pytest.mark.parametrize(
    "damage", ["{broken", "", "[1, 2]", '"text"', '{"seq": 2}', '{"seq": "two", "params": {}}', "\x00"]
)
def test_a_damaged_line_is_named_by_its_number(folder: Path, damage: str) -> None:
    write_log(folder, [line(1), damage, line(3)])
    with pytest.raises(InputFileError, match=r"line 2 of .*log\.jsonl is not a log line") as caught:
        SessionRecord(folder)
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_bytes_that_are_no_text_are_named_too(folder: Path) -> None:
    (folder / LOG_NAME).write_bytes(line(1).encode() + b"\n\xff\xfe\xff\n")
    with pytest.raises(InputFileError, match="line 2 of"):
        SessionRecord(folder)


@pytest.mark.parametrize("second", [1, 2])
def test_a_sequence_that_does_not_rise_is_refused(folder: Path, second: int) -> None:
    write_log(folder, [line(2), line(second)])
    with pytest.raises(InputFileError, match=f"log line 2 of .* has sequence number {second} after 2"):
        SessionRecord(folder)


def test_a_damaged_log_is_not_opened_for_writing_and_lets_go_of_the_lock(folder: Path) -> None:
    write_log(folder, [line(1)])
    before = (folder / LOG_NAME).read_bytes()
    (folder / LOG_NAME).write_bytes(b"{broken\n" + before)
    with pytest.raises(InputFileError):
        Session(folder, "a test")
    (folder / LOG_NAME).write_bytes(before)
    Session(folder, "a test").close()


def test_fields_of_a_later_version_are_ignored(folder: Path) -> None:
    write_log(folder, [line(1, mood="curious")])
    assert SessionRecord(folder).lines[0].do == "toy.put"


def test_failed_work_is_logged_and_changes_no_state(session: Session) -> None:
    def run(pending: object) -> dict[str, object]:
        raise WorkbenchError("ran out of memory", "Use fewer tokens.")

    with pytest.raises(WorkbenchError):
        session.do(Put(value=3), run)
    (failed,) = read_log(session.path)
    assert (failed.outcome, failed.params["value"], failed.artifact) == ("error", 3, "")
    assert failed.error == {"kind": "failed", "message": "ran out of memory", "hint": "Use fewer tokens."}
    assert session.state.entries == {}
    assert list((session.path / "artifacts").iterdir()) == []


def test_a_refused_request_leaves_no_trace(session: Session) -> None:
    def run(pending: object) -> dict[str, object]:
        raise UsageError("no such feature")

    with pytest.raises(UsageError):
        session.do(Put(), run)
    assert read_log(session.path) == []
    assert list((session.path / "artifacts").iterdir()) == []


def test_an_interrupt_leaves_no_trace(session: Session) -> None:
    def run(pending: object) -> dict[str, object]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.do(Put(), run)
    assert read_log(session.path) == []
    assert list((session.path / "artifacts").iterdir()) == []
