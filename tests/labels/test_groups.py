"""Labels of clusters and quanta: what their windows are, and the verbs on both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.labels.conftest import Local
from workbench.errors import UnknownNameError, UsageError
from workbench.labels.cluster_index import LOGITS, ClusterIndex, _strongest
from workbench.labels.drawing import Draw
from workbench.labels.prediction_windows import PredictionDraw, Predictions
from workbench.labels.windows import Window

# --- clusters


@pytest.fixture(scope="module")
def joined(tiny_index: Any) -> ClusterIndex:
    """Three clusters of the features that fire most, the second with decoder lengths other than 1."""
    order = np.argsort(-tiny_index.summary["fired"])[:7]
    members = [order[:2], order[2:5], order[5:]]
    return ClusterIndex(tiny_index, members, [np.ones(2), np.array([2.0, 0.5, 1.0]), np.ones(2)])


def test_a_cluster_is_active_where_any_member_is_with_the_sum_of_what_they_write(
    joined: ClusterIndex, tiny_index: Any
) -> None:
    members = np.argsort(-tiny_index.summary["fired"])[2:5]
    expected = np.zeros(int(tiny_index.meta["tokens"]))
    for member, length in zip(members, (2.0, 0.5, 1.0), strict=True):
        at, values = tiny_index.entries(int(member))
        expected[at] += length * values
    at, values = joined.entries(1)
    assert at.tolist() == np.flatnonzero(expected).tolist()
    assert values == pytest.approx(expected[at], rel=1e-5)


def test_what_explains_a_cluster_scores_it_nowhere_and_silent_windows_hold_no_member(
    joined: ClusterIndex, tiny_index: Any
) -> None:
    draw = Draw(joined, seed=3)
    members = np.argsort(-tiny_index.summary["fired"])[2:5]
    active = set(np.concatenate([tiny_index.entries(int(member))[0] for member in members]).tolist())
    explain, score = draw.explain(1), draw.score(1, 4, ("random", "neighbours", "hard"))
    silent = [one for group in score.negatives.values() for one in group]
    assert explain.active
    assert score.active
    assert not {one.document for one in explain.active} & {one.document for one in (*score.active, *silent)}
    assert all(max(one.values) > 0 for one in score.active)
    for window in silent:
        begin = int(tiny_index.store.starts[window.document])
        places = range(begin, begin + len(window.tokens))  # short documents: the window begins at theirs
        assert not active & set(places)


def test_the_tokens_a_cluster_promotes_are_those_of_its_members_each_once(
    joined: ClusterIndex, tiny_index: Any
) -> None:
    told, members = joined.logits(0), np.argsort(-tiny_index.summary["fired"])[:2]
    assert told is not None
    known = [pair for member in members for pair in (tiny_index.logits(int(member)) or {"top": []})["top"]]
    strongest = [max((pair for pair in known if pair[0] == token), key=lambda pair: abs(pair[1])) for token, _ in known]
    expected = sorted(map(tuple, strongest), key=lambda pair: (-abs(pair[1]), pair[0]))
    assert [tuple(pair) for pair in told["top"]] == list(dict.fromkeys(expected))[:LOGITS]
    assert _strongest([[["a", 2.0]], [["a", 1.0], ["b", -3.0]]]) == [["b", -3.0], ["a", 2.0]]


# --- quanta


@pytest.fixture(scope="module")
def predictions(tiny_index: Any) -> Predictions:
    """Two predictions of each document in three made clusters."""
    from workbench.predictions.numbering import Numbering

    numbering = Numbering.of(tiny_index.store, 64, int(tiny_index.meta["tokens"]))
    rng = np.random.default_rng(5)
    numbers = np.sort(rng.choice(len(numbering.index), size=600, replace=False))
    document, position = numbering.index.locate(numbers)
    answer = numbering.answers()[numbers]
    quantum = np.array([4, 9, 11])[answer % 3]
    between = np.array([[1.0, 0.6, 0.1], [0.6, 1.0, 0.2], [0.1, 0.2, 1.0]])
    losses = rng.uniform(0.0, 0.1, size=600)
    return Predictions(numbering, document, position, losses, answer, quantum, np.array([4, 9, 11]), between)


def answers_of(windows: Sequence[Window]) -> list[str]:
    return [window.tokens[window.peak] for window in windows]


def test_a_quantums_windows_end_with_the_predicted_token_marked(predictions: Predictions) -> None:
    draw = PredictionDraw(predictions, seed=1)
    pieces = predictions.numbering.store.pieces
    own = {pieces[int(token)] for token in predictions.answer[predictions.quantum == 9]}
    explain, score = draw.explain(9), draw.score(9, 4)
    assert explain.active
    assert score.marked
    for window in (*explain.active, *score.active, *score.negatives["random"]):
        assert window.peak == len(window.tokens) - 1
        assert [value > 0 for value in window.values] == [False] * window.peak + [True]
    assert set(answers_of((*explain.active, *score.active))) <= own
    assert not set(answers_of(score.negatives["random"])) & own
    assert not set(answers_of([one for one in explain.contrast if one.value > 0])) & own, (
        "the others of 0 are no sample"
    )
    fifths = [[one.value for one, fifth in zip(score.active, score.quantile, strict=True) if fifth == number]
              for number in (1, 2, 3, 4, 5)]  # fmt: skip
    assert all(fifths)
    assert all(max(one) <= min(other) for one, other in pairwise(fifths)), "the fifth is the surest"
    values = [[one.value for one in group] for group in explain.quantiles]
    assert all(min(one) >= max(other) for one, other in pairwise(values)), "the surest first"


def test_what_explains_a_quantum_scores_it_nowhere(predictions: Predictions) -> None:
    draw = PredictionDraw(predictions, seed=1)
    explain, score = draw.explain(4), draw.score(4, 6, ("random", "neighbours"))
    scored = {one.document for one in (*score.active, *score.negatives["random"], *score.negatives["neighbours"])}
    seen = {one.document for one in (*explain.active, *explain.contrast)}
    assert not seen & scored
    assert not (seen | scored) & {one.document for one in draw.reference().windows}
    assert len(scored) >= 6


def test_negatives_of_a_quantum_are_of_its_nearest_ones_or_have_its_answers(predictions: Predictions) -> None:
    pieces = predictions.numbering.store.pieces
    nearest = {pieces[int(token)] for token in predictions.answer[predictions.quantum == 9]}
    found = PredictionDraw(predictions, seed=1).score(4, 4, ("neighbours", "hard"))
    assert found.negatives["neighbours"]
    assert set(answers_of(found.negatives["neighbours"])) <= nearest
    assert found.negatives["hard"] == (), "no other quantum has its answers here"


# --- verbs


@pytest.fixture
def grouped(loaded: Any, tmp_path: Path) -> Any:
    """`do`, with an index, clusters and quanta in session `s`."""
    from tests.commands.quanta.words import TEXTS, write_corpus

    loaded("index.build tokens=12000 examples=3")
    loaded("clusters.find tau=0.1 k=1")
    loaded(f"corpus.import {write_corpus(tmp_path / 'words.jsonl', TEXTS, 10)} name=words")
    for line in ("quanta.losses words", "quanta.select threshold=100 filter=none n=200", "quanta.similarity pairs=4"):
        loaded(line)
    loaded("quanta.cluster n_clusters=4 seeds=1")
    return loaded


def labels_of(do: Any, of: str) -> dict[int, dict[str, Any]]:
    return {row["index"]: row for row in do(f"labels.show of={of}")["result"]["labels"]}


def first_scored(do: Any, of: str, numbers: list[int]) -> dict[str, Any]:
    """The score of the first that has windows of both kinds: a tiny cluster may fire in every window."""
    asked = " ".join(map(str, numbers))
    rows: list[dict[str, Any]] = do(f"labels.score {asked} of={of} each=2 scorer=anthropic")["result"]["scores"]
    return next(row for row in rows if row["status"] == "scored")


@pytest.mark.slow
def test_clusters_and_quanta_are_labelled_scored_and_shown_by_name(grouped: Any, serve: Callable[..., Local]) -> None:
    server = serve()
    for of, listing in (("clusters", "clusters.list"), ("quanta", "quanta.list")):
        rows = grouped(f"labels.suggest of={of} top=40 labeller=anthropic")["result"]["labels"]
        labelled = [row for row in rows if row["status"] == "suggested"]
        first = labelled[0]
        assert first["feature"].startswith(f"{of}/")
        shown = labels_of(grouped, of)[first["index"]]
        assert (shown["text"], shown["of"], shown["stale"]) == (first["text"], of, False)
        listed = {one["cluster"]: one for one in grouped(listing)["result"]["clusters"]}
        assert listed[first["index"]]["label"] == first["text"]
        score = first_scored(grouped, of, [row["index"] for row in labelled])
        first = next(row for row in labelled if row["index"] == score["index"])
        one = grouped(f"{of}.show {first['index']}")["result"]
        assert [kept["accuracy"] for kept in one["label_scores"]] == [score["accuracy"]]
        grouped(f"labels.set {first['index']} 'my words' of={of}")
        assert labels_of(grouped, of)[first["index"]]["source"] == "investigator"
        grouped(f"labels.suggest {first['index']} of={of}")
        assert labels_of(grouped, of)[first["index"]]["text"] == "my words", "a suggestion overwrites no label"
        grouped(f"labels.accept {first['index']} of={of} source=claude-haiku-5-5")
        assert labels_of(grouped, of)[first["index"]]["text"] == first["text"]
        grouped(f"labels.reject {first['index']} of={of}")
        assert first["index"] not in labels_of(grouped, of)
    prompts = server.stats()["prompts"]
    marked = [prompt for prompt in prompts if '{"m": ' in prompt]
    assert marked, "predictions are marked in what a scorer is asked"
    assert set(labels_of(grouped, "features")) == set()
    with pytest.raises(UsageError, match=rf"quantum {first['index']} has no label"):
        grouped(f"labels.score {first['index']} of=quanta")
    summary = grouped("session.show")["result"]
    assert summary["labels"] == grouped("labels.show")["result"]["total"] > 0, "Home counts what Labels lists"
    assert summary["quanta"]["count"] == len(grouped("quanta.list")["result"]["clusters"])
    with pytest.raises(UsageError, match="fuzzing"):
        grouped("labels.score of=quanta protocol=fuzzing")
    with pytest.raises(UnknownNameError, match="9999"):
        grouped("labels.set 9999 x of=clusters")


@pytest.mark.slow
def test_a_label_of_clusters_that_were_found_anew_is_stale_and_stands_beside_no_other(
    grouped: Any, tmp_path: Path
) -> None:
    grouped("labels.set 0 'first of the first' of=clusters")
    grouped("labels.set 0 'a feature'")
    grouped("clusters.find tau=0.3 k=1")
    rows = grouped("labels.show of=clusters")["result"]["labels"]
    assert [(row["text"], row["stale"]) for row in rows] == [("first of the first", True)]
    assert {one["label"] for one in grouped("clusters.list")["result"]["clusters"]} <= {""}
    assert [row["text"] for row in grouped("labels.show of=features")["result"]["labels"]] == ["a feature"]
    grouped("labels.set 0 'first of the second' of=clusters")
    grouped("labels.rate 0 1 of=clusters concept=words")
    out = tmp_path / "report.md"
    grouped(f"report s format=md out={out}", None)
    told = out.read_text()
    assert "Labels of clusters" in told
    assert "of clusters that are no longer in force" in told
    (row,) = [line for line in told.splitlines() if "first of the second" in line and "investigator" in line]
    assert "1 of 3, against “words”" in row
