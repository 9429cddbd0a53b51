"""Errors: each kind has one class and one exit code, and says what to do."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from workbench import errors


def everything(root: type[errors.WorkbenchError] = errors.WorkbenchError) -> list[type[errors.WorkbenchError]]:
    return [root, *(found for child in root.__subclasses__() for found in everything(child))]


def test_every_kind_is_one_class() -> None:
    kinds = [found.kind for found in everything()]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("kind", everything(), ids=lambda kind: kind.kind)
def test_an_error_survives_the_wire(kind: type[errors.WorkbenchError]) -> None:
    again = errors.error_from_dict(kind("what 'x'", "do this").as_dict())
    assert (type(again), again.message, again.hint) == (kind, "what 'x'", "do this")


def test_exit_codes_are_those_of_the_contract() -> None:
    codes = {found.kind: found.exit_code for found in everything()}
    for kind in ("usage", "unknown_name", "input_file", "mismatch", "session_locked", "storage"):
        assert codes[kind] == 2
    assert (codes["failed"], codes["engine_died"], codes["replay_differs"]) == (1, 1, 1)
    assert (codes["engine_unreachable"], codes["cancelled"]) == (3, 130)


def test_an_error_of_a_later_version_is_still_an_error() -> None:
    again = errors.error_from_dict({"kind": "from_the_future", "message": "m"})
    assert (type(again), again.kind, str(again)) == (errors.WorkbenchError, "failed", "m")


def test_an_error_reads_as_one_sentence_and_a_hint() -> None:
    assert str(errors.UsageError("no session 'x'", "Make one.")) == "no session 'x'. Make one."
    assert str(errors.UsageError("no session 'x'")) == "no session 'x'"


def test_an_unknown_name_gets_the_nearest_known_ones() -> None:
    found = errors.UnknownNameError.among("command", "featres.contrast", ["features.contrast", "session.new"])
    assert found.message == "unknown command 'featres.contrast'"
    assert "Did you mean features.contrast" in found.hint


def test_where_nothing_is_near_a_short_list_is_given_whole() -> None:
    assert "Known: a, b." in errors.UnknownNameError.among("set", "zzz", ["b", "a", "a"]).hint
    assert errors.UnknownNameError.among("set", "zzz", [], "Import one.").hint == "Import one."


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "cannot write to"),
        (errno.EACCES, "cannot write to"),
        (errno.EIO, "failed"),
    ],
)
def test_a_storage_error_names_the_path_and_what_to_do(number: int, says: str) -> None:
    found = errors.storage_error(Path("/some/where"), OSError(number, "the reason"))
    assert says in found.message
    assert "/some/where" in found.message
    assert found.hint


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("dmo", "Did you mean demo?"),
        ("cotrast", "Did you mean contrast?"),
        ("esult", "Did you mean result?"),
        ("delete", ""),
    ],
)
def test_a_slip_is_asked_about_and_another_word_is_not(name: str, meant: str) -> None:
    assert errors.did_you_mean(name, ["demo", "contrast", "tags", "result", "list"]) == meant
