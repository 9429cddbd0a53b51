"""Kills at random moments: whatever a front end was told is in the log, and work goes on."""

from __future__ import annotations

import pytest

from benchmarks.kills import Campaign, run
from tests.engine import toy
from tests.engine.conftest import BROKER, Place


@pytest.mark.slow
def test_fifty_kills_lose_nothing(own: Place) -> None:
    verbs = [
        lambda generator: toy.Note(text=str(generator.random())),
        lambda generator: toy.Work(steps=generator.randrange(6), seed=generator.randrange(10**9)),
    ]
    report = run(Campaign(BROKER, toy.Status(), verbs, own.sessions), rounds=50, seed=11, span=0.4)
    assert report["faults"] == []
    assert report["rows"][0]["kills"]["broker"] > 5
    assert report["rows"][0]["kills"]["child"] > 5
    assert report["rows"][0]["commands_interrupted"] > 25
