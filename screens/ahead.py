"""Keys typed ahead: they wait for the page that they are meant for, or are dropped with a word."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.screen import Screen

if TYPE_CHECKING:
    from textual.timer import Timer

    from screens.app import WorkbenchApp

KEPT = 1.0
"""Seconds that keys wait for their page; whoever waits longer wants the keys back."""
HEARD = 0.2
"""Seconds that a key may take to be heard by the widgets above the one that it was for."""
Typed = events.Key | events.Paste


class Ahead:
    """Keeps what is typed between a key that opens something and the moment it is in front.

    One thing is waited for at a time: keys that could open another one are kept.
    """

    def __init__(self, app: WorkbenchApp) -> None:
        self._app = app
        self._awaited: object | None = None
        self._told = ""
        self._kept: list[Typed] = []
        self._late: object | None = None
        """What did not come in time: nothing waits for it again."""
        self._timer: Timer | None = None

    def begin(self, awaited: object, told: str) -> None:
        """Keep what is typed from now on, until `awaited` is told to `end`.

        Args:
            awaited: what will be in front.
            told: what is said of it where it does not come in time.
        """
        self.stop()
        self._awaited, self._told, self._late = awaited, told, None
        self._timer = self._app.set_timer(KEPT, self._give_up)

    def keep_for(self, awaited: object, told: str, event: Typed) -> bool:
        """Keep a key until `awaited` has come; says whether it does, for what was late is waited for once."""
        if awaited is self._late:
            return False
        self.begin(awaited, told)
        self._kept.append(event)
        return True

    def keeps(self, event: Typed) -> bool:
        """Keep a key, if anything is waited for."""
        if self._awaited is None or (isinstance(event, events.Key) and event.key in ("ctrl+q", "ctrl+c")):
            return False
        self._kept.append(event)
        return True

    def end(self, awaited: object, came: bool = True) -> None:
        """What was waited for is in front, and takes the keys; or it will not come, and they go with it."""
        if awaited is self._late:
            self._late = None
        if awaited is not self._awaited:
            return
        if came:
            self._app.call_later(self._give, awaited)  # behind the keys that have arrived, which are kept too
        else:
            self._drop("it did not open")

    async def _give(self, awaited: object) -> None:
        if awaited is not self._awaited:
            return
        self.stop()
        self._awaited = None
        kept, self._kept = self._kept, []
        while kept and self._awaited is None:
            await self._app.take(kept.pop(0))
        self._kept += kept  # one of them opens something again

    def _give_up(self) -> None:
        self._late = self._awaited
        self._drop(self._told)

    def _drop(self, why: str) -> None:
        """Nothing is waited for any more; what was typed for it is told."""
        self.stop()
        dropped, self._awaited, self._kept = self._kept, None, []
        if dropped:
            typed = " ".join(_name(event) for event in dropped[:8])
            more = f" and {len(dropped) - 8} more" if len(dropped) > 8 else ""
            self._app.explain(f"{why}: {typed}{more} dropped")

    def stop(self) -> None:
        """Look at the time no more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


async def heard(node: DOMNode | None) -> None:
    """Wait until what a key made a widget say was heard by those above it: the next key may be for what that opens."""
    done = asyncio.Event()
    for one in node.ancestors_with_self if node is not None else ():
        if isinstance(one, (Screen, App)):
            return
        done.clear()
        if one.call_later(done.set):
            with suppress(TimeoutError):  # it is being closed
                await asyncio.wait_for(done.wait(), HEARD)


def _name(event: Typed) -> str:
    if isinstance(event, events.Paste):
        return "pasted text"
    return event.character if event.is_printable and event.character else event.key
