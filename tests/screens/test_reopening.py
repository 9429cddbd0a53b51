"""A session opens exactly where it was left: screen, rows in sight, cursor, filter, order, token."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from tests.screens.long_ranking import LongRanking
from tests.screens.stage import play, press, settle, text_of, type_line


class Remembering(LongRanking):
    """Gives back the view that was saved."""

    def __init__(self, view: dict[str, Any] | None = None) -> None:
        super().__init__(3000)
        self.view = view or {}

    async def request(self, verb: Any, *, session: str | None, **more: Any) -> dict[str, Any]:
        reply = await super().request(verb, session=session, **more)
        if verb.dotted != "session.show":
            return reply
        reply = copy.deepcopy(reply)
        reply["result"]["view"] = self.view
        return reply


def body(app: WorkbenchApp) -> list[str]:
    """The screen without the status line, which tells what was done last."""
    lines = text_of(app).split("\n")
    return [*lines[:-2], lines[-1]]


WAYS: dict[str, list[str]] = {
    "far down the ranking": ["3", *["pagedown"] * 9, "k", "k", "k"],
    "a turned ranking": ["3", "o", "t", "j", "j"],
    "a token of a sentence": ["3", "enter", *["j"] * 7, "right", "right", "v"],
    "a corpus window": ["3", "enter", "tab", *["j"] * 6, "k", "left"],
    "the log": ["9", "g", "j"],
    "a stimulus set": ["2", "j", "j"],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_session_opens_where_it_was_left(way: str) -> None:
    engine, left = Remembering(), []

    async def leaving(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        to_screen = 2 if "enter" in WAYS[way] else 1
        await press(pilot, *WAYS[way][:to_screen])
        await pilot.press(*WAYS[way][to_screen:])
        await settle(pilot)
        left.extend(body(app))
        app.saved_view.save_now()
        await settle(pilot)

    async def coming_back(app: WorkbenchApp, _pilot: Pilot[None]) -> None:
        assert body(app) == left

    play(leaving, engine=engine)
    play(coming_back, engine=Remembering(engine.views["demo"]))


def test_a_filter_is_in_force_again() -> None:
    engine = Remembering()

    async def leaving(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "9", "slash")
        await type_line(pilot, "contrast")
        app.saved_view.save_now()
        await settle(pilot)

    async def coming_back(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        assert ":features.contrast" in text_of(app)
        assert ":model.load" not in text_of(app)
        await press(pilot, "escape")
        assert ":model.load" in text_of(app)

    play(leaving, engine=engine)
    play(coming_back, engine=Remembering(engine.views["demo"]))


def test_the_last_move_before_quitting_is_kept() -> None:
    engine = Remembering()

    async def leaving(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "9", "g")
        await pilot.press("j", "ctrl+q")  # sooner than the view is saved by itself
        await settle(pilot)
        assert app._exit

    play(leaving, engine=engine)
    assert engine.views["demo"]["pages"]["log"]["at"] == 1


@pytest.mark.parametrize("damaged", [{"at": "x"}, {"key": 3, "at": 1}, {"key": "#1", "at": -5, "above": 10**9}])
def test_a_damaged_place_is_passed_over(damaged: dict[str, Any]) -> None:
    view = {"trail": [["select", ""]], "at": 0, "pages": {"select": damaged, "feature": {"token": "x", "corpus": 3}}}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        assert "discoveries" in text_of(app)
        await press(pilot, "enter", "j")
        assert "heat" in text_of(app)

    play(scenario, engine=Remembering(view))
