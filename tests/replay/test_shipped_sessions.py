"""The shipped sessions come out the same when every command is computed again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from commands import cli
from workbench import demo
from workbench.session import SessionRecord

SHIPPED = ("achievement", "weekdays")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_session_replays(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["--no-engine", "--json", "--sessions", str(tmp_path), "replay", name, "--check"])
    reply = json.loads(capsys.readouterr().out)
    assert code == 0, reply
    assert reply["result"]["equal"] is True
    assert reply["result"]["recomputed"] == reply["result"]["total"] > 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_changed_number_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check is no check unless a forged number fails it, and says where."""
    shutil.copytree(demo.sessions_dir() / "weekdays", tmp_path / "forged")
    record = SessionRecord(tmp_path / "forged")
    line = record.done("features.contrast")[0]
    path = record.artifact_path(line) / "result.json"
    body = json.loads(path.read_text())
    body["result"]["rows"][2]["effect"] *= 1.01
    path.write_text(json.dumps(body))
    code = cli.main(["--no-engine", "--json", "--sessions", str(tmp_path), "replay", "forged", "--check"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert code == 1
    assert error["kind"] == "replay_differs"
    assert f"line {line.seq}" in error["message"]
    assert "effect" in error["message"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_session_is_a_read_only_example_without_machine_paths(name: str) -> None:
    record = SessionRecord(demo.sessions_dir() / name)
    assert record.is_example
    assert record.lines[0].do == "model.load"
    text = (record.path / "log.jsonl").read_text()
    assert str(Path.home()) not in text
    assert str(demo.HERE.parents[1]) not in text
    for line in record.lines:
        assert record.artifact(line)["result"] is not None
