"""A stage for screen tests: the app on a recorded engine, driven by keys, read as text."""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from workbench.engine.fake import FakeEngine, load_transcript

TRANSCRIPT = Path(__file__).parent.parent / "transcripts" / "demo.json"
GOLDENS = Path(__file__).parent / "goldens"
Scenario = Callable[[WorkbenchApp, Pilot[None]], Awaitable[None]]


@cache
def _recorded() -> list[dict[str, Any]]:
    return load_transcript(TRANSCRIPT)


def recorded_engine() -> FakeEngine:
    """A fresh engine that answers as the real one did on the demo session."""
    return FakeEngine(recorded())


def recorded() -> list[dict[str, Any]]:
    """The exchanges themselves, for engines that change some of them."""
    return copy.deepcopy(_recorded())


def reply_to(do: str, **params: Any) -> dict[str, Any]:
    """The recorded result of a verb, the first whose parameters include these."""
    for exchange in _recorded():
        given = exchange["params"]
        if exchange["do"] == do and "reply" in exchange and all(given.get(key) == params[key] for key in params):
            result: dict[str, Any] = copy.deepcopy(exchange["reply"]["result"])
            return result
    raise LookupError(f"{do} {params} was not recorded")


def asked(engine: FakeEngine, do: str) -> list[dict[str, Any]]:
    """The parameters of every time that a verb was asked for."""
    return [params for name, params, _ in engine.asked if name == do]


def play(
    scenario: Scenario, *, size: tuple[int, int] = (80, 24), session: str | None = "demo", engine: Any = None
) -> None:
    """Run the app on a stage of this size, let it settle, and hand it to the scenario."""
    behind = recorded_engine() if engine is None else engine

    async def run() -> None:
        app = WorkbenchApp(lambda: behind, session)
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            await scenario(app, pilot)

    asyncio.run(run())


async def settle(pilot: Pilot[None]) -> None:
    """Wait until every message was handled and every background request answered."""
    for _ in range(4):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one by one, each until the app is at rest."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def type_line(pilot: Pilot[None], text: str) -> None:
    """Type a text and press enter."""
    names = {" ": "space", ".": "full_stop", "=": "equals_sign", "#": "number_sign", "'": "apostrophe"}
    await pilot.press(*(names.get(sign, sign) for sign in text), "enter")
    await settle(pilot)


def text_of(app: WorkbenchApp) -> str:
    """What stands on the screen, line by line."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


def assert_fits(app: WorkbenchApp) -> None:
    """No line is wider than the terminal, and none is missing."""
    width, height = app.size
    lines = text_of(app).split("\n")
    assert len(lines) == height
    assert all(cell_len(line) <= width for line in lines)


def assert_golden(app: WorkbenchApp, name: str) -> None:
    """The screen equals the text in goldens/; WORKBENCH_UPDATE_GOLDENS=1 writes it anew."""
    path = GOLDENS / f"{name}-{app.size.width}x{app.size.height}.txt"
    shown = text_of(app) + "\n"
    if os.environ.get("WORKBENCH_UPDATE_GOLDENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, "utf-8")
    assert path.exists(), f"no golden {path.name}: run with WORKBENCH_UPDATE_GOLDENS=1 and look at it"
    assert shown == path.read_text("utf-8"), f"{path.name} differs; look, then WORKBENCH_UPDATE_GOLDENS=1"
