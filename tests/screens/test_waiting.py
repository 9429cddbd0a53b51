"""What the app says while there is nothing to show: the engine is being reached, cannot be, or still reads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.pilot import Pilot

from screens import verbs
from screens.app import WorkbenchApp
from tests.screens.stage import assert_fits, play, press, recorded_engine, settle, text_of, type_line
from workbench.errors import EngineUnreachable

REASON = EngineUnreachable(
    "the engine's folder /run/x is open to other users (mode 0755)", "Close it with `chmod 700`."
)


def failing(times: int) -> Any:
    """What opens the engine: it fails so often, then it works."""
    left = [times]

    def opener() -> Any:
        if left[0]:
            left[0] -= 1
            raise REASON
        return recorded_engine()

    return opener


def stage(opener: Any, scenario: Any) -> None:
    async def run() -> None:
        app = WorkbenchApp(opener, "demo")
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await scenario(app, pilot)

    asyncio.run(run())


def test_every_screen_says_that_and_why_the_engine_could_not_be_reached() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for key in ("1", "2", "3", "4", "5", "7", "8", "9"):
            await press(pilot, "escape", key)
            shown = " ".join(text_of(app).split())
            assert "Connecting" not in shown
            assert "The engine could not be reached: the engine's folder /run/x is open" in shown
            assert "chmod 700" in shown
            assert "r tries again" in shown
            assert_fits(app)

    stage(failing(99), scenario)


def test_a_later_command_does_not_say_to_wait() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "colon")
        await type_line(pilot, "index.info")
        shown = " ".join(text_of(app).split())
        assert "not reached yet" not in shown
        assert "could not be reached: the engine's folder" in shown

    stage(failing(99), scenario)


def test_r_tries_again() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "r")
        assert app.unreached is not None  # it failed a second time
        await press(pilot, "r")
        assert app.unreached is None
        assert "connected" in text_of(app)
        await press(pilot, "3")
        assert "1,000 permutations" in text_of(app)

    stage(failing(2), scenario)


class Slow:
    """An engine that answers what begins so only when it is told to."""

    def __init__(self, waits: str) -> None:
        self.waits = waits
        self.behind, self.go = recorded_engine(), asyncio.Event()
        self.on_event = None
        self.state = "connected"

    async def request(self, verb: Any, **options: Any) -> dict[str, Any]:
        if verb.dotted.startswith(self.waits):
            await self.go.wait()
        return await self.behind.request(verb, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


def test_a_letter_key_on_a_screen_that_is_being_read_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screens.ahead.KEPT", 0.01)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2", "c")
        await asyncio.sleep(0.05)
        await pilot.pause()
        shown = text_of(app)
        app.engine.go.set()  # type: ignore[union-attr]
        assert "Stimuli is still being read" in shown
        assert "open Stimuli (2)" not in shown

    play(scenario, engine=Slow("stimuli."))


def test_a_list_that_is_long_in_coming_says_that_it_is_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screens.pages.page.PATIENCE", 0.01)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("7")
        for _ in range(200):
            await asyncio.sleep(0.01)
            if "Reading …" in text_of(app):
                break
        waiting = text_of(app)
        app.engine.go.set()  # type: ignore[union-attr]
        await settle(pilot)
        assert "Reading …" in waiting
        assert "Reading …" not in text_of(app)
        assert "status" in text_of(app)

    play(scenario, engine=Slow("labels."))


def test_what_was_held_back_is_painted_though_the_screen_came_to_rest_meanwhile() -> None:
    async def scenario(app: WorkbenchApp, _pilot: Pilot[None]) -> None:
        app._one_paint.hold()
        app.status.show(message="later")
        for _ in range(20):
            await asyncio.sleep(0)  # the screen is idle now, and may not paint
        assert app.screen._dirty_widgets
        app._one_paint.release()
        await asyncio.sleep(0.1)
        assert not app.screen._dirty_widgets, "nothing prompted the screen to paint"

    play(scenario)


def test_what_waits_behind_the_running_job_is_counted() -> None:
    """A line that was entered while another runs would seem forgotten."""

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        second, told = asyncio.Event(), []

        async def slow(verb: Any, *, progress: Any = None, **_: Any) -> Any:
            if verb.dotted == "index.build":
                progress(1, 4, "reading")
                told.append(app.status.message)
                await second.wait()
                progress(2, 4, "reading")
                told.append(app.status.message)
            else:
                second.set()
                await asyncio.sleep(0)
            raise REASON

        app.engine.request = slow  # type: ignore[union-attr, method-assign]
        lines = [app.carry_out(verbs.parse_line(line)) for line in ("index.build", "clusters.find")]
        assert await asyncio.gather(*lines) == [False, False]
        assert "wait" not in told[0]
        assert "1 more waits · reading :index.build" in told[1]

    play(scenario)
