"""A monkey: seeded random keys, clicks, pastes and sizes, and what must hold after each burst of them.

`python -m tests.screens.monkey FIRST LAST` lets it loose with each of these seeds, and cuts what breaks the app
down to the fewest acts.
"""

from __future__ import annotations

import asyncio
import copy
import random
import sys
import traceback
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher
from textual.worker import WorkerError

from screens.app import WorkbenchApp
from screens.keymap import all_keys
from screens.keys import SCREENS
from tests.screens.stage import assert_fits, recorded, text_of
from workbench.engine.fake import FakeEngine
from workbench.errors import UsageError
from workbench.verbs import Verb

Act = tuple[str, Any]
"""What the monkey does, and with what: a key's name, a text, a place, a size."""
HOSTILE = (
    "[bold red]x[/] \x1b[2J\x1b]0;t\x07\r\n\u202e\u200b\ud800 e\u0301 日本",
    ":features.list filter='日本",
    "👩\u200d👩\u200d👧\ufe0f 🇯🇵 \u0627\u0644\u0639\u0631 \t\x00\x7f\x9b",
    "\n" * 30,
    "w" * 3000,
    "=,=,'\"\\ #-1 #99999999999999999999",
    "",
)
SIZES = ((20, 5), (40, 12), (60, 10), (80, 24), (110, 30), (120, 40), (160, 50), (300, 80), (25, 60), (200, 6))
EDITING = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "tab", "shift+tab", "enter", "escape",
           "space", "backspace", "delete", "ctrl+a", "ctrl+e", "ctrl+u", "ctrl+k", "ctrl+w", "ctrl+g", "ctrl+p",
           "ctrl+f", "ctrl+b", "ctrl+c", "ctrl+d", "ctrl+l", "ctrl+r", "ctrl+z", "ctrl+n", "f1", "f5", "insert",
           "shift+up", "alt+x", "ctrl+left", "ctrl+at", "ctrl+@", "ctrl+backslash")  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
NAMES = {" ": "space", ".": "full_stop", "=": "equals_sign", "#": "number_sign", "'": "apostrophe", "/": "slash",
         ":": "colon", "-": "minus", "_": "underscore", ",": "comma", "?": "question_mark",
         '"': "quotation_mark"}  # fmt: skip
FRAGMENTS = ("feat", "features.", "features.list ", "features.show #", "features.contrast ach", "features.why ", "quan",
             "quanta.show 3", "clusters.", "clusters.show 1", "labels.", "label", "stim", "stimuli.show ", "session.",
             "session.show", "session.result 3", "session.note x", "steer.clamp ", "rsa", "417", "#5", "tour", "x=y",
             "geometry.", "circle.", "index.", "report.", "features.search well", "features.tags", "features.map",
             "features.activate 'I won'", "features.common achievement", "clusters.planes 1", "session.undo", "'", "\"",
             "features.list limit=0", "features.list offset=-3", "features.show 99999", "session.result 99999",
             "labels.show", "replay", "help", "q", "wq", "engine.status", "engine.jobs",
             "features.rdm", "session.compare a b")  # fmt: skip
MOST_WORKERS = 6
"""Pieces of work that may be under way when the app is at rest: none, but for what was begun by the check itself."""


class GuessingEngine(FakeEngine):
    """Answers what was not recorded with the nearest recorded reply to the same verb, and fails now and then."""

    def __init__(self, seed: int) -> None:
        super().__init__(recorded())
        self.seed = seed
        self.by_verb: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for exchange in recorded():
            if "reply" in exchange:
                self.by_verb[exchange["do"]].append(exchange)

    async def request(self, verb: Verb, **options: Any) -> dict[str, Any]:
        """The recorded reply, or the nearest to it."""
        dice = random.Random(f"{self.seed} {verb!r}")  # the same in a shorter run
        for _ in range(dice.choice((0, 0, 0, 1, 5))):
            await asyncio.sleep(0)
        if dice.random() < 0.02:
            raise UsageError("the monkey says no", "Ask again with `workbench features list --limit 3`.")
        try:
            return await super().request(verb, **options)
        except UsageError:
            known = self.by_verb.get(verb.dotted)
            if not known:
                raise
            params = verb.params()
            nearest = max(known, key=lambda one: sum(one["params"].get(name) == params[name] for name in params))
            reply: dict[str, Any] = copy.deepcopy(nearest["reply"])
            return reply


def acts(dice: random.Random, count: int) -> list[Act]:
    """What the monkey does: mostly keys that are bound, and everything else now and then."""
    bound = sorted({key for keys in all_keys().values() for key in keys.split(",")} - {"ctrl+q"})
    found: list[Act] = []
    while len(found) < count:
        found += dice.choices(_KINDS, _WEIGHTS)[0](dice, bound)
    return found


def _bound(dice: random.Random, bound: list[str]) -> list[Act]:
    return [("key", dice.choice(bound))]


def _held(dice: random.Random, bound: list[str]) -> list[Act]:
    return [("key", dice.choice(["j", "k", "J", "K", "down", "pagedown", "tab", dice.choice(bound)]))] * dice.randint(
        2, 9
    )


def _digit(dice: random.Random, _bound: list[str]) -> list[Act]:
    return [("key", "escape"), ("key", dice.choice("123456789"))]


def _edit(dice: random.Random, _bound: list[str]) -> list[Act]:
    return [("key", dice.choice(EDITING))]


def _filter(dice: random.Random, _bound: list[str]) -> list[Act]:
    return [("key", "slash"), *_typed("".join(dice.choices("achiev0123 #", k=dice.randint(0, 4)))), _end(dice)]


def _line(dice: random.Random, _bound: list[str]) -> list[Act]:
    words = dice.choice(FRAGMENTS)
    tabs: list[Act] = [("key", "tab")] * dice.choice((0, 0, 1, 2, 5))
    return [
        ("key", "colon"),
        *_typed(words),
        *tabs,
        *_typed("".join(dice.choices("abc12 =", k=dice.choice((0, 0, 2))))),
        _end(dice),
    ]


def _mark(dice: random.Random, _bound: list[str]) -> list[Act]:
    return [("key", dice.choice(("M", "apostrophe"))), ("key", dice.choice("abc1"))]


def _jump(dice: random.Random, _bound: list[str]) -> list[Act]:
    return [("key", "number_sign"), *_typed(str(dice.choice((0, 5, 17, 511, 99999)))), ("key", "enter")]


def _other(dice: random.Random, _bound: list[str]) -> list[Act]:
    kind = dice.choice(("paste", "click", "click", "double", "wheel", "size", "size", "blur", "event", "letter"))
    if kind == "paste":
        return [("paste", dice.choice(HOSTILE))]
    if kind == "size":
        return [("size", dice.choice((*SIZES, (dice.randint(20, 300), dice.randint(5, 80)))))]
    if kind in ("blur", "event"):
        return [(kind, dice.choice(("lost", "connected", "changed", "job")))]
    if kind == "letter":
        return [("key", dice.choice(LETTERS))]
    return [(kind, (dice.random(), dice.random()))]


def _typed(text: str) -> list[Act]:
    return [("key", NAMES.get(sign, sign)) for sign in text]


def _end(dice: random.Random) -> Act:
    return ("key", dice.choice(("enter", "enter", "enter", "escape", "tab")))


_KINDS = (_bound, _held, _digit, _edit, _filter, _line, _mark, _jump, _other)
_WEIGHTS = (40, 8, 14, 14, 4, 8, 3, 2, 10)


async def do(app: WorkbenchApp, pilot: Pilot[None], act: Act, seed: int) -> None:
    """Carry one act out, and wait for nothing but that it was taken."""
    kind, what = act
    if kind == "key":
        await pilot.press(what)
    elif kind == "paste":
        app.post_message(events.Paste(what))
    elif kind in ("click", "double", "wheel"):
        width, height = app.size
        place = (int(what[0] * width), int(what[1] * height))
        if kind == "wheel":
            await pilot._post_mouse_events([events.MouseScrollDown], offset=place, button=0)
        else:
            await pilot.click(offset=place, times=2 if kind == "double" else 1)
    elif kind == "size":
        await pilot.resize_terminal(*what)
    elif kind == "blur":
        app.post_message(events.AppBlur() if what in ("lost", "job") else events.AppFocus())
    elif kind == "event" and isinstance(app.engine, FakeEngine):
        _say(app.engine, what)
    await pilot.pause()


def _say(engine: FakeEngine, what: str) -> None:
    if what in ("lost", "connected"):
        engine.become(what)  # type: ignore[arg-type]
    elif what == "changed":
        engine.emit({"event": "changed", "session": "demo"})
    else:
        job = {"job": "j9", "session": "demo", "line": "index.build demo", "state": "running", "done": 3, "total": 7}
        engine.emit({"event": "job", "job": {**job, "text": "日本\x1b[2J"}})


async def at_rest(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Wait until nothing is under way.

    Raises:
        AssertionError: it never ends.
    """
    for _ in range(3):
        with suppress(WorkerError):  # called off; one that failed ends the app
            await asyncio.wait_for(app.workers.wait_for_complete(), 20)
        await pilot.pause()


async def check(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """What must hold whatever was pressed."""
    await at_rest(app, pilot)
    assert app._exception is None, f"{app._exception!r}"
    assert app.is_running
    await pilot.pause(0.02)
    assert_fits(app)
    text = text_of(app)
    wild = {sign for sign in text if sign != "\n" and not sign.isprintable()}
    assert not wild, f"control signs in sight: {wild}"
    front = app.page
    assert app.query_one(ContentSwitcher).current == front.id
    assert front.display and front.region.width
    focused = app.focused
    if not app.app_focus:
        return  # the terminal says that nobody is here
    assert focused is not None, "nothing has the focus"
    assert focused.visible and all(node.display for node in focused.ancestors_with_self if hasattr(node, "display")), (
        f"the focus is on {focused!r}, out of sight"
    )
    if app.line.question is None:
        assert front in focused.ancestors_with_self, f"the focus is on {focused!r}, not on {front!r}"
        assert app.status.display
    else:
        assert focused is app.line, f"a question is asked, and the focus is on {focused!r}"
    assert len(app.workers) <= MOST_WORKERS, list(app.workers)


async def check_way_out(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Esc leads to a screen, and `?` answers there."""
    for _ in range(12):
        await pilot.press("escape")
        await at_rest(app, pilot)
    assert app.line.question is None
    assert not app.over
    assert app.trail.here.screen in SCREENS | {"result"}
    assert app.trail.here.screen == "home", f"esc stays at {app.trail.here}"
    await pilot.press("question_mark")
    await at_rest(app, pilot)
    assert app.over == "help"
    assert (
        app.size.height < 8 or "everywhere" in text_of(app) or app.query_one("#help-list").total > app.size.height - 8
    )
    await pilot.press("escape")
    await check(app, pilot)


def timers(app: WorkbenchApp) -> int:
    """Timers that run."""
    nodes = [app, *app.walk_children(with_self=False)]
    return sum(len(node._timers) for node in nodes)


done = 0


async def loose(
    todo: Sequence[Act], seed: int, burst: int = 12, size: tuple[int, int] = (80, 24), rounds: int = 60
) -> None:
    """Do all of this to a fresh app, and check after each burst."""
    global done
    left: list[bool] = []
    app = WorkbenchApp(lambda: GuessingEngine(seed), "demo")
    app.exit = lambda *_args, **_kw: left.append(True)  # type: ignore[method-assign,assignment]
    async with app.run_test(size=size) as pilot:
        await at_rest(app, pilot)
        for at, act in enumerate(todo, start=1):
            done = at
            await do(app, pilot, act, seed)
            if at % burst == 0:
                await check(app, pilot)
            if at % rounds == 0:
                await check_way_out(app, pilot)
        await check(app, pilot)
        await check_way_out(app, pilot)
        found = timers(app)
        assert found <= 12, f"{found} timers run"


def outcome(run: Callable[[], Any]) -> str:
    """What goes wrong, in one line; empty where nothing does."""
    try:
        asyncio.run(run())
    except BaseException as error:  # whatever it is
        if isinstance(error, KeyboardInterrupt):
            raise
        last = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in last if "/screens/" in frame.filename] or list(last)
        return f"{type(error).__name__}: {str(error)[:300]} at {ours[-1].filename.rpartition('/')[2]}:{ours[-1].lineno}"
    return ""


def fewest(todo: list[Act], seed: int, said: str, size: tuple[int, int], budget: int = 60) -> list[Act]:
    """The acts without those that are not needed to break it the same way (delta debugging)."""
    kind = said.rpartition(" at ")[2]

    def breaks(some: list[Act]) -> bool:
        nonlocal budget
        budget -= 1
        return outcome(partial(loose, some, seed, 1, size, 10_000)).rpartition(" at ")[2] == kind

    if not breaks(todo):
        return todo
    todo = todo[:done]
    step = max(1, len(todo) // 2)
    while step and budget > 0:
        at = 0
        while at < len(todo) and budget > 0:
            shorter = todo[:at] + todo[at + step :]
            if shorter and breaks(shorter):
                todo = shorter
            else:
                at += step
        step = step // 2
    return todo


def main(seeds: Sequence[int], count: int = 300) -> None:
    """Let it loose with each seed and print what breaks."""
    for seed in seeds:
        dice = random.Random(seed)
        size = dice.choice(((80, 24), (80, 24), (120, 40), (40, 12), (200, 60)))
        todo = acts(dice, count)
        said = outcome(partial(loose, todo, seed, 12, size))
        print(seed, size, len(todo), said or "holds", flush=True)
        if said:
            short = fewest(todo[:done], seed, said, size)
            short = [(kind, what if len(str(what)) < 100 else str(what)[:20]) for kind, what in short]
            print("   ", len(short), short, flush=True)


if __name__ == "__main__":
    main(range(int(sys.argv[1]), int(sys.argv[2])), int(sys.argv[3]) if len(sys.argv) > 3 else 300)
