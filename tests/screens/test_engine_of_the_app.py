"""The app and its engine: waited for, absent, lost and found again, in error, changed by another terminal."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.pilot import Pilot

from commands.clusters import ClustersFind
from screens.app import WorkbenchApp
from tests.screens.stage import (
    asked,
    play,
    press,
    recorded,
    recorded_engine,
    settle,
    text_of,
)
from workbench.engine.fake import FakeEngine
from workbench.errors import EngineUnreachable


def test_an_error_of_the_engine_is_shown_with_its_hint_and_goes_with_escape() -> None:
    error = {"kind": "engine_died", "message": "the model process ended", "hint": "Repeat the command."}
    params = ClustersFind().params()
    answer = {"do": "clusters.find", "params": params, "session": "demo", "progress": [], "error": error}
    engine = FakeEngine([answer, *(one for one in recorded() if one["do"] != "clusters.find")])

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "5", "f")
        assert "the model process ended" in text_of(app)
        assert "Repeat the command." in text_of(app)
        assert "failed :clusters.find" in text_of(app)
        await press(pilot, "escape")
        assert "the model process ended" not in text_of(app)
        assert app.trail.here.screen == "clusters"

    play(scenario, engine=engine)


def test_what_another_terminal_changes_is_read_again() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "7")
        before = len(asked(engine, "labels.show"))
        engine.emit({"event": "changed", "session": "demo", "seq": 99, "do": "labels.set", "line": "labels.set 1 x"})
        await settle(pilot)
        assert len(asked(engine, "labels.show")) == before + 1
        engine.emit({"event": "changed", "session": "other", "seq": 1, "do": "labels.set", "line": ""})
        await settle(pilot)
        assert len(asked(engine, "labels.show")) == before + 1

    play(scenario, engine=engine)


def test_a_lost_engine_is_told_and_found_again() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        engine.become("lost")
        await settle(pilot)
        assert "lost" in text_of(app).split("\n")[-2]
        engine.become("connected")
        await settle(pilot)
        assert "connected" in text_of(app).split("\n")[-2]

    play(scenario, engine=engine)


def test_the_first_frame_does_not_wait_for_the_engine() -> None:
    async def run() -> None:
        never = asyncio.Event()

        async def slow() -> FakeEngine:
            await never.wait()
            return recorded_engine()

        app = WorkbenchApp(slow, "demo")
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert "1 Home" in text_of(app)
            assert "Connecting to the engine" in text_of(app)
            await pilot.press("3", "2", "4", "colon", "escape", "p", "escape")
            await pilot.pause()
            assert "Connecting to the engine" in text_of(app)

    asyncio.run(run())


def test_no_engine_is_said_with_what_to_do() -> None:
    class Absent:
        def __call__(self) -> Any:
            raise EngineUnreachable("no engine can be started", "See `workbench engine log`.")

    async def run() -> None:
        app = WorkbenchApp(Absent(), "demo")
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert "no engine can be started" in text_of(app)
            assert "no engine" in text_of(app).split("\n")[-2]

    asyncio.run(run())
