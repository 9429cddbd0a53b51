"""A process that kills itself in the middle of its n-th write: at a seeded point, not when a timer happens to fire.

`WORKBENCH_TEST_DIES_AT` is a number of steps, or `line` and a number of log lines.

A point is a step that changes the disk: a folder made, a file put in place, a line appended, a wait until it is there.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.session import session as writer

VARIABLE = "WORKBENCH_TEST_DIES_AT"


class Dying:
    """Counts the steps, and dies at one: before it on even numbers, after it on odd ones."""

    def __init__(self, at: int) -> None:
        self._left = at
        self._turn = threading.Lock()
        self._before = at % 2 == 0

    def _is_last(self) -> bool:
        """Whether this is the step to die at; sessions are written from several threads."""
        with self._turn:
            self._left -= 1
            return self._left == 0

    def step(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same step, counted."""

        def counted(*words: Any, **names: Any) -> Any:
            last = self._is_last()
            if last and self._before:
                die()
            try:
                return act(*words, **names)
            finally:  # a step that fails, such as making a folder that is there, is one too
                if last:
                    die()

        return counted

    def line(self, append: Callable[[Path, str], None]) -> Callable[[Path, str], None]:
        """The log's line, of which only a part is written when the time has come."""

        def torn(path: Path, line: str) -> None:
            if self._is_last():
                raw = line.encode("utf-8", "surrogatepass") + b"\n"
                with path.open("ab", buffering=0) as file:
                    file.write(raw[: len(raw) * (1 + self._before) // 3])
                die()
            append(path, line)

        return torn


def die() -> None:
    """End as a power cut ends it."""
    os.kill(os.getpid(), signal.SIGKILL)


def install() -> None:
    """Count from now on, if the environment says when to die."""
    kind, _, number = os.environ.get(VARIABLE, "").rpartition(" ")
    if not number:
        return
    dying = Dying(int(number))
    writer.append_line = dying.line(writer.append_line)
    if kind == "line":
        return
    for name in ("fsync", "replace", "rename", "mkdir"):
        setattr(os, name, dying.step(getattr(os, name)))
