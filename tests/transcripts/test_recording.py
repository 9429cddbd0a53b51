"""The transcripts the screens are tested on still have the shape of what the real engine answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.screens.stage import TRANSCRIPT
from workbench.engine.fake import load_transcript, shape

pytestmark = pytest.mark.slow


def _shapes(exchanges: list[dict[str, Any]]) -> dict[str, Any]:
    """The shape of the first answer to each verb."""
    found: dict[str, Any] = {}
    for exchange in exchanges:
        if "reply" in exchange:
            found.setdefault(exchange["do"], shape(exchange["reply"]))
    return found


def test_the_real_engine_answers_in_the_recorded_shapes(tmp_path: Path, torch_loaded: None) -> None:
    from tests.transcripts.record_demo import record

    recorded, real = _shapes(load_transcript(TRANSCRIPT)), _shapes(asyncio.run(record(tmp_path)))
    assert recorded.keys() == real.keys()
    for verb, expected in real.items():
        assert recorded[verb] == expected, f"{verb} answers in another shape: python -m tests.transcripts.record_demo"


def test_the_selection_recording_has_the_real_shapes(tmp_path: Path, torch_loaded: None) -> None:
    from tests.transcripts.record_selection import record

    recorded = _shapes(load_transcript(TRANSCRIPT.with_name("selection.json")))
    real = _shapes(asyncio.run(record(tmp_path)))
    assert recorded.keys() == real.keys()
    for verb, expected in real.items():
        assert recorded[verb] == expected, f"{verb} answers otherwise: python -m tests.transcripts.record_selection"
