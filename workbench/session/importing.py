"""A colleague's exported session, checked before a byte of it is unpacked: it is data, from someone one need not trust.

Nothing in it is executed: JSON, safetensors and plain arrays. Every file must be in the manifest with its size and
digest; no path may leave the session; links, special files, passwords, bombs and more than there is room for are
refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.digests import file_digest
from workbench.errors import InputFileError, UsageError, storage_error
from workbench.files import write_atomic
from workbench.session.catalog import check_name, refuse_opened_folder
from workbench.session.exporting import BLOCK, FORM
from workbench.session.layout import (
    ARTIFACTS,
    INPUTS,
    LOG_NAME,
    MANIFEST_NAME,
    META_NAME,
    NOTES_NAME,
    OPENED_NAME,
    RESULT_NAME,
    STORES,
    VIEW_NAME,
)
from workbench.session.record import SessionRecord

MOST_FILES = 20_000
MANIFEST_LIMIT = 16 * 1024 * 1024
RATIO_LIMIT = 200
"""Times that an archive may grow; stored results and arrays grow three to ten times."""
SMALL = 16 * 1024 * 1024
"""Bytes that any archive may grow to."""
READ_WHOLE = (META_NAME, LOG_NAME, NOTES_NAME, VIEW_NAME, RESULT_NAME)
READ_LIMIT = 512 * 1024 * 1024
"""Bytes of what is read whole: many times as much memory is needed then. A log with 65,536 labels has 40 MB."""
PATH_LIMIT = 400
_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError,
    ValueError, OverflowError, IndexError,
)  # fmt: skip
"""What the standard library raises on an archive that is damaged or not one."""
_PLACES = re.compile(
    rf"({META_NAME}|{LOG_NAME}|{NOTES_NAME}|{VIEW_NAME}|({ARTIFACTS}|{INPUTS}|{STORES})(/[A-Za-z0-9_][A-Za-z0-9._-]*)+)"
)
_NOT_OURS = "It is not what `workbench session export` writes: ask for it again."


class _About(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    size: int = Field(alias="bytes", ge=0, lt=2**63)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What an export says of itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    form: int = Field(strict=True, ge=1, le=FORM)
    session: str
    title: str = ""
    files: dict[str, _About] = Field(max_length=MOST_FILES)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(about.size for about in self.files.values())


class _Source(Protocol):
    """An export as files by name, whether it is an archive or a folder."""

    digest: str

    def names(self) -> list[str]:
        """The files there are, the manifest included; raises InputFileError for what cannot be a file of ours."""

    def open(self, name: str) -> IO[bytes]:
        """The bytes of a file."""

    def check_growth(self, size: int) -> None:
        """Refuse to become that many bytes."""


@dataclass(frozen=True)
class Unpacked:
    """A session that was taken out of an export."""

    path: Path
    manifest: Manifest


def bring_in(source: Path, sessions: Path, name: str = "") -> Unpacked:
    """Make an exported session one of the user's own.

    Args:
        source: the archive or folder.
        sessions: the folder of sessions.
        name: what it is called here; its own name when left out.

    Raises:
        UsageError: the name is taken or cannot name a session.
        InputFileError: it is no export, or damaged, or would not stay in its place.
        StorageError: the disk is full or the folder cannot be written; nothing is left there.
    """
    refuse_opened_folder(sessions)
    with _opened(source) as files:
        manifest = _checked(files, source)
        target = sessions / check_name(name or manifest.session)
        if target.exists():
            raise UsageError(
                f"session {target.name!r} exists already", "Choose another name: `session import FILE NAME`."
            )
        _unpack(files, manifest, target, source, {"imported_from": source.name})
    return Unpacked(target, manifest)


def open_beside(source: Path, home: Path) -> Unpacked:
    """Unpack an exported session for reading, in a folder of its own under `home`; one opened before is there already.

    Raises:
        InputFileError: it is no export, or damaged, or would not stay in its place.
        StorageError: the disk is full or the folder cannot be written.
    """
    with _opened(source) as files:
        manifest = _checked(files, source)
        folder = home / "opened" / files.digest[:16]
        target = folder / check_name(manifest.session)
        if not (target / META_NAME).exists():
            _unpack(files, manifest, target, source, {"opened": str(source.absolute())})
        if not (folder / OPENED_NAME).exists():  # also where a crash came between the two
            write_atomic(folder / OPENED_NAME, f"{source.absolute()}\n")
    return Unpacked(target, manifest)


# -- checks, before anything is written ----------------------------------------------------------------------------


def _checked(files: _Source, source: Path) -> Manifest:
    names = files.names()
    if MANIFEST_NAME not in names:
        raise InputFileError(f"{source} has no {MANIFEST_NAME}", _NOT_OURS)
    manifest = _manifest(files, source)
    for name, about in manifest.files.items():
        if len(name) > PATH_LIMIT or not _PLACES.fullmatch(name):
            raise InputFileError(f"{source} holds {name!r:.120}, which is no file of a session", _NOT_OURS)
        if name.rpartition("/")[2] in READ_WHOLE and about.size > READ_LIMIT:
            raise InputFileError(f"{name!r:.120} of {source} is over {READ_LIMIT:,} bytes", _NOT_OURS)
    if odd := set(names) - {MANIFEST_NAME} ^ set(manifest.files):
        what = "is not in its manifest" if (first := min(odd)) in names else "is missing"
        raise InputFileError(f"{first!r:.120} of {source} {what}", _NOT_OURS)
    if META_NAME not in manifest.files or LOG_NAME not in manifest.files:
        raise InputFileError(f"{source} holds no session", _NOT_OURS)
    files.check_growth(manifest.size)
    return manifest


def _manifest(files: _Source, source: Path) -> Manifest:
    with files.open(MANIFEST_NAME) as file:
        raw = file.read(MANIFEST_LIMIT + 1)
    if len(raw) > MANIFEST_LIMIT:
        raise InputFileError(f"the manifest of {source} is over {MANIFEST_LIMIT:,} bytes", _NOT_OURS)
    try:
        data = json.loads(raw)
        form = data["form"] if isinstance(data, dict) else None
        if isinstance(form, int) and form > FORM:
            raise InputFileError(
                f"{source} was exported by a newer workbench (form {form}, this one knows {FORM})",
                "Update the workbench.",
            )
        return Manifest.model_validate(data)
    except (ValueError, KeyError, RecursionError, ValidationError) as error:
        reason = str(error).split("\n")[0]
        raise InputFileError(f"the manifest of {source} is damaged ({reason})", _NOT_OURS) from error


def _unpack(files: _Source, manifest: Manifest, target: Path, source: Path, marks: Mapping[str, str]) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        room = shutil.disk_usage(target.parent).free
        if manifest.size > room:
            raise InputFileError(
                f"the session has {manifest.size:,} bytes, and {target.parent} has room for {room:,}", "Make room."
            )
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".importing-") as name:
            building = Path(name) / target.name
            building.mkdir()
            for place, about in manifest.files.items():
                _take(files, place, about, building / place)
            (building / ARTIFACTS).mkdir(exist_ok=True)
            _mark(building, marks)
            _check_session(building, source)
            building.rename(target)
    except OSError as error:
        raise storage_error(target, error) from error


def _take(files: _Source, place: str, about: _About, path: Path) -> None:
    """Write one file, no further than the manifest says, and compare it with its digest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with _reading():
        source = files.open(place)
    with source, path.open("xb") as target:
        while block := _block(source, min(BLOCK, about.size - size + 1)):
            size += len(block)
            if size > about.size:
                break
            digest.update(block)
            target.write(block)
    if size != about.size or digest.hexdigest() != about.sha256:
        raise InputFileError(f"{place!r} is not what its manifest says (size or digest)", "Ask for the export again.")


def _block(source: IO[bytes], size: int) -> bytes:
    with _reading():
        return source.read(size)


@contextmanager
def _reading() -> Iterator[None]:
    """Tells what cannot be read, as after a seek to nowhere, from what cannot be written: that is a StorageError."""
    try:
        yield
    except OSError as error:
        raise zipfile.BadZipFile(str(error)) from error


def _mark(folder: Path, marks: Mapping[str, str]) -> None:
    path = folder / META_NAME
    try:
        meta = json.loads(path.read_text("utf-8"))
        kept = {name: value for name, value in meta.items() if name not in ("example", "opened", "forked_from")}
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputFileError(f"{META_NAME} of the export is damaged ({error})", _NOT_OURS) from error
    path.write_text(json.dumps({**kept, **marks}, indent=1) + "\n", "utf-8")


def _check_session(folder: Path, source: Path) -> None:
    """Read the log as any reader does: a session that arrives can be opened."""
    try:
        record = SessionRecord(folder)
    except InputFileError as error:  # the folder is gone when this is read
        raise InputFileError(error.message.replace(str(folder), str(source)), error.hint) from error
    for line in record.lines:
        if line.artifact and not (record.artifact_path(line) / RESULT_NAME).is_file():
            raise InputFileError(f"the result of line {line.seq} ({line.do}) is not in the export", _NOT_OURS)


# -- archives and folders ------------------------------------------------------------------------------------------


@contextmanager
def _opened(source: Path) -> Iterator[_Source]:
    what = "archive"
    try:
        if source.is_dir():
            what = "folder"
            yield _Folder(source)
            return
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            with zipfile.ZipFile(file) as archive:
                yield _Archive(archive, source, digest)
    except FileNotFoundError as error:
        raise InputFileError(
            f"there is no file {source}", "Check the path; it is relative to where you are."
        ) from error
    except (OSError, *_DAMAGE) as error:
        raise InputFileError(f"{source} is no {what} that can be read ({error})", _NOT_OURS) from error


class _Archive:
    def __init__(self, archive: zipfile.ZipFile, path: Path, digest: str) -> None:
        self._archive = archive
        self._path = path
        self._by_name: dict[str, zipfile.ZipInfo] = {}
        self.digest = digest

    def names(self) -> list[str]:
        infos = self._archive.infolist()
        if len(infos) > MOST_FILES + 1:
            raise InputFileError(f"{self._path} holds {len(infos):,} files, over {MOST_FILES:,}", _NOT_OURS)
        tops = set()
        for info in infos:
            top, _, name = info.filename.partition("/")
            tops.add(top)
            if info.is_dir():
                continue  # nothing is made of it: folders come with their files
            self._check(info, name)
            self._by_name[name] = info
        if len(tops) > 1:
            raise InputFileError(f"{self._path} holds more than one folder", _NOT_OURS)
        return list(self._by_name)

    def _check(self, info: zipfile.ZipInfo, name: str) -> None:
        mode = info.external_attr >> 16
        reason = ""
        if stat.S_ISLNK(mode) or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
            reason = "a link or a special file"
        elif info.flag_bits & 0x1:
            reason = "protected by a password"
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            reason = "packed in a way that is not read"
        elif name != MANIFEST_NAME and not _PLACES.fullmatch(name):
            reason = "no file of a session"
        elif name in self._by_name:
            reason = "there twice"
        if reason:
            raise InputFileError(f"{info.filename!r:.120} of {self._path} is {reason}", _NOT_OURS)

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(self._by_name[name])

    def check_growth(self, size: int) -> None:
        packed = self._path.stat().st_size
        if size > max(SMALL, RATIO_LIMIT * packed):
            raise InputFileError(
                f"{self._path} has {packed:,} bytes and would become {size:,}: over {RATIO_LIMIT} times as many",
                _NOT_OURS,
            )


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.digest = ""

    def names(self) -> list[str]:
        found = []
        for path in self._path.rglob("*"):
            name = path.relative_to(self._path).as_posix()
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise InputFileError(f"{name!r:.120} of {self._path} is a link or a special file", _NOT_OURS)
            if path.is_file() and not path.name.startswith("."):
                found.append(name)
            if len(found) > MOST_FILES + 1:
                raise InputFileError(f"{self._path} holds over {MOST_FILES:,} files", _NOT_OURS)
        with contextlib.suppress(OSError):  # where there is none, that is said next
            self.digest = file_digest(self._path / MANIFEST_NAME).removeprefix("sha256:")
        return found

    def open(self, name: str) -> IO[bytes]:
        return (self._path / name).open("rb")

    def check_growth(self, size: int) -> None:
        """A folder is as large as it is."""
