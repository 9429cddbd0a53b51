"""A real engine of toy verbs in a folder of its own, ended after the test whatever happened."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine import toy
from workbench.engine.address import Address, engine_address
from workbench.engine.async_client import AsyncClient
from workbench.engine.client import Client
from workbench.engine.streams import socket_dial
from workbench.errors import EngineUnreachable
from workbench.session import SessionRecord, catalog

BROKER = "tests.engine.toy_broker"
PATIENCE = 90.0
"""Seconds to wait for anything; the machine may be busy with other work."""


def eventually(check: Callable[[], Any], what: str) -> Any:
    """Wait until `check` gives something true, and give that."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie; one may end between two looks, so there is one look."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@dataclass
class Place:
    """A home, a runtime folder and a folder of sessions, and the engine that may run there."""

    root: Path

    @property
    def sessions(self) -> Path:
        return self.root / "sessions"

    @property
    def address(self) -> Address:
        return engine_address()

    def client(self, spawn: bool = True) -> Client:
        return Client(BROKER if spawn else None, self.address)

    def async_client(self) -> AsyncClient:
        return AsyncClient(socket_dial(BROKER, self.address), self.sessions)

    def session(self, name: str) -> Path:
        return catalog.create(name, self.sessions)

    def record(self, name: str) -> SessionRecord:
        return SessionRecord(self.sessions / name)

    def request(self, verb: Any, session: str | None = None, **more: Any) -> dict[str, Any]:
        with self.client() as client:
            return client.request(verb, session=session, sessions=self.sessions, **more)

    def status(self) -> dict[str, Any]:
        result: dict[str, Any] = self.request(toy.Status())["result"]
        return result

    def end(self) -> None:
        """Kill the engine, if one runs; its model process follows."""
        try:
            with self.client(spawn=False) as client:
                pid = int(client.engine["pid"])
                child = client.request(toy.Status())["result"]["child"]
        except EngineUnreachable:
            return
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not alive(pid), "the engine ended")
        if child is not None:
            eventually(lambda: not alive(child["pid"]), "the model process followed")


@contextmanager
def _place(**environment: str) -> Iterator[Place]:
    root = Path(tempfile.mkdtemp(prefix="wb-"))  # short: a socket path has 100 bytes
    place = Place(root)
    place.sessions.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(root / "home"))
        patch.setenv("WORKBENCH_RUNTIME", str(root / "run"))
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            yield place
        finally:
            place.end()
            shutil.rmtree(root)


@pytest.fixture(scope="module")
def shared() -> Iterator[Place]:
    """One engine for the tests of a module that leave it alive."""
    with _place() as place:
        yield place


@pytest.fixture
def own() -> Iterator[Place]:
    """An engine for one test."""
    with _place() as place:
        yield place


@pytest.fixture
def hasty() -> Iterator[Place]:
    """An engine that drops its model process, and itself, after a moment."""
    with _place(WORKBENCH_CHILD_IDLE_SECONDS="0.5", WORKBENCH_IDLE_SECONDS="1.5") as place:
        yield place
