"""The real program in tmux: the main job line by line, then every screen at three sizes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal.tmux import Window, need_tmux

pytestmark = [pytest.mark.tmux, pytest.mark.slow]
PROGRAM = Path(sys.executable).parent / "workbench"
SIZES = ((80, 24), (120, 40), (200, 60))
Open = Callable[..., Window]


@pytest.fixture(scope="module")
def surroundings() -> Iterator[dict[str, str]]:
    """Folders of the tests' own, and an engine of their own that is stopped at the end."""
    need_tmux()
    folder = tempfile.mkdtemp(prefix="wbt-", dir="/tmp")  # short: a socket's path is
    for name in ("s", "r"):
        Path(folder, name).mkdir(mode=0o700)
    found = {f"WORKBENCH_{name}": f"{folder}/{name[0].lower()}" for name in ("SESSIONS", "RUNTIME", "CONFIG")}
    yield found
    subprocess.run([PROGRAM, "engine", "stop"], env=os.environ | found, capture_output=True, check=False, timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def open_app(surroundings: dict[str, str]) -> Iterator[Open]:
    """Opens the app in a window of a given size, on Home unless it is to open `where_left`."""
    windows: list[Window] = []

    def opened(width: int, height: int, where_left: bool = False) -> Window:
        if not where_left:
            Path(surroundings["WORKBENCH_SESSIONS"], "demo", "view.json").unlink(missing_ok=True)
        words = ["exec", "env", *(f"{name}={value}" for name, value in surroundings.items()), str(PROGRAM)]
        window = Window(shlex.join(words), width, height)
        windows.append(window)
        return window

    yield opened
    for window in windows:
        window.close()


LINES = (
    "model.load demo",
    "sae.load demo",
    "features.contrast achievement",
    "index.build demo tokens=20000",
    "labels.suggest",
    "clusters.find",
)


@pytest.fixture(scope="module")
def demo(surroundings: dict[str, str]) -> dict[str, str]:
    """The session `demo`, made on an empty Home by n and the lines of the main job."""
    words = ["exec", "env", *(f"{name}={value}" for name, value in surroundings.items()), str(PROGRAM)]
    window = Window(shlex.join(words), 80, 24)
    try:
        window.wait("What this is (1 of 6)", "connected")  # the tour of a first start
        window.keys("Escape")
        window.wait("achievement", "n new session")
        window.keys("n")
        window.wait("new session:")
        window.type("demo")
        window.keys("Enter")
        window.wait("demo · no model")
        for line in LINES:
            window.keys(":")
            window.wait("session.new")  # the advice: all commands
            window.type(line)
            window.keys("Enter")
            done = re.compile(rf"\d s :{re.escape(line.split()[0])}")
            window.wait_for(lambda text, done=done: bool(done.search(text.split("\n")[22])), f"the end of {line}", 200)
    finally:
        window.close()
    return surroundings


@pytest.mark.parametrize("size", SIZES)
def test_every_screen(demo: dict[str, str], open_app: Open, size: tuple[int, int]) -> None:
    window = open_app(*size)
    window.wait("› demo", "blocks.", "connected", "q quit")
    window.assert_fits()
    window.keys("2")
    window.wait("achievement", "positive: achievement", "1 of 100", "c contrast")
    window.assert_fits()
    window.keys("3")
    text = window.wait("discoveries at q <", "1,000 permutations", "fwer", "› ", "enter feature")
    row = next(line for line in text.split("\n") if line.startswith("› ")).split()
    window.assert_fits()
    window.keys("Enter")
    text = window.wait(f"sae{row[2]}", " q ", "effect", "fires on", "heat ", "promotes", "J K next")
    assert f"q {row[8]}" in text, "Select and Feature disagree on q"
    window.assert_fits()
    window.keys("Tab")
    window.wait("doc ", "heat ")
    window.keys("v")
    window.wait_for(lambda text: any(set(line.split()) <= set("12345678") for line in text.split("\n") if line.strip()),
                    "a line of heat digits")  # fmt: skip
    window.assert_fits()
    window.keys("5")
    window.wait("clusters", "nearest by decoder cosine", "f find")
    window.assert_fits()
    window.keys("6")
    window.wait(":quanta.losses", "? help")
    window.keys("7")
    window.wait("offline", "suggested", "a suggest")
    window.assert_fits()
    window.keys("8")
    window.wait("index.build", "done", "x cancel")
    window.assert_fits()
    window.keys("9")
    window.wait(":model.load demo", ":features.contrast achievement", "y copy the line")
    window.assert_fits()
    window.keys("y")
    window.wait("via tmux")
    window.keys("p")
    window.wait("session.new", "Make a new, empty session")
    window.assert_fits()
    window.keys("/", *"contrast", "Enter")
    window.wait("features.contrast", "Rank all features")
    window.assert_fits()
    window.keys("Escape")
    window.wait("session.new")  # first the filter goes, then the page
    window.keys("Escape")
    window.wait("y copy the line")
    window.keys("?")
    window.wait("What was done", "esc back")
    window.assert_fits()


def test_steering_by_the_line_that_a_key_writes(demo: dict[str, str], open_app: Open) -> None:
    window = open_app(80, 24)
    window.wait("connected", "› ")
    window.keys("3")
    window.wait("enter feature", "›    1")
    window.keys("s")
    window.wait("strength=1")
    window.keys("Enter")
    window.wait("means over prompts", "control", "strength 2.00", seconds=120)
    window.assert_fits()


def test_the_app_and_the_shell_see_each_other(demo: dict[str, str], open_app: Open) -> None:
    window = open_app(80, 24)
    window.wait("connected", "› ")
    window.keys("7")
    window.wait("offline")
    words = [PROGRAM, "--session", "demo", "labels", "set", "1", "said in the shell"]
    subprocess.run(words, env=os.environ | demo, check=True, capture_output=True, timeout=60)
    window.wait("said in the shell")


def test_a_killed_app_opens_where_it_was(demo: dict[str, str], open_app: Open) -> None:
    window = open_app(80, 24)
    window.wait("connected", "› ")
    window.keys("3")
    window.wait("enter feature", "›    1")
    window.keys("j", "j", "Enter")
    text = window.wait("3 of", "in Select", "heat ")
    feature = text.split("\n")[1].split()[0]
    window.keys("Tab")
    window.wait("doc ")
    view = Path(demo["WORKBENCH_SESSIONS"], "demo", "view.json")
    window.wait_for(lambda _: view.exists() and '"pane":"corpus"' in view.read_text(), "the saved view")
    os.kill(window.pid(), signal.SIGKILL)
    again = open_app(80, 24, where_left=True)
    again.wait(f"sae{feature}", "doc ", "connected")
    again.keys("Escape")
    again.wait("›    3", feature)
