"""Tokens, labels, sentences and names from strangers: shown as they are, never obeyed."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from tests.screens.stage import assert_fits, play, press, recorded, text_of
from workbench.engine.fake import FakeEngine

EVIL = "[bold red]x[/] \x1b[2J\x1b]0;t\x07\r\n\u202e\u200b\ud800 e\u0301 日本"
FREE_TEXT = {
    "label",
    "labels",
    "text",
    "tokens",
    "title",
    "description",
    "notes",
    "source",
    "word",
    "message",
    "prompt",
    "warnings",
    "texts",
}


def poisoned(value: Any, free: bool = False) -> Any:
    """A reply with every free text replaced."""
    if isinstance(value, dict):
        return {key: poisoned(item, key in FREE_TEXT) for key, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item, free) for item in value]
    return EVIL if free and isinstance(value, str) else value


def test_no_screen_lets_a_hostile_text_through() -> None:
    exchanges = recorded()
    for exchange in exchanges:
        if "reply" in exchange:
            exchange["reply"]["result"] = poisoned(exchange["reply"]["result"])

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        seen = ""
        for keys in (
            ["1"],
            ["2", "enter"],
            ["e"],
            ["escape", "C"],
            ["escape", "3"],
            ["enter"],
            ["v"],
            ["tab"],
            ["5"],
            ["enter"],
            ["7"],
            ["8"],
            ["9"],
        ):
            await press(pilot, *keys)
            text = text_of(app)
            assert not set(text) & set("\x1b\x07\r\t\u202e\u200b\ud800"), f"control characters after {keys}"
            assert_fits(app)
            seen += text
        assert "[bold red]x[/]" in seen
        assert "␛[2J" in seen

    play(scenario, engine=FakeEngine(exchanges))


def test_the_cursor_of_the_line_stays_in_sight_among_wide_signs() -> None:
    text = "日本" * 40 + "e\u0301\u200bzz"

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "colon")
        app.post_message(events.Paste(text))
        await pilot.pause()
        for place, under in ((len(text), " "), (len(text) - 3, "⟨200b⟩"), (len(text) - 4, "◌⟨301⟩"), (30, "日")):
            app.line.at = place
            app.line.refresh()
            await pilot.pause()
            line = app.screen._compositor.render_strips()[-1]
            assert [segment.text for segment in line if segment.style and segment.style.reverse] == [under]
            assert_fits(app)

    play(scenario, size=(40, 12))


def test_a_file_pasted_by_mistake_is_refused() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "colon", "q")
        app.post_message(events.Paste("line\n" * 100_000))
        await pilot.pause()
        assert app.line.text == "q"
        assert "500,000 signs are too many for a line: 20,000 at most" in text_of(app)

    play(scenario)
