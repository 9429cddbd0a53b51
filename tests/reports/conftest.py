from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.example import lab_of, write_session
from workbench.reports import write_report
from workbench.session.record import SessionRecord


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def record(tmp_path: Path, home: Path) -> SessionRecord:
    return write_session(tmp_path / "sessions", home)


@pytest.fixture
def hostile(tmp_path: Path, home: Path) -> SessionRecord:
    return write_session(tmp_path / "sessions", home, hostile=True)


@pytest.fixture
def page(record: SessionRecord) -> str:
    return write_report(record, lab_of(record), "html")


@pytest.fixture
def hostile_page(hostile: SessionRecord) -> str:
    return write_report(hostile, lab_of(hostile), "html")
