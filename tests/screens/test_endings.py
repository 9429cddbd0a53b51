"""However it ends, the terminal is left as it was found; and a terminal's own oddities end nothing."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from tests.screens.on_a_pty import Terminal
from tests.screens.stage import play, press, text_of

CHILD = f"{sys.executable} -m tests.screens.on_a_pty 0"
UNDONE = {
    "alternate screen": b"\x1b[?1049l",
    "cursor": b"\x1b[?25h",
    "mouse": b"\x1b[?1000l",
    "every move of the mouse": b"\x1b[?1003l",
    "mouse by decimal numbers": b"\x1b[?1006l",
    "bracketed paste": b"\x1b[?2004l",
    "focus events": b"\x1b[?1004l",
    "line wrap": b"\x1b[?7h",
    "keyboard protocol": b"\x1b[<u",
}
"""What the app turns on, and the sequence that turns it off."""


@pytest.mark.slow
def test_strange_bytes_ctrl_z_without_a_shell_and_sigterm() -> None:
    with Terminal(80, 24) as terminal:
        terminal.read_until(b"example")
        os.write(terminal.file, b"\xff\xfe\x1b[M \xff\xff\xe9")  # another encoding, and a mouse far to the right
        terminal.type("3")
        terminal.read_until(b"discoveries")
        terminal.type("\x1a")  # nobody could say `fg`
        back = terminal.read_until(b"\x1b[?1049h")
        assert b"\x1b[?1049l" in back
        terminal.read_until(b"discoveries")
        assert not terminal.is_sane()
        os.kill(terminal.pid, signal.SIGTERM)
        code, sent = terminal.ends()
        assert code == 128 + signal.SIGTERM
        assert [mode for mode, undo in UNDONE.items() if undo not in sent] == []
        assert terminal.is_sane()


@pytest.mark.slow
def test_nohup_and_a_terminal_that_is_closed(tmp_path: Path) -> None:
    """Standard error goes to a file here: the app is drawn on the terminal all the same."""
    errors = tmp_path / "errors"
    with Terminal(80, 24, program=["/bin/sh", "-c", f"trap '' HUP; exec {CHILD} 2>{errors}"]) as terminal:
        terminal.read_until(b"example")
        os.kill(terminal.pid, signal.SIGHUP)
        terminal.type("3")
        terminal.read_until(b"discoveries")
        terminal.hang_up()
        assert terminal.ends()[0] == 128 + signal.SIGHUP
    assert errors.read_text() == ""


def test_a_click_beside_the_line_leaves_the_keys_and_the_paste_to_it() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "colon", "a")
        await pilot.click(offset=(10, 7))
        await pilot.pause()
        assert app.focused is app.line
        app.post_message(events.Paste("b c"))
        await press(pilot, "d")
        assert app.line.text == "ab cd"

    play(scenario)


def test_a_key_tells_that_somebody_is_here_again() -> None:
    """A terminal may say that it lost the focus, and get keys all the same: tmux sends them to several panes."""

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3")
        app.post_message(events.AppBlur())
        await press(pilot, "j", "j")
        assert "3 of 330" in text_of(app)
        await press(pilot, "colon")
        app.post_message(events.AppBlur())
        await pilot.pause()
        app.post_message(events.Paste("pasted"))
        await pilot.pause()
        assert app.line.text == "pasted"

    play(scenario)
