"""A repeated key takes the stored result and says so; whatever it depends on makes it another key."""

from __future__ import annotations

import json
from pathlib import Path

from tests.session.conftest import Put, storing
from workbench.session import Session


class Undoable(Put):
    """A command that is carried out again each time."""

    dotted = "toy.again"
    reuse = False


class Revised(Put):
    """The same verb, whose numbers changed on purpose."""

    result_revision = 2


def test_an_equal_command_takes_the_stored_result_and_says_so(session: Session) -> None:
    first = session.do(Put(value=3), storing(result={"value": 99}, warnings=["odd"]))
    again = session.do(Put(value=3), storing(result={"value": 0}))
    assert again.result == first.result == {"value": 99}
    assert again.warnings == ["odd"]
    assert (again.line.seq, again.line.reused, again.line.seconds) == (2, 1, 0.0)
    assert (again.line.artifact, again.line.digest) == (first.line.artifact, first.line.digest)


def test_a_reuse_of_a_reuse_names_the_line_that_computed_it(session: Session) -> None:
    for _ in range(3):
        reply = session.do(Put(value=3), storing())
    assert (reply.line.seq, reply.line.reused) == (3, 1)


def test_a_reused_line_makes_its_state_entries_again(session: Session) -> None:
    session.do(Put(value=1), storing())
    session.do(Put(value=2), storing())
    session.do(Put(value=1), storing())
    assert session.state.get("entry") == 1


def test_other_parameters_are_computed(session: Session) -> None:
    session.do(Put(value=3), storing())
    assert session.do(Put(value=4), storing()).line.reused is None


def test_a_changed_entry_that_it_reads_means_computing_again(session: Session) -> None:
    session.do(Put(value=3), storing())
    session.do(Put(name="base", value=1), storing())
    assert session.do(Put(value=3), storing()).line.reused is None


def test_a_changed_entry_that_it_does_not_read_means_nothing(session: Session) -> None:
    session.do(Put(value=3), storing())
    session.do(Put(name="other", value=1), storing())
    assert session.do(Put(value=3), storing()).line.reused == 1


def test_the_entry_as_it_was_gives_the_stored_result_again(session: Session) -> None:
    session.do(Put(name="base", value=1), storing())
    session.do(Put(value=3), storing())
    session.do(Put(name="base", value=2), storing())
    session.do(Put(name="base", value=1), storing(), fresh=True)
    assert session.do(Put(value=3), storing()).line.reused == 2


def test_fresh_computes_again(session: Session) -> None:
    session.do(Put(value=3), storing(result={"value": 1}))
    again = session.do(Put(value=3), storing(result={"value": 2}), fresh=True)
    assert (again.result, again.line.reused) == ({"value": 2}, None)


def test_another_revision_is_another_key(session: Session) -> None:
    session.do(Put(value=3), storing())
    assert session.do(Revised(value=3), storing()).line.reused is None


def test_some_commands_are_never_reused(session: Session) -> None:
    session.do(Undoable(), storing())
    assert session.do(Undoable(), storing()).line.reused is None


def test_a_withdrawn_result_is_not_reused(session: Session) -> None:
    session.do(Put(value=3), storing())
    session.do(Put(name="undo"), storing(withdraws=[1]))
    assert session.do(Put(value=3), storing()).line.reused is None


def test_a_stale_result_is_not_reused(session: Session) -> None:
    session.do(Put(name="x"), storing())
    session.do(Put(value=3), storing(uses=[1]))
    session.do(Put(name="undo"), storing(withdraws=[1]))
    assert session.do(Put(value=3), storing()).line.reused is None


def test_a_damaged_or_missing_result_is_computed_again(session: Session) -> None:
    first = session.do(Put(value=3), storing())
    stored = session.path / first.line.artifact / "result.json"
    stored.write_text("{broken")
    second = session.do(Put(value=3), storing())
    assert (second.line.seq, second.line.reused, second.result) == (2, None, {"value": 3})
    (session.path / second.line.artifact / "result.json").unlink()
    assert session.do(Put(value=3), storing()).line.reused is None


def test_reuse_survives_closing_the_session(folder: Path) -> None:
    with Session(folder, "a test") as session:
        session.do(Put(value=3), storing())
    with Session(folder, "a test") as session:
        assert session.do(Put(value=3), storing()).line.reused == 1


def test_the_stored_result_is_what_the_log_line_says(session: Session) -> None:
    reply = session.do(Put(value=3), storing())
    stored = json.loads((session.path / reply.line.artifact / "result.json").read_text())
    assert stored["result"] == reply.result == {"value": 3}
    assert session.artifact(reply.line) == stored
