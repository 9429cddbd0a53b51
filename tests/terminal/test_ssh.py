"""The real program over a real ssh server: the shell and the app, cut off and found again."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.sshd import Box, box
from tests.terminal.tmux import Window, need_tmux
from workbench import __version__
from workbench.engine.address import PACKAGE_ROOT

pytestmark = [pytest.mark.tmux, pytest.mark.slow]
PROGRAM = Path(sys.executable).parent / "workbench"


class Far:
    """A workbench at the other end of ssh, with folders of its own."""

    def __init__(self, server: Box, root: Path) -> None:
        self.server, self.root = server, root
        self.there = {
            "WORKBENCH_SESSIONS": f"{root}/s",
            "WORKBENCH_RUNTIME": f"{root}/r",
            "WORKBENCH_HOME": f"{root}/h",
        }
        program = server.program(f"{sys.executable} -m commands.cli", PYTHONPATH=str(PACKAGE_ROOT), **self.there)
        self.host = f"{server.user}:{program}"
        self.here = {"PATH": f"{server.folder}{os.pathsep}{os.environ['PATH']}", "WORKBENCH_SESSIONS": f"{root}/none"}

    def shell(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A shell call over there, from here."""
        call = [PROGRAM, "--host", self.host, *words]
        return subprocess.run(call, env=os.environ | self.here, capture_output=True, text=True, check=True, timeout=90)


@pytest.fixture(scope="module")
def far() -> Iterator[Far]:
    need_tmux()
    root = Path(tempfile.mkdtemp(prefix="wbs-", dir="/tmp"))  # short: a socket's path is
    (root / "r").mkdir(mode=0o700)
    with box() as server:
        found = Far(server, root)
        try:
            yield found
        finally:
            subprocess.run([PROGRAM, "engine", "stop"], env=os.environ | found.there, capture_output=True, check=False)
            shutil.rmtree(root, ignore_errors=True)


def test_the_shell_works_in_a_session_over_there(far: Far) -> None:
    far.shell("session", "new", "afar", "title=On the box")
    far.shell("--session", "afar", "session", "note", "written through ssh")
    shown = far.shell("--session", "afar", "session", "show").stdout
    assert "On the box" in shown
    assert "written through ssh" in shown
    far.shell("session", "note", "in the session changed last")
    assert (far.root / "s" / "afar" / "notes.md").read_text() == "written through ssh\nin the session changed last\n"
    assert not (far.root / "none").exists(), "something was written at this end"


def test_doctor_tells_the_link_and_the_machine_at_its_end(far: Far) -> None:
    found = json.loads(far.shell("doctor", "--json").stdout)["result"]["checks"]
    assert [check["name"] for check in found[:2]] == ["link", "workbench"]
    assert found[0]["found"].startswith(f"to {far.server.user}: workbench {__version__} there, {__version__} here")
    folders = {check["name"]: check["found"] for check in found}
    assert folders["sessions folder"].startswith(f"{far.root}/s,"), "it looked at this end"


def test_the_app_says_that_the_link_is_cut_and_goes_on_when_it_is_back(far: Far) -> None:
    far.shell("session", "new", "looking")
    words = [f"{name}={value}" for name, value in far.here.items()]
    call = ["exec", "env", *words, str(PROGRAM), "--host", far.host, "--session", "looking"]
    window = Window(shlex.join(call), 80, 24)
    try:
        window.wait("› looking", "connected")
        window.keys(":")
        window.wait("session.new")
        window.type("session.note 'before the cut'")
        window.keys("Enter")
        window.wait("s :session.note", "before the cut")
        assert far.server.stop() == 1
        window.wait("box · lost │", "looking", "cannot be reached")
        window.keys(":")
        window.wait("session.new")
        window.type("session.note 'during the cut'")
        window.keys("Enter")
        window.wait("failed :session.note", "cannot be reached", "Connection refused")
        window.assert_fits()
        far.server.start()
        window.wait("the link to", "is back")
        window.keys("Escape", ":")
        window.wait("session.new")
        window.type("session.note 'after the cut'")
        window.keys("Enter")
        window.wait("s :session.note", "after the cut")
        assert (far.root / "s" / "looking" / "notes.md").read_text() == "before the cut\nafter the cut\n"
    finally:
        window.close()
