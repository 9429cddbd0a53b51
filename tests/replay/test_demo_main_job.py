"""The main job on the embedded model finds what was planted, and nothing where nothing was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands.handlers import handler_of
from commands.line import parse_line
from workbench import demo
from workbench.run import Runner

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Shop:
    """A session on the demo model, worked in process."""

    def __init__(self, folder: Path) -> None:
        self.runner = Runner(handler_of, folder, "a test")

    def do(self, line: str) -> dict[str, Any]:
        return self.runner.do(parse_line(line), "job")

    def result(self, line: str) -> dict[str, Any]:
        result: dict[str, Any] = self.do(line)["result"]
        return result


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        work = Shop(tmp_path_factory.mktemp("sessions"))
        work.runner.do(parse_line("session.new job"), None)
        for line in ("model.load demo", "sae.load demo", "index.build tokens=40000"):
            work.do(line)
        yield work


@pytest.fixture(scope="module")
def planted() -> dict[str, Any]:
    """What the model card measured of the two outcomes, with code of its own."""
    manifest = json.loads((demo.HERE / "manifest.json").read_text())
    found: dict[str, Any] = manifest["measured"]["contrast"]
    return found


def test_the_planted_latents_lead_the_ranking(shop: Shop, planted: dict[str, Any]) -> None:
    result = shop.result("features.contrast achievement")
    assert result["discoveries"] > 0
    assert result["null_discoveries"] == 0
    rows = result["rows"]
    top = {row["index"]: row for row in rows[:20]}
    for outcome in ("achievement", "failure"):
        row = top[planted[outcome][0]]
        assert row["q"] < 0.05
        assert (row["score"] > 0) == (outcome == "achievement")
    scores = [abs(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert all(row["status"] == "ok" for row in rows)


def test_nothing_is_found_between_lists_of_one_distribution(shop: Shop) -> None:
    found = [shop.result(f"features.contrast null seed={seed}")["discoveries"] for seed in range(20)]
    assert sum(count > 0 for count in found) <= 3


def test_steering_the_top_latent_moves_the_planted_words(shop: Shop) -> None:
    rows = shop.result("features.contrast achievement")["rows"]
    top = next(row["index"] for row in rows if row["score"] > 0)
    result = shop.result(f"steer.clamp {top} stimuli=achievement")
    assert result["raised"] > 0.2
    assert result["lowered"] < -0.2
    assert abs(result["raised"]) > 3 * abs(result["control"]["raised"])
    assert result["fired"] > 0
    raised = [item["raised"] for item in result["dose"]]
    assert raised[0] == 0.0
    assert raised[1] > 0


def test_strength_zero_changes_no_bit(shop: Shop) -> None:
    result = shop.result("steer.clamp 0 stimuli=achievement strength=0 value=3")
    assert all(prompt["identical"] and prompt["max_logit_change"] == 0.0 for prompt in result["prompts"])
    assert result["fired"] == len(result["prompts"])


def test_labels_name_what_the_features_fire_on(shop: Shop) -> None:
    """A weekday latent, found by contrast alone, is labelled with days."""
    rows = shop.result("features.contrast weekdays positive=Monday pool=max statistic=mann_whitney")["rows"]
    top = next(row["index"] for row in rows if row["score"] > 0)
    label = shop.result(f"labels.suggest {top}")["labels"][0]
    assert "Monday" in label["text"]
    shown = shop.result(f"features.show {top}")
    assert shown["label"]["source"] == "offline"
    assert shown["corpus"]["examples"]
    assert shown["logits"]["top"]
    strongest = shown["stimuli"]["lines"][0]
    assert "Monday" in "".join(strongest["tokens"])
    assert shown["missing"] == []


def test_a_repeated_command_takes_the_stored_result_and_says_so(shop: Shop) -> None:
    first = shop.do("features.contrast achievement permutations=200")
    again = shop.do("features.contrast achievement permutations=200")
    assert first["reused"] is None
    assert again["reused"] == first["seq"]
    assert again["result"] == first["result"]
