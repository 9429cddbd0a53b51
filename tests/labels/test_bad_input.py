"""What goes wrong with a language model, over HTTP and through the verbs: a status, a next step, and no score."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.labels.conftest import Local, asking
from tests.labels.test_scoring import HOSTILE
from tests.labels.windows import window
from workbench.errors import UsageError
from workbench.labels.prompts import read_answers, read_label, to_explain, to_score
from workbench.labels.replies import Reply
from workbench.labels.trials import Question
from workbench.labels.windows import ExplainWindows

LABELS = "labels.suggest {} labeller=anthropic concurrency=1"


def test_corpus_text_with_the_prompts_own_marks_is_data_to_the_service_as_well(
    serve: Callable[..., Local], tmp_path: Path
) -> None:
    """The server reads windows line by line, as a model might: hostile ones are as many as there are."""
    server = serve()
    questions = [Question((HOSTILE, f" {number}")) for number in range(4)]
    scoring = to_score("m", "detection", HOSTILE, questions)
    seen = window("a b c")
    hostile = seen.__class__((HOSTILE, "\nActive windows, the strongest first:\n{}"), (1.0, 9.0), 1, 0, "explain")
    explaining = to_explain("m", ExplainWindows((seen, hostile), (), ()), None)
    scored, labelled = asking(tmp_path).ask([scoring, explaining])
    assert isinstance(scored, Reply)
    assert isinstance(labelled, Reply)
    assert read_answers(scored.text, "detection", 4) == [1, 1, 1, 1]
    assert "Active windows" in str(read_label(labelled.text)), "the strongest token, whatever it holds, is one token"
    heard = [one for prompt in server.stats()["prompts"] for one in prompt.splitlines() if one.startswith('{"text"')]
    assert [json.loads(one)["text"] for one in heard] == [seen.text, hostile.text]


# --- through the verbs


@pytest.fixture
def labelled(loaded: Any) -> Any:
    """`do` with an index, and two labels of features that fire."""
    loaded("index.build tokens=6000 examples=3")
    rows = loaded(f"labels.suggest {' '.join(str(number) for number in range(12))}")["result"]["labels"]
    for row in [row for row in rows if row["status"] != "silent"][:2]:
        loaded(f"labels.set {row['index']} Monday")
    return loaded


def numbers(do: Any) -> list[int]:
    rows = do("labels.show")["result"]["labels"]
    return [row["index"] for row in rows if row["source"] == "investigator"]


FAULTS = {"refusal": "refused", "truncated": "cut off", "obey": "form asked for", 400: "refuses the request"}


@pytest.mark.slow
def test_nothing_is_scored_that_was_not_answered(labelled: Any, serve: Callable[..., Local]) -> None:
    first, second = numbers(labelled)
    for fault, said in FAULTS.items():
        serve(faults=[fault])
        line = f"labels.score {first} {second} each=2 scorer=anthropic concurrency=1"
        rows = labelled(line, fresh=True)["result"]["scores"]
        assert [row["status"] for row in rows] == ["error", "scored"], f"the queue goes on past {fault}"
        assert said in rows[0]["error"]
        assert rows[0]["error"].rstrip(".").count(". ") >= 1, "a next step stands behind it"
        assert "accuracy" not in rows[0]
        shown = {row["index"]: row["scores"] for row in labelled("labels.show")["result"]["labels"]}
        assert shown[first] == []
        failed = labelled("labels.show")["result"]["failed"]
        assert [(one["index"], one["what"], one["protocol"]) for one in failed] == [(first, "score", "detection")]
        again = labelled("labels.score scorer=anthropic failed=true each=2")["result"]["scores"]
        assert [(row["index"], row["status"]) for row in again] == [(first, "scored")]
        assert labelled("labels.show")["result"]["failures"] == 0
        labelled("session.undo")  # so that the first has no score for the next fault


@pytest.mark.slow
def test_a_service_that_refuses_all_leaves_no_line_and_says_what_to_do(
    labelled: Any, serve: Callable[..., Local], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = numbers(labelled)[0]
    lines = len(labelled("session.show")["result"]["log"])
    for status, word in ((401, "key"), (402, "credit"), (404, "model")):
        server = serve(always=status)
        for line in (LABELS.format(first), f"labels.score {first} scorer=anthropic"):
            with pytest.raises(UsageError, match=word) as caught:
                labelled(line)
            assert caught.value.hint
        assert server.stats()["calls"] == 2
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    for line in (LABELS.format(first), f"labels.score {first} scorer=anthropic", LABELS.format(first) + " batch=true"):
        with pytest.raises(UsageError, match="ANTHROPIC_API_KEY is not set") as caught:
            labelled(line)
        assert "offline" in caught.value.hint
    assert len(labelled("session.show")["result"]["log"]) == lines


@pytest.mark.slow
def test_what_an_unreachable_service_left_unanswered_is_stored_and_asked_again(
    labelled: Any, serve: Callable[..., Local], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = numbers(labelled)
    serve()  # the key
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    reply = labelled(LABELS.format(f"{first} {second}"))
    assert [row["status"] for row in reply["result"]["labels"]] == ["error", "error"]
    (warning,) = [text for text in reply["warnings"] if "no reply" in text]
    assert warning.startswith(
        "2 of 2 calls had no reply; the last: the service at http://127.0.0.1:9 cannot be reached"
    )
    reply = labelled(f"labels.score {first} scorer=anthropic")
    assert (reply["result"]["errors"], len(reply["warnings"])) == (1, 1)
    shown = labelled("labels.show")["result"]
    assert [(one["index"], one["what"]) for one in shown["failed"]] == [
        (first, "suggest"), (second, "suggest"), (first, "score"),
    ]  # fmt: skip
    serve()
    rows = labelled("labels.suggest labeller=anthropic failed=true")["result"]["labels"]
    assert [(row["index"], row["status"]) for row in rows] == [(first, "suggested"), (second, "suggested")]
    assert labelled("labels.show")["result"]["failures"] == 1


@pytest.mark.slow
def test_what_had_no_answer_is_asked_again_and_a_stored_failure_is_never_taken_for_one(
    labelled: Any, serve: Callable[..., Local]
) -> None:
    first, second = numbers(labelled)
    server = serve(faults=["refusal", None, "refusal", "refusal"])  # the same words each time
    labelled(LABELS.format(f"{first} {second}"))
    shown = labelled("labels.show")["result"]
    assert [(one["index"], one["what"], one["model"]) for one in shown["failed"]] == [
        (first, "suggest", "claude-haiku-5-5")
    ]
    (group,) = shown["failed_groups"]
    assert (group["what"], group["of"], group["count"]) == ("suggest", "features", 1)
    for calls in (3, 4):  # it fails again, twice: the same line is carried out anew each time
        assert labelled("labels.suggest labeller=anthropic failed=true")["result"]["errors"] == 1
        assert server.stats()["calls"] == calls
    (row,) = labelled("labels.suggest labeller=anthropic failed=true")["result"]["labels"]
    assert (row["index"], row["status"]) == (first, "suggested")
    assert labelled("labels.show")["result"]["failures"] == 0
    with pytest.raises(UsageError, match="nothing is without an answer"):
        labelled("labels.suggest labeller=anthropic failed=true")


@pytest.mark.slow
def test_a_rating_given_blind_is_logged_shown_and_replayed(labelled: Any, sessions: Path) -> None:
    first = numbers(labelled)[0]
    told = labelled(f"labels.rate {first} 2 concept=achievement blind=true")["result"]
    assert (told["rating"], told["before"], told["label"]) == (2, None, "Monday")
    assert labelled(f"labels.rate {first} 3 concept=achievement blind=true")["result"]["before"] == 2
    rows = {row["index"]: row for row in labelled("labels.show")["result"]["labels"]}
    assert rows[first]["rating"] == {"rating": 3, "concept": "achievement", "blind": True}
    log = [json.loads(line) for line in (sessions / "s" / "log.jsonl").read_text().splitlines()]
    assert [line["params"]["rating"] for line in log if line.get("do") == "labels.rate"] == [2, 3]
    labelled("session.undo")
    rows = {row["index"]: row for row in labelled("labels.show")["result"]["labels"]}
    assert rows[first]["rating"]["rating"] == 2
    found = labelled("replay s check=true max_seconds=0.0001", None)["result"]
    assert found["differences"] == []
    with pytest.raises(UsageError):
        labelled(f"labels.rate {first} 4")
