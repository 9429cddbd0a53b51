"""The end of the app: what comes while its screens are taken down is not shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from screens.app import WorkbenchApp
from tests.screens.stage import settle
from tests.screens.test_waiting import Slow

JOB = {"job": "j9", "do": "index.build", "line": "index.build", "session": "demo", "state": "running", "done": 0,
       "total": 9, "text": "", "seconds": 0.0, "detached": False, "error": None}  # fmt: skip
EVENT = {"event": "job", "job": JOB}


@pytest.mark.parametrize("meanwhile", [
    pytest.param(lambda _: None, id="a timer"),
    pytest.param(lambda app: app.engine.go.set(), id="a reply"),
    pytest.param(lambda app: app.engine.on_event and app.engine.on_event(EVENT), id="an event"),
])  # fmt: skip
def test_nothing_is_shown_after_the_screens(
    meanwhile: Callable[[WorkbenchApp], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screens.painting.one_paint.PATIENCE", 0.02)

    close_all = WorkbenchApp._close_all

    async def lingering(app: WorkbenchApp) -> None:
        """Stay for a while between taking the screens down and the end, so that what is late comes just then."""
        await close_all(app)
        meanwhile(app)
        await asyncio.sleep(0.05)

    monkeypatch.setattr(WorkbenchApp, "_close_all", lingering)

    async def run() -> None:
        engine = Slow("labels.")
        app = WorkbenchApp(lambda: engine, "demo")
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            app.visit("labels")  # its painting waits for the reply
            await asyncio.sleep(0)
            app._one_paint.hold()

    asyncio.run(run())
