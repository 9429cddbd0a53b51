"""The commands of docs/quanta.md are carried out in their order; its quoted outputs are the real ones."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from commands.cli import parse_verb
from commands.registry import lookup
from commands.render import as_lines
from tests.docs.console import missing, steps

PAGE = (Path(__file__).parents[2] / "docs" / "quanta.md").read_text("utf-8")
WIDTH = 100
pytestmark = pytest.mark.slow


def test_a_reader_sees_what_the_page_says(
    sessions: Path, one_thread: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commands.handlers import handler_of
    from workbench.run import Runner

    monkeypatch.chdir(tmp_path)
    runner = Runner(handler_of, sessions, "a test")
    told = steps(PAGE)
    assert len(told) > 8
    for step in told:
        program, group, verb, *words = shlex.split(step.command)
        assert program == "workbench"
        reply = runner.do(parse_verb(lookup(f"{group}.{verb}"), words), None if verb == "new" else "quanta")
        shown = "\n".join(as_lines(reply, WIDTH))
        assert not (lost := missing(step.quoted, shown)), f"{step.command}\n{lost}\n{shown}"
    assert (tmp_path / "clusters.html").stat().st_size > 20_000
