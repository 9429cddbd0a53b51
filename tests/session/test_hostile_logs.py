"""Logs cut, reordered, edited or written by someone who means no good: read, or refused by the number of the line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from commands.handlers import handler_of
from commands.line import parse_line
from commands.render import as_lines
from tests import tiny
from tests.session.conftest import Put, storing
from workbench.errors import InputFileError, WorkbenchError
from workbench.run import Runner
from workbench.session import Session, SessionRecord
from workbench.session.layout import LOG_NAME, META_NAME

quick = settings(
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["../../etc/passwd", "artifacts/0001-toy-put", "ok", "error", "model", "\ud800", "[b]bold"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = (
    "seq", "utc", "do", "params", "outcome", "digest", "artifact", "seconds", "key", "reused", "sets", "uses",
    "withdraws", "warnings", "provenance", "error", "log", "verb",
)  # fmt: skip


@st.composite
def damages(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """The bytes of a log after a few things were done to it."""
    lines = list(lines)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(lines) - 1)))
        how = draw(st.sampled_from(["drop", "double", "swap", "field", "value", "bytes"]))
        if not lines or how == "value":
            lines.insert(at, json.dumps(draw(values)).encode())
        elif how == "drop":
            del lines[at]
        elif how == "double":
            lines.insert(at, lines[at])
        elif how == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif how == "bytes":
            cut = draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:cut] + draw(st.binary(max_size=6)) + lines[at][cut:]
        else:
            lines[at] = _edited(lines[at], draw(st.sampled_from(FIELDS)), draw(values))
    raw = b"".join(line + b"\n" for line in lines)
    return raw[: draw(st.integers(0, len(raw)))] if draw(st.booleans()) else raw


def _edited(line: bytes, field: str, value: Any) -> bytes:
    try:
        return json.dumps({**json.loads(line), field: value}).encode()
    except (ValueError, TypeError):
        return line


@pytest.fixture
def lines(folder: Path) -> list[bytes]:
    """The lines of a sound log; each example of a test writes it anew."""
    with Session(folder, "a test") as session:
        session.do(Put(name="model", value=None), storing(sets={"model": {"name": "m"}}))
        session.do(Put(value=2), storing(uses=[1], warnings=["so"]))
        session.do(Put(value=3), storing(withdraws=[2]))
    return (folder / LOG_NAME).read_bytes().splitlines()


@quick
@given(data=st.data())
def test_a_damaged_log_is_read_or_refused_by_its_line(folder: Path, lines: list[bytes], data: st.DataObject) -> None:
    raw = data.draw(damages(lines))
    (folder / LOG_NAME).write_bytes(raw)
    before = tiny.snapshot(folder)
    try:
        record = SessionRecord(folder)
    except InputFileError as error:
        assert re.search(r"line \d+|newer workbench|which never was", error.message), error.message
        assert str(folder / LOG_NAME) in error.message
        assert error.hint
        assert len(error.message) < 1000 + len(str(folder))
    else:
        seqs = [line.seq for line in record.lines]
        assert seqs == sorted(set(seqs))
        assert record.state.withdrawn <= {seq for line in record.lines for seq in line.withdraws}
        for line in record.lines:
            _stays_inside(record, line)
    assert tiny.snapshot(folder) == before, "reading changed the session"


def _stays_inside(record: SessionRecord, line: Any) -> None:
    try:
        found = record.artifact(line)
    except InputFileError:
        return
    assert "result" in found
    assert record.artifact_path(line).is_relative_to(record.path.resolve())


@quick
@given(data=st.data())
def test_no_session_hides_the_others(folder: Path, lines: list[bytes], sessions: Path, data: st.DataObject) -> None:
    (folder / LOG_NAME).write_bytes(data.draw(damages(lines)))
    runner = Runner(handler_of, sessions)
    rows = runner.do(parse_line("session.list"), None)["result"]["sessions"]
    assert {"s", "achievement", "weekdays"} == {row["name"] for row in rows}
    try:
        shown = runner.do(parse_line("session.show"), "s")
    except WorkbenchError as error:
        assert error.message
    else:
        json.dumps(shown, allow_nan=False)


@quick
@given(data=st.data())
def test_a_writer_of_a_damaged_log_loses_no_line(folder: Path, lines: list[bytes], data: st.DataObject) -> None:
    raw = data.draw(damages(lines))
    (folder / LOG_NAME).write_bytes(raw)
    try:
        known = SessionRecord(folder).lines
    except InputFileError:
        with pytest.raises(InputFileError):
            Session(folder, "a test")
        assert (folder / LOG_NAME).read_bytes() == raw, "a damaged log was changed"
        return
    with Session(folder, "a test") as session:
        added = session.do(Put(value=9, name="new"), storing()).line
    assert SessionRecord(folder).lines == [*known, added]


@example('{"seq": 1, "utc": "", "do": "toy.put", "params": {"x": NaN}}')
@example('{"seq": 1, "utc": "", "do": "toy.put", "params": {}, "seconds": Infinity}')
@example('{"seq": 1, "utc": "", "do": "toy.put", "params": {}, "seconds": 1e999}')
@example('{"a":' * 100_000)
@example("[" * 100_000)
@example("1" * 10_000)
@quick
@given(st.text(max_size=60))
def test_a_line_that_is_no_command_is_refused(folder: Path, text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass").replace(b"\n", b"")
    (folder / LOG_NAME).write_bytes(raw + b"\n")
    with pytest.raises(InputFileError, match=r"line 1 of .*log\.jsonl is not a log line|which never was|newer"):
        SessionRecord(folder)


@pytest.mark.parametrize(
    "raw", ["", "[]", "null", '{"result": {}}', '{"result": NaN, "figures": [], "warnings": []}', "[" * 100_000]
)
def test_a_result_that_is_none_is_refused_by_its_line(folder: Path, raw: str) -> None:
    with Session(folder, "a test") as session:
        line = session.do(Put(), storing()).line
    (folder / line.artifact / "result.json").write_text(raw)
    with pytest.raises(InputFileError, match=r"the result of line 1 \(toy\.put\) cannot be read"):
        SessionRecord(folder).artifact(line)


@pytest.mark.parametrize("value", [3, None, {"a": [1]}, "", "\x1b[2J"])
def test_a_session_whose_title_and_date_are_none_is_listed_and_drawn(folder: Path, sessions: Path, value: Any) -> None:
    meta = json.loads((folder / META_NAME).read_text())
    odd = {**meta, "title": value, "created": value, "forked_from": value}
    (folder / META_NAME).write_text(json.dumps(odd))
    runner = Runner(handler_of, sessions)
    for line in ("session.list", "session.show"):
        assert not any("\x1b" in shown for shown in as_lines(runner.do(parse_line(line), "s"), 100))
    assert SessionRecord(folder).title == (str(value) if value else "s")
