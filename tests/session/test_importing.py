"""What comes from anyone is checked before a byte is unpacked, whether it is taken in or opened for reading."""

from __future__ import annotations

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
from tests.session.archives import DATE, Files, bring_out, manifest_of, read, write
from workbench.errors import InputFileError, UsageError
from workbench.session import SessionRecord, catalog, importing
from workbench.session.importing import bring_in, open_beside
from workbench.session.layout import LOG_NAME, MANIFEST_NAME, META_NAME, OPENED_NAME


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
def test_a_path_that_is_no_file_of_a_session_is_refused(good: Files, tmp_path: Path, refused: Any, path: str) -> None:
    if not path.endswith("/"):  # a folder of an archive is passed over
        refused(write(tmp_path / "evil.zip", {**good, path: b"x"}), "no file of a session|is not in its manifest")
    folder = tmp_path / "evil"
    bring_out(good, folder)
    files = {name: raw for name, raw in good.items() if name != MANIFEST_NAME}
    (folder / MANIFEST_NAME).write_bytes(manifest_of({**files, path: b"x"}))
    refused(folder, "no file of a session")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_special_files_are_refused(good: Files, tmp_path: Path, refused: Any, mode: int) -> None:
    path = write(tmp_path / "evil.zip", good)
    with zipfile.ZipFile(path, "a") as file:
        info = zipfile.ZipInfo("s/inputs/link", DATE)
        info.external_attr = (mode | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    refused(path, "is a link or a special file")


def test_links_in_a_folder_are_refused(good: Files, tmp_path: Path, refused: Any) -> None:
    bring_out(good, tmp_path / "evil")
    notes = tmp_path / "evil" / "notes.md"
    notes.unlink()
    notes.symlink_to("/etc/passwd")
    refused(tmp_path / "evil", "is a link or a special file")


def test_hidden_files_of_a_folder_stay_behind(good: Files, tmp_path: Path, sessions: Path) -> None:
    bring_out({**good, ".DS_Store": b"x"}, tmp_path / "sent")
    assert not (bring_in(tmp_path / "sent", sessions, "new").path / ".DS_Store").exists()


def test_two_files_of_one_name_are_refused(good: Files, tmp_path: Path, refused: Any) -> None:
    path = write(tmp_path / "evil.zip", good)
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr(zipfile.ZipInfo("s/notes.md", DATE), good["notes.md"])
    refused(path, "is there twice")


def test_an_archive_of_more_than_one_session_is_refused(good: Files, tmp_path: Path, refused: Any) -> None:
    path = write(tmp_path / "evil.zip", good)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(zipfile.ZipInfo("t/artifacts/x", DATE), b"x")
    refused(path, "more than one folder")


def test_a_file_too_many_or_missing_by_the_manifest_is_refused(good: Files, tmp_path: Path, refused: Any) -> None:
    path = write(tmp_path / "more.zip", good)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(zipfile.ZipInfo("s/inputs/more", DATE), b"x")
    refused(path, "'inputs/more' of .* is not in its manifest")
    bring_out(good, tmp_path / "less")
    (tmp_path / "less" / "notes.md").unlink()
    refused(tmp_path / "less", "'notes.md' of .* is missing")


@pytest.mark.parametrize("change", [b"", b"notess\n", b"n\xc3\xb6tes\n" + b"x" * 100_000])
def test_content_that_is_not_what_its_digest_says_is_refused(
    good: Files, tmp_path: Path, refused: Any, change: bytes
) -> None:
    bring_out(good, tmp_path / "evil")
    (tmp_path / "evil" / "notes.md").write_bytes(change)
    refused(tmp_path / "evil", "'notes.md' is not what its manifest says")


def test_one_changed_bit_of_a_number_is_refused(good: Files, tmp_path: Path, refused: Any) -> None:
    bring_out(good, tmp_path / "evil")
    arrays = next((tmp_path / "evil").rglob("*.safetensors"))
    content = bytearray(arrays.read_bytes())
    content[-1] ^= 1
    arrays.write_bytes(content)
    refused(tmp_path / "evil", "is not what its manifest says")


def test_a_bomb_by_its_manifest_is_refused(good: Files, tmp_path: Path, refused: Any) -> None:
    refused(write(tmp_path / "bomb.zip", {**good, "inputs/zeros": bytes(64 * 1024 * 1024)}), "over 200 times as many")


def test_a_bomb_whose_manifest_lies_is_unpacked_no_further_than_that_says(
    good: Files, tmp_path: Path, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_a_manifest_without_end_is_refused(good: Files, tmp_path: Path, refused: Any) -> None:
    refused(write(tmp_path / "x.zip", good, title=" " * (importing.MANIFEST_LIMIT + 1)), "the manifest of .* is over")


def test_too_many_files_are_refused(good: Files, tmp_path: Path, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_FILES", 30)
    more = {f"inputs/{number}": b"" for number in range(40)}
    refused(write(tmp_path / "x.zip", {**good, **more}), "files, over 30")
    bring_out({**good, **more}, tmp_path / "x")
    refused(tmp_path / "x", "over 30 files")


def test_more_than_there_is_room_for_is_refused(archive: Path, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_damaged_manifest_is_refused(good: Files, tmp_path: Path, refused: Any, manifest: bytes) -> None:
    bring_out({**good, MANIFEST_NAME: manifest}, tmp_path / "x")
    refused(tmp_path / "x", "the manifest of .* is damaged")


def test_an_export_of_a_newer_version_is_refused(good: Files, tmp_path: Path, refused: Any) -> None:
    refused(write(tmp_path / "x.zip", good, form=2), "exported by a newer workbench .form 2, this one knows 1")


@pytest.mark.parametrize("name", ["../s", "", "a/b", ".hidden", "x" * 65])
def test_a_session_that_names_itself_badly_needs_another_name(
    good: Files, tmp_path: Path, sessions: Path, name: str
) -> None:
    path = write(tmp_path / "x.zip", good, session=name)
    with pytest.raises(UsageError, match="cannot name a session"):
        bring_in(path, sessions)
    assert bring_in(path, sessions, "good").path.name == "good"


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"no archive", b"\x1f\x8b\x08gzip", bytes(3000)])
def test_what_is_no_archive_is_refused(tmp_path: Path, refused: Any, raw: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(raw)
    refused(tmp_path / "x.zip", "is no archive that can be read")


def test_a_file_that_is_not_there_is_named(tmp_path: Path, refused: Any) -> None:
    refused(tmp_path / "none.zip", "there is no file")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", f"has no {MANIFEST_NAME}")


def test_a_log_that_cannot_be_read_or_leads_outside_is_refused(good: Files, tmp_path: Path, refused: Any) -> None:
    log = good[LOG_NAME].replace(b"artifacts/0001", b"../../artifacts/0001")
    refused(write(tmp_path / "x.zip", {**good, LOG_NAME: log}), "outside the session")
    broken = {**good, LOG_NAME: good[LOG_NAME] + b"{broken\n"}
    refused(write(tmp_path / "y.zip", broken), r"line 4 of \S+/y\.zip/log\.jsonl is not a log line")
    newer = good[LOG_NAME].replace(b'{"log": 2}', b'{"log": 9}')
    refused(write(tmp_path / "n.zip", {**good, LOG_NAME: newer}), r"n\.zip/log\.jsonl was written by a newer workbench")
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
def test_numbers_that_are_none_are_refused(good: Files, tmp_path: Path, refused: Any, change: Any, match: str) -> None:
    files = {name: raw for name, raw in good.items() if name != MANIFEST_NAME}
    meta = json.loads(files[META_NAME])
    change(meta, {"files": {}})
    files[META_NAME] = json.dumps(meta).replace('"inf"', "1e999").encode()
    about = json.loads(manifest_of(files))
    change(meta, about)
    bring_out({**files, MANIFEST_NAME: json.dumps(about).encode()}, tmp_path / "x")
    refused(tmp_path / "x", match)


@pytest.mark.parametrize("place", [LOG_NAME, MANIFEST_NAME])
def test_an_entry_that_lies_nowhere_is_refused(archive: Path, tmp_path: Path, refused: Any, place: str) -> None:
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


def test_an_entry_without_a_name_is_refused(archive: Path, tmp_path: Path, refused: Any) -> None:
    raw = bytearray(archive.read_bytes())
    raw[raw.rindex(b"s/" + LOG_NAME.encode())] = 0  # a name ends at its first zero byte
    (tmp_path / "x.zip").write_bytes(raw)
    refused(tmp_path / "x.zip", r"x\.zip is no archive that can be read")


def test_a_folder_that_cannot_be_read_is_refused(
    good: Files, tmp_path: Path, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_folder: object, _name: str) -> io.BytesIO:
        raise PermissionError(13, "Permission denied")

    bring_out(
        {**good, MANIFEST_NAME: manifest_of({k: v for k, v in good.items() if k != MANIFEST_NAME})}, tmp_path / "x"
    )
    monkeypatch.setattr(importing._Folder, "open", fail)
    refused(tmp_path / "x", "is no folder that can be read .*Permission denied")


def test_a_log_that_would_fill_the_memory_is_refused(
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


def test_an_encrypted_or_oddly_packed_archive_is_refused(good: Files, tmp_path: Path, refused: Any) -> None:
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
