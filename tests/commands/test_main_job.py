"""The main job on the tiny model, in this process: every number comes through the public verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests import tiny
from workbench.errors import InputFileError, UnknownNameError, UsageError
from workbench.session import SessionRecord

pytestmark = pytest.mark.slow
STEERING = {"prompts": ["the cat", "a bright sun"], "raise": ["won", "prize"], "lower": ["lost"]}


@pytest.fixture
def ranked(loaded: Any, tmp_path: Path) -> Any:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json', steering=STEERING)}")
    loaded("features.contrast wins permutations=200 top=10")
    return loaded


def top_of(do: Any) -> int:
    return int(do("features.list limit=1 direction=positive")["result"]["rows"][0]["index"])


def test_contrast_ranks_every_feature_once(loaded: Any, tmp_path: Path) -> None:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    result = loaded("features.contrast wins permutations=200 top=500")["result"]
    assert result["tested"] + result["undefined"] == tiny.LATENTS
    assert len(result["rows"]) == result["tested"]
    assert [row["rank"] for row in result["rows"]] == list(range(1, result["tested"] + 1))
    assert result["discoveries"] == sum(row["q"] < 0.05 for row in result["rows"])
    assert result["categories"] == {"positive": len(tiny.GOOD), "rest": len(tiny.BAD)}


@pytest.mark.parametrize("pool", ["mean", "max", "last"])
def test_the_effect_is_the_difference_of_the_pooled_activations(
    ranked: Any, pool: str, tiny_model: Any, tiny_space: Any
) -> None:
    pooled = []
    for text in (*tiny.GOOD, *tiny.BAD):
        ids = tiny_model.tokenizer(text)["input_ids"]
        hidden = tiny_model.plain(input_ids=tiny_model.pad([ids])[0], output_hidden_states=True).hidden_states[2]
        acts = tiny_space.encode(hidden)[0, 1:].numpy()  # (tokens, features), BOS out
        pooled.append({"mean": acts.mean(axis=0), "max": acts.max(axis=0), "last": acts[-1]}[pool])
    good, bad = np.array(pooled[: len(tiny.GOOD)]), np.array(pooled[len(tiny.GOOD) :])
    rows = ranked(f"features.contrast wins pool={pool} permutations=50 top=500")["result"]["rows"]
    assert rows
    for row in rows:
        expected = good[:, row["index"]].mean() - bad[:, row["index"]].mean()
        assert row["effect"] == pytest.approx(expected, abs=1e-4)


def test_the_same_call_again_is_said_to_be_reused_and_equal(ranked: Any) -> None:
    again = ranked("features.contrast wins permutations=200 top=10")
    fresh = ranked("features.contrast wins permutations=200 top=10", fresh=True)
    assert again["reused"] is not None
    assert fresh["reused"] is None
    assert again["result"] == fresh["result"]


def test_undefined_features_are_stored_but_never_ranked(ranked: Any, sessions: Path) -> None:
    result = ranked("features.list limit=500")["result"]
    line = SessionRecord(sessions / "s").done("features.contrast")[-1]
    arrays = load_file(sessions / "s" / line.artifact / "ranking.safetensors")
    defined = np.flatnonzero(arrays["status"] == 0)
    assert sorted(row["index"] for row in result["rows"]) == defined.tolist()
    assert all(np.isnan(arrays["p"][arrays["status"] != 0]))
    for index in np.flatnonzero(arrays["status"] != 0)[:1]:
        test = ranked(f"features.show {index}")["result"]["test"]
        assert (test["rank"], test["q"]) == (None, None)
        assert test["status"] != "ok"


def test_a_ranking_is_filtered_by_number_and_label(ranked: Any) -> None:
    rows = ranked("features.list limit=500")["result"]["rows"]
    chosen = rows[3]["index"]
    ranked(f"labels.set {chosen} 'Won a MATCH'")
    by_label = ranked("features.list filter='a match'")["result"]
    assert [(row["index"], row["rank"]) for row in by_label["rows"]] == [(chosen, 4)]
    by_number = ranked("features.list limit=500 filter=#1")["result"]
    assert [row["index"] for row in by_number["rows"]] == [row["index"] for row in rows if "1" in str(row["index"])]
    assert by_number["total"] == len(by_number["rows"]) < len(rows)
    assert ranked("features.list limit=500 filter=#")["result"]["total"] == len(rows)


def test_a_page_of_a_feature_shows_its_sentences(ranked: Any, tiny_model: Any, tiny_space: Any) -> None:
    top = top_of(ranked)
    shown = ranked(f"features.show {top}")["result"]
    assert shown["test"]["index"] == top
    lines = shown["stimuli"]["lines"]
    assert len(lines) == len(tiny.GOOD) + len(tiny.BAD)
    assert {"".join(line["tokens"]) for line in lines} == {*tiny.GOOD, *tiny.BAD}
    text = tiny_model.tokenize("".join(lines[0]["tokens"]))
    (acts,) = tiny_model.read([text], tiny_space.site)
    assert lines[0]["values"] == pytest.approx(tiny_space.encode(acts)[1:, top].tolist(), abs=1e-4)
    assert shown["corpus"] is None
    assert any("index build" in sentence for sentence in shown["missing"])


def test_clamping_with_strength_0_changes_no_bit(ranked: Any) -> None:
    result = ranked(f"steer.clamp {top_of(ranked)} stimuli=wins strength=0")["result"]
    assert [item["prompt"] for item in result["prompts"]] == STEERING["prompts"]
    for item in result["prompts"]:
        assert (item["identical"], item["max_logit_change"], item["kl"]) == (True, 0.0, 0.0)
    assert result["fired"] == len(STEERING["prompts"])
    assert (result["raised"], result["lowered"]) == (0.0, 0.0)


def test_clamping_changes_the_predictions_and_says_by_how_much(ranked: Any) -> None:
    result = ranked(f"steer.clamp {top_of(ranked)} stimuli=wins strength=4 tokens=3")["result"]
    item = result["prompts"][0]
    assert not item["identical"]
    assert item["kl"] > 0
    assert [word["word"] for word in item["words"]] == ["won", "prize", "lost"]
    for word in item["words"]:
        assert np.log(word["after"] / word["before"]) == pytest.approx(word["log_ratio"], abs=1e-6)
    ratios = [word["log_ratio"] for found in result["prompts"] for word in found["words"] if word["group"] == "raise"]
    assert result["raised"] == pytest.approx(np.mean(ratios))
    nothing = {"raised": [0.0] * 3, "lowered": [0.0] * 3, "kl": [0.0] * 3}
    assert result["dose"][0] == {"strength": 0.0, "raised": 0.0, "lowered": 0.0, "kl": 0.0, "control": nothing}
    assert result["control"]["kl"] is not None
    assert isinstance(item["text_after"], str)


def test_a_new_ranking_makes_the_reference_of_a_clamp_another(ranked: Any, tmp_path: Path) -> None:
    top = top_of(ranked)
    ranked(f"steer.clamp {top} prompt='the cat'")
    assert ranked(f"steer.clamp {top} prompt='the cat'")["reused"] is not None
    other = tiny.write_stimuli(tmp_path / "other.json", {"one": ["is is", "in in"], "two": ["of of", "and and"]})
    ranked(f"stimuli.import {other}")
    ranked("features.contrast other permutations=50")
    try:
        assert ranked(f"steer.clamp {top} prompt='the cat'")["reused"] is None
    except UsageError as error:
        assert "never fired" in error.message  # on those sentences it may be silent


def test_loading_another_model_takes_sae_and_index_away(ranked: Any, tiny_files: Path) -> None:
    ranked(f"model.load {tiny_files / 'model'} device=cpu")
    with pytest.raises(UsageError, match="no SAE is loaded"):
        ranked("features.contrast wins")


def test_changed_files_are_noticed_and_a_new_load_mends_it(do: Any, tmp_path: Path) -> None:
    folder, sae = tiny.make_model(tmp_path / "model"), tiny.make_sae(tmp_path / "sae")
    do("session.new s", None)
    first = do(f"model.load {folder}")["result"]["digest"]
    do(f"sae.load {sae}")
    tiny.make_model(folder, seed=5)
    do(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')} to=a")  # the loaded one is still in memory
    second = do(f"model.load {folder}")["result"]["digest"]
    assert first != second
    before = do(f"sae.load {sae}")["result"]["digest"]
    tiny.make_sae(sae, seed=6)
    assert do(f"sae.load {sae}")["result"]["digest"] != before


def test_files_that_changed_since_are_refused_in_a_new_process(do: Any, tmp_path: Path, sessions: Path) -> None:
    from commands.features import FeaturesContrast
    from commands.handlers import handler_of
    from workbench.run import Runner

    folder, sae = tiny.make_model(tmp_path / "model"), tiny.make_sae(tmp_path / "sae")
    do("session.new s", None)
    do(f"model.load {folder}")
    do(f"sae.load {sae}")
    do(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    tiny.make_sae(sae, seed=6)
    with pytest.raises(InputFileError, match="is not the one of this session"):
        Runner(handler_of, sessions).do(FeaturesContrast(stimuli="wins"), "s")
    tiny.make_model(folder, seed=5)
    with pytest.raises(InputFileError, match=r"the model .* is not the one of this session"):
        Runner(handler_of, sessions).do(FeaturesContrast(stimuli="wins"), "s")


def test_undo_takes_the_ranking_back_and_marks_what_used_it(ranked: Any, tmp_path: Path) -> None:
    import_line = next(row["seq"] for row in ranked("session.show")["result"]["log"] if row["do"] == "stimuli.import")
    undone = ranked(f"session.undo {import_line}")
    assert undone["result"]["undone"] == import_line
    log = {row["seq"]: row for row in ranked("session.show")["result"]["log"]}
    assert log[import_line]["withdrawn"]
    assert [row["stale"] for row in log.values() if row["do"] == "features.contrast"] == [True]
    assert ranked("features.list")["result"]["ranking"]["stale"]
    with pytest.raises(UnknownNameError, match="'wins'"):
        ranked("stimuli.show wins")
    ranked(f"session.undo {undone['seq']}")
    assert not ranked("features.list")["result"]["ranking"]["stale"]


def test_replay_computes_the_same_numbers(ranked: Any) -> None:
    ranked(f"steer.clamp {top_of(ranked)} stimuli=wins")
    ranked("features.contrast wins permutations=200 top=10")  # reused
    result = ranked("replay check=true")["result"]
    assert result["equal"]
    assert result["differences"] == []
    assert (result["recomputed"], result["total"]) == (5, 6)
    assert [row["reason"] for row in result["recorded"]] == ["it repeats line 4"]


def test_replay_finds_a_number_that_was_tampered_with(ranked: Any, sessions: Path) -> None:
    line = SessionRecord(sessions / "s").done("features.contrast")[-1]
    stored = sessions / "s" / line.artifact / "result.json"
    effect = SessionRecord(sessions / "s").artifact(line)["result"]["rows"][0]["effect"]
    stored.write_text(stored.read_text().replace(str(effect), str(effect * 1.01)))
    result = ranked("replay")["result"]
    assert not result["equal"]
    assert any("effect" in found["field"] for found in result["differences"])


def test_raw_units_of_a_site_are_features_too(loaded: Any, tmp_path: Path) -> None:
    loaded("sae.load raw site=blocks.2.hook_resid_post")
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    result = loaded("features.contrast wins permutations=50 top=500")["result"]
    assert result["tested"] == tiny.WIDTH
    assert result["rows"][0]["feature"].startswith("model/blocks.2.hook_resid_post/raw#")
    assert loaded("index.build tokens=1000")["result"]["mean_l0"] == tiny.WIDTH


def test_raw_units_can_be_ranked_without_loading_them_first(ranked: Any, tmp_path: Path) -> None:
    loaded = ranked("session.show")["result"]["sae"]
    own = ranked("features.contrast wins sae=raw permutations=50")["result"]
    assert own["space"] == f"model/{loaded['site']}/raw", "the site of the loaded features"
    assert ranked("session.show")["result"]["sae"]["name"] == own["space"], "they are the session's features now"
    neurons = ranked("features.contrast wins sae=raw site=blocks.2.mlp.hook_post permutations=50 top=500")["result"]
    assert neurons["space"] == "model/blocks.2.mlp.hook_post/raw"
    assert neurons["tested"] == len(neurons["rows"]) == 4 * tiny.WIDTH
    first = neurons["rows"][0]
    shown = ranked(f"features.show {first['index']}")["result"]
    assert shown["test"]["score"] == pytest.approx(first["score"])
    ranked("sae.load raw site=blocks.2.mlp.hook_post")
    assert ranked("features.contrast wins permutations=50")["result"]["rows"][0]["score"] == first["score"]


def test_raw_units_without_any_features_are_those_of_the_middle(do: Any, tiny_files: Path, tmp_path: Path) -> None:
    do("session.new s", None)
    do(f"model.load {tiny_files / 'model'} device=cpu")
    do(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    result = do("features.contrast wins sae=raw permutations=50")["result"]
    assert result["space"] == f"model/blocks.{tiny.LAYERS // 2}.hook_resid_post/raw"


def test_a_prompt_is_continued_as_the_plain_model_would(loaded: Any, tiny_model: Any) -> None:
    import torch

    result = loaded("model.generate 'the cat won' tokens=6")["result"]
    ids = list(tiny_model.tokenize("the cat won").ids)
    with torch.no_grad():
        whole = tiny_model.plain.generate(
            torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), max_new_tokens=6, do_sample=False
        )
    new = [token for token in whole[0, len(ids) :].tolist() if token != 0]  # the end of a text is no part of it
    assert result["text"] == tiny_model.tokenizer.decode(new)
    assert "".join(result["tokens"]) == result["text"]
    assert result["ended"] is (len(new) < 6)
    assert result["prompt"] == "the cat won"


def test_sampling_repeats_with_its_seed_and_writes_no_line(loaded: Any) -> None:
    lines = len(loaded("session.show")["result"]["log"])
    drawn = [
        loaded(f"model.generate 'the cat' tokens=12 temperature=2 seed={seed}")["result"]["text"] for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    greedy = loaded("model.generate 'the cat' tokens=12")["result"]["text"]
    assert loaded("model.generate 'the cat' tokens=12 temperature=2 top_k=1 seed=5")["result"]["text"] == greedy
    assert len(loaded("session.show")["result"]["log"]) == lines


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("features.contrast nosuch", "'nosuch'"),
        ("features.contrast wins site=blocks.1.hook_resid_post", "--site blocks.1.hook_resid_post is for raw units"),
        ("features.contrast wins sae=raw site=blocks.1.hook_nosuch", "'blocks.1.hook_nosuch'"),
        ("model.generate ''", "''"),
        ("features.contrast wins positive=godo", "'godo'"),
        ("features.contrast wins against=nosuch", "'nosuch'"),
        ("features.contrast wins against=good", "'good'"),
        ("features.contrast wins window=first width=6", "other sentences have the first 6"),
        ("features.maxact wins window=first width=6", "other sentences have the first 6"),
        ("features.probe wins window=first width=6", "other sentences have the first 6"),
        ("features.show 4000", "'4000'"),
        ("features.show other/space#1", "'other/space#1'"),
        ("features.show many", "'many'"),
        ("features.list ranking=1", "1"),
        ("steer.clamp 3", "prompt"),
        ("steer.clamp 3 prompt='the cat' value=1 raises=' '", "empty"),
        ("steer.clamp -1 prompt='the cat'", "'-1'"),
        ("labels.suggest", "index"),
        ("clusters.list", "clusters"),
        ("session.undo 99", "99"),
        ("model.load ./nosuch", "'./nosuch'"),
        ("sae.load ./nosuch", "'./nosuch'"),
        ("sae.load raw site=blocks.9.hook_resid_post", "'blocks.9.hook_resid_post'"),
    ],
)
def test_a_wrong_request_is_refused_and_leaves_the_session_as_it_was(
    ranked: Any, sessions: Path, line: str, names: str
) -> None:
    before = tiny.snapshot(sessions)
    with pytest.raises(UsageError) as caught:
        ranked(line)
    assert names in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert tiny.snapshot(sessions) == before


@pytest.mark.parametrize("damage", ["gone", "truncated", "empty"])
@pytest.mark.parametrize("name", ["ranking.safetensors", "tokens.safetensors", "sentences.json"])
def test_damaged_results_are_named_with_their_line(ranked: Any, sessions: Path, name: str, damage: str) -> None:
    line = SessionRecord(sessions / "s").done("features.contrast")[-1]
    path = sessions / "s" / line.artifact / name
    content = path.read_bytes()
    path.write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    if damage == "gone":
        path.unlink()
    with pytest.raises(InputFileError, match=f"{name} of log line {line.seq} cannot be read") as caught:
        ranked("features.show 3")
    assert caught.value.hint
    ranked("features.contrast wins permutations=200 top=10", fresh=True)
    assert ranked("features.show 3")["result"]["stimuli"]["total"] == len(tiny.GOOD) + len(tiny.BAD)


def test_raw_units_for_one_ranking_take_nothing_from_the_sae(ranked: Any, tiny_files: Path) -> None:
    ranked("index.build demo tokens=2000 examples=2")
    ranked("features.contrast wins sae=raw permutations=50")
    ranked(f"sae.load {tiny_files / 'sae'}")
    assert ranked("features.show 1")["result"]["corpus"] is not None, "the index it had of these features"
    listed = ranked("features.list")
    assert listed["result"]["ranking"]["space"].endswith("/raw")
    assert listed["provenance"]["gate"] is None
    with pytest.raises(UnknownNameError, match=r"no feature '100000'\. The ranking's features are .*/raw#0 to"):
        ranked("features.why 100000")
