"""`esc` goes one level back, wherever one is: what it should lead to, press by press."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from tests.screens.stage import play, press, text_of

ENTER, HELP, LINE, FILTER = "enter", "question_mark", "colon", "slash"
END = ("home", "", "sessions", "")


def level(app: WorkbenchApp) -> tuple[str, str, str, str]:
    """Screen, page over it, what has the keys, and the filter."""
    at = "line" if app.line.question else app.focused.id if app.focused else ""
    return app.trail.here.screen, app.over, str(at), str(getattr(app.page, "wanted", ""))


@pytest.mark.parametrize(("keys", "levels"), [
    (("2", ENTER, HELP), [("stimuli", "", "sentences", ""), ("stimuli", "", "sets", ""), END]),
    (("2", ENTER, "e"), [("stimuli", "", "sentences", ""), ("stimuli", "", "sets", ""), END]),
    (("2", FILTER, "m", ENTER, ENTER), [("stimuli", "", "sets", "m"), ("stimuli", "", "sets", ""), END]),
    (("3", "w", HELP), [("select", "why", "why-list", ""), ("select", "", "ranking", ""), END]),
    (("3", ENTER, "tab", "tab", "T"), [
        ("feature", "", "feature-near", ""), ("feature", "", "feature-stimuli", ""), ("select", "", "ranking", ""), END,
    ]),
    (("5", ENTER, "P", HELP), [
        ("clusters", "planes", "planes-scatter", ""), ("clusters", "", "cluster-list", ""),
        ("clusters", "", "cluster-list", ""), END,
    ]),
    (("9", FILTER, "a", ENTER, "p", FILTER, "x", ENTER, LINE), [
        ("log", "commands", "command-list", "x"), ("log", "commands", "command-list", ""), ("log", "", "log-list", "a"),
        ("log", "", "log-list", ""), END,
    ]),
    (("8", "p", HELP, "2"), [END]),
    (("1", FILTER, "d", ENTER), [END]),
], ids=str)  # fmt: skip
def test_escape_goes_one_level_back(keys: tuple[str, ...], levels: list[tuple[str, str, str, str]]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, *keys)
        for wanted in levels:
            await press(pilot, "escape")
            assert level(app) == wanted

    play(scenario)


def test_a_result_says_why_it_has_no_filter() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.visit("result")
        await press(pilot, "slash")
        assert "a result is shown whole: / works on lists" in text_of(app)

    play(scenario)
