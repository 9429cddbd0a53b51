"""`features.maxact`, `features.probe` and `features.compare` on the tiny model: known answers, bad input, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from commands.features import FeaturesProbe
from commands.handlers.features.comparing import verdict
from commands.handlers.features.found_sentences import telling_words
from commands.handlers.features.probing import NO_P, TESTED
from tests import tiny
from workbench.errors import InputFileError, UsageError
from workbench.stats import decode, scored_units

pytestmark = [pytest.mark.slow]
QUICK = "permutations=50 most=3 folds=3 exact=2 sweep=f_stat"


@pytest.fixture
def pooled(tiny_model: Any, tiny_space: Any) -> np.ndarray:
    """(sentences, latents) means over the text tokens, good ones first."""
    texts = [tiny_model.tokenize(text) for text in (*tiny.GOOD, *tiny.BAD)]
    acts = [tiny_space.encode(acts[1:]).numpy().mean(axis=0) for acts in tiny_model.read(texts, tiny_space.site)]
    return np.array(acts)


LABELS = np.arange(len(tiny.GOOD) + len(tiny.BAD)) < len(tiny.GOOD)


def test_maxact_ranks_by_the_largest_activation_and_has_no_p(wins: Any, pooled: np.ndarray) -> None:
    result = wins("features.maxact wins pool=mean top=500")["result"]
    rows = result["rows"]
    assert result["tested"] + result["undefined"] == tiny.LATENTS
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    for row in rows:
        assert row["score"] == pytest.approx(pooled[:, row["index"]].max(), abs=1e-4)
        assert (row["p"], row["p_fwer"], row["q"]) == (None, None, None)
    assert (result["discoveries"], result["null_discoveries"]) == (None, None)
    assert "no label" in result["p_reason"]


def test_rankings_without_p_are_pages_and_features_too(wins: Any) -> None:
    top = wins("features.maxact wins")["result"]["rows"][0]
    page = wins("features.list limit=5")["result"]
    assert page["ranking"]["statistic"] == "maxact"
    assert page["rows"][0]["index"] == top["index"]
    assert wins(f"features.show {top['index']}")["result"]["test"]["rank"] == 1
    assert wins("session.show")["result"]["rankings"][-1]["discoveries"] is None
    higher = wins("features.list direction=positive")["result"]["rows"]
    assert higher
    assert all(row["effect"] > 0 for row in higher), "the sign of a one-sided ranking is that of the effect"


def test_a_probe_is_the_same_on_one_thread_and_on_two(wins: Any) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        wins("features.probe wins permutations=50 most=3 folds=3 exact=2 sweep=f_stat sweep=adaptive")
        torch.set_num_threads(2)
        result = wins("replay s check=true", None)["result"]
    finally:
        torch.set_num_threads(before)
    assert result["differences"] == []
    assert result["recomputed"] == result["total"]


def test_a_probe_ranks_by_its_method_and_tests_it(wins: Any, pooled: np.ndarray) -> None:
    result = wins(f"features.probe wins {QUICK} top=500")["result"]
    known = scored_units(pooled, LABELS, "mean_difference")
    expected = [int(index) for index in known.order[: known.usable]]
    assert [row["index"] for row in result["rows"]][:5] == expected[:5]
    for row in result["rows"]:
        assert abs(row["score"]) == pytest.approx(known.score[row["index"]], abs=1e-4)
        assert np.sign(row["score"]) == np.sign(row["effect"])
        assert 0 < row["p"] <= 1
    assert result["discoveries"] == sum(row["q"] < 0.05 for row in result["rows"])
    assert result["p_reason"] is None


def test_the_sweep_is_nested_decoding(wins: Any, pooled: np.ndarray) -> None:
    result = wins(f"features.probe wins {QUICK}")["result"]
    assert {(row["method"], row["k"]) for row in result["sweep"]} == {
        (method, k) for method in ("mean_difference", "f_stat") for k in (1, 2, 3)
    }
    for row in result["sweep"]:
        known = decode(pooled, LABELS, select=row["method"], k=row["k"], folds=3)
        assert row["accuracy"][0] == pytest.approx(known.accuracy)
        assert row["accuracy"][1] <= row["accuracy"][0] <= row["accuracy"][2]


def test_the_exact_subsets_are_proven_and_the_case_is_of_the_first(wins: Any) -> None:
    result = wins(f"features.probe wins {QUICK}")["result"]
    assert len(result["exact"]["folds"]) == 3
    for fold in result["exact"]["folds"]:
        assert fold["status"] == "optimal"
        assert fold["gap"] == 0
        assert len(fold["features"]) == 2
    case = result["case"]
    assert case["index"] == result["rows"][0]["index"]
    assert [one["n"] for one in case["classes"]] == [len(tiny.GOOD), len(tiny.BAD)]
    assert len(case["ablation"]["controls"]) == 5
    assert case["index"] not in case["ablation"]["controls"]


def test_a_first_feature_that_tells_nothing_apart_is_doubted(wins: Any, pooled: np.ndarray) -> None:
    """mean_difference ranks by activation units: a strong feature of no q may come first, and be studied."""
    result = wins(f"features.probe wins {QUICK} alpha=1e-7")
    first = result["result"]["rows"][0]
    steady = scored_units(pooled, LABELS, "f_stat").order[0]
    doubted = [text for text in result["warnings"] if "does not tell the classes apart" in text]
    assert first["q"] > 1e-7
    assert len(doubted) == 1
    assert doubted[0].startswith(f"#{first['index']}, which stands first")
    assert (f"puts #{steady} first" in doubted[0]) == (steady != first["index"])
    sure = wins(f"features.probe wins {QUICK}")["warnings"]
    chosen = wins(f"features.probe wins {QUICK} alpha=1e-7 unit={first['index']}")["warnings"]
    assert not any("does not tell" in text for text in (*sure, *chosen))


def test_silencing_a_silent_feature_changes_no_loss(wins: Any, pooled: np.ndarray) -> None:
    silent = np.flatnonzero((pooled == 0).all(axis=0))
    if not silent.size:
        pytest.skip("every latent fires")
    case = wins(f"features.probe wins {QUICK} unit={silent[0]}")["result"]["case"]
    assert [one["increase_percent"] for one in case["ablation"]["classes"]] == [0.0, 0.0]
    assert case["metrics"] is None


def test_an_exact_search_without_time_gives_its_gap(wins: Any) -> None:
    reply = wins("features.probe wins permutations=50 most=1 folds=3 exact=12 sweep=random time_limit=0.01 sae=raw")
    folds = reply["result"]["exact"]["folds"]
    assert all(fold["gap"] >= 0 for fold in folds)
    if any(fold["status"] == "time_limit" for fold in folds):
        assert any("not proven" in warning for warning in reply["warnings"])


def test_tokens_of_a_predicate_are_labelled_and_kept_by_document(loaded: Any, tmp_path: Path, tiny_model: Any) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join([*tiny.GOOD, *tiny.BAD] * 3))
    result = loaded(f"features.probe predicate='won|lost' corpus={corpus} tokens=100 {QUICK} method=f_stat")["result"]
    assert result["design"] == "tokens"
    assert result["categories"]["positive"] == result["categories"]["rest"] == 50
    assert result["documents"] == result["grouped"]
    best = result["sweep"][-1]
    assert best["auc"][0] > 0.9, "the token itself is easily read off"
    assert "whole sentences" in result["case"]["ablation_reason"]


def test_tokens_in_spans_are_labelled(loaded: Any, tmp_path: Path) -> None:
    spans = tmp_path / "spans.jsonl"
    lines = [{"text": text, "spans": [[0, 3]] if text.startswith("the") else [[0, 1]]} for text in tiny.GOOD + tiny.BAD]
    spans.write_text("\n".join(json.dumps(line) for line in lines * 2))
    result = loaded(f"features.probe spans={spans} tokens=100 {QUICK}")["result"]
    assert result["found"]["positive"] == 2 * len(lines)
    assert result["stimuli"] == "tokens of spans.jsonl in spans"


def test_methods_without_p_say_why() -> None:
    methods = get_args(FeaturesProbe.model_fields["method"].annotation)
    assert {*NO_P, *TESTED} == {*methods, "maxact"}


@pytest.mark.parametrize("method", ["mutual_info", "l1_logistic", "svm", "random"])
def test_every_other_method_ranks_without_p(wins: Any, method: str) -> None:
    result = wins(f"features.probe wins method={method} {QUICK} case=false")["result"]
    assert result["p_reason"] == NO_P[method]
    assert all(row["p"] is None for row in result["rows"])
    assert result["case"] is None


def test_a_comparison_has_every_arm_and_its_honest_number(wins: Any, pooled: np.ndarray) -> None:
    result = wins("features.compare wins k=2 folds=3 repeats=2 shuffles=3 sentences=40 windows=5")["result"]
    assert [arm["arm"] for arm in result["arms"]] == [
        f"{space} {method}"
        for space in ("SAE", "raw")
        for method in ("maxact", "rsa_discriminative", "rsa_categorical", "contrast", "random")
    ]
    for arm in result["arms"]:
        assert arm["interval"][0] <= arm["accuracy"] <= arm["interval"][1]
        assert 0 < arm["p_null"] <= 1
        assert len(arm["sentences"]) == 5
        assert [row["score"] for row in arm["sentences"]] == sorted(
            (row["score"] for row in arm["sentences"]), reverse=True
        )
    known = decode(pooled, LABELS, select="contrast", k=2, folds=3, repeats=2)
    arm = next(arm for arm in result["arms"] if arm["arm"] == "SAE contrast")
    assert arm["accuracy"] == pytest.approx(known.accuracy)
    assert arm["leaky_accuracy"] == pytest.approx(known.leaky_accuracy)
    assert arm["selected"] == known.leaky_chosen.tolist()
    assert len(result["tests"]) == 2 * 10 + 5
    assert result["target"]["concept"] is None, "the category is no planted concept of the corpus"
    assert result["target"]["judge"] is None
    assert result["target"]["judge_reason"]


def test_without_an_sae_raw_units_are_compared_alone(do: Any, tiny_files: Path, tmp_path: Path) -> None:
    do("session.new s", None)
    do(f"model.load {tiny_files / 'model'} device=cpu")
    do(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    result = do("features.compare wins k=2 folds=3 repeats=1 shuffles=0 sentences=0 methods=contrast")["result"]
    assert list(result["spaces"]) == ["raw"]
    assert "no SAE is loaded" in result["missing"][0]
    assert result["arms"][0]["null_accuracy"] is None
    assert result["tests"] == []


def test_the_planted_concept_of_the_made_corpus_is_the_target(do: Any) -> None:
    """On the demo the SAE's contrast finds the planted achievements; as many random features do not."""
    do("session.new s", None)
    do("model.load demo")
    do("sae.load demo")
    line = "features.compare achievement repeats=1 shuffles=0 sentences=300 methods=contrast methods=random"
    result = do(line)["result"]
    assert result["target"]["concept"] == "achievement"
    assert 0.05 < result["target"]["concept_rate"] < 0.2
    found = {arm["arm"]: arm for arm in result["arms"]}
    for arm in result["arms"]:
        share = np.mean([row["concept"] == "achievement" for row in arm["sentences"]])
        assert arm["on_concept"][0] == pytest.approx(share)
        low, high = arm["concept_auc"][1:]
        assert low <= arm["concept_auc"][0] <= high
    assert found["SAE contrast"]["on_concept"][0] == 1.0
    assert found["SAE contrast"]["concept_auc"][0] > 0.95 > found["SAE random"]["concept_auc"][0]
    test = next(test for test in result["tests"] if (test["a"], test["b"]) == ("SAE contrast", "SAE random"))
    assert test["target"]["p_holm"] < 0.001


def test_a_verdict_says_that_there_is_no_difference() -> None:
    rows = [{"arm": "raw contrast", "method": "contrast"}, {"arm": "raw maxact", "method": "maxact"}]
    test = {"a": "raw contrast", "b": "raw maxact", "difference": 0.1, "interval": [-0.1, 0.3], "target": None}
    (said,) = verdict(rows, [{**test, "p_holm": 0.4}], 0.05)
    assert said.startswith("accuracy: no difference between any two methods is supported")
    assert "0.30" in said
    (said,) = verdict(rows, [{**test, "interval": [0.02, 0.18], "p_holm": 0.01}], 0.05)
    assert said.startswith("raw contrast decodes held-out stimuli better than raw maxact: accuracy +0.100")
    flipped = {**test, "difference": -0.1, "interval": [-0.18, -0.02], "p_holm": 0.01}
    (said,) = verdict(rows, [flipped], 0.05)
    assert "raw maxact decodes held-out stimuli better than raw contrast" in said
    assert "0.020 to 0.180" in said


def test_telling_words_stand_in_positive_sentences_only() -> None:
    texts = ["We won gold", "They won it", "She won too", "He lost gold", "It sank"]
    assert telling_words(texts, np.array([True, True, True, False, False])) == {"won"}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("features.probe", "nothing"),
        ("features.probe wins predicate=x", "stimuli and predicate"),
        ("features.probe predicate='(' tokens=100", "'('"),
        ("features.probe predicate='zzzzzz' tokens=100 corpus={corpus}", "only 0 positive tokens"),
        ("features.probe predicate='.' tokens=100 corpus={corpus}", "only 0 other tokens"),
        ("features.probe predicate=won corpus=./nosuch.txt", "nosuch"),
        ("features.probe wins most=60", "--most 60 is more than the 48 features"),
        ("features.probe wins unit=48", "no feature 48"),
        ("features.probe wins folds=20", "fewer than the 20 folds"),
        ("features.probe wins positive=nosuch", "'nosuch'"),
        ("features.probe wins pairs=true", "no matched items"),
        ("features.compare wins k=33", "--k 33 is more than the 32 raw features"),
        ("features.compare wins folds=20", "fewer than the 20 folds"),
        ("features.maxact nosuch", "'nosuch'"),
        ("features.maxact wins window=span", "span"),
    ],
)
def test_a_wrong_request_is_refused(wins: Any, tmp_path: Path, sessions: Path, line: str, names: str) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join([*tiny.GOOD, *tiny.BAD]))
    before = tiny.snapshot(sessions)
    with pytest.raises(UsageError) as caught:
        wins(line.format(corpus=corpus))
    assert names in caught.value.message
    assert caught.value.hint
    assert tiny.snapshot(sessions) == before


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ('{"text": "a cat"}', "line 1 of spans.jsonl has no text and spans"),
        ("not json", "'not json'"),
        ('{"text": "a cat", "spans": [[2, 9]]}', "[2, 9]"),
        ('{"text": 5, "spans": []}', "has a int as text"),
    ],
)
def test_a_wrong_file_of_spans_is_named(loaded: Any, tmp_path: Path, content: str, names: str) -> None:
    path = tmp_path / "spans.jsonl"
    path.write_text(content)
    with pytest.raises(InputFileError) as caught:
        loaded(f"features.probe spans={path} tokens=100")
    assert names in caught.value.message


def test_a_comparison_is_replayed_equal(wins: Any) -> None:
    wins("features.compare wins k=2 folds=3 repeats=1 shuffles=2 sentences=20 methods=contrast methods=maxact")
    wins(f"features.probe wins {QUICK}")
    result = wins("replay check=true")["result"]
    assert result["differences"] == []
    assert result["equal"]


def test_tables_and_report_show_the_honest_number_before_the_leaky_one(
    wins: Any, sessions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from commands.render import render
    from workbench.lab import Lab
    from workbench.reports.write import write_report
    from workbench.session import SessionRecord

    line = "features.compare wins k=2 folds=3 repeats=1 shuffles=2 sentences=20 methods=contrast methods=random"
    replies = [wins(line), wins(f"features.probe wins {QUICK}"), wins("features.maxact wins")]
    for reply in replies:
        render(reply)
    render(wins("features.list limit=3"))
    out = capsys.readouterr().out
    assert out.index("held out") < out.index("leaky!")
    for arm in replies[0]["result"]["arms"]:
        assert arm["arm"] in out
    for said in replies[0]["result"]["verdict"]:
        assert said[:40] in out
    assert "exact best 2 of" in out
    assert "silenced on every token" in out
    assert "no p: no label enters a maximum" in out
    record = SessionRecord(sessions / "s")
    text = write_report(record, Lab(record, sessions=sessions), "md")
    assert "Methods compared: wins" in text
    assert text.index("Held out") < text.index("Leaky (warning)")
    assert "Exact best 2 of" in text
    assert "Largest activations: wins" in text
    assert "cannot be shown" not in text
    assert "<html" in write_report(record, Lab(record, sessions=sessions), "html")[:400]


def test_tokens_are_drawn_in_pairs_from_the_same_documents(tiny_model: Any) -> None:
    from workbench.stimuli.token_labels import by_predicate, sample_tokens

    marked = by_predicate([f"{text} {number}" for number, text in enumerate(tiny.GOOD * 4)], "won")
    sample = sample_tokens(tiny_model, marked, 60, 0, lambda *_: None)
    assert sample.labels.sum() == 30
    for number in np.unique(sample.document):
        here = sample.labels[sample.document == number]
        assert here.sum() == (~here).sum() == 1
    for row in np.flatnonzero(sample.labels):
        piece = sample.texts[sample.document[row]].text_pieces[sample.place[row]]
        assert piece.strip() == "won"


def test_labels_of_whole_documents_have_no_p(loaded: Any, tmp_path: Path) -> None:
    spans = tmp_path / "spans.jsonl"
    good = [{"text": text, "spans": [[0, len(text)]]} for text in tiny.GOOD]
    spans.write_text(
        "\n".join(json.dumps(line) for line in (good + [{"text": text, "spans": []} for text in tiny.BAD]) * 2)
    )
    result = loaded(f"features.probe spans={spans} tokens=100 {QUICK}")["result"]
    assert "labels vary within 0 groups only" in result["p_reason"]
    assert result["discoveries"] is None
    assert all(row["p"] is None for row in result["rows"])
