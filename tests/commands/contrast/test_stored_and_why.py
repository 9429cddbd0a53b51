"""Stored results shown again, and `features.why` of them without the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commands.line import parse_line
from tests import tiny
from workbench.errors import EngineDied, InputFileError, UsageError
from workbench.session import Session, SessionRecord

pytestmark = pytest.mark.slow


def test_a_stored_result_is_shown_again_as_it_was(wins: Any) -> None:
    made = wins("features.contrast wins permutations=50 top=3")
    found = wins(f"session.result {made['seq']}")["result"]
    assert found["result"] == made["result"]
    assert (found["seq"], found["do"], found["withdrawn"]) == (made["seq"], "features.contrast", False)
    assert found["line"].startswith("features.contrast wins")
    assert found["provenance"]["stimuli"]["name"] == "wins"
    again = wins("features.contrast wins permutations=50 top=3")  # reused: its line has the artifact of the first
    assert wins(f"session.result {again['seq']}")["result"]["result"] == made["result"]
    wins(f"session.undo {made['seq']}")
    assert wins(f"session.result {made['seq']}")["result"]["withdrawn"] is True


def test_a_line_that_failed_or_is_not_there_has_no_result(wins: Any, sessions: Path) -> None:
    with Session(sessions / "s", "a test") as session:
        pending = session.begin(parse_line("clusters.find"))  # type: ignore[arg-type] # a command
        session.fail(pending, EngineDied("the model process ended", "Repeat."))  # type: ignore[arg-type]
        seq = session.lines[-1].seq
    with pytest.raises(UsageError, match="has no result: the model process ended"):
        wins(f"session.result {seq}")
    with pytest.raises(InputFileError, match="no log line 999"):
        wins("session.result 999")


@pytest.mark.parametrize("options", ["", "statistic=mann_whitney", "pool=max", "window=last", "sae=raw"])
def test_why_draws_the_same_p_again_without_the_model(wins: Any, options: str) -> None:
    rows = wins(f"features.contrast wins {options} permutations=100 top=500")["result"]["rows"]
    for row in rows[:: max(1, len(rows) // 6)]:
        found = wins(f"features.why '{row['feature']}'")["result"]
        assert found["null"]["p"] == pytest.approx(row["p"])
        assert found["n"] == {"positive": 9, "rest": 9, "masked": 0, "pairs": None}
        assert sum(found["null"]["counts"]) + found["null"]["infinite"] == found["null"]["draws"] == 100
        assert found["line"].startswith("features.contrast wins")
        assert found["ranking"]["score_name"] == ("z" if options == "statistic=mann_whitney" else "t")


def test_why_of_a_paired_and_of_a_factorial_ranking(pairs: Any, crossed: Any) -> None:
    rows = pairs("features.contrast pairs statistic=paired permutations=100 top=500")["result"]["rows"]
    for row in rows[:3]:
        found = pairs(f"features.why {row['index']}")["result"]
        assert found["null"]["p"] == pytest.approx(row["p"])
        assert found["n"]["pairs"] == 8
    rows = crossed("features.contrast cross factor=animal permutations=100 top=500")["result"]["rows"]
    for row in rows[:3]:
        found = crossed(f"features.why {row['index']}")["result"]
        assert found["null"]["p"] == pytest.approx(row["p"])


def test_why_of_an_undefined_feature_says_why_it_has_no_numbers(wins: Any) -> None:
    result = wins("features.contrast wins permutations=50 top=500")["result"]
    ranked = {row["index"] for row in result["rows"]}
    dead = next(index for index in range(tiny.LATENTS) if index not in ranked)
    found = wins(f"features.why {dead}")["result"]
    assert found["null"] is None
    assert found["test"]["status"] == "constant"


@pytest.mark.parametrize("pool", ["mean", "max", "last"])
def test_why_of_an_old_ranking_pools_its_tokens_again(wins: Any, sessions: Path, pool: str) -> None:
    reply = wins(f"features.contrast wins pool={pool} permutations=100 top=500")
    record = SessionRecord(sessions / "s")
    (record.artifact_path(record.line(reply["seq"])) / "pooled.safetensors").unlink()
    for row in reply["result"]["rows"][:4]:
        assert wins(f"features.why {row['index']}")["result"]["null"]["p"] == pytest.approx(row["p"], abs=0.011)


def test_why_of_an_old_ranking_of_raw_units_says_what_is_missing(wins: Any, sessions: Path) -> None:
    reply = wins("features.contrast wins sae=raw permutations=50")
    record = SessionRecord(sessions / "s")
    (record.artifact_path(record.line(reply["seq"])) / "pooled.safetensors").unlink()
    with pytest.raises(InputFileError, match="kept no pooled activations"):
        wins(f"features.why {reply['result']['rows'][0]['index']}")
