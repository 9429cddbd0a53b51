"""A tmux server of its own with one window of a given size, driven by keys and read as text."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable

import pytest
from rich.cells import cell_len


def need_tmux() -> None:
    """Skip where there is no tmux, unless everything is required."""
    if shutil.which("tmux") is None:
        if os.environ.get("WORKBENCH_REQUIRE_ALL") == "1":
            pytest.fail("tmux is missing and WORKBENCH_REQUIRE_ALL=1")
        pytest.skip("tmux is not installed")


class Window:
    """One program in a tmux window."""

    def __init__(self, command: str, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._socket = f"wb-{uuid.uuid4().hex[:8]}"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), command,
                   ";", "set", "-g", "status", "off", ";", "set", "-sg", "escape-time", "10")  # fmt: skip

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-L", self._socket, *words], capture_output=True, text=True, check=False)
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self._tmux("send-keys", "-l", text)

    def text(self) -> str:
        """What stands in the window."""
        return self._tmux("capture-pane", "-p")

    def set(self, option: str, value: str) -> None:
        """Set an option of the server."""
        self._tmux("set", "-s", option, value)

    def buffer(self) -> str:
        """What tmux would paste."""
        return self._tmux("show-buffer")

    def pid(self) -> int:
        """The program's process."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def wait(self, *facts: str, seconds: float = 30.0) -> str:
        """The text of the window once all facts stand in it."""
        return self.wait_for(lambda text: all(fact in text for fact in facts), f"all of {facts}", seconds)

    def wait_for(self, holds: Callable[[str], bool], what: str, seconds: float = 30.0) -> str:
        """The text of the window once it `holds`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.text()
            if holds(text):
                return text
            time.sleep(0.1)
        raise AssertionError(f"{what} did not appear within {seconds} s in\n{self.text()}")

    def assert_fits(self) -> None:
        """Every line fits, and none scrolled away."""
        lines = self.text().rstrip("\n").split("\n")
        assert len(lines) <= self.height
        assert all(cell_len(line) <= self.width for line in lines)
        assert lines[0].startswith("1 Home"), "the tabs scrolled away"

    def close(self) -> None:
        """End the server and the program in it."""
        self._tmux("kill-server")
