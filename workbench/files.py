"""Writing files so that a crash leaves either the old content or the new, never half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from workbench.errors import storage_error


def write_atomic(path: Path, data: str | bytes) -> None:
    """Write `data` to `path` through a temporary file in the same folder.

    Raises:
        StorageError: the disk is full or the folder cannot be written; the old file is untouched.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    with replacing(path) as file:
        file.write(raw)


def append_line(path: Path, line: str) -> None:
    """Append one line and wait until it is on the disk; a failed write is cut off again.

    Raises:
        StorageError: the disk is full or the file cannot be written; the file is as it was.
    """
    raw = line.encode("utf-8", "surrogatepass") + b"\n"
    try:
        # unbuffered: a buffer would write the rest of a failed line when it is closed, after the cut
        with path.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                rest = memoryview(raw)
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            except OSError:
                os.truncate(path, before)
                raise
    except OSError as error:
        raise storage_error(path, error) from error


def sync_folder(folder: Path) -> None:
    """Wait until renames inside `folder` are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file to write bit by bit, which takes the place of `path` once the block ends without an error.

    Raises:
        StorageError: the disk is full or the folder cannot be written; what stood at `path` is untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as error:
        raise storage_error(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
