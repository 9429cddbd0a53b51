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
from pathlib import Path
from types import TracebackType
from typing import Any, Self

REST = 0.35
"""Seconds without a byte after which the app is at rest."""


class Terminal:
    """A pseudo-terminal of a given size with the app on the recorded engine in it."""

    def __init__(self, width: int, height: int, rows: int = 0) -> None:
        self.started = time.perf_counter()
        self.first_frame = 0.0
        self.first_frame_cpu = 0.0
        pid, self.file = pty.fork()
        if pid == 0:
            os.chdir(Path(__file__).parent.parent.parent)
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS=str(width), LINES=str(height))
            os.environ.pop("NO_COLOR", None)
            os.execv(sys.executable, [sys.executable, "-m", "tests.screens.on_a_pty", str(rows)])
        self.pid = pid
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, timeout: float = 20.0, rest: float = REST) -> bytes:
        """What is sent until the app rests."""
        found = b""
        end = time.perf_counter() + timeout
        wait = timeout
        while time.perf_counter() < end and select.select([self.file], [], [], wait)[0]:
            try:
                found += os.read(self.file, 65536)
            except OSError:
                break
            if not self.first_frame and b"Home" in found:
                self.first_frame = time.perf_counter() - self.started
                self.first_frame_cpu = self._cpu_seconds()
            wait = rest
        return found

    def _cpu_seconds(self) -> float:
        """What the child computed so far: tells the app's own cost on a machine that others use too."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def press(self, keys: str) -> int:
        """Bytes sent in answer to some keys."""
        os.write(self.file, keys.encode())
        return len(self.read(timeout=5.0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self.file, b"\x11")
        self.read(timeout=5.0)
        os.close(self.file)
        os.waitpid(self.pid, 0)


def main(rows: int) -> None:
    """The child: the app, with a ranking of `rows` features where that is more than were recorded."""
    from screens.app import WorkbenchApp

    async def open_engine() -> Any:
        from tests.screens.long_ranking import LongRanking
        from tests.screens.stage import recorded_engine

        return LongRanking(rows) if rows else recorded_engine()

    WorkbenchApp(open_engine, "demo").run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
