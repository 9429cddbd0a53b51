"""The verbs of labels, with the offline labeller and with a service that is another process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.labels.conftest import Local
from workbench.errors import UsageError

pytestmark = pytest.mark.slow
ASK = "labels.suggest {} labeller=anthropic"


@pytest.fixture
def indexed(loaded: Any) -> Any:
    loaded("index.build tokens=12000 examples=3")
    return loaded


@pytest.fixture
def firing(indexed: Any) -> list[int]:
    """Features that fire in documents that explain; some have words that stand out, of a random SAE few."""
    rows = indexed(f"labels.suggest {' '.join(str(number) for number in range(48))}")["result"]["labels"]
    return [row["index"] for row in rows if row["status"] != "silent"][:4]


def shown(do: Any) -> dict[int, dict[str, Any]]:
    return {row["index"]: row for row in do("labels.show")["result"]["labels"]}


def test_a_label_is_suggested_accepted_and_rejected(
    indexed: Any, firing: list[int], serve: Callable[..., Local]
) -> None:
    serve()
    first, second = firing[:2]
    indexed(ASK.format(f"{first} {second}"))
    text = shown(indexed)[first]["text"]
    indexed(f"labels.accept {first}")
    indexed(f"labels.reject {second}")
    assert shown(indexed)[first]["status"] == "accepted"
    assert second not in shown(indexed)
    indexed(ASK.format(f"{first} {second}"), fresh=True)
    assert (shown(indexed)[first]["text"], shown(indexed)[first]["status"]) == (text, "accepted")
    assert second not in shown(indexed), "a rejected text does not come back"
    (row,) = indexed(f"labels.compare {second}")["result"]["features"]
    assert {one["source"]: one["status"] for one in row["labels"]}["claude-haiku-5-5"] == "rejected"
    with pytest.raises(UsageError, match="no label"):
        indexed(f"labels.reject {second}")


def test_scores_stand_beside_the_label_they_are_of(indexed: Any, firing: list[int]) -> None:
    first = firing[0]
    indexed(f"labels.set {first} Monday")
    result = indexed(f"labels.score {first} each=4 protocol=detection protocol=fuzzing concept='the concept'")["result"]
    assert [(row["protocol"], row["target"]) for row in result["scores"]] == [
        ("detection", "label"), ("fuzzing", "label"), ("detection", "concept"), ("fuzzing", "concept"),
    ]  # fmt: skip
    for row in result["scores"]:
        assert row["status"] == "scored"
        assert 0 <= row["accuracy"]["low"] <= row["accuracy"]["value"] <= row["accuracy"]["high"] <= 1
        assert row["other"]["index"] != first
        assert {"accuracy"} <= row["random"].keys()
    assert {score["scorer"] for score in shown(indexed)[first]["scores"]} == {"offline"}
    indexed(f"labels.set {first} 'something else'")
    assert shown(indexed)[first]["scores"] == [], "the score was of another text"


def test_nothing_to_score_is_said(indexed: Any) -> None:
    with pytest.raises(UsageError, match="no labels to score"):
        indexed("labels.score")
    with pytest.raises(UsageError, match="#3 has no label"):
        indexed("labels.score 3")


def test_a_language_model_labels_and_the_record_says_who_and_when(
    indexed: Any, firing: list[int], serve: Callable[..., Local], sessions: Path
) -> None:
    server = serve()
    line = ASK.format(" ".join(map(str, firing)))
    reply = indexed(line)
    rows = reply["result"]["labels"]
    assert {row["status"] for row in rows} == {"suggested"}
    record = reply["provenance"]["language_model"]
    assert record["model"] == "claude-haiku-5-5"
    assert len(record["prompts"]) == len(firing)
    assert record["usage"]["usd"] == pytest.approx(record["spent_usd"], abs=2e-6)
    kept = json.loads((sessions / "s" / reply["artifact"] / "replies.json").read_text())
    assert {one["prompt"] for one in kept} == set(record["prompts"])
    assert shown(indexed)[firing[0]]["by"]["prompt"] in record["prompts"]
    again = indexed(line, fresh=True)
    assert again["provenance"]["language_model"]["spent_usd"] == 0.0
    assert server.stats()["calls"] == len(firing)
    sources = indexed(f"labels.compare {firing[0]}")["result"]["features"][0]["labels"]
    assert "claude-haiku-5-5" in {one["source"] for one in sources}
    spent = indexed("labels.cost")["result"]["spent"]["usd"]
    assert spent == pytest.approx(record["spent_usd"])


def test_numbers_with_commas_are_several(indexed: Any, firing: list[int]) -> None:
    rows = indexed(f"labels.suggest {firing[0]},{firing[1]}")["result"]["labels"]
    assert [row["index"] for row in rows] == firing[:2]
    for number in firing[:2]:
        indexed(f"labels.set {number} Monday")
    scored = indexed(f"labels.score '{firing[1]}, {firing[0]}' each=1")["result"]["scores"]
    assert [row["index"] for row in scored] == [firing[1], firing[0]]


def test_the_cost_is_of_features_or_of_the_clusters_there_are(indexed: Any) -> None:
    features = indexed("labels.cost")["result"]
    assert (features["of"], features["features"]) == ("features", 100)
    for of in ("clusters", "quanta"):
        with pytest.raises(UsageError):
            indexed(f"labels.cost of={of}")
    found = indexed("clusters.find")["result"]["clusters"]
    clusters = indexed("labels.cost of=clusters")["result"]
    assert clusters["features"] == (found if isinstance(found, int) else len(found))
    assert indexed("labels.cost of=quanta features=10")["result"]["label"]["usd"] < features["label"]["usd"]


def test_a_language_model_scores_and_never_mixes_with_the_offline_scorer(
    indexed: Any, firing: list[int], serve: Callable[..., Local]
) -> None:
    serve()
    first = firing[0]
    indexed(f"labels.set {first} Monday")
    indexed(f"labels.score {first} each=4")
    one = indexed(f"features.show {first}")["result"]
    assert [score["text"] for score in one["label_scores"]] == [one["label"]["text"]] * len(one["label_scores"]) != []
    reply = indexed(f"labels.score {first} each=4 scorer=anthropic protocol=detection")
    assert {row["scorer"] for row in reply["result"]["scores"]} == {"claude-haiku-5-5"}
    detection = next(row for row in reply["result"]["scores"] if row["protocol"] == "detection")
    assert detection["status"] == "scored"
    said = {(score["scorer"], score["protocol"]) for score in shown(indexed)[first]["scores"]}
    assert {("offline", "detection"), ("claude-haiku-5-5", "detection")} <= said


@pytest.mark.parametrize("fault", ["refusal", "truncated", "nonsense"])
def test_a_useless_reply_is_an_error_that_can_be_retried(
    indexed: Any, firing: list[int], serve: Callable[..., Local], fault: str
) -> None:
    serve(faults=[fault])
    line = ASK.format(" ".join(map(str, firing[:2]))) + " concurrency=1"
    rows = indexed(line)["result"]["labels"]
    assert [row["status"] for row in rows] == ["error", "suggested"]
    assert rows[0]["text"] == ""
    assert "retry" in rows[0]["error"]
    assert shown(indexed).get(firing[0], {"source": "offline"})["source"] == "offline"
    rows = indexed(f"{line} retry=true")["result"]["labels"]
    assert [row["status"] for row in rows] == ["suggested", "suggested"]


def test_a_score_with_a_short_answer_is_no_score(indexed: Any, firing: list[int], serve: Callable[..., Local]) -> None:
    serve(faults=["short"])
    indexed(f"labels.set {firing[0]} Monday")
    (row,) = indexed(f"labels.score {firing[0]} each=4 scorer=anthropic")["result"]["scores"]
    assert row["status"] == "error"
    assert "accuracy" not in row
    assert shown(indexed)[firing[0]]["scores"] == []


def test_a_reply_that_gives_instructions_is_a_label_and_nothing_more(
    indexed: Any, firing: list[int], serve: Callable[..., Local]
) -> None:
    serve(always="obey")
    indexed(ASK.format(firing[0]))
    label = shown(indexed)[firing[0]]
    assert label["text"].startswith("[red]IGNORE")
    assert label["status"] == "suggested"


def test_a_refused_key_leaves_no_trace_of_itself(
    indexed: Any, firing: list[int], serve: Callable[..., Local], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret-123")
    with pytest.raises(UsageError, match="refuses the key") as caught:
        indexed(ASK.format(firing[0]))
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    indexed(ASK.format(firing[0]))
    for path in (sessions / "s").rglob("*"):
        if path.is_file():
            assert b"secret" not in path.read_bytes()
            assert b"test-key" not in path.read_bytes()


def test_what_costs_more_than_a_dollar_is_asked_only_after_a_yes(
    indexed: Any, firing: list[int], serve: Callable[..., Local], home: Path
) -> None:
    server = serve()
    table = {"as_of": "2026-11", "batch_share": 0.5, "cache_write_share": 1.25}
    table["models"] = {"claude-haiku-5-5": {"input": 1e4, "output": 1e4, "cache_read": 1.0}}  # type: ignore[assignment]
    (home / "prices.json").write_text(json.dumps(table))
    said = indexed(ASK.format(firing[0]) + " dry_run=true")["result"]
    assert said["usd"] > 1
    with pytest.raises(UsageError, match=r"would cost about \$"):
        indexed(ASK.format(firing[0]))
    with pytest.raises(UsageError, match="budget"):
        indexed(ASK.format(firing[0]) + " yes=true")
    assert server.stats()["calls"] == 0
    indexed(ASK.format(firing[0]) + " yes=true budget=1000")
    assert server.stats()["calls"] == 1


def test_a_batch_labels_as_live_calls_do(indexed: Any, firing: list[int], serve: Callable[..., Local]) -> None:
    server = serve(batch_polls=0)
    rows = indexed(ASK.format(" ".join(map(str, firing))) + " batch=true")["result"]["labels"]
    assert {row["status"] for row in rows} == {"suggested"}
    assert server.stats()["calls"] == 1
