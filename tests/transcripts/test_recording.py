"""The transcripts the screens are tested on still have the shape of what the real engine answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.screens.stage import TRANSCRIPT
from tests.transcripts import record_demo, record_quanta, record_selection
from workbench.engine.fake import load_transcript, shape

pytestmark = pytest.mark.slow


def _shapes(exchanges: list[dict[str, Any]]) -> dict[str, Any]:
    """The shape of the first answer to each verb."""
    found: dict[str, Any] = {}
    for exchange in exchanges:
        if "reply" in exchange:
            found.setdefault(exchange["do"], shape(exchange["reply"]))
    return found


@pytest.mark.parametrize(("transcript", "record", "script"), [
    (TRANSCRIPT, record_demo.record, "record_demo"),
    (TRANSCRIPT.parent / "quanta.json", record_quanta.record, "record_quanta"),
    (TRANSCRIPT.parent / "selection.json", record_selection.record, "record_selection"),
])  # fmt: skip
def test_the_real_engine_answers_in_the_recorded_shapes(
    tmp_path: Path, home: Path, torch_loaded: None, transcript: Path, record: Any, script: str
) -> None:
    recorded, real = _shapes(load_transcript(transcript)), _shapes(asyncio.run(record(tmp_path)))
    assert recorded.keys() == real.keys()
    for verb, expected in real.items():
        assert recorded[verb] == expected, f"{verb} answers in another shape: python -m tests.transcripts.{script}"
