"""The app in a pseudo-terminal, to count what it sends: run as a module it is the child."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

REST = 0.35
"""Seconds without a byte after which the app is at rest."""
ROOT = Path(__file__).resolve().parents[2]
UNSET = frozenset(("NO_COLOR", "COLORTERM", "TMUX", "COLUMNS", "LINES", "EDITOR", "VISUAL"))
TRUE_COLOUR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@dataclass(frozen=True)
class Answer:
    """What a key made the app send, and how long it took from the key to the last byte of it."""

    sent: bytes
    seconds: float

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.sent)


class Terminal:
    """A pseudo-terminal of a given size with the app in it.

    Args:
        width: cells across.
        height: lines.
        rows: with the recorded engine, features in the ranking, where that is more than were recorded.
        environment: what the child's environment says besides; what is in `UNSET` is unset unless it is here.
        program: what to run in place of the app on the recorded engine.
    """

    def __init__(
        self,
        width: int,
        height: int,
        rows: int = 0,
        environment: Mapping[str, str] = TRUE_COLOUR,
        program: Sequence[str] = (),
    ) -> None:
        self.started = time.perf_counter()
        self.ended = False
        words = list(program) or [sys.executable, "-m", "tests.screens.on_a_pty", str(rows)]
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            kept = {name: value for name, value in os.environ.items() if name not in UNSET}
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
            os.execve(words[0], words, kept | dict(environment))  # readline sets COLUMNS behind Python's back
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, timeout: float = 20.0, rest: float = REST) -> bytes:
        """What is sent until the app rests."""
        return self._answer(time.perf_counter(), timeout, rest).sent

    def read_until(self, wanted: bytes, timeout: float = 20.0) -> bytes:
        """What is sent until this is in it.

        Raises:
            AssertionError: it never came.
        """
        found, end = b"", time.perf_counter() + timeout
        while wanted not in found:
            left = end - time.perf_counter()
            assert left > 0 and select.select([self.file], [], [], left)[0], f"no {wanted!r} in {found[-500:]!r}"
            found += os.read(self.file, 65536)
        return found

    def _answer(self, since: float, timeout: float, rest: float) -> Answer:
        found, last, wait = b"", since, timeout
        while time.perf_counter() < since + timeout and select.select([self.file], [], [], wait)[0]:
            try:
                found += os.read(self.file, 65536)
            except OSError:
                break  # the app ended
            last, wait = time.perf_counter(), rest
        return Answer(found, last - since)

    def type(self, keys: str) -> None:
        """Press keys, and wait for nothing."""
        os.write(self.file, keys.encode())

    def answer(self, keys: str, timeout: float = 2.0, rest: float = REST) -> Answer:
        """What the app sends in answer to some keys until it rests."""
        since = time.perf_counter()
        self.type(keys)
        return self._answer(since, timeout, rest)

    def press(self, keys: str) -> int:
        """Bytes sent in answer to some keys."""
        return self.answer(keys).size

    def cpu_seconds(self) -> float:
        """What the child computed so far: tells the app's own cost on a machine that others use too."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Bytes of memory that the child holds (resident set)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

    def ends(self, timeout: float = 10.0) -> tuple[int, bytes]:
        """The exit code of a child that is to end by itself, or less than 0 for a signal; and what it sent last.

        Raises:
            AssertionError: it goes on.
        """
        found, end = b"", time.perf_counter() + timeout
        while not self.ended:
            assert time.perf_counter() < end, f"the child goes on after {found[-500:]!r}"
            found += self.read(timeout=0.1, rest=0.1) if self.file >= 0 else b""
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.ended = bool(pid)
        found += self.read(timeout=0.1, rest=0.1) if self.file >= 0 else b""
        return os.waitstatus_to_exitcode(status), found

    def hang_up(self) -> None:
        """Close the terminal under the child."""
        os.close(self.file)
        self.file = -1

    def is_sane(self) -> bool:
        """Whether lines are edited and echoed, and keys send signals, as a shell expects."""
        flags = termios.tcgetattr(self.file)[3]
        return all(flags & one for one in (termios.ICANON, termios.ECHO, termios.ISIG))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.ended:
            self.type("\x11")
            self.read(timeout=5.0)
        if self.file >= 0:
            self.hang_up()
        if not self.ended:
            os.waitpid(self.pid, 0)


def main(rows: int) -> int:
    """The child: the app, with a ranking of `rows` features where that is more than were recorded."""
    from screens.app import WorkbenchApp

    async def open_engine() -> Any:
        from tests.screens.long_ranking import LongRanking
        from tests.screens.stage import recorded_engine

        return LongRanking(rows) if rows else recorded_engine()

    app = WorkbenchApp(open_engine, "demo")
    app.run()
    return int(app.return_code or 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
