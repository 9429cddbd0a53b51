"""Sessions by name: making, finding, forking; shipped examples are never changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.session.conftest import Put, storing
from workbench import demo
from workbench.errors import InputFileError, UnknownNameError, UsageError
from workbench.run import Runner
from workbench.session import Session, SessionRecord, catalog
from workbench.session.layout import LOG_NAME
from workbench.session.log import read_log
from workbench.verbs import Command, Outcome


@pytest.fixture
def filled(folder: Path) -> SessionRecord:
    with Session(folder, "a test") as session:
        for value in (1, 2, 3):
            session.do(Put(name="xyz"[value - 1], value=value), storing())
        session.do(Put(name="x", value=1), storing())  # reuses the first
        session.save_notes("my own words\n")
    (folder / "inputs").mkdir()
    (folder / "inputs" / "0123456789ab-set.json").write_text("{}")
    return SessionRecord(folder)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shipped example `weekdays` with one line."""
    shipped = tmp_path / "shipped"
    monkeypatch.setattr(demo, "sessions_dir", lambda: shipped)
    path = catalog.create("weekdays", shipped, example=True)
    with Session(path, "a test") as session:
        session.do(Put(name="model", value=7), storing())
    return path


def runner(sessions: Path) -> Runner:
    def resolve(verb: Any) -> Any:
        return lambda command, lab: Outcome({"value": command.value}, sets={command.name: command.value})

    return Runner(resolve, sessions, "a test")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-x", "a b", "é", "x" * 65, "a\n", "a\x00"]
)
def test_names_that_cannot_name_a_session(sessions: Path, name: str) -> None:
    before = tiny.snapshot(sessions.parent)
    for action in (lambda: catalog.create(name, sessions), lambda: catalog.find(name, sessions)):
        with pytest.raises(UsageError) as caught:
            action()
        assert repr(name) in caught.value.message
        assert caught.value.exit_code == 2
    assert tiny.snapshot(sessions.parent) == before


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "x" * 64, "2x2"])
def test_a_plain_name_can_name_a_session(sessions: Path, name: str) -> None:
    assert catalog.find(catalog.create(name, sessions).name, sessions) == sessions / name


def test_a_taken_name_is_refused(folder: Path, sessions: Path) -> None:
    with pytest.raises(UsageError, match="'s' exists already"):
        catalog.create("s", sessions)


def test_an_unknown_session_gets_the_nearest_name(sessions: Path) -> None:
    catalog.create("achievements", sessions)
    with pytest.raises(UnknownNameError, match="unknown session 'achievment'") as caught:
        catalog.find("achievment", sessions)
    assert "achievements" in caught.value.hint
    assert str(sessions) in caught.value.hint  # whoever has two folders of sessions is told which one it was


def test_the_latest_session_is_the_one_last_worked_in(sessions: Path) -> None:
    for age, name in enumerate(("old", "new", "older")):
        path = catalog.create(name, sessions)
        when = 1_000_000 - 100 * (age if name != "new" else -9)
        os.utime(path / "session.json", (when, when))
    assert catalog.latest(sessions) == "new"
    (sessions / "older" / "view.json").write_text("{}")
    assert catalog.latest(sessions) == "older"


def test_a_damaged_session_hides_no_other(sessions: Path) -> None:
    catalog.create("good", sessions)
    (catalog.create("bad", sessions) / "session.json").write_text("[]")
    assert {"good", "bad"} <= set(catalog.names(sessions))
    assert catalog.latest(sessions) in {"good", "bad"}


def test_a_fork_has_the_same_state_and_results(filled: SessionRecord, sessions: Path) -> None:
    before = tiny.snapshot(filled.path)
    forked = SessionRecord(catalog.fork(filled, "t", sessions))
    assert forked.lines == filled.lines
    assert forked.state == filled.state
    assert [forked.artifact(line) for line in forked.lines] == [filled.artifact(line) for line in filled.lines]
    assert forked.meta["forked_from"] == "s"
    assert forked.notes() == "my own words\n"
    assert (forked.path / "inputs" / "0123456789ab-set.json").exists()
    assert tiny.snapshot(filled.path) == before


def test_a_fork_up_to_a_line_ends_there(filled: SessionRecord, sessions: Path) -> None:
    forked = SessionRecord(catalog.fork(filled, "t", sessions, upto=2))
    assert [line.seq for line in forked.lines] == [1, 2]
    assert sorted(path.name for path in (forked.path / "artifacts").iterdir()) == ["0001-toy-put", "0002-toy-put"]
    assert "z" not in forked.state.entries
    with Session(forked.path, "a test") as session:
        assert session.do(Put(name="z", value=3), storing()).line.seq == 3


def test_a_fork_up_to_a_line_that_is_not_there_makes_nothing(filled: SessionRecord, sessions: Path) -> None:
    with pytest.raises(InputFileError, match="no log line 9"):
        catalog.fork(filled, "t", sessions, upto=9)
    assert not (sessions / "t").exists()


def test_a_fork_onto_a_taken_name_is_refused(filled: SessionRecord, sessions: Path) -> None:
    before = tiny.snapshot(sessions)
    with pytest.raises(UsageError, match="exists already"):
        catalog.fork(filled, "s", sessions)
    assert tiny.snapshot(sessions) == before


def test_a_fork_copies_nothing_from_outside_the_session(folder: Path, sessions: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("x")
    line = {"seq": 1, "utc": "", "do": "toy.put", "params": {}, "artifact": "../../secret"}
    (folder / LOG_NAME).write_text(json.dumps(line) + "\n")
    before = tiny.snapshot(tmp_path)
    with pytest.raises(InputFileError, match="outside the session"):
        catalog.fork(SessionRecord(folder), "t", sessions)
    assert tiny.snapshot(tmp_path) == before


def test_the_first_change_to_an_example_forks_it_and_says_so(example: Path, sessions: Path) -> None:
    before = tiny.snapshot(example)
    reply = runner(sessions).do(Put(value=1), "weekdays")
    assert reply["session"] == "weekdays-2"
    assert any("'weekdays'" in text and "'weekdays-2'" in text for text in reply["warnings"])
    assert [line.params["value"] for line in read_log(sessions / "weekdays-2")] == [7, 1]
    assert SessionRecord(sessions / "weekdays-2").is_example is False
    assert tiny.snapshot(example) == before


def test_the_second_change_goes_into_the_same_fork(example: Path, sessions: Path) -> None:
    for value in (1, 2):
        reply = runner(sessions).do(Put(value=value), "weekdays")
    assert (reply["session"], reply["seq"]) == ("weekdays-2", 3)
    assert catalog.names(sessions) == ["weekdays", "weekdays-2"]


def test_a_session_that_has_the_forks_name_already_is_left_alone(example: Path, sessions: Path) -> None:
    own = catalog.create("weekdays-2", sessions)
    before = tiny.snapshot(own)
    assert runner(sessions).do(Put(value=1), "weekdays")["session"] == "weekdays-3"
    assert tiny.snapshot(own) == before


def test_an_own_session_hides_an_example_of_the_same_name(example: Path, sessions: Path) -> None:
    own = catalog.create("weekdays", sessions)
    assert catalog.find("weekdays", sessions) == own
    assert runner(sessions).do(Put(value=1), "weekdays")["session"] == "weekdays"


def test_reading_an_example_forks_nothing(example: Path, sessions: Path) -> None:
    assert SessionRecord(catalog.find("weekdays", sessions)).state.get("model") == 7
    assert catalog.names(sessions) == ["weekdays"]


def test_a_command_without_a_session_says_what_to_do(sessions: Path) -> None:
    with pytest.raises(UsageError, match="no session") as caught:
        runner(sessions).do(Put(), None)
    assert "session new" in caught.value.hint


def test_a_cut_log_is_reported_once_with_the_next_command(folder: Path, sessions: Path) -> None:
    (folder / LOG_NAME).write_text('{"seq": 1, "utc"')
    first, second = (runner(sessions).do(Put(value=value), "s") for value in (1, 2))
    assert [text for text in first["warnings"] if "half a line" in text]
    assert second["warnings"] == []


def test_what_a_handler_did_not_expect_is_an_error_that_names_the_verb(sessions: Path, folder: Path) -> None:
    def resolve(verb: Any) -> Any:
        def handler(command: Command, lab: Any) -> Outcome:
            raise ZeroDivisionError("division by zero")

        return handler

    with pytest.raises(
        Exception, match=r"toy\.put failed unexpectedly .ZeroDivisionError: division by zero."
    ) as caught:
        Runner(resolve, sessions, "a test").do(Put(), "s")
    assert getattr(caught.value, "exit_code", None) == 1


def test_own_sessions_beside_the_examples_are_not_seen_from_another_folder(sessions: Path, example: Path) -> None:
    catalog.create("mine", example.parent)
    assert catalog.names(sessions) == ["weekdays"]
    with pytest.raises(UnknownNameError):
        catalog.find("mine", sessions)
    assert catalog.find("mine", example.parent).name == "mine"
