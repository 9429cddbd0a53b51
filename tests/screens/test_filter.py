"""`/` narrows a list letter by letter; enter keeps what is left, esc shows all again, the cursor where it was."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.pilot import Pilot
from textual.strip import Strip

from screens.app import WorkbenchApp
from screens.pages.list_page import FilteredPage
from screens.widgets.lines import Row
from screens.widgets.painted import changed
from tests.screens.long_ranking import LongRanking
from tests.screens.stage import play, press, recorded_engine, settle, text_of
from workbench.verbs import Verb


class Slow(LongRanking):
    """Answers a filtered page when it is let go."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.go = asyncio.Event()
        self.filters: list[str] = []

    async def request(self, verb: Verb, *, session: str | None, **more: Any) -> dict[str, Any]:
        """Wait, where it is a page with a filter."""
        if verb.dotted == "features.list":
            self.filters.append(verb.params()["filter"])
            if self.filters[-1]:
                await self.go.wait()
        return await super().request(verb, session=session, **more)


def shown(app: WorkbenchApp) -> list[str]:
    """The keys of the rows at hand."""
    assert isinstance(app.page, FilteredPage)
    return app.page.lines.keys


@pytest.mark.parametrize(
    ("screen", "letters", "left"),
    [("1", "ach", 1), ("2", "null", 1), ("8", "index", 1), ("9", "index", 1), ("p", "replay", 2)],
)
def test_a_list_narrows_while_letters_are_typed(screen: str, letters: str, left: int) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, screen)
        all_rows = shown(app)
        await press(pilot, "slash", *letters)
        narrowed = shown(app)
        assert app.line.question, "the line was closed by a letter"
        assert left <= len(narrowed) < len(all_rows)
        assert set(narrowed) < set(all_rows)
        await press(pilot, "enter")
        assert shown(app) == narrowed
        assert f"matching '{letters}'" in text_of(app)
        await press(pilot, "escape")
        assert shown(app) == all_rows
        assert "matching" not in text_of(app)

    play(scenario, size=(120, 40))


def test_esc_while_typing_drops_the_filter_and_gives_the_place_back() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", *"jjjjj")
        place = app.page.lines.place  # type: ignore[attr-defined]
        await press(pilot, "slash", "4", "1")
        assert app.page.lines.cursor == 0  # type: ignore[attr-defined]
        assert all("41" in key.rpartition("#")[2] for key in shown(app))
        await press(pilot, "escape")
        assert app.line.question is None
        assert app.page.lines.place == place  # type: ignore[attr-defined]
        assert "1,000" in text_of(app), "all rows are listed again"

    play(scenario, engine=LongRanking(1000), size=(120, 40))


def test_letters_typed_while_the_engine_answers_are_asked_for_together() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        engine = app.engine
        assert isinstance(engine, Slow)
        await press(pilot, "3")
        await pilot.press("slash", "4")
        await pilot.pause()
        await pilot.press("1", "9")
        engine.go.set()
        await settle(pilot)
        assert [text for text in engine.filters if text] == ["4", "419"]
        assert all("419" in key for key in shown(app))

    play(scenario, engine=Slow(1000), size=(120, 40))


def test_rows_have_their_styles_again_when_the_filter_is_kept() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        def styled() -> bool:
            strip = app.page.lines.render_line(2)  # type: ignore[attr-defined]
            return any(segment.style for segment in strip)

        await press(pilot, "9")
        assert styled()
        await press(pilot, "slash", "m")
        assert not styled()
        await press(pilot, "enter")
        assert styled()

    play(scenario)


def test_on_every_screen_the_slash_filters_or_says_why() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for key in "123456789":
            await press(pilot, key, "slash")
            assert app.line.question or "filter" in text_of(app).split("\n")[-2], f"{key} /"
            await press(pilot, "escape")

    play(scenario, engine=recorded_engine())


def test_rows_that_change_beneath_another_page_are_there_when_it_goes() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        lines = app.page.lines  # type: ignore[attr-defined]
        await press(pilot, "question_mark")
        lines.show([Row("a", ("new row", "1", "", "")), Row("b", ("another", "2", "", ""))])
        await press(pilot, "escape")
        text = text_of(app)
        assert "new row" in text
        assert "another" in text
        assert "1 of 2" in text

    play(scenario)


def test_a_key_in_the_same_packet_goes_to_the_page_that_came_to_the_front() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "9")
        for key in "p9":  # nothing is handled between the two
            await app.on_event(events.Key(key, key))
        assert app.focused is app.page.main

    play(scenario)


def strip(*pieces: tuple[str, str]) -> Strip:
    """A strip of texts, each in a colour."""
    return Strip([Segment(text, Style.parse(colour)) for text, colour in pieces])


def test_only_cells_that_differ_are_painted_again() -> None:
    old = strip(("0123456789" * 4, "red"))
    assert changed(old, strip(("0123456789" * 4, "red"))) == []
    assert changed(old, strip(("x12345678x" + "0123456789" * 3, "red"))) == [(0, 10)], (
        "a short way between is not left out"
    )
    assert changed(old, strip(("x" + "123456789" + "0123456789" * 2 + "012345678x", "red"))) == [(0, 1), (39, 40)]
    assert changed(old, strip(("0123456789", "red"), ("0123", "blue"), ("456789" + "0123456789" * 2, "red"))) == [
        (10, 14)
    ]


def test_a_wide_sign_is_never_cut() -> None:
    assert changed(strip(("ab漢c", "red")), strip(("ab字c", "red"))) == [(2, 4)]
    assert changed(strip(("ab漢c", "red")), strip(("abx c", "red"))) == [(2, 4)]
    assert changed(strip(("e\u0301b", "red")), strip(("eb", "red"))) == [(0, 1)], "a sign that joins another is seen"
