"""A local server that speaks the Messages API, and asking it through the real SDK."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest


class Local:
    """A server process."""

    def __init__(self, options: dict[str, Any]) -> None:
        environment = {**os.environ, "LABEL_SERVER": json.dumps(options)}  # a key is in no process list
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.labels.server"], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{self._process.stdout.readline().strip()}"

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/stats") as reply:
            found: dict[str, Any] = json.load(reply)
            return found

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Local]]:
    """Start a server with these settings, and let the SDK find it."""
    started: list[Local] = []

    def start(**options: Any) -> Local:
        started.append(Local(options))
        monkeypatch.setenv("ANTHROPIC_BASE_URL", started[-1].url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="session")
def tiny_index(tmp_path_factory: pytest.TempPathFactory, tiny_model: Any, tiny_space: Any) -> Any:
    """An index of the tiny SAE on a corpus of a few hundred short documents."""
    from tests.index.conftest import build, documents, make_store

    store = make_store(tmp_path_factory.mktemp("corpus"), tiny_model, documents(400))
    return build(tmp_path_factory.mktemp("index") / "one", tiny_model, tiny_space, store)
