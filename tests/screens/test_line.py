"""The `:` line: it completes and recalls, tells its errors where it stands, and goes where its result is seen."""

from __future__ import annotations

from textual import events
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from tests.screens.stage import (
    assert_fits,
    play,
    press,
    settle,
    text_of,
    type_line,
)

_NAMES = {" ": "space", ".": "full_stop", ":": "colon"}


def test_the_line_completes_recalls_and_shows_errors_inline() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "colon")
        await pilot.press(*"clu", "tab")
        assert ":clusters." in text_of(app)
        await pilot.press("l", "tab", "x", "enter")
        await settle(pilot)
        assert "clusters.list does not take 'x'" in text_of(app)
        assert app.line.question is not None
        await press(pilot, "escape")
        assert app.line.question is None
        await press(pilot, "colon")
        await type_line(pilot, "index.info")
        assert "index.info" in text_of(app)
        await press(pilot, "escape", "colon", "up")
        assert ":index.info" in text_of(app)

    play(scenario)


def test_lines_go_where_their_result_is_seen() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        lines = {"clusters.show 0": "clusters", "labels.show": "labels", "stimuli.show null": "stimuli"}
        for line, screen in lines.items():
            await press(pilot, "colon")
            await type_line(pilot, line)
            assert app.trail.here.screen == screen
        await press(pilot, "colon")
        await type_line(pilot, "demo")
        assert "runs in the shell: workbench demo" in text_of(app)

    play(scenario)


def test_an_error_longer_than_the_line_is_told_whole_until_the_text_changes() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "colon")
        await type_line(pilot, "stimuli.new my animals category=concept category=other")
        assert " ".join(app.line.error.split()) in " ".join(text_of(app).split())
        assert app.line.error.endswith("description.") and len(app.line.error) > 80
        assert_fits(app)
        await press(pilot, "backspace")
        assert "does not take" not in text_of(app)
        assert app.line.question is not None

    play(scenario)


def test_keys_of_one_packet_go_where_they_were_typed() -> None:
    """Over a slow link `:` and what follows arrive together: none of them may act as a letter key."""

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for sign in ":session.note ubnd":
            app.post_message(events.Key(_NAMES.get(sign, sign), sign))
        await settle(pilot)
        assert app.line.question is not None
        assert app.line.text == "session.note ubnd"
        assert app.trail.here.screen == "home"

    play(scenario)


def test_a_pasted_line_waits_on_the_line() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.post_message(events.Paste(":features.list ranking=4\n"))
        await settle(pilot)
        assert app.line.text == "features.list ranking=4"
        await press(pilot, "escape")
        app.post_message(events.Paste("some words"))
        await settle(pilot)
        assert "press : or / first" in text_of(app)

    play(scenario)


def test_a_line_longer_than_the_screen_says_that_its_beginning_is_out_of_sight() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command("steer.clamp 'demo/blocks.1.hook_resid_post/sae#419' stimuli=achievement strength=1")
        await press(pilot, "end")
        assert text_of(app).split("\n")[-1].startswith(":…")
        await press(pilot, "home")
        assert text_of(app).split("\n")[-1].startswith(":steer.clamp 'demo/")

    play(scenario)
