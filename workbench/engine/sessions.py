"""The sessions that the broker has open for writing, each with its lock held."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from workbench import paths
from workbench.session import Session, SessionRecord, catalog

HOLDER = "the workbench engine"


@dataclass
class Held:
    """An open session; `turn` is held while its log is read for writing or written."""

    session: Session
    identity: tuple[int, int]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    torn_told: bool = False

    def take_torn(self) -> bytes:
        """The half line that was cut off the log when the session was opened; told once."""
        torn = b"" if self.torn_told else self.session.torn
        self.torn_told = True
        return torn


def sessions_or_default(sessions: Path | None) -> Path:
    """The folder of sessions that a request means."""
    return (sessions or paths.default_sessions()).resolve()


class OpenSessions:
    """Opens a session on its first change and lets go of it when no job needs it and no one watches it."""

    def __init__(self) -> None:
        self._held: dict[Path, Held] = {}
        self._watched: Counter[Path] = Counter()
        self._opening = asyncio.Lock()
        self._forking = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def paths(self) -> list[Path]:
        """The folders of the open sessions."""
        return sorted(self._held)

    @asynccontextmanager
    async def writing(self, path: Path) -> AsyncIterator[Held]:
        """The session at `path`, open for writing as long as the block lasts.

        Raises:
            SessionLockedError: another process writes it.
            StorageError: the folder cannot be written.
            InputFileError: it is no session, or damaged.
        """
        held = await self._take(path)
        try:
            yield held
        finally:
            held.users -= 1
            self._settle(path, held)

    async def _take(self, path: Path) -> Held:
        async with self._opening:
            held = self._held.get(path)
            if held is not None and held.identity != _identity(path):
                self._drop(path, held)  # the folder was removed or replaced behind our back
                held = None
            if held is None:
                session = await asyncio.to_thread(Session, path, HOLDER)
                held = self._held[path] = Held(session, _identity(path))
            held.users += 1
            return held

    def _settle(self, path: Path, held: Held) -> None:
        if held.users > 0 or (self._watched[path] and self._held.get(path) is held):
            return
        self._drop(path, held)

    def _drop(self, path: Path, held: Held) -> None:
        if self._held.get(path) is held:
            del self._held[path]
        if held.users <= 0:
            held.session.close()

    def watch(self, path: Path | None, before: Path | None) -> None:
        """Note that a client watches `path` now instead of `before`."""
        if path is not None:
            self._watched[path] += 1
        if before is not None:
            self._watched[before] -= 1
            if self._watched[before] <= 0:
                del self._watched[before]
            if (held := self._held.get(before)) is not None:
                self._settle(before, held)

    async def own(self, path: Path, sessions: Path) -> tuple[Path, str]:
        """The session in which a change to `path` is made, and its name if a shipped example was forked.

        Raises:
            StorageError: the copy cannot be written.
        """
        if path in self._held:
            return path, ""
        async with self._forking:
            return await asyncio.to_thread(_own, path, sessions)

    async def is_never_written(self, path: Path) -> bool:
        """Whether the session at `path` is a shipped example, or open for reading only."""
        if path in self._held:
            return False
        record = await asyncio.to_thread(SessionRecord, path)
        return record.is_example or bool(record.opened_from)

    def close(self) -> None:
        """Let go of every session."""
        for held in self._held.values():
            held.session.close()
        self._held.clear()


def _own(path: Path, sessions: Path) -> tuple[Path, str]:
    record = SessionRecord(path)
    if not record.is_example:
        return path, ""
    copy = catalog.working_copy(record, sessions)
    return copy, copy.name


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (-1, -1)
    return (found.st_dev, found.st_ino)
