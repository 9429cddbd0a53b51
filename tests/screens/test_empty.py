"""A session in which nothing was done yet, on the real handlers: each screen says what comes next, each key why not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.keys import ACTIONS, TABS
from screens.widgets.foot import Notice
from tests.screens.stage import assert_golden, play, press, text_of
from tests.transcripts.record_demo import InProcess
from workbench.verbs import Verb

SAID = {
    "stimuli": ("› achievement", "1 of 100"),
    "select": ("no ranking in this session", ":features.contrast achievement", ":model.load demo"),
    "feature": ("No feature is chosen", ":features.show NUMBER"),
    "clusters": ("no clusters in this session", ":clusters.find", ":model.load demo"),
    "quanta": ("no losses in this session", ":quanta.losses", ":model.load demo"),
    "labels": ("No labels yet", "press l", ":model.load demo"),
    "jobs": ("No jobs", "b builds the corpus index"),
    "log": ("Nothing was done", ":model.load demo"),
}
SNAPPED = ("select", "feature", "clusters", "quanta", "labels", "jobs", "log")
SIGNS = {"slash": "/", "number_sign": "#", "apostrophe": "'", "question_mark": "?", "colon": ":", "space": " ",
         "equals_sign": "=", "less_than_sign": "<", "full_stop": "."}  # fmt: skip
OTHERS = (*SIGNS, "y", "p", "enter", "v", "h", "H", "L", "z")
"""Keys beside the letters of `ACTIONS`."""
ACTING = {
    ("home", "demo"),
    ("home", "enter"),
    ("stimuli", "enter"),
    ("labels", "blind"),
    *((name, "space") for name in ("home", "stimuli", "log")),
}
"""What carries something out, and what is seen on the row itself or in the keys at the foot."""


class Beginning(InProcess):
    """The real handlers in this process, with no job."""

    async def request(self, verb: Verb, **options: Any) -> dict[str, Any]:
        """What the handler says."""
        if verb.dotted == "engine.jobs":
            return {"result": {"jobs": []}, "seconds": 0.0}
        return await super().request(verb, **options)


@pytest.fixture
def beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beginning]:
    """An engine with one session, `new`, in which nothing was done."""
    from commands.line import parse_line

    for name in ("EDITOR", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
    engine = Beginning(tmp_path)
    asyncio.run(engine.request(parse_line("session.new new"), session=None))
    yield engine


def test_each_screen_says_what_comes_next(beginning: Beginning) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        assert "none yet (:model.load demo)" in text_of(app)
        for digit, name in enumerate(TABS[1:], start=2):
            await press(pilot, str(digit))
            for said in SAID[name.lower()]:
                assert said in text_of(app), name
            if name.lower() in SNAPPED:
                assert_golden(app, f"empty-{name.lower()}")

    play(scenario, session="new", engine=beginning)


def test_without_a_session_each_screen_says_where_to_open_one(beginning: Beginning) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        assert "no session" in text_of(app)
        assert "n new session" in text_of(app)
        for digit in "2345679":
            await press(pilot, digit)
            assert "Go Home (1) and" in text_of(app), digit

    play(scenario, session=None, engine=beginning)


@pytest.mark.slow
def test_every_key_acts_or_says_why_not(beginning: Beginning) -> None:
    silent: list[str] = []

    async def answered(app: WorkbenchApp, pilot: Pilot[None], key: str) -> bool:
        """Whether a key led anywhere, or something was said."""
        place = (app.trail.here, app.over)
        await app.on_event(events.Key(key, SIGNS.get(key, key)))
        await app.workers.wait_for_complete()
        if key == "enter":
            await pilot.pause()  # the list tells its page first
        told = app.status.message or app.line.question or app.query_one(Notice).display
        return bool(told) or place != (app.trail.here, app.over)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for screen in (name.lower() for name in TABS):
            for name, key in [*ACTIONS.items(), *((key, key) for key in OTHERS)]:
                if (screen, name) in ACTING:
                    continue
                app.visit(screen)
                await pilot.pause()
                app.hide_notice()
                app.status.show(message="")
                if not await answered(app, pilot, key):
                    silent.append(f"{key} on {screen}")
                if app.line.question:
                    app.close_line()

    play(scenario, session="new", engine=beginning)
    assert not silent, " · ".join(silent)
