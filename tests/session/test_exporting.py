"""A session goes to a colleague and arrives whole; where it cannot be written, nothing is left."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests import tiny
from tests.session.archives import content, read
from tests.session.conftest import Put, storing
from workbench.errors import Cancelled, InputFileError, StorageError, UsageError, WorkbenchError
from workbench.session import Session, SessionRecord
from workbench.session.exporting import export
from workbench.session.importing import bring_in
from workbench.session.layout import LOG_NAME, MANIFEST_NAME, META_NAME


def test_an_export_says_how_far_it_is_and_can_be_stopped(filled: SessionRecord, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    files = export(filled, {}, tmp_path / "told.zip", lambda done, total, _text: told.append((done, total)))["files"]
    assert told == [(number, files) for number in range(files)]

    def stop(_done: int, _total: int, _text: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        export(filled, {}, tmp_path / "half.zip", stop)
    assert [path.name for path in tmp_path.glob("*half*")] == []


@pytest.mark.parametrize("name", ["sent.zip", "sent"])
def test_what_arrives_is_what_was_sent(filled: SessionRecord, tmp_path: Path, sessions: Path, name: str) -> None:
    told = export(filled, {}, tmp_path / name)
    found = bring_in(tmp_path / name, sessions, "theirs")
    theirs, ours = content(found.path), content(filled.path)
    for left_out in (".lock", "inputs/.hidden", "inputs/link"):
        del ours[left_out]
    meta, theirs_meta = json.loads(ours.pop(META_NAME)), json.loads(theirs.pop(META_NAME))
    assert theirs == ours
    assert theirs_meta == {**meta, "imported_from": name}
    assert told == {"files": len(ours) + 1, "bytes": sum(map(len, ours.values())) + len(json.dumps(meta, indent=1)) + 1}
    assert SessionRecord(found.path).lines == filled.lines
    with Session(found.path, "its new owner") as session:
        assert session.do(Put(value=2), storing()).line.reused == 2


def test_one_session_gives_one_archive(filled: SessionRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(filled, {}, tmp_path / "a.zip")
    monkeypatch.setattr("time.time", lambda: 2e9)  # another day
    monkeypatch.setattr("workbench.session.log.utc_now", lambda: "2033-05-18T03:33:20Z")
    for path in filled.path.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (1e9, 1e9))
    other = filled.path.parent / "elsewhere" / filled.name
    shutil.copytree(filled.path, other, symlinks=True)
    export(SessionRecord(other), {}, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    manifest = json.loads(read(tmp_path / "a.zip")[MANIFEST_NAME])
    assert manifest["changed"] == filled.lines[-1].utc


def test_a_half_line_and_a_lost_result_are_not_sent_on(filled: SessionRecord, tmp_path: Path) -> None:
    with (filled.path / LOG_NAME).open("a") as file:
        file.write('{"seq": 3, "do')
    export(filled, {}, tmp_path / "a.zip")
    assert read(tmp_path / "a.zip")[LOG_NAME].endswith(b"}\n")
    (filled.path / filled.lines[0].artifact / "result.json").unlink()
    with pytest.raises(InputFileError, match="the result of line 1"):
        export(filled, {}, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_a_place_that_is_taken_is_not_written_over(filled: SessionRecord, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        export(filled, {}, tmp_path / "there")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["mine"]


def test_a_name_that_is_taken_is_refused(archive: Path, sessions: Path) -> None:
    before = content(sessions / "s")
    with pytest.raises(UsageError, match="'s' exists already"):
        bring_in(archive, sessions)
    assert content(sessions / "s") == before


@pytest.mark.parametrize("name", ["sent.zip", "sent"])
def test_a_full_disk_leaves_nothing(filled: SessionRecord, archive: Path, name: str) -> None:
    with tiny.small_disk("24k") as disk:
        tiny.fill(disk)
        with pytest.raises(StorageError, match="the disk is full"):
            export(filled, {}, disk / name)
        with pytest.raises(WorkbenchError, match=r"has room for 0|the disk is full"):
            bring_in(archive, disk)
        assert [path.name for path in disk.iterdir()] == ["filler"]


def test_a_disk_that_cannot_be_written_is_named(filled: SessionRecord, archive: Path) -> None:
    with tiny.small_disk("256k") as disk:
        tiny.read_only(disk)
        for name in ("sent.zip", "sent"):
            with pytest.raises(StorageError, match=r"(?i)read-only"):
                export(filled, {}, disk / name)
        with pytest.raises(StorageError, match=r"(?i)read-only"):
            bring_in(archive, disk)
