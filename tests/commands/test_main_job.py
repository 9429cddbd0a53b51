"""The main job on the tiny model, in this process: every number comes through the public verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import tiny

pytestmark = pytest.mark.slow


@pytest.fixture
def ranked(loaded: Any, tmp_path: Path) -> Any:
    path = tiny.write_stimuli(
        tmp_path / "wins.json", steering={"prompts": ["the cat"], "raise": ["won"], "lower": ["lost"]}
    )
    loaded(f"stimuli.import {path}")
    loaded("features.contrast wins permutations=200 top=10")
    return loaded


def test_contrast_ranks_every_feature_once(loaded: Any, tmp_path: Path) -> None:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    result = loaded("features.contrast wins permutations=200 top=500")["result"]
    assert result["tested"] + result["undefined"] == tiny.LATENTS
    assert len(result["rows"]) == result["tested"]
    assert [row["rank"] for row in result["rows"]] == list(range(1, result["tested"] + 1))
    assert result["discoveries"] == sum(row["q"] < 0.05 for row in result["rows"])
    assert result["categories"] == {"positive": len(tiny.GOOD), "rest": len(tiny.BAD)}
