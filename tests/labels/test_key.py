"""The key is in the environment and nowhere else: not in the session, a log, a report, an error, the process list."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.labels.conftest import Local

KEYS = ("sk-ant-api03-first-secret-0001", "sk-ant-api03-second-secret-0002")
pytestmark = pytest.mark.slow


@pytest.fixture
def environment(sessions: Path, home: Path) -> Iterator[dict[str, str]]:
    """What the shell and its engine are started with; the engine is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="wb") as run:  # a socket's path has to be short
        found = {**os.environ, "WORKBENCH_RUNTIME": run, "WORKBENCH_SESSIONS": str(sessions), "WORKBENCH_SESSION": "s"}
        yield found
        subprocess.run([sys.executable, "-m", "commands.cli", "engine", "stop"], env=found, capture_output=True)


def processes() -> Iterator[str]:
    """The command lines of all processes that can be seen."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue  # it ended


def test_the_key_is_found_in_nothing_that_is_written_said_or_listed(
    loaded: Any, serve: Callable[..., Local], environment: dict[str, str], sessions: Path, home: Path, tmp_path: Path
) -> None:
    loaded("index.build tokens=6000 examples=3")
    rows = loaded(f"labels.suggest {' '.join(str(number) for number in range(12))}")["result"]["labels"]
    first, second = [str(row["index"]) for row in rows if row["status"] != "silent"][:2]
    server = serve(key=KEYS[1], faults=[500, "refusal"])
    environment["ANTHROPIC_BASE_URL"] = server.url
    said: list[str] = []

    def shell(*arguments: str, key: str, code: int = 0) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "commands.cli", *arguments],
            env={**environment, "ANTHROPIC_API_KEY": key}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        said.extend((done.stdout, done.stderr, *processes()))
        assert done.returncode == code, f"{arguments}: {done.stderr}"

    asked = ("labels", "suggest", first, second, "--labeller", "anthropic", "--concurrency", "1")
    shell(*asked, key=KEYS[0], code=2)  # refused: the server repeats the key in its own error
    assert "refuses the key" in said[1]
    shell("engine", "stop", key=KEYS[0])
    shell(*asked, key=KEYS[1])
    shell("labels", "score", "--scorer", "anthropic", "--each", "2", "--json", key=KEYS[1])
    shell("engine", "log", key=KEYS[1])
    shell("report", "s", "--format", "html", "--out", str(tmp_path / "report.html"), key=KEYS[1])
    assert server.stats()["answered"] > 2
    written = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(path.suffix == ".html" for path in written)
    assert any("replies" in path.parts for path in written)
    assert any(path.name == "log.jsonl" for path in written)
    for key in KEYS:
        assert not [path for path in written if key.encode() in path.read_bytes()]
        assert not [text for text in said if key in text]
