"""Kills at seeded moments: whatever a front end was told is in the log, nothing is half there, and work goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.kills import run, toy_campaign, workbench_campaign
from tests.engine.conftest import Place
from tests.session.conftest import Put, storing
from workbench.session import Session, catalog


@pytest.mark.slow
def test_fifty_kills_lose_nothing(own: Place) -> None:
    report = run(toy_campaign(own.sessions), rounds=50, seed=11, span=0.2)
    assert report["faults"] == []
    row = report["rows"][0]
    assert sum(row["kills"].values()) == 50
    assert min(row["kills"][who] for who in ("app", "broker", "write")) > 5
    assert row["kills"]["child"] > 2
    assert row["commands_interrupted"] > 15
    assert row["torn_log_lines"] > 0, "no kill fell into a log line"


@pytest.mark.slow
def test_three_kills_of_the_real_engine_lose_nothing(own: Place) -> None:
    report = run(workbench_campaign(own.sessions), rounds=3, seed=1, span=0.5, kind="workbench")
    assert report["faults"] == []
    assert sum(report["rows"][0]["kills"].values()) == 3


def test_a_run_goes_on_from_its_checkpoint(own: Place, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = toy_campaign(own.sessions)
    run(first, rounds=2, seed=3, span=0.05, checkpoint=state)
    again = toy_campaign(own.sessions)
    report = run(again, rounds=3, seed=3, span=0.05, checkpoint=state)
    assert sum(report["rows"][0]["kills"].values()) == 3
    assert len(again.recoveries) == 3
    assert again.replies > first.replies
    assert report["faults"] == []


@pytest.mark.parametrize("loss", ["line", "artifact", "view"])
def test_a_loss_is_noticed(tmp_path: Path, loss: str) -> None:
    """The check itself: what it would say if something were lost."""
    campaign: Any = toy_campaign(tmp_path)
    campaign.name = "s"
    with Session(catalog.create("s", tmp_path), "a test") as session:
        lines = [session.do(Put(value=number), storing()).line for number in (1, 2)]
        session.save_view({"screen": "log"})
    campaign.acknowledged = {line.seq: (line.do, line.artifact) for line in lines}
    campaign._check_whole()
    assert campaign.faults == []
    if loss == "line":
        log = tmp_path / "s" / "log.jsonl"
        log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    elif loss == "artifact":
        (tmp_path / "s" / lines[0].artifact / "result.json").write_text("{")
    else:
        (tmp_path / "s" / "view.json").write_text('{"screen')
    campaign._check_whole()
    assert len(campaign.faults) == 1
