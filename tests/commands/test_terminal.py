"""Whoever wrote a session: what the shell says of it sets no title, moves no cursor and hides no line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from commands import cli
from commands.render import as_lines
from commands.shell import execute
from workbench.session import catalog
from workbench.session.layout import LOG_NAME

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"
SIGNS = set(EVIL) - set("]0;owned[2J31m")


def replies() -> list[dict[str, Any]]:
    """Replies whose names and reasons come out of a log."""
    replayed = {"recorded": [{"seq": 1, "do": EVIL, "reason": EVIL}], "differences": [], "equal": True,
                "recomputed": 0, "total": 1}  # fmt: skip
    ranked = {"kind": "contrast", "stimuli": EVIL, "positive": EVIL, "against": EVIL, "space": EVIL, "statistic": "t",
              "pool": EVIL, "permutations": 20, "seed": 0, "discoveries": 0, "tested": 1, "alpha": 0.05,
              "null_discoveries": 0, "null_discoveries_max": 0, "undefined": 0, "rows": []}  # fmt: skip
    return [
        {"command": "replay", "result": replayed},
        {"command": "features.contrast", "result": ranked},
        {"command": "session.result", "result": {"seq": 1, "utc": EVIL, "line": EVIL, "withdrawn": False,
         "stale": False, "warnings": [EVIL], "do": "features.contrast", "result": ranked}},
        {"command": "toy.any", "result": {EVIL: EVIL}},
    ]  # fmt: skip


@pytest.mark.parametrize("reply", replies(), ids=lambda reply: str(reply["command"]))
def test_a_drawn_reply_shows_control_characters(reply: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    cli.show_reply({**reply, "provenance": {}, "warnings": [f"one\n{EVIL}"]}, as_json=False, quiet=False)
    told = capsys.readouterr()
    assert "\\x1b]0;owned" in told.out
    assert "warning: one\n\\x1b]0;owned" in told.err
    for text in (told.out, told.err, "".join(as_lines(reply, 80))):
        assert not SIGNS & set(text)


def test_an_error_shows_control_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    folder = catalog.create("theirs", tmp_path / "sessions")
    line = {"seq": 1, "utc": "", "do": "model.load", "params": {}, "outcome": "error", "error": {"message": EVIL}}
    with (folder / LOG_NAME).open("a") as file:
        file.write(json.dumps(line) + "\n")
    call = ["--sessions", str(tmp_path / "sessions"), "--session", "theirs", "--no-engine", "session", "result", "1"]
    assert cli.main(call) == 2
    said = capsys.readouterr().err
    assert "has no result: \\x1b]0;owned" in said
    assert not SIGNS & set(said)


def test_progress_shows_control_characters(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    execute.show_progress(1, 2, f"replaying {EVIL}")
    said = capsys.readouterr().err
    assert said.startswith("\r\x1b[Kreplaying \\x1b]0;owned")
    assert "\x1b" not in said.removeprefix("\r\x1b[K")


def test_without_a_terminal_long_work_says_where_it_is_and_at_once_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter((0.0, 9.0, 10.0, 11.0))  # made, and three words of progress
    monkeypatch.setattr("workbench.engine.pace.time.monotonic", lambda: next(clock))
    tell = execute.PlainProgress()
    tell(0, 0, "waiting behind j20 index.build")
    tell(1, 4, "reading")
    tell(2, 4, "reading")
    tell(3, 4, "reading")
    assert capsys.readouterr().err == "waiting behind j20 index.build\nreading 2/4\n"


@pytest.mark.parametrize(("tty", "said"), [(True, "'caf?'"), (False, "'caf\\xe9'")])
def test_a_sign_that_the_terminal_cannot_show_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch, tty: bool, said: str
) -> None:
    """A terminal of another locale, strict as Python makes it."""
    told = io.BytesIO()
    stream = io.TextIOWrapper(told, encoding="ascii", errors="strict")
    monkeypatch.setattr(stream, "isatty", lambda: tty)
    monkeypatch.setattr(sys, "stderr", stream)
    assert cli.main(["café"]) == 2
    stream.flush()
    assert said in told.getvalue().decode("ascii")
