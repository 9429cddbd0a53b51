"""`y` in a real tmux: the text arrives where the foot says that it went."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.screens.on_a_pty import ROOT
from tests.terminal.tmux import Window, need_tmux

pytestmark = [pytest.mark.tmux, pytest.mark.slow]
LINE = ":features.contrast achievement"
"""The line of the log that is copied."""


@pytest.fixture
def window(request: pytest.FixtureRequest) -> Iterator[Window]:
    """The app on the recorded engine, its log filtered to one line; `env` is given its words."""
    need_tmux()
    app = shlex.join([sys.executable, "-m", "tests.screens.on_a_pty", "0"])
    opened = Window(f"cd {shlex.quote(str(ROOT))} && exec env {request.param} {app}", 120, 30)
    try:
        opened.wait("demo", "connected")
        opened.keys("9")
        opened.wait("y copy the line")
        opened.keys("/", *"contrast", "Enter")
        opened.wait("1 of 1", "matching 'contrast'", LINE)
        yield opened
    finally:
        opened.close()


@pytest.mark.parametrize("window", [""], indirect=True)
def test_tmux_has_the_line_in_its_buffer(window: Window) -> None:
    window.keys("y")
    window.wait("via tmux")
    assert window.buffer() == LINE.removeprefix(":")


@pytest.mark.parametrize("window", ["-u TMUX"], indirect=True)
def test_outside_tmux_the_terminal_is_told(window: Window) -> None:
    """A tmux that takes OSC 52 stands for a terminal that does."""
    window.set("set-clipboard", "on")
    window.keys("y")
    window.wait("via the terminal (OSC 52)")
    window.wait_for(lambda _: window.buffer() == LINE.removeprefix(":"), "the text in the clipboard", 5)


@pytest.mark.parametrize("window", ["-u TMUX TERM=dumb"], indirect=True)
def test_where_neither_is_a_file_has_it(window: Window) -> None:
    window.keys("y")
    shown = window.wait("takes no clipboard text: written to")
    found = re.search(r"written to\s+(\S+workbench-copy-\S+\.txt)", shown)
    assert found, shown
    path = Path(found[1])
    try:
        assert path.read_text("utf-8") == LINE.removeprefix(":")
    finally:
        path.unlink()
