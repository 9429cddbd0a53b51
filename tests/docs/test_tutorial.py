"""The tutorial's commands are typed in their order into a real shell; its quoted outputs are the real ones."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.console import missing, steps

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text("utf-8")
pytestmark = pytest.mark.slow


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of someone who starts: no sessions, no cache, an engine of their own."""
    with tempfile.TemporaryDirectory(prefix="wb-") as home:  # a socket's path has to be short
        mine = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH")}
        sessions = str(tmp_path / "sessions")
        env = {**mine, "WORKBENCH_HOME": home, "WORKBENCH_SESSIONS": sessions, "COLUMNS": "120", "HF_HUB_OFFLINE": "1"}
        yield env
        run("workbench engine stop", tmp_path, env)


def run(command: str, where: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program, *words = shlex.split(command)
    assert program == "workbench", command
    return subprocess.run(
        [sys.executable, "-m", "commands.cli", *words], cwd=where, env=env, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip


def test_a_reader_sees_what_the_page_says(shell: dict[str, str], tmp_path: Path) -> None:
    told = steps(PAGE)
    assert len(told) > 10
    for step in told:
        done = run(step.command, tmp_path, shell)
        assert done.returncode == 0, f"{step.command}\n{done.stderr}"
        assert not (lost := missing(step.quoted, done.stdout)), f"{step.command}\n{lost}\n{done.stdout}"
    assert (tmp_path / "first-look.html").stat().st_size > 100_000
