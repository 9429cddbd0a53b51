"""Writing: a crash, a full disk or a read-only folder leaves the old content whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import tiny
from tests.session.conftest import Put, storing
from workbench.digests import canonical_json, folder_digest, text_digest, value_digest
from workbench.errors import StorageError, UsageError
from workbench.files import append_line, write_atomic
from workbench.session import Session, SessionRecord, catalog
from workbench.session.log import read_log


@pytest.fixture
def disk() -> Iterator[Path]:
    with tiny.small_disk() as folder:
        yield folder


def test_write_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "below" / "file"
    write_atomic(path, "one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert [found.name for found in path.parent.iterdir()] == ["file"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_lone_surrogates_are_kept(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", "a\ud800b")
    assert (tmp_path / "file").read_text("utf-8", "surrogatepass") == "a\ud800b"


def test_append_adds_one_line(tmp_path: Path) -> None:
    append_line(tmp_path / "log", "one")
    append_line(tmp_path / "log", "zwölf")
    assert (tmp_path / "log").read_text("utf-8") == "one\nzwölf\n"


def test_a_write_to_a_folder_that_is_a_file_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=str(tmp_path / "file")):
        write_atomic(tmp_path / "file" / "below", "x")


def test_a_full_disk_leaves_the_old_file(disk: Path) -> None:
    write_atomic(disk / "file", "old")
    filler = tiny.fill(disk)
    with pytest.raises(StorageError, match="the disk is full") as caught:
        write_atomic(disk / "file", "x" * 10_000)
    assert caught.value.exit_code == 2
    assert "Free some space" in caught.value.hint
    assert (disk / "file").read_text() == "old"
    assert {path.name for path in disk.iterdir()} == {"file", "filler"}
    filler.unlink()
    write_atomic(disk / "file", "x" * 10_000)


@pytest.mark.parametrize(("size", "left"), [(100, 0), (5000, 0), (5000, 4096), (7000, 4096), (20_000, 8192)])
def test_a_line_that_does_not_fit_is_cut_off_whole(disk: Path, left: int, size: int) -> None:
    log = disk / "log"
    append_line(log, "y" * 4090)  # the page is nearly full: even a short line needs another
    filler = tiny.fill(disk)
    os.truncate(filler, filler.stat().st_size - left)
    with pytest.raises(StorageError, match="the disk is full"):
        append_line(log, "x" * size)
    assert log.read_bytes() == b"y" * 4090 + b"\n"
    filler.unlink()
    append_line(log, "z")
    assert log.read_bytes() == b"y" * 4090 + b"\nz\n"


def test_a_session_on_a_full_disk_is_whole_and_goes_on_when_there_is_space(disk: Path) -> None:
    with Session(catalog.create("s", disk), "a test") as session:
        session.do(Put(value=1), storing())
        before, log = tiny.snapshot(session.path), read_log(session.path)
        filler = tiny.fill(disk)
        with pytest.raises(StorageError, match="the disk is full") as caught:
            session.do(Put(value=2), storing(result={"text": "x" * 10_000}))
        assert caught.value.exit_code == 2
        assert tiny.snapshot(session.path) == before
        assert read_log(session.path) == log == session.lines
        filler.unlink()
        assert session.do(Put(value=2), storing()).line.seq == 2
    assert len(SessionRecord(disk / "s").lines) == 2


def test_a_disk_that_fills_up_at_the_log_line_leaves_neither_line_nor_artifact(disk: Path) -> None:
    with Session(catalog.create("s", disk), "a test") as session:
        session.do(Put(name="x" * 3600, value=1), storing())  # the log's first page is nearly full
        before = tiny.snapshot(session.path)
        pending = session.begin(Put(name="x" * 3600, value=2))
        header = storing()(pending)
        filler = tiny.fill(disk)
        with pytest.raises(StorageError, match="the disk is full"):
            session.commit(pending, header)
        assert tiny.snapshot(session.path) == before
        filler.unlink()
        assert session.do(Put(value=3), storing()).line.seq == 2


def test_a_fork_that_does_not_fit_leaves_no_half_session(disk: Path, tmp_path: Path) -> None:
    with Session(catalog.create("s", tmp_path), "a test") as session:
        session.do(Put(), storing(result={"text": "x" * 100_000}))
    with pytest.raises(StorageError, match="the disk is full"):
        catalog.fork(SessionRecord(tmp_path / "s"), "t", disk)
    assert list(disk.iterdir()) == []


def test_a_read_only_folder_is_named(disk: Path) -> None:
    folder = catalog.create("s", disk)
    with Session(folder, "a test") as session:
        session.do(Put(value=1), storing())
    before = tiny.snapshot(disk)
    tiny.read_only(disk)
    with pytest.raises(StorageError, match=f"cannot write to {folder}") as caught:
        Session(folder, "a test")
    assert "--sessions" in caught.value.hint
    with pytest.raises(StorageError, match=str(disk / "t")):
        catalog.create("t", disk)
    with pytest.raises(StorageError, match=str(folder)):
        append_line(folder / "log.jsonl", "x")
    assert SessionRecord(folder).state.get("entry") == 1, "reading goes on"
    assert tiny.snapshot(disk) == before


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=12,
)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(list(value))}
    return [reordered(item) for item in value] if isinstance(value, list) else value


@given(values)
def test_digests_do_not_depend_on_the_order_of_keys(value: Any) -> None:
    assert canonical_json(value) == canonical_json(reordered(value))
    assert value_digest(value) == value_digest(reordered(value))
    assert json.loads(canonical_json(value)) == value


@given(st.text(), st.text())
def test_different_texts_have_different_digests(one: str, other: str) -> None:
    assert (text_digest(one) == text_digest(other)) == (one == other)


def test_the_digest_of_an_empty_text_is_sha256() -> None:
    assert text_digest("") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_json_cannot_say_has_no_digest(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        value_digest({"x": number})


def test_a_folders_digest_is_of_its_names_and_bytes(tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "2"), (".hidden", "3")):
        write_atomic(tmp_path / "one" / name, text)
    for name, text in (("b", "2"), ("a", "1")):
        write_atomic(tmp_path / "two" / name, text)
    for name, text in (("a", "2"), ("b", "1")):
        write_atomic(tmp_path / "three" / name, text)
    assert folder_digest(tmp_path / "one") == folder_digest(tmp_path / "two") != folder_digest(tmp_path / "three")


def test_storage_errors_are_usage_errors() -> None:
    assert issubclass(StorageError, UsageError)
