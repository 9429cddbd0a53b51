"""Windows, pairs, factors, maps, why and replication through the public verbs, on the tiny model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from commands.line import parse_line
from commands.render import as_lines, render
from tests import tiny
from workbench.errors import EngineDied, InputFileError, MismatchError, UnknownNameError, UsageError
from workbench.session import Session, SessionRecord
from workbench.stats import contrast_map

pytestmark = pytest.mark.slow
SHORT = [*tiny.BAD[:-2], "sad cat", "sad dog"]
"""Seven sentences of five tokens and two of two."""


@pytest.fixture
def wins(loaded: Any, tmp_path: Path) -> Any:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    return loaded


@pytest.fixture
def pairs(loaded: Any, tmp_path: Path) -> Any:
    """Eight pairs, one sentence of each class alone, a target span in all but one sentence."""
    good = [{"text": text, "item": f"p{place}", "span": _span(text, "won")} for place, text in enumerate(tiny.GOOD)]
    bad = [{"text": text, "item": f"p{place}", "span": _span(text, "lost")} for place, text in enumerate(tiny.BAD)]
    good[8]["item"], bad[8]["item"] = "alone", ""
    del bad[0]["span"]
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'pairs.json', {'good': good, 'bad': bad})}")
    return loaded


@pytest.fixture
def crossed(loaded: Any, tmp_path: Path) -> Any:
    """Four cells of six: winning or losing, cats or dogs."""
    cells = {
        f"{outcome}-{animal}": [f"the {animal} {verb} {place} {thing}" for place in ("the", "a")
                                for thing in ("prize", "game", "moon")]
        for outcome, verb in (("win", "won"), ("lose", "lost")) for animal in ("cat", "dog")
    }  # fmt: skip
    factors = {name: dict(zip(("outcome", "animal"), name.split("-"), strict=True)) for name in cells}
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'cross.json', cells, factors=factors)} positive=win-dog")
    return loaded


def _span(text: str, word: str) -> list[int]:
    start = text.index(word)
    return [start, start + len(word)]


def activations(model: Any, space: Any, texts: list[str]) -> list[np.ndarray]:
    """(tokens, features) of each text by the plain Hugging Face model, BOS out."""
    found = []
    for text in texts:
        ids = model.tokenizer(text)["input_ids"]
        hidden = model.plain(input_ids=model.pad([ids])[0], output_hidden_states=True).hidden_states[2]
        found.append(space.encode(hidden)[0, 1:].detach().numpy())
    return found


def artifact(sessions: Path, seq: int, name: str) -> dict[str, np.ndarray]:
    record = SessionRecord(sessions / "s")
    found: dict[str, np.ndarray] = load_file(record.artifact_path(record.line(seq)) / f"{name}.safetensors")
    return found


def rows_by_index(result: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {row["index"]: row for row in result["rows"]}


# --- windows


@pytest.mark.parametrize(
    ("options", "take"),
    [
        ("window=first width=2", lambda acts: acts[:2].mean(axis=0)),
        ("window=last", lambda acts: acts[-1]),
        ("window=centre width=3 pool=max", lambda acts: acts[(len(acts) - 3) // 2 :][:3].max(axis=0)),
        ("window=peak width=1", lambda acts: acts.max(axis=0)),
    ],
)
def test_only_the_window_counts(wins: Any, options: str, take: Any, tiny_model: Any, tiny_space: Any) -> None:
    pooled = np.array([take(acts) for acts in activations(tiny_model, tiny_space, [*tiny.GOOD, *tiny.BAD])])
    result = wins(f"features.contrast wins {options} permutations=50 top=500")["result"]
    assert result["rows"]
    for row in result["rows"]:
        expected = pooled[:9, row["index"]].mean() - pooled[9:, row["index"]].mean()
        assert row["effect"] == pytest.approx(expected, abs=1e-4)


def test_short_sentences_are_masked_and_counted(loaded: Any, tmp_path: Path, tiny_model: Any, tiny_space: Any) -> None:
    path = tiny.write_stimuli(tmp_path / "short.json", {"good": tiny.GOOD, "bad": SHORT})
    loaded(f"stimuli.import {path}")
    reply = loaded("features.contrast short window=first width=4 permutations=50 top=500")
    assert reply["result"]["masked"] == {"positive": 0, "rest": 2}
    assert reply["result"]["categories"] == {"positive": 9, "rest": 9}
    assert any("2 of 18 sentences are shorter than the first 4 tokens" in text for text in reply["warnings"])
    acts = activations(tiny_model, tiny_space, [*tiny.GOOD, *SHORT[:-2]])
    pooled = np.array([one[:4].mean(axis=0) for one in acts])
    for row in reply["result"]["rows"]:
        expected = pooled[:9, row["index"]].mean() - pooled[9:, row["index"]].mean()
        assert row["effect"] == pytest.approx(expected, abs=1e-4)
    shown = loaded(f"features.show {reply['result']['rows'][0]['index']}")["result"]["stimuli"]["lines"]
    assert sum(line["masked"] for line in shown) == 2


def test_the_target_span_is_found_and_a_sentence_without_one_is_masked(pairs: Any) -> None:
    result = pairs("features.contrast pairs window=span permutations=50 top=500")["result"]
    assert result["masked"] == {"positive": 0, "rest": 1}
    assert result["tested"] > 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("features.contrast wins window=first width=30", "no sentence has 30 tokens"),
        ("features.contrast wins window=span", "no sentence of this set has a target span"),
        ("features.contrast wins width=3", "means nothing for --window whole"),
        ("features.contrast wins statistic=paired", "has no matched items"),
        ("features.contrast wins design=factorial", "has no factors"),
        ("features.contrast wins pairs=true", "has no matched items"),
        ("features.replicate", r"no ranking by features.contrast in this session. Make one: `workbench"),
        ("features.why 3", "no ranking by features.contrast or features.rsa in this session"),
    ],
)
def test_bad_options_are_refused_with_a_hint(wins: Any, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        wins(line)
    assert caught.value.hint


# --- statistics


def test_fewer_permutations_than_alpha_needs_is_said(wins: Any) -> None:
    reply = wins("features.contrast wins permutations=20 alpha=0.01")
    assert any("20 permutations cannot give a p below 0.0476" in text for text in reply["warnings"])


def test_by_is_bh_times_the_harmonic_sum(wins: Any) -> None:
    bh = rows_by_index(wins("features.contrast wins permutations=100 top=500")["result"])
    by = rows_by_index(wins("features.contrast wins permutations=100 top=500 fdr=by")["result"])
    penalty = sum(1 / rank for rank in range(1, len(bh) + 1))
    for index, row in bh.items():
        assert by[index]["p"] == row["p"]
        assert by[index]["q"] == pytest.approx(min(1.0, row["q"] * penalty)) or row["q"] * penalty > 1


def test_rows_have_every_effect_size(wins: Any, sessions: Path) -> None:
    reply = wins("features.contrast wins permutations=50 top=500")
    stored = artifact(sessions, reply["seq"], "pooled")
    dense = np.zeros((18, tiny.LATENTS))
    dense[np.repeat(np.arange(18), np.diff(stored["pointers"])), stored["features"]] = stored["values"]
    found = contrast_map(dense, stored["labels"].astype(bool), permutations=50)
    for row in reply["result"]["rows"]:
        assert row["auc"] == pytest.approx(found.auc[row["index"]])
        assert row["rate_difference"] == pytest.approx(found.rate_difference[row["index"]])


def test_paired_takes_whole_pairs_and_says_what_it_left_out(pairs: Any, tiny_model: Any, tiny_space: Any) -> None:
    reply = pairs("features.contrast pairs statistic=paired permutations=300 top=500")
    assert reply["result"]["pairs"] == {"whole": 8, "left_out": 2}
    assert any("2 of 18 sentences have no match" in text for text in reply["warnings"])
    pooled = np.array([one.mean(axis=0) for one in activations(tiny_model, tiny_space, [*tiny.GOOD, *tiny.BAD])])
    difference = pooled[:8] - pooled[9:17]
    for row in reply["result"]["rows"]:
        column = difference[:, row["index"]]
        if column.std() > 1e-5:
            assert row["score"] == pytest.approx(column.mean() / (column.std(ddof=1) / np.sqrt(8)), rel=1e-3)
        else:
            assert abs(row["score"]) > 1e4  # every difference is the same


def test_pairs_keep_labels_within_items(pairs: Any) -> None:
    result = pairs("features.contrast pairs pairs=true permutations=1000")["result"]
    assert result["pairs"]["whole"] == 8
    assert result["min_p"] == pytest.approx(1 / 2**8)  # the two without a match keep the mirror image from counting


def test_an_item_with_two_sentences_of_a_class_is_refused(loaded: Any, tmp_path: Path) -> None:
    good = [{"text": text, "item": "p0"} for text in tiny.GOOD[:3]]
    bad = [{"text": text, "item": "p0"} for text in tiny.BAD[:3]]
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'many.json', {'good': good, 'bad': bad})}")
    with pytest.raises(UsageError, match="'p0' has more than one sentence"):
        loaded("features.contrast many statistic=paired")
    assert loaded("features.contrast many pairs=true")["result"]["pairs"]["whole"] == 1


# --- factorial


def test_a_factorial_ranking_is_of_the_interaction_and_tells_all_three(crossed: Any) -> None:
    result = crossed("features.contrast cross design=factorial permutations=100 top=500")["result"]
    assert [effect["name"] for effect in result["effects"]] == ["outcome", "animal", "outcome x animal"]
    assert result["effect"] == "outcome x animal"
    assert result["factors"] == {"outcome": ["lose", "win"], "animal": ["cat", "dog"]}
    head = result["effects"][2]
    assert head["discoveries"] == result["discoveries"]
    assert [row["index"] for row in head["best"]] == [row["index"] for row in result["rows"][:5]]


def test_the_main_effect_is_the_mean_of_its_simple_effects(crossed: Any, tiny_model: Any, tiny_space: Any) -> None:
    result = crossed("features.contrast cross factor=outcome permutations=100 top=500")["result"]
    lines = crossed("stimuli.show cross limit=100")["result"]["rows"]
    pooled = np.array([one.mean(axis=0) for one in activations(tiny_model, tiny_space, [row["text"] for row in lines])])
    cell = {
        name: pooled[[row["category"] == name for row in lines]].mean(axis=0)
        for name in ("win-cat", "win-dog", "lose-cat", "lose-dog")
    }
    expected = (cell["win-cat"] + cell["win-dog"] - cell["lose-cat"] - cell["lose-dog"]) / 2
    assert (result["positive"], result["against"]) == ("outcome win", "outcome lose")
    for row in result["rows"]:
        assert row["effect"] == pytest.approx(expected[row["index"]], abs=1e-4)


@pytest.mark.parametrize("effect", ["outcome", "animal", "interaction"])
def test_a_factorial_ranking_can_be_listed_and_explained_by_each_effect(crossed: Any, effect: str) -> None:
    """As if it had been made by that effect in the first place."""
    own = crossed(f"features.contrast cross factor={effect} permutations=100 top=500")
    other = "animal" if effect == "outcome" else "outcome"
    seq = crossed(f"features.contrast cross factor={other} permutations=100")["seq"]
    shown = crossed(f"features.list ranking={seq} effect={effect} limit=500")["result"]
    head, made = shown["ranking"], own["result"]
    assert head["effects"] == ["outcome", "animal", "outcome x animal"]
    for name in ("positive", "against", "tested", "undefined", "discoveries", "null_discoveries_max", "effect"):
        assert head[name] == made[name], name
    defined = [row for row in made["rows"] if row["status"] == "ok"]
    for listed, ranked in zip(shown["rows"], defined, strict=False):
        assert listed["index"] == ranked["index"]
        for name in ("score", "effect", "p", "p_fwer", "q"):
            assert listed[name] == pytest.approx(ranked[name], rel=1e-6), name
    first = shown["rows"][0]
    why = crossed(f"features.why {first['index']} ranking={seq} effect={effect}")["result"]
    assert why["null"]["p"] == pytest.approx(first["p"])
    assert head["positive"] in why["definition"]
    card = crossed(f"features.show {first['index']} ranking={seq} effect={effect}")["result"]
    assert (card["test"]["rank"], card["test"]["score"]) == (1, pytest.approx(first["score"]))


def test_an_effect_that_is_not_there_is_refused(crossed: Any) -> None:
    seq = crossed("features.contrast cross design=factorial permutations=50")["seq"]
    with pytest.raises(UnknownNameError, match="colour"):
        crossed(f"features.list ranking={seq} effect=colour")
    seq = crossed("features.contrast cross against=lose-cat permutations=50")["seq"]
    with pytest.raises(UsageError, match="no factorial ranking"):
        crossed(f"features.list ranking={seq} effect=outcome")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ("factor=colour", UnknownNameError, "colour"),
        ("factors=outcome", UsageError, "takes two factors"),
        ("factors=outcome factors=colour", UnknownNameError, "colour"),
        ("factor=animal statistic=rate", UsageError, "does not go with a factorial design"),
        ("factor=animal map=position", UsageError, "--map does not go"),
        ("factor=animal against=win-cat", UsageError, "--against does not go"),
    ],
)
def test_a_wrong_factorial_request_is_refused(crossed: Any, options: str, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        crossed(f"features.contrast cross {options}")


# --- maps


def test_a_map_by_position_tests_every_place_of_the_window(
    wins: Any, sessions: Path, tiny_model: Any, tiny_space: Any
) -> None:
    reply = wins("features.contrast wins window=first width=3 map=position permutations=100 shown=5")
    found = reply["result"]["map"]
    assert found["places"] == ["1", "2", "3"]
    acts = activations(tiny_model, tiny_space, [*tiny.GOOD, *tiny.BAD])
    cells = np.concatenate([np.array([one[place] for one in acts]) for place in range(3)], axis=1)
    expected = contrast_map(cells, np.arange(18) < 9, permutations=100)
    assert found["tested"] == expected.tested
    assert found["family_wise"] == int((expected.p_fwer < 0.05).sum())
    t, p = (values.reshape(3, tiny.LATENTS) for values in (expected.t, expected.p_fwer))
    stored = artifact(sessions, reply["seq"], "map")
    np.testing.assert_allclose(stored["p_fwer"], p, atol=0.011, equal_nan=True)
    for row in found["features"]:
        assert [value is None for value in row["t"]] == np.isnan(t[:, row["index"]]).tolist()
    strongest = np.nanmax(np.where(np.isinf(t), 1e9, np.abs(np.nan_to_num(t))), axis=0)
    assert strongest[[row["index"] for row in found["features"]]].min() >= np.sort(strongest)[-5] - 1e-6


def test_a_map_has_a_figure_for_every_front_end(wins: Any, sessions: Path) -> None:
    reply = wins("features.contrast wins map=layer permutations=50 shown=4")
    assert reply["result"]["map"]["places"] == [f"blocks.{layer}.hook_resid_post" for layer in range(tiny.LAYERS)]
    record = SessionRecord(sessions / "s")
    figures = record.artifact(record.line(reply["seq"]))["figures"]
    (matrix,) = [figure for figure in figures if figure["kind"] == "matrix"]
    assert len(matrix["data"]["rows"]) == 4
    assert all(len(row) == tiny.LAYERS for row in matrix["data"]["values"])
    assert "max-T over all" in matrix["note"]
    assert "decoder direction" in matrix["note"]


def test_a_map_by_layer_says_that_it_does_not_test_the_rankings_activations(wins: Any) -> None:
    reply = wins("features.contrast wins map=layer permutations=20 shown=2")
    made = reply["result"]
    assert "without threshold" in made["map"]["quantity"]
    assert wins("features.map")["result"]["map"]["quantity"] == made["map"]["quantity"]
    assert "without threshold" in " ".join(as_lines(reply, 120))
    by_place = wins("features.contrast wins map=position permutations=20 shown=2")["result"]["map"]
    assert by_place["quantity"] == "the activations at each position alone"
    raw = wins("features.contrast wins sae=raw map=layer permutations=20 shown=2")["result"]["map"]
    assert raw["quantity"] == "the activations at each layer alone"


def test_a_map_of_raw_units_by_layer_reads_each_layer(wins: Any, sessions: Path, tiny_model: Any) -> None:
    reply = wins("features.contrast wins sae=raw map=layer permutations=50 shown=3")
    pooled = []
    for text in (*tiny.GOOD, *tiny.BAD):
        ids = tiny_model.tokenizer(text)["input_ids"]
        states = tiny_model.plain(input_ids=tiny_model.pad([ids])[0], output_hidden_states=True).hidden_states
        pooled.append([states[layer + 1][0, 1:].detach().numpy().mean(axis=0) for layer in range(tiny.LAYERS - 1)])
    cells = np.array(pooled)  # (sentences, layers, units); the last hidden state has gone through the final norm
    expected = contrast_map(cells.reshape(18, -1), np.arange(18) < 9, permutations=50)
    stored = artifact(sessions, reply["seq"], "map")["effect"][: tiny.LAYERS - 1]
    np.testing.assert_allclose(stored, expected.effect.reshape(tiny.LAYERS - 1, tiny.WIDTH), atol=1e-3)


def test_a_stored_map_can_be_read_for_any_feature(wins: Any) -> None:
    reply = wins("features.contrast wins window=first width=2 map=position permutations=50 shown=4")
    wins("features.contrast wins permutations=50")  # a later ranking without a map does not hide it
    found = wins("features.map shown=4")["result"]
    assert {**found["map"], "features": 0} == {**reply["result"]["map"], "features": 0}
    assert [row["index"] for row in found["map"]["features"]] == [
        row["index"] for row in reply["result"]["map"]["features"]
    ]
    named = wins("features.map 5 3")["result"]["map"]["features"]
    assert [row["index"] for row in named] == [5, 3]


@pytest.mark.parametrize(
    ("line", "said"), [("features.map", "no contrast map in this session"), ("features.map ranking={}", "has no map")]
)
def test_a_map_that_is_not_there_is_refused(wins: Any, line: str, said: str) -> None:
    seq = wins("features.contrast wins permutations=50")["seq"]
    with pytest.raises(UsageError, match=said):
        wins(line.format(seq))


# --- a stored result


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


# --- why


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


# --- replication


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


def test_rsa_of_an_interaction_does_not_call_its_halves_categories(crossed: Any) -> None:
    note = crossed("features.rsa cross model=two-by-two factor=interaction permutations=50")["result"]["note"]
    assert "two categories" not in note
    assert "4 categories into two halves" in note


# --- replay and tables


def test_all_of_it_replays(pairs: Any) -> None:
    pairs("features.contrast pairs statistic=paired permutations=50")
    pairs("features.contrast pairs window=peak width=3 map=position permutations=50 fdr=by")
    pairs("features.replicate seed=3")
    result = pairs("replay check=true")["result"]
    assert result["equal"]
    assert result["recomputed"] == result["total"]


def test_tables_show_effect_sizes_maps_and_nulls(crossed: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for line, wanted in (
        (
            "features.contrast cross against=lose-cat permutations=50 map=position",
            ("auc", "rate", "d ", "t by position"),
        ),
        ("features.map", ("t by position", "sentences")),
        ("features.why 3", ("score:", "from:", ":features.contrast cross")),
        ("features.replicate seed=2", ("rank correlation", "held", "hypergeometric")),
        ("features.contrast cross design=factorial permutations=50", ("outcome x animal:", "outcome:", "animal:")),
    ):
        reply = crossed(line)
        json.dumps(reply)
        render(reply)
        shown = capsys.readouterr().out
        for text in wanted:
            assert text in shown, (line, text)


def test_the_report_tells_windows_factors_maps_and_replications(crossed: Any, tmp_path: Path) -> None:
    crossed("features.contrast cross against=lose-cat window=first width=3 map=position permutations=50 fdr=by")
    crossed("features.replicate seed=2")
    crossed("features.contrast cross factor=animal permutations=50")
    for ending in ("md", "html"):
        out = tmp_path / f"report.{ending}"
        crossed(f"report out={out}")
        text = out.read_text("utf-8")
        for wanted in (
            "its first 3 tokens", "Benjamini-Yekutieli", "within each level of the other factor", "max-T over all",
            "What held a second time", "Two crossed factors", "features.why", "Student tail",
        ):  # fmt: skip
            assert wanted in text, (ending, wanted)


# --- words for what cannot be trusted


def test_a_small_design_is_told_with_the_numbers_of_its_labellings(loaded: Any, tmp_path: Path) -> None:
    sides = {"good": tiny.GOOD[:2], "bad": tiny.BAD[:2]}
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'few.json', sides)}")
    reply = loaded("features.contrast few permutations=1000")
    said = "6 labellings, 3 different ones (mirror images give the same |t|)"
    assert any(said in told for told in reply["warnings"])
    assert any(said in told for told in loaded("stimuli.check few")["result"]["warnings"])
    assert (reply["result"]["relabellings"], reply["result"]["exhaustive"]) == (5, True)
    assert "all 5 relabellings" in as_lines(reply, 120)[0]
    feature = next(row["feature"] for row in reply["result"]["rows"])
    assert any("mirror image" in line for line in as_lines(loaded(f"features.why {feature}"), 120))
    assert "all 5 relabellings" in as_lines(loaded("features.list"), 120)[0]


def test_a_sample_of_labellings_is_called_permutations(wins: Any) -> None:
    reply = wins("features.contrast wins permutations=20")
    assert "20 permutations" in as_lines(reply, 120)[0]


def test_words_that_the_model_does_not_know_are_told(loaded: Any, tmp_path: Path) -> None:
    strange = {"good": ["zqxjk vwfpl brtnm", "kjhgf mnbvc xzlkj"], "bad": ["qwrtp sdfgh zxcvb", "plmkn bvcxz gfdsa"]}
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'strange.json', strange)}")
    told = "the model knows none of the words of these sentences"
    assert any(told in said for said in loaded("features.contrast strange permutations=20")["warnings"])
    for line in ("activate 'zqxjk vwfpl'", "diff 'zqxjk vwfpl' 'kjhgf mnbvc'", "common strange:good"):
        assert any(told in said for said in loaded(f"features.{line}")["warnings"]), line


def test_one_unknown_word_of_a_few_is_told_of_a_sentence_of_ones_own(loaded: Any) -> None:
    said = "does not know 25% of the words"
    for line in ("activate 'the zqxjk cat won'", "diff 'the zqxjk cat won' 'the kjhgf cat won'"):
        assert any(said in told for told in loaded(f"features.{line}")["warnings"]), line


def test_known_words_need_no_warning(wins: Any) -> None:
    for line in ("contrast wins permutations=20", "activate 'the cat won'", "common wins:good"):
        assert not any("the model" in said for said in wins(f"features.{line}")["warnings"]), line


def test_a_report_into_no_folder_is_refused(wins: Any, tmp_path: Path) -> None:
    wins("features.contrast wins permutations=20")
    with pytest.raises(UsageError, match="there is no folder"):
        wins(f"report out={tmp_path / 'nowhere' / 'x.html'}")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "stimuli.edit wins replace=x text=",
            "needs a --text that is not empty. Give --text NEW, or take the sentence out",
        ),
        ("stimuli.edit wins text=x", "--text is what --replace SENTENCE becomes"),
        ("index.build nosuch", r"unknown corpus 'nosuch'. Known: demo"),
    ],
)
def test_errors_say_the_mend(wins: Any, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        wins(line)


def test_columns_without_numbers_are_not_shown_and_pairs_show_d_z(
    crossed: Any, pairs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    render(crossed("features.contrast cross permutations=50 design=factorial"))
    head = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("rank"))
    assert "auc" not in head
    assert "rate" not in head
    reply = pairs("features.contrast pairs statistic=paired permutations=50")
    row = reply["result"]["rows"][0]
    whole = reply["result"]["pairs"]["whole"]
    assert row["d_z"] == pytest.approx(row["score"] / np.sqrt(whole), rel=1e-6)
    render(reply)
    head = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("rank"))
    assert "d_z" in head
    assert "auc" in head


def test_a_q_below_its_p_is_explained(wins: Any, capsys: pytest.CaptureFixture[str]) -> None:
    reply = wins("features.contrast wins permutations=50")
    render(reply)
    below = any(row["q"] < row["p"] for row in reply["result"]["rows"][:20])
    assert ("q below p: p counts" in capsys.readouterr().out) == below
    assert below, "50 permutations cannot reach what the pooled tail says of the strongest"
