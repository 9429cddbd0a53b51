"""Sessions of earlier versions: read as they are, brought up to date when written to, and nothing of them lost.

The archives in `old` are sessions as this program once wrote them: of its first version, of the one in which the sanity
gate came, and of the one in which stimulus designs came.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.handlers import handler_of
from commands.line import parse_line
from tests.session.conftest import Put, storing
from workbench.errors import InputFileError
from workbench.files import append_line
from workbench.run import Runner
from workbench.session import Session, SessionRecord, migrations
from workbench.session.layout import LOG_NAME, META_NAME, SCHEMA
from workbench.session.log import read_log
from workbench.session.migrations import bring_up_to_date, header

OLD = Path(__file__).parent / "old"
NAMES = sorted(path.stem for path in OLD.glob("*.zip"))
Do = Callable[[str], dict[str, Any]]


def unpacked(name: str, sessions: Path) -> Path:
    """One of the old sessions, as one of the user's own."""
    with zipfile.ZipFile(OLD / f"{name}.zip") as archive:
        archive.extractall(sessions)
    folder = sessions / name.partition("-")[0]
    meta = json.loads((folder / META_NAME).read_text())
    (folder / META_NAME).write_text(json.dumps({**meta, "example": False}))
    return folder


@pytest.fixture(params=NAMES)
def old(request: pytest.FixtureRequest, sessions: Path) -> Path:
    return unpacked(request.param, sessions)


@pytest.fixture
def do(old: Path) -> Do:
    runner = Runner(handler_of, old.parent)
    return lambda line: runner.do(parse_line(line), old.name)


def test_there_are_old_sessions() -> None:
    assert len(NAMES) == 3


def test_an_old_session_is_read_as_it_is(old: Path, do: Do, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    shown = do("session.show")["result"]
    assert shown["model"]["name"] == "demo"
    assert [row["seq"] for row in shown["log"]] == list(range(1, len(shown["log"]) + 1))
    for row in shown["log"]:
        stored = do(f"session.result {row['seq']}")["result"]
        assert stored["line"] == row["line"]
        assert stored["result"]
    ranked = do("features.list")["result"]
    feature = ranked["rows"][0]["feature"]
    assert do(f"features.show {feature}")["result"]["test"]["score"] == ranked["rows"][0]["score"]
    do(f"report out={tmp_path / 'r.html'}")
    assert feature.rpartition("#")[2] in (tmp_path / "r.html").read_text()
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before


def test_an_old_session_is_brought_up_to_date_by_its_next_writer(old: Path, do: Do) -> None:
    log = (old / LOG_NAME).read_bytes()
    lines = read_log(old)
    do("session.note 'written by this version'")
    assert (old / LOG_NAME).read_bytes().startswith(header().encode() + b"\n" + log)
    assert json.loads((old / META_NAME).read_text())["schema"] == SCHEMA
    now = SessionRecord(old)
    assert now.lines[: len(lines)] == lines
    assert [line.do for line in now.lines[len(lines) :]] == ["session.note"]


def test_a_crash_between_the_two_steps_leaves_a_session_that_can_be_read(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = read_log(old)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_bring_meta", lambda _path: None)
        bring_up_to_date(old)
    assert json.loads((old / META_NAME).read_text())["schema"] == 1
    assert SessionRecord(old).lines == lines
    bring_up_to_date(old)
    assert json.loads((old / META_NAME).read_text())["schema"] == SCHEMA
    assert SessionRecord(old).lines == lines


def test_a_session_of_this_version_is_not_written_again(session: Session) -> None:
    session.do(Put(), storing())
    before = {name: (session.path / name).stat().st_ino for name in (LOG_NAME, META_NAME)}
    bring_up_to_date(session.path)
    assert {name: (session.path / name).stat().st_ino for name in (LOG_NAME, META_NAME)} == before


def test_a_step_changes_every_line_of_an_older_form(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form of the future, for which the field that named the command has another name."""
    with Session(folder, "a test") as session:
        session.do(Put(value=1), storing())
    (folder / LOG_NAME).write_text(
        header() + '\n{"seq": 1, "utc": "", "verb": "toy.put", "params": {"name": "\\ud800"}}\n'
    )

    def renamed(line: dict[str, Any]) -> dict[str, Any]:
        return {("do" if key == "verb" else key): value for key, value in line.items()}

    monkeypatch.setattr(migrations, "SCHEMA", SCHEMA + 1)
    monkeypatch.setitem(migrations.STEPS, SCHEMA, renamed)
    assert [line.do for line in read_log(folder)] == ["toy.put"]
    bring_up_to_date(folder)
    first, second = (folder / LOG_NAME).read_bytes().splitlines()
    assert json.loads(first) == {"log": SCHEMA + 1}
    assert json.loads(second.decode("utf-8", "surrogatepass"))["do"] == "toy.put"


@pytest.mark.parametrize("form", [SCHEMA + 1, 99, 10**30])
def test_a_newer_log_is_refused(folder: Path, form: int) -> None:
    append_line(folder / LOG_NAME, json.dumps({"log": form, "of": "the future"}))
    with pytest.raises(
        InputFileError, match=f"was written by a newer workbench .form {form}, this one knows 2."
    ) as caught:
        SessionRecord(folder)
    assert caught.value.hint == "Update the workbench."
    before = (folder / LOG_NAME).read_bytes()
    with pytest.raises(InputFileError, match="newer"):
        Session(folder, "a test")
    assert (folder / LOG_NAME).read_bytes() == before


def test_a_session_that_a_newer_version_took_over_meanwhile_is_not_put_back(folder: Path) -> None:
    """It may come between the first look and the lock."""
    meta = (folder / META_NAME).read_text()
    (folder / LOG_NAME).write_text(json.dumps({"log": SCHEMA + 1}) + "\n")
    with pytest.raises(InputFileError, match=rf"log\.jsonl was written by a newer workbench .form {SCHEMA + 1},"):
        bring_up_to_date(folder)
    assert json.loads((folder / LOG_NAME).read_text()) == {"log": SCHEMA + 1}
    (folder / LOG_NAME).write_text(header() + "\n")
    newer = json.dumps({**json.loads(meta), "schema": SCHEMA + 1})
    (folder / META_NAME).write_text(newer)
    with pytest.raises(InputFileError, match=r"session\.json was written by a newer workbench"):
        bring_up_to_date(folder)
    assert (folder / META_NAME).read_text() == newer


@pytest.mark.parametrize("first", ['{"log": 0}', '{"log": -1}', '{"log": "2"}', '{"log": true}', '{"log": 2.0}', "{}"])
def test_a_first_line_that_says_no_form_is_refused(folder: Path, first: str) -> None:
    append_line(folder / LOG_NAME, first)
    with pytest.raises(InputFileError, match=r"never was|is not a log line"):
        SessionRecord(folder)
