"""One writer for a session: an advisory lock that says who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from workbench.errors import SessionLockedError, storage_error
from workbench.session.layout import ALONE

LOCK_NAME = ".lock"


class SessionLock:
    """Holds `.lock` of a session folder until closed; the kernel drops it when the process dies.

    Raises:
        SessionLockedError: another process holds it; the message says which.
        StorageError: the folder cannot be written.
    """

    def __init__(self, folder: Path, holder: str) -> None:
        path = folder / LOCK_NAME
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise storage_error(folder, error) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = _holder(self._handle)
            os.close(self._handle)
            raise SessionLockedError(f"session {folder.name!r} is being written by {who}", _mend(who)) from error
        self._write_holder(path, holder)

    def _write_holder(self, path: Path, holder: str) -> None:
        note = json.dumps({"holder": holder, "pid": os.getpid(), "host": socket.gethostname()})
        try:
            os.truncate(self._handle, 0)
            os.pwrite(self._handle, note.encode(), 0)
        except OSError as error:
            os.close(self._handle)
            raise storage_error(path, error) from error

    def close(self) -> None:
        """Let go of the session; closing twice is harmless."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _mend(who: str) -> str:
    if who.startswith(ALONE):
        return (
            "Repeat when that command has ended; or leave out --no-engine in every shell: one engine takes the "
            "commands of all in turn."
        )
    return (
        "Work through that engine (leave out --no-engine), stop it with `workbench engine stop`, or fork the session."
    )


def _holder(handle: int) -> str:
    try:
        note = json.loads(os.pread(handle, 4096, 0))
        return f"{note['holder']} (pid {note['pid']} on {note['host']})"
    except (ValueError, KeyError, OSError):
        return "another process"
