"""Quanta in a session: replayed in part, taken back, and sent to a colleague."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import MismatchError, UsageError
from workbench.session import SessionRecord

pytestmark = pytest.mark.slow


def rewrite(sessions: Path, verb: str, **fields: Any) -> int:
    """Change fields of a verb's only log line; gives its number."""
    path, seq = sessions / "s" / "log.jsonl", 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line.get("do") == verb:
            line.update(fields)
            seq = line["seq"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return seq


def test_a_line_over_the_limit_takes_those_that_rest_on_it_along(clustered: Any, sessions: Path) -> None:
    clustered("quanta.label 0 first")
    long = rewrite(sessions, "quanta.similarity", seconds=100.0)
    result = clustered("replay check=true")["result"]
    recorded = {item["do"]: item["reason"] for item in result["recorded"]}
    assert result["equal"]
    assert set(recorded) == {"quanta.similarity", "quanta.cluster"}
    assert recorded["quanta.similarity"].startswith("it took 100 s")
    assert recorded["quanta.cluster"].startswith(f"it rests on line {long} (quanta.similarity)")
    assert result["recomputed"] == result["total"] - 2  # the label, which comes later, among them
    assert not clustered("replay check=true max_seconds=1000")["result"]["recorded"]


def test_a_corpus_over_the_limit_leaves_the_rest_to_the_record(taken: Any, sessions: Path) -> None:
    long = rewrite(sessions, "corpus.import", seconds=100.0)
    recorded = {item["do"]: item["reason"] for item in taken("replay check=true")["result"]["recorded"]}
    assert recorded["quanta.losses"].startswith(f"it rests on line {long} (corpus.import)")


def test_a_line_that_fails_is_a_difference_and_the_others_go_on(clustered: Any, sessions: Path) -> None:
    params = SessionRecord(sessions / "s").done("quanta.select")[0].params
    wrong = rewrite(sessions, "quanta.select", params={**params, "threshold": 1e-9})
    result = clustered("replay")["result"]
    assert [(one["seq"], one["field"], one["recorded"]) for one in result["differences"]] == [(wrong, "outcome", "ok")]
    assert result["differences"][0]["recomputed"].startswith("error: ")
    assert (result["recomputed"], result["recorded"]) == (result["total"] - 1, [])


def test_edits_of_a_withdrawn_clustering_are_not_served(clustered: Any, sessions: Path) -> None:
    first = SessionRecord(sessions / "s").done("quanta.cluster")[-1].seq
    clustered("quanta.label 0 first")
    merged = clustered("quanta.merge 1 2")["seq"]
    clustered("labels.set 0 another of=quanta")
    undone = clustered(f"session.undo {first}")["result"]
    assert undone["stale"] == [first + 1, merged, merged + 1]
    shown = clustered("session.show")["result"]
    assert [row["seq"] for row in shown["log"] if row["stale"]] == undone["stale"]
    assert "clusters" not in shown["quanta"]
    for line in ("quanta.list", "quanta.show 0", "quanta.export x.html"):
        with pytest.raises(UsageError, match="no clusters of predictions"):
            clustered(line)
    assert [row["stale"] for row in clustered("labels.show of=quanta")["result"]["labels"]] == [True]


def test_undoing_a_clustering_gives_the_one_before_it(clustered: Any) -> None:
    before = clustered("quanta.list")["result"]
    second = clustered("quanta.cluster n_clusters=6 seeds=0")["seq"]
    clustered("quanta.merge 1 2")
    clustered(f"session.undo {second}")
    assert clustered("quanta.list")["result"] == before


def test_scores_rest_on_the_labels_they_are_of(clustered: Any, sessions: Path) -> None:
    other = clustered("labels.set 1 unrelated of=quanta")["seq"]
    label = clustered("labels.set 0 prize of=quanta")["seq"]
    clustered("labels.score 0 of=quanta each=1")
    uses = SessionRecord(sessions / "s").done("labels.score")[-1].uses
    assert label in uses
    assert other not in uses


def test_quanta_are_read_where_a_session_was_sent(
    clustered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("quanta.list", "quanta.show 0", "quanta.counts threshold=100 filter=present-bigram n=2")
    here = [clustered(line)["result"] for line in asked]
    sent = clustered(f"session.export s {tmp_path / 'x.zip'}")
    assert sent["result"]["quanta"]
    assert not sent["warnings"]
    assert not clustered(f"session.export s {tmp_path / 'y.zip'} index=false")["result"]["quanta"]
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "elsewhere"))
    clustered(f"session.import {tmp_path / 'x.zip'} with")
    clustered(f"session.import {tmp_path / 'y.zip'} without")
    assert [clustered(line, "with")["result"] for line in asked] == here
    with pytest.raises(MismatchError, match="not on this machine"):
        clustered("quanta.show 0", "without")
    clustered(f"quanta.export {tmp_path / 'page.html'}", "with")
    clustered(f"session.export with {tmp_path / 'z.zip'}")
    clustered(f"session.import {tmp_path / 'z.zip'} further")
    assert clustered("quanta.show 0", "further")["result"] == here[1]
    clustered("quanta.merge 0 1", "with")
    assert not (tmp_path / "elsewhere" / "corpora").exists(), "a colleague's corpus went among this user's own"


def test_similarities_that_are_too_large_stay_behind_and_it_is_said(
    clustered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commands.handlers.session import files as session_files

    monkeypatch.setattr(session_files, "MATRIX_LIMIT", 10)
    sent = clustered(f"session.export s {tmp_path / 'x.zip'}")
    assert [warning.partition(" have ")[0] for warning in sent["warnings"]] == ["the similarities"]
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "elsewhere"))
    clustered(f"session.import {tmp_path / 'x.zip'} with")
    shown = clustered("quanta.show 0", "with")["result"]
    assert shown["samples"]
    assert shown["matrix"] is None


@pytest.mark.parametrize("key", ["../../../secrets", "/etc", "", ".."])
def test_a_key_that_is_a_path_sends_nothing(clustered: Any, sessions: Path, tmp_path: Path, key: str) -> None:
    entry = SessionRecord(sessions / "s").state.get("quanta/similarity")
    rewrite(sessions, "quanta.similarity", sets={"quanta/similarity": {**entry, "key": key}})
    sent = clustered(f"session.export s {tmp_path / 'x'}")
    assert "names no similarity" in sent["warnings"][0]
    assert not (tmp_path / "x" / "stores" / "quanta" / "similarity").exists()
    assert clustered("quanta.show 0")["result"]["matrix"] is None
