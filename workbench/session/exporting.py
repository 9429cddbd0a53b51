"""A session for a colleague: one archive or folder with a manifest that says the size and digest of every file.

What the pages show of a corpus comes along in `stores`, laid out as in `WORKBENCH_HOME`, so that the session can be
looked at where neither the model nor the index is. One session gives one archive: nothing in it says when, where or by
whom it was exported, so that two copies are told to be the same by their bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from workbench import __version__
from workbench.errors import UsageError, storage_error
from workbench.files import replacing
from workbench.session.layout import INPUTS, LOG_NAME, MANIFEST_NAME, META_NAME, NOTES_NAME, STORES, VIEW_NAME
from workbench.session.record import SessionRecord

Tick = Callable[[int, int, str], None]
FORM = 1
"""The form of an export; raised when an older workbench could not read it."""
BLOCK = 1024 * 1024
ENDING = ".zip"


class Sink(Protocol):
    """Where an export goes, file by file."""

    def write(self, name: str, source: Path | bytes) -> tuple[int, str]:
        """Put a file there; says its size and its digest."""


def export(record: SessionRecord, stores: Mapping[str, Path], out: Path, tick: Tick | None = None) -> dict[str, int]:
    """Write a session to an archive (`.zip`) or a new folder.

    Args:
        record: the session.
        stores: folders that come along, by their place in `stores`, such as `index/KEY`.
        out: the file or folder.
        tick: called with (done, total, text) before each file; what it raises ends the export, and nothing is left.

    Returns:
        How many `files` and `bytes` it has.

    Raises:
        UsageError: the folder is there and is not empty.
        InputFileError: a result is missing or damaged.
        StorageError: the disk is full or the place cannot be written; nothing is left there.
    """
    with _archive(out, record.name) if out.suffix.lower() == ENDING else _folder(out) as sink:
        files, total = {}, 0
        content = list(_content(record, stores))
        for number, (name, source) in enumerate(content):
            if tick is not None:
                tick(number, len(content), f"writing file ({total // 10**6:,} MB so far)")
            size, digest = sink.write(name, source)
            files[name] = {"bytes": size, "sha256": digest}
            total += size
        manifest = {
            "form": FORM,
            "session": record.name,
            "title": record.title,
            "version": __version__,
            "changed": max([record.created, *(line.utc for line in record.lines[-1:])]),  # not when it was exported
            "files": files,
        }
        sink.write(MANIFEST_NAME, json.dumps(manifest, indent=1).encode() + b"\n")
    return {"files": len(files), "bytes": total}


def _content(record: SessionRecord, stores: Mapping[str, Path]) -> Iterator[tuple[str, Path | bytes]]:
    meta = {name: value for name, value in record.meta.items() if name != "example"}
    yield META_NAME, json.dumps(meta, indent=1).encode() + b"\n"
    raw = (record.path / LOG_NAME).read_bytes() if (record.path / LOG_NAME).exists() else b""
    yield LOG_NAME, raw[: raw.rfind(b"\n") + 1]
    for name in (NOTES_NAME, VIEW_NAME):
        if (record.path / name).is_file():
            yield name, record.path / name
    for artifact in sorted({line.artifact for line in record.lines if line.artifact}):
        line = next(line for line in record.lines if line.artifact == artifact)
        record.artifact(line)  # a result that cannot be read is said here, not where it arrives
        yield from _files(record.artifact_path(line), artifact)
    yield from _files(record.path / INPUTS, INPUTS)
    yield from _files(record.path / STORES, STORES)
    for place, folder in stores.items():
        if not (record.path / STORES / place).is_dir():
            yield from _files(folder, f"{STORES}/{place}")


def _files(folder: Path, place: str) -> Iterator[tuple[str, Path]]:
    """The plain files below a folder; links and hidden files stay behind."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not hidden:
            yield f"{place}/{path.relative_to(folder).as_posix()}", path


def _copy(source: Path | bytes, target: BinaryIO) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    for block in _blocks(source):
        target.write(block)
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()


def _blocks(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


class _ZipSink:
    def __init__(self, archive: zipfile.ZipFile, top: str) -> None:
        self._archive = archive
        self._top = top

    def write(self, name: str, source: Path | bytes) -> tuple[int, str]:
        info = zipfile.ZipInfo(f"{self._top}/{name}", date_time=(1980, 1, 1, 0, 0, 0))  # one content, one archive
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        with self._archive.open(info, "w", force_zip64=True) as target:
            return _copy(source, target)  # type: ignore[arg-type]


class _FolderSink:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, source: Path | bytes) -> tuple[int, str]:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            return _copy(source, target)


@contextmanager
def _archive(out: Path, top: str) -> Iterator[Sink]:
    with replacing(out) as file, zipfile.ZipFile(file, "w") as archive:
        yield _ZipSink(archive, top)


@contextmanager
def _folder(out: Path) -> Iterator[Sink]:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already", f"Name a new folder, or a file that ends in {ENDING}.")
    building = out.with_name(f".{out.name}.exporting")
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        yield _FolderSink(building)
        if out.exists():
            out.rmdir()
        building.rename(out)
    except OSError as error:
        raise storage_error(out, error) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
