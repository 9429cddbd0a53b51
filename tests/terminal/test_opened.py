"""A colleague's session in the real app, where there is no torch and no model: its pages, and what it refuses."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.tmux import Window, need_tmux

pytestmark = [pytest.mark.tmux, pytest.mark.slow]
PROGRAM = Path(sys.executable).parent / "workbench"
HEAVY = ("torch", "transformers", "transformer_lens", "sae_lens")


@pytest.fixture
def bare() -> Iterator[dict[str, str]]:
    """Folders of the test's own, on a machine where no heavy library can be imported."""
    need_tmux()
    root = Path(tempfile.mkdtemp(prefix="wbo-", dir="/tmp"))  # short: a socket's path is
    for name in HEAVY:
        (root / "p" / name).mkdir(parents=True)
        (root / "p" / name / "__init__.py").write_text(f"raise ImportError('{name} is not on this machine')\n")
    (root / "r").mkdir(mode=0o700)
    path = os.pathsep.join(part for part in (str(root / "p"), os.environ.get("PYTHONPATH", "")) if part)
    found = {"WORKBENCH_RUNTIME": f"{root}/r", "WORKBENCH_HOME": f"{root}/h", "WORKBENCH_SESSIONS": f"{root}/s",
             "PYTHONPATH": path}  # fmt: skip
    yield found
    subprocess.run([PROGRAM, "engine", "stop"], env=os.environ | found, capture_output=True, check=False, timeout=60)
    shutil.rmtree(root, ignore_errors=True)


def shell(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *words], env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_colleague_s_session_without_torch(bare: dict[str, str], tmp_path: Path) -> None:
    sent = tmp_path / "sent.zip"
    done = shell(bare, "session", "export", "achievement", str(sent))
    assert done.returncode == 0, done.stderr
    words = ["exec", "env", *(f"{name}={value}" for name, value in bare.items()), str(PROGRAM), "open", str(sent)]
    window = Window(shlex.join(words), 120, 40)
    try:
        window.wait("› achievement", "· to read", "from sent.zip", "gate passed", "connected")
        window.assert_fits()
        window.keys("3")
        text = window.wait("discoveries at q <", "› ", "enter feature")
        row = next(line for line in text.split("\n") if line.startswith("› ")).split()
        window.keys("Enter")
        window.wait(f"sae{row[2]}", "effect", "heat ")
        window.keys("5")
        window.wait("clusters", "cosine")
        window.keys("7")
        window.wait("offline", "suggested")
        window.keys("9")
        window.wait(":model.load demo", ":features.contrast achievement")
        window.assert_fits()
        for line in ("session.note x", "features.activate 'a sentence'"):
            window.keys("Escape", ":")
            window.wait("session.new")
            window.type(line)
            window.keys("Enter")
            window.wait("'achievement' is open for reading", "session import sent.zip")
        window.assert_fits()
    finally:
        window.close()
    status = shell(bare, "engine", "status", "--json")
    assert '"child": null' in status.stdout, "a model process was started"
    assert shell(bare, "session", "import", str(sent), "mine").returncode == 0
    assert "10" in shell(bare, "session", "list").stdout


def test_open_says_what_is_wrong(bare: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_text("no archive")
    told = shell(bare, "open", str(tmp_path / "bad.zip"))
    assert (told.returncode, told.stdout) == (2, "")
    assert "is no archive that can be read" in told.stderr
    told = shell(bare, "--host", "box", "open", str(tmp_path / "bad.zip"))
    assert "Leave out --host" in told.stderr
