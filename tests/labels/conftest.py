"""A local server that speaks the Messages API, and asking it through the real SDK."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.labels.budget import Budget, Price
from workbench.labels.prompts import Request, read_label
from workbench.labels.replies import Replies, Reply
from workbench.labels.service import Asking, make_client

PRICE = Price(1.0, 5.0, 0.1, "2026-10", 0.5, 1.25)
SCHEMA = {"type": "object", "properties": {"label": {"type": "string"}}}
CLIENTS: list[Any] = []


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


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No connection outlives its test."""
    yield
    while CLIENTS:
        CLIENTS.pop().close()


def client(timeout: float = 20.0) -> Any:
    """A client of the SDK, closed at the end of the test."""
    CLIENTS.append(make_client(timeout))
    return CLIENTS[-1]


def requests(count: int, url: str = "") -> list[Request]:
    """Requests to which the server's replies are `text with w0`, `text with w1`, ..."""
    return [
        Request(
            "claude-haiku-5-5", "Name it.", f'{{"text": "w{number}", "strong": [["w{number}", 9]]}}', SCHEMA, 100, url
        )
        for number in range(count)
    ]


def quiet(done: int, total: int, text: str) -> None: ...


def asking(home: Path, **options: Any) -> Asking:
    budget = options.pop("budget", None) or Budget(PRICE, 100.0)
    timeout = options.pop("timeout", 20.0)
    return Asking(client(timeout), Replies(home), budget, **{"tick": quiet, **options})


def labels(answers: list[Any]) -> list[str | None]:
    return [read_label(one.text) if isinstance(one, Reply) else None for one in answers]


@pytest.fixture(scope="session")
def tiny_index(tmp_path_factory: pytest.TempPathFactory, tiny_model: Any, tiny_space: Any) -> Any:
    """An index of the tiny SAE on a corpus of a few hundred short documents."""
    from tests.index.conftest import build, documents, make_store

    store = make_store(tmp_path_factory.mktemp("corpus"), tiny_model, documents(400))
    return build(tmp_path_factory.mktemp("index") / "one", tiny_model, tiny_space, store)
