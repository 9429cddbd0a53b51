"""The program as users start it, for more than one benchmark: shell calls, the first frame, folders of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHELL = [sys.executable, "-m", "commands.cli"]
ESCAPES = re.compile(
    rb"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[P_^][^\x1b]*\x1b\\|[()][A-Z0-9]|[=>78cM])"
)
FRAME_CHARACTERS = 120
"""Visible characters that make a first frame."""


@contextmanager
def own_folders() -> Iterator[Path]:
    """Folders that are removed at the end, an engine that is stopped then, and bytecode that is kept meanwhile."""
    root = Path(tempfile.mkdtemp(prefix="wb-"))  # short: a socket path has 100 bytes
    for name in ("HOME", "RUNTIME", "SESSIONS", "CONFIG"):
        os.environ[f"WORKBENCH_{name}"] = str(root / name.lower())
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(root / "bytecode")
    try:
        yield root
    finally:
        stop_engine()
        shutil.rmtree(root, ignore_errors=True)


def stop_engine() -> None:
    """Stop the engine, whether there is one or not."""
    subprocess.run([*SHELL, "engine", "stop"], cwd=ROOT, capture_output=True, check=False)


def shell_call(arguments: Sequence[str]) -> tuple[float, float]:
    """Wall and processor seconds of one shell call."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run([*SHELL, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"workbench {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-500:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def first_frame(limit: float = 60.0) -> float:
    """Seconds until the app has drawn its first frame.

    Raises:
        RuntimeError: it drew nothing.
    """
    started = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.execv(sys.executable, SHELL)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    said = b""
    try:
        while time.perf_counter() - started < limit:
            if select.select([terminal], [], [], 0.05)[0]:
                said += os.read(terminal, 65536)
            visible = ESCAPES.sub(b"", said)
            if b"\x1b[?1049h" in said and sum(byte > 32 for byte in visible) >= FRAME_CHARACTERS:
                return time.perf_counter() - started
    except OSError as error:
        raise RuntimeError(f"the app ended before its first frame: {said[-800:]!r}") from error
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    raise RuntimeError(f"no first frame within {limit:g} s: {said[-800:]!r}")
