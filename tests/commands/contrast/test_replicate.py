"""`features.replicate`: a ranking once more, with another seed, set, space or layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.commands.contrast.arrays import rows_by_index
from workbench.errors import MismatchError, UnknownNameError, UsageError

pytestmark = pytest.mark.slow


def test_another_seed_holds_everything_and_moves_only_p(wins: Any) -> None:
    wins("features.contrast wins permutations=100")
    result = wins("features.replicate seed=7")["result"]
    assert result["changed"] == ["seed: 0 -> 7"]
    assert result["agreement"]["rank_correlation"] == pytest.approx(1.0)
    assert result["match"]["by"] == "the same features"
    for row in result["rows"]:
        assert row["first"]["effect"] == row["second"]["effect"]


def test_a_second_set_says_what_held(wins: Any, tmp_path: Path) -> None:
    wins("features.contrast wins permutations=200")
    other = {side: [text.replace("the", "a") for text in texts] for side, texts in
             (("good", tiny.GOOD), ("bad", [text.replace("again", "today") for text in tiny.BAD]))}  # fmt: skip
    wins(f"stimuli.import {tiny.write_stimuli(tmp_path / 'other.json', other)}")
    reply = wins("features.replicate other top=500")
    result = reply["result"]
    alone = rows_by_index(wins("features.contrast other permutations=200 top=500")["result"])
    outcomes = [row["outcome"] for row in result["rows"]]
    assert (result["held"], result["gone"], result["not_powered"]) == tuple(
        outcomes.count(name) for name in ("held", "gone", "not powered")
    )
    assert result["lost"] == result["gone"] + result["not_powered"]
    assert len(outcomes) == result["first"]["discoveries"]
    for row in result["rows"]:
        if row["second"]["status"] == "ok":
            again = alone[row["index"]]
            assert row["second"]["q"] == pytest.approx(again["q"])
            same = again["score"] * row["first"]["score"] > 0
            low, high = row["second"]["interval"]
            lost = "not powered" if low <= row["first"]["d"] <= high else "gone"
            assert row["outcome"] == (lost if again["q"] >= 0.05 else "held" if same else "reversed")


def test_the_same_weights_under_another_name_are_matched_one_to_one(
    wins: Any, tiny_files: Path, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(tiny_files / "sae", tmp_path / "copy")
    first = wins("features.contrast wins permutations=100 top=500")["result"]
    result = wins(f"features.replicate sae={tmp_path / 'copy'} top=500")["result"]
    assert result["match"]["correlation"] == pytest.approx(1.0)
    assert result["match"]["cosine"] == pytest.approx(1.0)
    assert result["held"] == first["discoveries"]
    for row in result["rows"]:
        assert row["second"]["index"] == row["index"]


def test_another_layer_is_matched_by_what_its_units_do(wins: Any) -> None:
    wins("features.contrast wins permutations=100")
    result = wins("features.replicate sae=raw site=blocks.2.hook_resid_post")["result"]
    assert result["second"]["space"].endswith("blocks.2.hook_resid_post/raw")
    assert "within each class" in result["match"]["by"]
    assert wins("session.show")["result"]["sae"]["units"] == "latents"  # the session keeps its own features


def test_a_second_set_too_small_to_tell_is_not_called_a_loss(wins: Any, tmp_path: Path) -> None:
    first = wins("features.contrast wins permutations=200")["result"]
    few = {"good": tiny.GOOD[:3], "bad": tiny.BAD[:3]}
    mixed = [*tiny.GOOD, *tiny.BAD]
    wins(f"stimuli.import {tiny.write_stimuli(tmp_path / 'few.json', few)}")
    wins(f"stimuli.import {tiny.write_stimuli(tmp_path / 'mixed.json', {'good': mixed[::2], 'bad': mixed[1::2]})}")
    small = wins("features.replicate few top=500")
    assert first["discoveries"] > 3
    assert small["result"]["not_powered"] >= 3
    assert "not powered: the interval" in " ".join(small["warnings"])
    other = wins("features.replicate mixed top=500")["result"]
    assert other["gone"] > other["not_powered"], "as many sentences, whose classes mean nothing"


def test_a_refusal_lists_the_rankings_that_would_do(crossed: Any) -> None:
    crossed("features.contrast cross permutations=50 design=factorial")
    with pytest.raises(UsageError, match=r"is a factorial ranking.*Make one: `workbench features contrast"):
        crossed("features.replicate seed=1")
    seq = crossed("features.contrast cross permutations=50")["seq"]
    crossed("features.contrast cross permutations=50 design=factorial factor=animal")
    with pytest.raises(UsageError, match=rf"Choose --ranking among these: {seq} \(features.contrast cross\)"):
        crossed("features.replicate seed=1")
    with pytest.raises(UnknownNameError, match=rf"log line 99.*among these: .*{seq} \("):
        crossed("features.replicate seed=1 ranking=99")


def test_a_ranking_of_another_kind_is_named_where_it_does_not_do(wins: Any) -> None:
    seq = wins("features.maxact wins")["seq"]
    with pytest.raises(UsageError, match=rf"rankings of another kind: {seq} \(features.maxact wins\)"):
        wins("features.replicate seed=1")


@pytest.mark.parametrize(
    ("line", "error", "said"),
    [
        ("features.replicate", UsageError, "nothing differs"),
        ("features.replicate nosuch", UnknownNameError, "nosuch"),
        ("features.replicate site=blocks.2.hook_resid_post", UsageError, "Add --sae|for raw units"),
        ("features.replicate seed=1 ranking=99", UnknownNameError, "log line 99"),
    ],
)
def test_a_wrong_replication_is_refused(wins: Any, line: str, error: Any, said: str) -> None:
    wins("features.contrast wins permutations=50")
    with pytest.raises(error, match=said):
        wins(line)


def test_a_replication_needs_the_features_of_the_first(wins: Any) -> None:
    wins("features.contrast wins permutations=50")
    wins("sae.load raw site=blocks.0.hook_resid_post")
    with pytest.raises(MismatchError, match="loaded is"):
        wins("features.replicate seed=1")


def test_raw_units_without_a_site_are_those_of_the_loaded_features_site(wins: Any, tiny_space: Any) -> None:
    wins("features.contrast wins permutations=50")
    found = wins("features.replicate sae=raw")["result"]["second"]["space"]
    assert found.endswith(f"/{tiny_space.site.name}/raw")
