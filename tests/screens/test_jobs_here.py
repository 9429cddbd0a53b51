"""Jobs as one lives with them: time left, let go on, announced when they end, asked about when one quits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.sessions.rate import Rate
from tests.screens.stage import play, press, recorded_engine, reply_to, settle, text_of
from workbench.engine.fake import FakeEngine

LINE = "index.build tokens=2000000"
JOB = {"job": "j9", "do": "index.build", "line": LINE, "session": "demo", "state": "running", "done": 0, "total": 100,
       "text": "reading", "seconds": 0.0, "detached": False, "error": None}  # fmt: skip


def test_time_left_comes_from_the_part_of_the_work_that_goes_on() -> None:
    rate = Rate()
    rate.take(0, 100, 0.0)
    assert rate.left == ""
    rate.take(50, 100, 100.0)
    assert rate.told == "50 of 100 · 2.0 s each · 100 s left"
    rate.take(0, 1000, 101.0)  # another part begins
    assert rate.told == ""
    rate.take(200, 1000, 111.0)
    assert rate.told == "200 of 1,000 · 20 a second · 40 s left"
    rate.take(1, 3, 112.0)
    rate.take(2, 3, 118.0)
    assert rate.told == "", "three parts of a work take unequal times"


class Slow(FakeEngine):
    """Answers `index.build` when it is told to, and notes what is detached."""

    def __init__(self) -> None:
        super().__init__([])
        self.behind, self.go = recorded_engine(), asyncio.Event()
        self.detached: list[str] = []

    async def request(self, verb: Any, **options: Any) -> dict[str, Any]:
        if verb.dotted == "index.build":
            self.emit({"event": "job", "job": JOB})
            await self.go.wait()
        if verb.dotted == "engine.detach":
            self.detached.append(verb.job)
            return {"result": {"job": JOB}, "seconds": 0.0}
        return await self.behind.request(verb, **options)


async def build(pilot: Pilot[None]) -> None:
    """Type the line of the long job, and leave it under way."""
    names = {" ": "space", ".": "full_stop", "=": "equals_sign", ":": "colon"}
    await pilot.press(*(names.get(sign, sign) for sign in f":{LINE}"), "enter")
    await pilot.pause()


def test_quitting_asks_what_becomes_of_a_running_job() -> None:
    engine = Slow()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await build(pilot)
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert ":index.build is under way: c cancels it, D lets it go on, esc stays here" in text_of(app)
        await pilot.press("x")
        await pilot.press("enter")
        await pilot.pause()
        assert "'x' is none of c, D and esc" in text_of(app)
        await pilot.press("escape", "1", "q")
        await pilot.pause()
        assert "quit?" in text_of(app), "q on Home asks too"
        assert app.is_running and not engine.detached
        await pilot.press("D")
        for _ in range(20):
            await pilot.pause()
        assert engine.detached == ["j9"]
        assert app._exit

    play(scenario, engine=engine)


def test_without_a_job_quitting_is_not_asked_about() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert app._exit

    play(scenario)


def test_a_job_of_ones_own_that_was_let_go_on_is_not_asked_about() -> None:
    engine = Slow()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await build(pilot)
        engine.emit({"event": "job", "job": {**JOB, "detached": True}})
        await pilot.press("ctrl+q")
        for _ in range(20):
            await pilot.pause()
        assert app._exit

    play(scenario, engine=engine)


@pytest.mark.parametrize("state", ["done", "failed"])
def test_a_job_let_go_on_shows_how_it_goes_and_announces_its_end(state: str) -> None:
    engine = recorded_engine()
    error = {"kind": "failed", "message": "the disk is full", "hint": "Free some space."} if state == "failed" else None

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        bells: list[int] = []
        app.bell = lambda: bells.append(1)  # type: ignore[method-assign]
        for done, seconds in ((10, 10.0), (40, 25.0)):
            engine.emit({"event": "job", "job": {**JOB, "done": done, "seconds": seconds, "detached": True}})
        await settle(pilot)
        assert f"40% 30 s left · reading :{LINE}" in text_of(app)
        engine.emit({"event": "job", "job": {**JOB, "state": state, "seconds": 61.0, "error": error}})
        await settle(pilot)
        assert f"j9 {state} after 61 s :{LINE}" in text_of(app)
        assert bells == [1]
        assert ("Free some space." in text_of(app)) == (state == "failed")

    play(scenario, engine=engine, size=(120, 40))


def test_a_job_of_another_session_is_not_announced() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        engine.emit({"event": "job", "job": {**JOB, "state": "done", "session": "another"}})
        await settle(pilot)
        assert "j9" not in text_of(app)

    play(scenario, engine=engine)


def test_enter_on_a_job_shows_its_result_or_says_why_there_is_none() -> None:
    jobs = {job["job"]: job for job in reply_to("engine.jobs")["jobs"]}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "8", "enter")
        assert f"j3 is {jobs['j3']['state']}: it has no result yet" in text_of(app)
        await press(pilot, "j", "enter")
        assert "j2 is failed: it has no result to show" in text_of(app)

    play(scenario)


def test_d_lets_a_running_job_go_on() -> None:
    engine = Slow()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "8", "k", "D")
        assert engine.detached == ["j4"]
        await press(pilot, "j", "D")
        assert "j3 goes on without this terminal already" in text_of(app)
        await press(pilot, "G", "D")
        assert "j1 is done already" in text_of(app)

    play(scenario, engine=engine)


def test_jobs_open_on_the_one_that_runs_until_a_row_is_chosen() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        engine.emit({"event": "job", "job": {**JOB, "job": "j1", "state": "done"}})  # an older one was seen before
        await press(pilot, "8")
        assert app.page.lines.key == "j3"  # type: ignore[attr-defined]
        await press(pilot, "j", "1", "8")
        assert app.page.lines.key == "j2", "it was chosen"  # type: ignore[attr-defined]

    play(scenario, engine=engine)
