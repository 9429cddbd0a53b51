"""`features.rsa` on the tiny model, in this process: every number comes through the public verbs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from workbench.errors import InputFileError, UnknownNameError, UsageError
from workbench.session import SessionRecord
from workbench.stats import compare_rdms, cyclic_rdm, rsa_map

pytestmark = pytest.mark.slow
THREE = {
    "cat": [f"the cat {verb} the {thing} today" for verb in ("won", "lost") for thing in ("prize", "game", "moon")],
    "dog": [f"a dog {verb} {thing} again" for verb in ("won", "lost") for thing in ("prize", "game", "sun")],
    "sun": [f"bright sun of {thing} is {word}" for word in ("happy", "sad") for thing in ("prize", "game", "moon")],
}


@pytest.fixture
def three(loaded: Any, tmp_path: Path) -> Any:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'three.json', THREE)}")
    return loaded


def pooled(model: Any, space: Any, texts: list[str], layer: int = 2) -> np.ndarray:
    """(sentences, features) mean activations by the plain model."""
    found = []
    for text in texts:
        ids = model.tokenizer(text)["input_ids"]
        hidden = model.plain(input_ids=model.pad([ids])[0], output_hidden_states=True).hidden_states[layer]
        acts = hidden if space is None else space.encode(hidden)
        found.append(acts[0, 1:].detach().numpy().mean(axis=0))  # (tokens, features), BOS out
    return np.array(found, dtype=np.float64)


def all_texts() -> list[str]:
    return [text for texts in THREE.values() for text in texts]


@pytest.mark.parametrize("comparison", ["corr", "spearman", "tau-a"])
def test_the_scores_are_those_of_the_explicit_rdms(
    three: Any, comparison: str, tiny_model: Any, tiny_space: Any
) -> None:
    said = f"features.rsa three model=cyclic order=cat order=sun order=dog comparison={comparison} permutations=50"
    result = three(f"{said} top=500")["result"]
    acts = pooled(tiny_model, tiny_space, all_texts())
    model = cyclic_rdm(np.repeat([0, 2, 1], 6), 3)
    # batches of other sizes round float32 otherwise, and ranks turn where two distances are equal but for that
    close = 2e-4 if comparison == "corr" else 0.03
    assert result["rows"]
    for row in result["rows"]:
        distances = np.square(acts[:, None, row["index"]] - acts[None, :, row["index"]])
        assert row["score"] == pytest.approx(compare_rdms(distances, model, comparison), abs=close)


def test_it_is_a_ranking_best_first_with_its_null_arm(three: Any) -> None:
    result = three("features.rsa three permutations=200 top=500")["result"]
    scores = [row["score"] for row in result["rows"]]
    assert scores == sorted(scores, reverse=True)
    assert [row["rank"] for row in result["rows"]] == list(range(1, result["tested"] + 1))
    assert result["tested"] + result["undefined"] == tiny.LATENTS
    assert result["discoveries"] == sum(row["q"] < 0.05 for row in result["rows"])
    assert 0 <= result["null_discoveries"] <= result["null_discoveries_max"]
    assert result["note"] == ""
    assert all("t" not in row for row in result["rows"])


def test_lists_and_single_features_show_it(three: Any) -> None:
    three("features.rsa three permutations=100")
    page = three("features.list limit=5")["result"]
    assert page["ranking"]["kind"] == "rsa"
    assert page["ranking"]["statistic"] == "corr"
    assert len(page["rows"]) == 5
    shown = three(f"features.show {page['rows'][0]['feature']}")["result"]
    assert shown["test"]["rank"] == 1
    assert shown["test"]["score"] == page["rows"][0]["score"]
    assert len(shown["stimuli"]["lines"]) == 18
    assert three("session.show")["result"]["rankings"][-1]["kind"] == "rsa"


def test_two_balanced_categories_come_with_t_and_a_word(wins: Any) -> None:
    result = wins("features.rsa wins permutations=100 top=500")["result"]
    assert "nothing beyond t squared" in result["note"]
    contrast = {row["index"]: row["score"] for row in wins("features.contrast wins top=500")["result"]["rows"]}
    for row in result["rows"]:
        assert row["t"] == pytest.approx(contrast[row["index"]], rel=1e-6)
        # mean(between) - mean(within) = (2 s^2 / n) (t^2 - 1)
        assert (row["effect"] > 0) == (abs(row["t"]) > 1)


def test_the_layers_are_whole_sets_of_units(three: Any, tiny_model: Any) -> None:
    result = three("features.rsa three over=layer model=cyclic permutations=50")["result"]
    assert [row["name"] for row in result["rows"]] == [f"blocks.{layer}.hook_resid_post" for layer in range(3)]
    sets = np.stack([pooled(tiny_model, None, all_texts(), layer + 1) for layer in range(2)], axis=1)
    known = rsa_map(sets, cyclic_rdm(np.repeat(np.arange(3), 6), 3), permutations=0)
    for row, score in zip(result["rows"], known.score, strict=False):
        assert row["score"] == pytest.approx(score, abs=1e-4)


def test_sets_of_units_are_no_ranking(three: Any) -> None:
    three("features.rsa three permutations=50")
    for over in ("position window=last width=2", "roi positive=cat members=5"):
        result = three(f"features.rsa three over={over} permutations=50")["result"]
        assert len(result["rows"]) == 2
        assert {"name", "size", "score", "effect", "p", "p_fwer", "q", "status"} <= set(result["rows"][0])
    assert three("features.list")["result"]["ranking"]["over"] == "features"


def test_clusters_are_compared_as_sets(three: Any) -> None:
    with pytest.raises(UsageError, match="no clusters"):
        three("features.rsa three over=cluster")
    three("clusters.find k=1 tau=0.35")
    result = three("features.rsa three over=cluster permutations=50 top=500")["result"]
    sizes = [row["size"] for row in result["rows"]]
    assert len(sizes) > 1
    assert sizes == sorted(sizes, reverse=True)


def test_a_neighbourhood_of_two_is_a_feature_and_its_nearest(three: Any, tiny_model: Any, tiny_space: Any) -> None:
    result = three("features.rsa three over=neighbourhood neighbours=2 permutations=50 top=500")["result"]
    directions = tiny_space.directions().numpy()
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    cosines = units @ units.T - 2 * np.eye(len(units))
    acts = pooled(tiny_model, tiny_space, all_texts())
    model = (np.repeat(np.arange(3), 6)[:, None] != np.repeat(np.arange(3), 6)).astype(float)
    for row in result["rows"][:10]:
        both = acts[:, [row["index"], int(cosines[row["index"]].argmax())]]
        distances = np.square(both[:, None] - both[None]).sum(axis=-1)
        assert row["score"] == pytest.approx(compare_rdms(distances, model), abs=2e-4)


def test_inputs_are_the_units_of_largest_decoder_weight(three: Any, tiny_model: Any, tiny_space: Any) -> None:
    result = three("features.rsa three over=inputs inputs=4 permutations=50 top=500")["result"]
    acts = pooled(tiny_model, None, all_texts())
    model = (np.repeat(np.arange(3), 6)[:, None] != np.repeat(np.arange(3), 6)).astype(float)
    for row in result["rows"][:5]:
        strongest = np.argsort(-np.abs(tiny_space.directions().numpy()[row["index"]]))[:4]
        distances = np.square(acts[:, None, strongest] - acts[None][:, :, strongest]).sum(axis=-1)
        assert row["score"] == pytest.approx(compare_rdms(distances, model), abs=1e-4)


def test_a_custom_model_is_read_from_csv_with_or_without_names(three: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rdm = rng.random((18, 18))
    rdm += rdm.T
    plain, named, listed = tmp_path / "plain.csv", tmp_path / "named.csv", tmp_path / "listed.json"
    plain.write_text("\n".join(",".join(map(repr, row)) for row in rdm.tolist()))
    rows = [",".join(["", *(f"s{place}" for place in range(18))])]
    rows += [",".join([f"s{place}", *map(repr, row)]) for place, row in enumerate(rdm.tolist())]
    named.write_text("\n".join(rows))
    listed.write_text(json.dumps(rdm.tolist()))
    scores = [
        [
            row["score"]
            for row in three(f"features.rsa three model=custom matrix={path} permutations=20")["result"]["rows"]
        ]
        for path in (plain, named, listed)
    ]
    assert scores[0] == scores[1] == scores[2]


def test_leaving_length_out_changes_the_score(wins: Any) -> None:
    plain = wins("features.rsa wins permutations=50 top=500")["result"]["rows"]
    partial = wins("features.rsa wins permutations=50 top=500 nuisance=lexical")["result"]
    assert partial["nuisance"] == ["lexical"]
    assert [row["score"] for row in partial["rows"]] != [row["score"] for row in plain]


@pytest.mark.parametrize(
    ("said", "error", "says"),
    [
        ("model=one-vs-rest positive=cow", UnknownNameError, "cow"),
        ("model=graded order=cat order=cow", UnknownNameError, "cow"),
        ("model=graded order=cat order=dog", UsageError, "three or more"),
        ("model=two-by-two", UsageError, "no factors"),
        ("model=custom", UsageError, "a custom model is a matrix"),
        ("nuisance=lexical nuisance=lexical", UsageError, "lexical is given 2 times"),
        ("nuisance=rarity", UsageError, "no nuisance 'rarity'"),
        ("nuisance=length comparison=rho-a", UsageError, "cannot be left out of rho-a"),
        ("pairs=true", UsageError, "no matched items"),
        ("over=neighbourhood sae=raw", UsageError, "no decoder directions"),
        ("over=inputs inputs=40", UsageError, "more than the site's 32 units"),
    ],
)
def test_what_cannot_be_compared_is_said(three: Any, said: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        three(f"features.rsa three {said} permutations=20")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[0, 1], [1, 0]], "there are 18 stimuli"),
        ([[0.0 if a == b else a - b for a in range(18)] for b in range(18)], "not symmetric"),
        ([["a", "b"], ["c", "d"]], "no matrix of numbers"),
    ],
)
def test_a_custom_model_that_does_not_fit_is_refused(three: Any, tmp_path: Path, rows: Any, says: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(rows))
    with pytest.raises(InputFileError, match=says) as caught:
        three(f"features.rsa three model=custom matrix={path} permutations=20")
    assert "model.json" in str(caught.value)


def test_the_model_rdm_and_the_best_features_are_kept_as_matrices(three: Any, sessions: Path) -> None:
    three("features.rsa three permutations=50")
    record = SessionRecord(sessions / "s")
    figures = record.artifact(record.done("features.rsa")[-1])["figures"]
    assert [one["kind"] for one in figures] == ["scatter", "matrix", "matrix"]
    assert figures[1]["data"]["values"] == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert figures[1]["data"]["rows"] == ["cat", "dog", "sun"]


def test_a_features_rdm_stands_beside_the_models(three: Any, tiny_model: Any, tiny_space: Any) -> None:
    best = three("features.rsa three permutations=50")["result"]["rows"][0]
    result = three(f"features.rdm {best['index']}")["result"]
    column = pooled(tiny_model, tiny_space, all_texts())[:, best["index"]].reshape(3, 6)
    between = np.square(column[0][:, None] - column[1]).mean()
    assert result["names"] == ["cat", "dog", "sun"]
    assert result["model"] == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert result["distances"][0][1] == pytest.approx(between, rel=1e-3)
    assert result["test"]["score"] == best["score"]


def test_why_draws_the_null_of_a_feature_again(three: Any) -> None:
    for row in three("features.rsa three permutations=200 top=5 nuisance=lexical")["result"]["rows"]:
        result = three(f"features.why {row['index']}")["result"]
        assert "lexical left out of both" in result["definition"]
        assert result["null"]["p"] == pytest.approx(row["p"])
        assert result["null"]["observed"] == pytest.approx(row["score"], abs=1e-6)
        assert sum(result["null"]["counts"]) == 200


def test_why_counts_the_categories_of_the_sentences_that_were_seen(three: Any) -> None:
    three("features.rsa three permutations=20")
    assert three("features.why 1")["result"]["n"]["categories"] == 3


def test_a_replay_gives_the_same_numbers(three: Any, sessions: Path) -> None:
    three("features.rsa three permutations=100 comparison=spearman")
    three("features.rsa three over=layer permutations=100")
    found = three("replay s check=true")["result"]
    assert found["differences"] == []


def test_a_constant_nuisance_is_said_to_have_nothing_to_remove(
    loaded: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from commands.render import render

    even = {name: [f"the cat {word} the {thing}" for thing in ("prize", "game", "moon")]
            for name, word in (("up", "won"), ("down", "lost"))}  # fmt: skip
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'even.json', even)}")
    plain, held = (loaded(f"features.rsa even permutations=50{more}") for more in ("", " nuisance=length"))
    assert (held["result"]["nuisance"], held["result"]["constant_nuisance"]) == ([], ["length"])
    assert [row["score"] for row in held["result"]["rows"]] == [row["score"] for row in plain["result"]["rows"]]
    assert any("constant, there is nothing to remove" in said for said in held["warnings"])
    render(held)
    assert "(length constant: nothing to remove)" in capsys.readouterr().out
    render(loaded("features.rsa even permutations=50 nuisance=lexical"))
    assert "partial corr" in capsys.readouterr().out


# --- crossnobis, the noise ceiling, models against models

FOLDED = {
    name: [{"text": text, "fold": f"f{place % 2}"} for place, text in enumerate(texts)] for name, texts in THREE.items()
}


@pytest.fixture
def folded(loaded: Any, tmp_path: Path) -> Any:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'folded.json', FOLDED)}")
    return loaded


def test_crossnobis_of_a_set_is_rsatoolboxs(folded: Any, tiny_model: Any, tiny_space: Any) -> None:
    from tests.stats import oracle

    rows = folded("features.rsa folded permutations=50")["result"]["rows"]
    chosen = [row["index"] for row in rows[:3]]
    said = f"features.rdm {chosen[0]} also={chosen[1]} also={chosen[2]} distance=crossnobis"
    result = folded(said)["result"]
    acts = pooled(tiny_model, tiny_space, all_texts())[:, chosen]
    known = oracle.crossnobis(acts, np.repeat(list(THREE), 6), np.tile([0, 1], 9))
    order = [sorted(THREE).index(name) for name in result["names"]]
    assert result["features"] == chosen
    np.testing.assert_allclose(result["distances"], known[np.ix_(order, order)], rtol=1e-3, atol=1e-5)


def test_the_noise_ceiling_is_that_of_the_folds(folded: Any, tiny_model: Any, tiny_space: Any) -> None:
    from workbench.stats import noise_ceiling

    best = folded("features.rsa folded permutations=50 model=graded")["result"]["rows"][0]["index"]
    found = folded(f"features.rdm {best}")["result"]["ceiling"]
    acts = pooled(tiny_model, tiny_space, all_texts())[:, best]
    means = [[acts[6 * group + fold : 6 * group + 6 : 2].mean() for group in range(3)] for fold in (0, 1)]
    rdms = [[(m[0] - m[1]) ** 2, (m[0] - m[2]) ** 2, (m[1] - m[2]) ** 2] for m in means]
    known = noise_ceiling(rdms)
    assert (found["lower"], found["upper"]) == pytest.approx(tuple(known), abs=1e-3)
    assert found["model"] == pytest.approx(np.mean([np.corrcoef(rdm, [1, 2, 1])[0, 1] for rdm in rdms]), abs=1e-3)
    assert found["folds"] == 2


def test_models_are_compared_on_the_same_sentences(
    three: Any, tiny_model: Any, tiny_space: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from commands.render import render
    from workbench.stats import categorical_rdm, compare_models, graded_rdm

    other = three("features.rsa three model=graded order=dog order=cat order=sun permutations=50")["seq"]
    best = three("features.rsa three permutations=50")["result"]["rows"][0]["index"]
    reply = three(f"features.rdm {best} against=graded against={other} against=lexical bootstraps=200")
    rows = reply["result"]["models"]
    acts = pooled(tiny_model, tiny_space, all_texts())[:, [best]]
    places = np.repeat(np.arange(3), 6)
    models = [categorical_rdm(places.tolist()), graded_rdm(places), graded_rdm(np.repeat([1, 0, 2], 6))]
    known = compare_models(acts, models, bootstraps=200)
    assert [row["score"] for row in rows[:3]] == pytest.approx(known.scores.tolist(), abs=1e-3)
    assert [row["p"] for row in rows[1:3]] == pytest.approx(known.p[1:, 0].tolist(), abs=0.05)
    assert rows[0]["p"] is None
    render(reply)
    shown = capsys.readouterr().out
    assert "models against one another" in shown
    assert "no noise ceiling: the sentences have no fold" in shown


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ("distance=crossnobis", UsageError, "needs the folds"),
        ("against=nosuch", UnknownNameError, "unknown model 'nosuch'"),
        ("against=categorical against=categorical", UsageError, "among the models already"),
        ("against=length", UsageError, "the same for every pair"),
        ("against=99", UnknownNameError, "log line 99"),
    ],
)
def test_a_wrong_rdm_is_refused(loaded: Any, tmp_path: Path, more: str, error: Any, said: str) -> None:
    even = {name: [f"the cat {word} the {thing}" for thing in ("prize", "game", "moon")]
            for name, word in (("up", "won"), ("down", "lost"))}  # fmt: skip
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'even.json', even)}")
    best = loaded("features.rsa even permutations=50")["result"]["rows"][0]["index"]
    with pytest.raises(error, match=said):
        loaded(f"features.rdm {best} {more}")


def test_a_nuisance_that_goes_with_the_model_is_said_to_stay(three: Any) -> None:
    warned = three("features.rsa three permutations=50 nuisance=length")["warnings"]
    assert any("length goes with the model" in said for said in warned), "dogs have shorter sentences"
