"""A session without any model, and the smallest command to put into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.session import Pending, Session, SessionRecord, catalog
from workbench.session.exporting import export
from workbench.session.session import stage_outcome
from workbench.verbs import Command, Outcome


class Put(Command):
    """Set an entry of the state; `reads` what stands under `base`."""

    dotted = "toy.put"
    reads = ("base",)

    name: str = "entry"
    value: int | None = 0
    number: float = 0.5


def storing(**outcome: Any) -> Callable[[Pending], dict[str, Any]]:
    """A `run` for `Session.do` that stores an outcome; `uses` are the lines it says it read."""
    uses = outcome.pop("uses", [])

    def run(pending: Pending) -> dict[str, Any]:
        command = pending.command
        assert isinstance(command, Put)
        told = {"result": {"value": command.value}, "sets": {command.name: command.value}, **outcome}
        return stage_outcome(pending.staging, Outcome(**told), uses)

    return run


@pytest.fixture
def folder(sessions: Path) -> Path:
    return catalog.create("s", sessions)


@pytest.fixture
def session(folder: Path) -> Any:
    with Session(folder, "a test") as opened:
        yield opened


@pytest.fixture
def filled(folder: Path) -> SessionRecord:
    """A session with two results, an array, notes, a view, an uploaded file and some things that stay at home."""
    with Session(folder, "a test") as session:
        line = session.do(Put(value=1, name="grüße"), storing()).line
        session.do(Put(value=2), storing())
        session.save_notes("nötes\n")
        session.save_view({"screen": "log"})
    (folder / line.artifact / "values.safetensors").write_bytes(bytes(range(256)) * 40)
    (folder / "inputs").mkdir()
    (folder / "inputs" / "0123456789ab-words.txt").write_text("words")
    (folder / "inputs" / ".hidden").write_text("stays")
    (folder / "inputs" / "link").symlink_to("/etc/passwd")
    return SessionRecord(folder)


@pytest.fixture
def archive(filled: SessionRecord, tmp_path: Path) -> Path:
    out = tmp_path / "sent.zip"
    export(filled, {}, out)
    return out
