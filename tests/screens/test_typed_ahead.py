"""Keys typed before the page that they are for is in front: that page takes them, or they are dropped with a word."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.overlays.why import WhyPage
from screens.select.page import SelectPage
from tests.screens.stage import play, press, recorded, reply_to, settle, text_of
from tests.screens.test_waiting import Slow
from workbench.engine.fake import FakeEngine

ROWS = [row["feature"] for row in reply_to("features.list", offset=0, sort="score", filter="")["rows"]]
FAILED = {"kind": "engine_died", "message": "the model process ended", "hint": "Repeat the command."}


def packet(app: WorkbenchApp, *keys: str) -> None:
    """Type keys without waiting for anything between them."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.parametrize(("before", "typed", "place", "line"), [
    ("3", ("enter", "T", "w", "i", "n"), ("feature", ROWS[0]), "win"),
    ("3", ("enter", "J", "T", "w", "i", "n"), ("feature", ROWS[1]), "win"),
    ("1", ("3", "j", "j", "enter"), ("feature", ROWS[2]), None),
    ("5", ("enter", "enter"), ("feature", reply_to("clusters.show")["features"][0]["feature"]), None),
    ("3", ("w", "escape"), ("select", ""), None),
    ("2", ("C", "j", "escape", "3"), ("select", ""), None),
    ("5", ("P", "j", "escape"), ("clusters", ""), None),
    ("9", ("1", "enter", "3"), ("select", ""), None),
], ids=str)  # fmt: skip
def test_keys_of_one_packet_are_for_the_page_that_the_key_before_opened(
    before: str, typed: tuple[str, ...], place: tuple[str, str], line: str | None
) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, before)
        packet(app, *typed)
        await settle(pilot)
        assert (app.trail.here.screen, app.trail.here.subject, app.over) == (*place, "")
        assert (app.line.text if app.line.question else None) == line

    play(scenario)


def test_keys_wait_for_the_answer_that_opens_a_page() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3")
        await pilot.press("w", "j", "j")
        assert (app.over, app.query_one(SelectPage).lines.cursor) == ("", 0), "they acted on the page beneath"
        app.engine.go.set()  # type: ignore[union-attr]
        await settle(pilot)
        assert app.over == "why"
        assert app.query_one(WhyPage).lines.cursor == 2
        assert app.query_one(SelectPage).lines.cursor == 0

    play(scenario, engine=Slow("features.why"))


def test_keys_for_a_page_that_is_long_in_coming_are_dropped_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screens.ahead.KEPT", 0.3)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3")
        await pilot.press("w", "j", "escape")
        await asyncio.sleep(0.4)
        await pilot.pause()
        assert "features.why is not answered yet: j escape dropped" in " ".join(text_of(app).split())
        assert app.query_one(SelectPage).lines.cursor == 0
        await pilot.press("escape", "2", "j")  # the keys are free again: one goes elsewhere
        app.engine.go.set()  # type: ignore[union-attr]
        await settle(pilot)
        assert (app.trail.here.screen, app.over) == ("stimuli", ""), "who went elsewhere is not followed"
        assert "features.why is answered, but this is another place" in " ".join(text_of(app).split())

    play(scenario, engine=Slow("features.why"))


def test_keys_for_a_page_that_does_not_open_do_nothing_to_the_one_beneath() -> None:
    failing = [{key: one[key] for key in ("do", "params", "session")} | {"progress": [], "error": FAILED}
               if one["do"] == "features.why" else one for one in recorded()]  # fmt: skip

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3")
        packet(app, "w", "j", "escape")
        await settle(pilot)
        assert (app.trail.here.screen, app.query_one(SelectPage).lines.cursor) == ("select", 0)
        assert "the model process ended" in text_of(app)

    play(scenario, engine=FakeEngine(failing))


def test_a_screen_that_is_long_in_coming_lets_go_of_who_wants_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screens.ahead.KEPT", 0.3)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2", "enter")
        await asyncio.sleep(0.4)
        await pilot.pause()
        assert "Stimuli is still being read; wait a moment and repeat: enter dropped" in " ".join(text_of(app).split())
        await pilot.press("enter", "3")
        await pilot.pause()
        assert app.trail.here.screen == "select"
        app.engine.go.set()  # type: ignore[union-attr]

    play(scenario, engine=Slow("stimuli."))


def test_a_label_is_of_the_feature_that_is_shown() -> None:
    exchanges = recorded()
    for one in exchanges:
        shown: dict[str, Any] = one.get("reply", {}).get("result", {})
        if one["do"] == "features.show" and shown["feature"] == ROWS[0]:
            shown["label"] = {"text": "of the one before", "source": "investigator", "status": "own"}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter")
        packet(app, "J", "l")
        await settle(pilot)
        assert app.line.question is not None
        assert "of the one before" not in app.line.text
        assert app.line.question.prompt == f"label #{ROWS[1].rpartition('#')[2]}: "

    play(scenario, engine=FakeEngine(exchanges))


def test_the_answer_to_a_line_typed_over_help_is_shown() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "question_mark")
        app.open_command("index.info")
        await press(pilot, "enter")
        assert app.over == "reply"
        await press(pilot, "escape")
        assert (app.over, app.trail.here.screen) == ("", "select")

    play(scenario)


def test_a_command_chosen_from_a_filtered_list_is_typed_over_the_screen() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "p", "slash", *"index", "enter", "enter")
        assert (app.over, app.line.text) == ("", "index.build ")

    play(scenario)
