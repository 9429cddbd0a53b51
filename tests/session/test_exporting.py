"""A session goes to a colleague and arrives whole; what comes from anyone is checked before a byte is unpacked."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import tiny
from tests.session.conftest import Put, storing
from workbench.errors import Cancelled, InputFileError, StorageError, UsageError, WorkbenchError
from workbench.session import Session, SessionRecord, catalog, importing
from workbench.session.exporting import export
from workbench.session.importing import bring_in, open_beside
from workbench.session.layout import LOG_NAME, MANIFEST_NAME, META_NAME, OPENED_NAME

Files = dict[str, bytes]
DATE = (1980, 1, 1, 0, 0, 0)


@pytest.fixture
def filled(folder: Path) -> SessionRecord:
    """A session with two results, an array, notes, a view, an uploaded file and some things that stay at home."""
    with Session(folder, "a test") as session:
        line = session.do(Put(value=1, name="grüße"), storing()).line
        session.do(Put(value=2), storing())
        session.save_notes("nötes\n")
        session.save_view({"screen": "log"})
    (folder / line.artifact / "values.safetensors").write_bytes(bytes(range(256)) * 40)
    (folder / "inputs").mkdir()
    (folder / "inputs" / "0123456789ab-words.txt").write_text("words")
    (folder / "inputs" / ".hidden").write_text("stays")
    (folder / "inputs" / "link").symlink_to("/etc/passwd")
    return SessionRecord(folder)


@pytest.fixture
def archive(filled: SessionRecord, tmp_path: Path) -> Path:
    out = tmp_path / "sent.zip"
    export(filled, {}, out)
    return out


def test_an_export_says_how_far_it_is_and_can_be_stopped(filled: SessionRecord, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    files = export(filled, {}, tmp_path / "told.zip", lambda done, total, _text: told.append((done, total)))["files"]
    assert told == [(number, files) for number in range(files)]

    def stop(_done: int, _total: int, _text: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        export(filled, {}, tmp_path / "half.zip", stop)
    assert [path.name for path in tmp_path.glob("*half*")] == []


def content(folder: Path) -> Files:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def read(archive: Path) -> Files:
    with zipfile.ZipFile(archive) as file:
        return {info.filename.partition("/")[2]: file.read(info) for info in file.infolist()}


def manifest_of(files: Files, **more: Any) -> bytes:
    about = {name: {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()} for name, raw in files.items()}
    return json.dumps({"form": 1, "session": "s", "files": about, **more}).encode()


def write(archive: Path, files: Files, top: str = "s/", **manifest: Any) -> Path:
    """An archive of these files with a manifest that fits them."""
    plain = {name: raw for name, raw in files.items() if name != MANIFEST_NAME}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in {**plain, MANIFEST_NAME: manifest_of(plain, **manifest)}.items():
            file.writestr(zipfile.ZipInfo(top + name, DATE), raw, zipfile.ZIP_DEFLATED)
    return archive


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


def test_one_session_gives_one_archive(filled: SessionRecord, tmp_path: Path) -> None:
    export(filled, {}, tmp_path / "a.zip")
    export(filled, {}, tmp_path / "b.zip")
    one, two = read(tmp_path / "a.zip"), read(tmp_path / "b.zip")
    del one[MANIFEST_NAME], two[MANIFEST_NAME]  # it says when
    assert one == two


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


# -- what is not taken in ------------------------------------------------------------------------------------------


@pytest.fixture
def good(archive: Path) -> Files:
    return read(archive)


@pytest.fixture
def refused(tmp_path: Path, home: Path) -> Callable[[Path, str], None]:
    """Expect that neither `import` nor `open` takes an archive, and that nothing is left anywhere."""

    def expect(archive: Path, match: str) -> None:
        before = tiny.snapshot(tmp_path)
        for take in (lambda: bring_in(archive, tmp_path / "sessions", "new"), lambda: open_beside(archive, home)):
            with pytest.raises(InputFileError, match=match) as caught:
                take()
            assert caught.value.hint
        after = tiny.snapshot(tmp_path)
        assert {name for name in after if name not in before and not name.endswith("/")} == set()
        assert {name: after[name] for name in before} == before

    return expect


PATHS = (
    "../evil", "artifacts/../../evil", "/etc/evil", "artifacts//evil", "artifacts/./evil", "artifacts/.evil", ".lock",
    "artifacts\\..\\evil", "C:\\evil", "evil.py", "artifacts/x\ny", "artifacts/",
    "stores/../../x", "inputs", "artifacts", "LOG.JSONL", "artifacts/" + "x" * 500, "artifacts/\u202ex",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_is_no_file_of_a_session(good: Files, tmp_path: Path, refused: Any, path: str) -> None:
    if not path.endswith("/"):  # a folder of an archive is passed over
        refused(write(tmp_path / "evil.zip", {**good, path: b"x"}), "no file of a session|is not in its manifest")
    folder = tmp_path / "evil"
    bring_out(good, folder)
    files = {name: raw for name, raw in good.items() if name != MANIFEST_NAME}
    (folder / MANIFEST_NAME).write_bytes(manifest_of({**files, path: b"x"}))
    refused(folder, "no file of a session")


def bring_out(files: Files, folder: Path) -> None:
    for name, raw in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(raw)


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_special_files(good: Files, tmp_path: Path, refused: Any, mode: int) -> None:
    path = write(tmp_path / "evil.zip", good)
    with zipfile.ZipFile(path, "a") as file:
        info = zipfile.ZipInfo("s/inputs/link", DATE)
        info.external_attr = (mode | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    refused(path, "is a link or a special file")


def test_links_in_a_folder(good: Files, tmp_path: Path, refused: Any) -> None:
    bring_out(good, tmp_path / "evil")
    notes = tmp_path / "evil" / "notes.md"
    notes.unlink()
    notes.symlink_to("/etc/passwd")
    refused(tmp_path / "evil", "is a link or a special file")


def test_hidden_files_of_a_folder_stay_behind(good: Files, tmp_path: Path, sessions: Path) -> None:
    bring_out({**good, ".DS_Store": b"x"}, tmp_path / "sent")
    assert not (bring_in(tmp_path / "sent", sessions, "new").path / ".DS_Store").exists()


def test_two_files_of_one_name(good: Files, tmp_path: Path, refused: Any) -> None:
    path = write(tmp_path / "evil.zip", good)
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr(zipfile.ZipInfo("s/notes.md", DATE), good["notes.md"])
    refused(path, "is there twice")


def test_more_than_one_session(good: Files, tmp_path: Path, refused: Any) -> None:
    path = write(tmp_path / "evil.zip", good)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(zipfile.ZipInfo("t/artifacts/x", DATE), b"x")
    refused(path, "more than one folder")


def test_a_file_that_the_manifest_does_not_name_or_that_is_missing(good: Files, tmp_path: Path, refused: Any) -> None:
    path = write(tmp_path / "more.zip", good)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(zipfile.ZipInfo("s/inputs/more", DATE), b"x")
    refused(path, "'inputs/more' of .* is not in its manifest")
    bring_out(good, tmp_path / "less")
    (tmp_path / "less" / "notes.md").unlink()
    refused(tmp_path / "less", "'notes.md' of .* is missing")


@pytest.mark.parametrize("change", [b"", b"notess\n", b"n\xc3\xb6tes\n" + b"x" * 100_000])
def test_content_that_is_not_what_its_digest_says(good: Files, tmp_path: Path, refused: Any, change: bytes) -> None:
    bring_out(good, tmp_path / "evil")
    (tmp_path / "evil" / "notes.md").write_bytes(change)
    refused(tmp_path / "evil", "'notes.md' is not what its manifest says")


def test_one_changed_bit_of_a_number(good: Files, tmp_path: Path, refused: Any) -> None:
    bring_out(good, tmp_path / "evil")
    arrays = next((tmp_path / "evil").rglob("*.safetensors"))
    content = bytearray(arrays.read_bytes())
    content[-1] ^= 1
    arrays.write_bytes(content)
    refused(tmp_path / "evil", "is not what its manifest says")


def test_a_bomb_by_its_manifest(good: Files, tmp_path: Path, refused: Any) -> None:
    refused(write(tmp_path / "bomb.zip", {**good, "inputs/zeros": bytes(64 * 1024 * 1024)}), "over 200 times as many")


def test_a_bomb_whose_manifest_lies(good: Files, tmp_path: Path, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    files = {name: raw for name, raw in good.items() if name != MANIFEST_NAME}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in {**files, "inputs/zeros": bytes(64 * 1024 * 1024)}.items():
            file.writestr(zipfile.ZipInfo(f"s/{name}", DATE), raw, zipfile.ZIP_DEFLATED)
        file.writestr(f"s/{MANIFEST_NAME}", manifest_of({**files, "inputs/zeros": b"0" * 10}))
    read, took = importing._block, list[int]()

    def counted(source: Any, size: int) -> bytes:
        block = read(source, size)
        took.append(len(block))
        return block

    monkeypatch.setattr(importing, "_block", counted)
    refused(path, "'inputs/zeros' is not what its manifest says")
    assert sum(took) <= 2 * (sum(map(len, files.values())) + 11), "unpacked further than the manifest says"


def test_a_manifest_without_end(good: Files, tmp_path: Path, refused: Any) -> None:
    refused(write(tmp_path / "x.zip", good, title=" " * (importing.MANIFEST_LIMIT + 1)), "the manifest of .* is over")


def test_too_many_files(good: Files, tmp_path: Path, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_FILES", 30)
    more = {f"inputs/{number}": b"" for number in range(40)}
    refused(write(tmp_path / "x.zip", {**good, **more}), "files, over 30")
    bring_out({**good, **more}, tmp_path / "x")
    refused(tmp_path / "x", "over 30 files")


def test_more_than_there_is_room_for(archive: Path, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing.shutil, "disk_usage", lambda _path: _Usage)
    refused(archive, "has room for 10")


class _Usage:
    free = 10


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"{", b"[]", b"3", b"null", b'{"form": 1}', b'{"form": "x", "session": "s", "files": {}}', b"[" * 100_000,
        b'{"form": 1, "session": 3, "files": {}}',
        b'{"form": 1, "session": "s", "files": {"log.jsonl": {"bytes": -1}}}',
        b'{"form": 1, "session": "s", "files": {"log.jsonl": {"bytes": 1, "sha256": "zz"}}}', b"\xff\xfe",
    ],
)  # fmt: skip
def test_a_damaged_manifest(good: Files, tmp_path: Path, refused: Any, manifest: bytes) -> None:
    bring_out({**good, MANIFEST_NAME: manifest}, tmp_path / "x")
    refused(tmp_path / "x", "the manifest of .* is damaged")


def test_an_export_of_a_newer_version(good: Files, tmp_path: Path, refused: Any) -> None:
    refused(write(tmp_path / "x.zip", good, form=2), "exported by a newer workbench .form 2, this one knows 1")


@pytest.mark.parametrize("name", ["../s", "", "a/b", ".hidden", "x" * 65])
def test_a_session_that_names_itself_badly(good: Files, tmp_path: Path, sessions: Path, name: str) -> None:
    path = write(tmp_path / "x.zip", good, session=name)
    with pytest.raises(UsageError, match="cannot name a session"):
        bring_in(path, sessions)
    assert bring_in(path, sessions, "good").path.name == "good"


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"no archive", b"\x1f\x8b\x08gzip", bytes(3000)])
def test_what_is_no_archive(tmp_path: Path, refused: Any, raw: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(raw)
    refused(tmp_path / "x.zip", "is no archive that can be read")


def test_a_file_that_is_not_there(tmp_path: Path, refused: Any) -> None:
    refused(tmp_path / "none.zip", "there is no file")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", f"has no {MANIFEST_NAME}")


def test_a_log_that_cannot_be_read_or_leads_outside(good: Files, tmp_path: Path, refused: Any) -> None:
    log = good[LOG_NAME].replace(b"artifacts/0001", b"../../artifacts/0001")
    refused(write(tmp_path / "x.zip", {**good, LOG_NAME: log}), "outside the session")
    refused(write(tmp_path / "y.zip", {**good, LOG_NAME: good[LOG_NAME] + b"{broken\n"}), "is not a log line")
    refused(write(tmp_path / "z.zip", {**good, LOG_NAME: good[LOG_NAME].replace(b"0001-toy", b"0009-toy")}),
            "the result of line 1 .* is not in the export")  # fmt: skip
    refused(write(tmp_path / "m.zip", {**good, META_NAME: b"[]"}), r"session\.json of the export is damaged")


@pytest.mark.parametrize("artifact", ["artifacts/../../new/artifacts/0001-toy-put", "artifacts", "artifacts/\0x", ""])
def test_an_artifact_has_a_folder_of_its_own_by_a_plain_name(
    good: Files, tmp_path: Path, refused: Any, artifact: str
) -> None:
    """A fork and an export write where the log says: a name that leads out and back in again would lead out there."""
    log = good[LOG_NAME].replace(b'"artifacts/0001-toy-put"', json.dumps(artifact or "artifacts/").encode())
    files = {**good, LOG_NAME: log, "artifacts/result.json": good["artifacts/0001-toy-put/result.json"]}
    refused(write(tmp_path / "x.zip", files), "outside the session")
    bring_out({**files, MANIFEST_NAME: manifest_of({k: raw for k, raw in files.items() if k != MANIFEST_NAME})},
              tmp_path / "x")  # fmt: skip
    refused(tmp_path / "x", "outside the session")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda meta, _about: meta.update(schema="inf"), r"session\.json is damaged"),
        (lambda _meta, about: about.update(form="99"), "the manifest of .* is damaged"),
        (lambda _meta, about: about.update(form=-1), "the manifest of .* is damaged"),
        (lambda _meta, about: [one.update(bytes=int("9" * 4300)) for one in about["files"].values()], "is damaged"),
    ],
)
def test_numbers_that_are_none(good: Files, tmp_path: Path, refused: Any, change: Any, match: str) -> None:
    files = {name: raw for name, raw in good.items() if name != MANIFEST_NAME}
    meta = json.loads(files[META_NAME])
    change(meta, {"files": {}})
    files[META_NAME] = json.dumps(meta).replace('"inf"', "1e999").encode()
    about = json.loads(manifest_of(files))
    change(meta, about)
    bring_out({**files, MANIFEST_NAME: json.dumps(about).encode()}, tmp_path / "x")
    refused(tmp_path / "x", match)


@pytest.mark.parametrize("place", [LOG_NAME, MANIFEST_NAME])
def test_an_entry_that_lies_nowhere(archive: Path, tmp_path: Path, refused: Any, place: str) -> None:
    """A directory of 64 bits may name an offset that no file can be read at."""
    raw = bytearray(archive.read_bytes())
    at = raw.rindex(b"s/" + place.encode()) - 46  # the entry in the directory, whose name follows its fixed part
    end = raw.rindex(b"PK\x05\x06")
    length, extra = struct.unpack("<HH", raw[at + 28 : at + 32])
    (size,) = struct.unpack("<L", raw[end + 12 : end + 16])
    nowhere = struct.pack("<HHQ", 1, 8, 2**63 - 1)
    raw[end + 12 : end + 16] = struct.pack("<L", size + len(nowhere))
    raw[at + 42 : at + 46] = b"\xff" * 4
    raw[at + 30 : at + 32] = struct.pack("<H", extra + len(nowhere))
    raw[at + 46 + length : at + 46 + length] = nowhere
    (tmp_path / "x.zip").write_bytes(raw)
    refused(tmp_path / "x.zip", r"x\.zip is no archive that can be read \(.*Invalid argument")


def test_an_entry_without_a_name(archive: Path, tmp_path: Path, refused: Any) -> None:
    raw = bytearray(archive.read_bytes())
    raw[raw.rindex(b"s/" + LOG_NAME.encode())] = 0  # a name ends at its first zero byte
    (tmp_path / "x.zip").write_bytes(raw)
    refused(tmp_path / "x.zip", r"x\.zip is no archive that can be read")


def test_a_folder_that_cannot_be_read(
    good: Files, tmp_path: Path, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_folder: object, _name: str) -> io.BytesIO:
        raise PermissionError(13, "Permission denied")

    bring_out(
        {**good, MANIFEST_NAME: manifest_of({k: v for k, v in good.items() if k != MANIFEST_NAME})}, tmp_path / "x"
    )
    monkeypatch.setattr(importing._Folder, "open", fail)
    refused(tmp_path / "x", "is no folder that can be read .*Permission denied")


def test_a_log_or_result_that_would_fill_the_memory(
    archive: Path, good: Files, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "READ_LIMIT", len(good[LOG_NAME]) - 1)
    refused(archive, r"'log\.jsonl' of .* is over")


def test_an_import_is_never_an_example_nor_open_for_reading(good: Files, tmp_path: Path, sessions: Path) -> None:
    meta = {**json.loads(good[META_NAME]), "example": True, "opened": "/elsewhere", "forked_from": "x"}
    path = write(tmp_path / "x.zip", {**good, META_NAME: json.dumps(meta).encode()})
    record = SessionRecord(bring_in(path, sessions, "new").path)
    assert not record.is_example
    assert not record.opened_from
    assert "forked_from" not in record.meta


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_archive_is_taken_whole_or_refused(archive: Path, tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed, cut off or put in anywhere: never another error, never a file outside, never half a session."""
    raw = bytearray(archive.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        if data.draw(st.booleans()):
            raw[at] = data.draw(st.integers(0, 255))
        else:
            raw[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(raw)
    target = tmp_path / "in"
    before = {name for name in tiny.snapshot(tmp_path) if not name.startswith("in/")}
    try:
        found = bring_in(damaged, target, "new")
    except (InputFileError, UsageError):
        assert not target.exists() or list(target.iterdir()) == []
    else:
        assert len(SessionRecord(found.path).lines) == 2
        importing.shutil.rmtree(found.path)
    assert {name for name in tiny.snapshot(tmp_path) if not name.startswith("in/")} == before


# -- open for reading ----------------------------------------------------------------------------------------------


def test_an_opened_session_is_unpacked_once_and_never_changed(archive: Path, home: Path) -> None:
    first = open_beside(archive, home).path
    stamp = (first / META_NAME).stat().st_ino
    assert open_beside(archive, home).path == first
    assert (first / META_NAME).stat().st_ino == stamp
    assert SessionRecord(first).opened_from == str(archive)
    (first.parent / OPENED_NAME).unlink()  # as where the program was killed right after the last file
    open_beside(archive, home)
    with pytest.raises(UsageError, match="holds a session that is open for reading"):
        catalog.create("another", first.parent)
    with pytest.raises(UsageError, match="open for reading"):
        catalog.fork(SessionRecord(first), "copy", first.parent)


def test_an_archive_of_one_byte_is_read_in_blocks(good: Files, tmp_path: Path, sessions: Path) -> None:
    """A file at the edge of a block arrives whole."""
    raw = os.urandom(importing.BLOCK)
    files = {**good, "inputs/block": raw, "inputs/more": raw + b"x", "inputs/none": b""}
    found = bring_in(write(tmp_path / "x.zip", files), sessions, "new")
    assert [(found.path / "inputs" / name).stat().st_size for name in ("block", "more", "none")] == [
        importing.BLOCK, importing.BLOCK + 1, 0,
    ]  # fmt: skip


def test_an_encrypted_or_oddly_packed_archive(good: Files, tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "x.zip"
    files = {name: raw for name, raw in good.items() if name != MANIFEST_NAME}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        for name, raw in {**files, MANIFEST_NAME: manifest_of(files)}.items():
            file.writestr(f"s/{name}", raw)
    refused(path, "packed in a way that is not read")
    plain = io.BytesIO(write(tmp_path / "y.zip", good).read_bytes())
    raw = bytearray(plain.getvalue())
    at = raw.rindex(b"PK\x01\x02")
    raw[at + 8] |= 1  # the flag of a password, in the directory's last entry
    (tmp_path / "y.zip").write_bytes(raw)
    refused(tmp_path / "y.zip", "protected by a password")
