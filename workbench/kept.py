"""What was read of files lately: the next question about the same ones need not read them again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The last few things that were read, each as long as its file is the same; nothing that is kept may be changed.

    Args:
        most: how many are kept; the one not asked for longest is let go.
        heaviest: bytes of a file above which it is read each time.
    """

    def __init__(self, most: int, heaviest: int = 256 << 20) -> None:
        self._most, self._heaviest = most, heaviest
        self._found: dict[tuple[object, ...], T] = {}
        self._lock = Lock()  # the engine answers several questions at once

    def get(self, path: Path, read: Callable[[], T], *names: str) -> T:
        """What `read` makes of the file at `path` (and of `names`); whatever it raises is raised each time."""
        try:
            stamp = path.stat()
        except OSError:
            return read()  # which says what is wrong
        if stamp.st_size > self._heaviest:
            return read()
        key = (path, stamp.st_mtime_ns, stamp.st_ino, stamp.st_size, *names)
        with self._lock:
            known = self._found.pop(key, None)
        found = read() if known is None else known
        with self._lock:
            self._found[key] = found  # the latest stands last
            while len(self._found) > self._most:
                del self._found[next(iter(self._found))]
        return found
