"""A monkey at the keys, with seeds of its own; and what monkeys found, in the fewest keys."""

from __future__ import annotations

import asyncio
import random

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from tests.screens import monkey
from tests.screens.stage import play, press, recorded
from workbench.engine.fake import FakeEngine


@pytest.mark.slow
def test_nothing_that_a_monkey_does_breaks_the_app() -> None:
    """`python -m tests.screens.monkey FIRST LAST` lets it loose with other seeds, for as long as one likes."""
    seed = 100
    asyncio.run(monkey.loose(monkey.acts(random.Random(seed), 200), seed))


class NeverReady(FakeEngine):
    """Never takes up the session `demo`."""

    async def watch(self, session: str | None) -> None:
        """As the recorded one, of any other session."""
        if session == "demo":
            await asyncio.Event().wait()
        await super().watch(session)


def test_d_on_home_and_another_session_while_the_demo_is_taken_up() -> None:
    engine = NeverReady(recorded())

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "1")
        engine.asked.clear()
        await pilot.press("d")
        assert app.session == "demo"
        app.enter_session("weekdays")
        for _ in range(20):
            await pilot.pause()  # `settle` would pass on that the demo was called off
        assert engine.watched == "weekdays"
        assert [verb for verb, _, _ in engine.asked if verb == "model.load"] == [], "the demo's commands are not for it"

    play(scenario, engine=engine, session=None)
