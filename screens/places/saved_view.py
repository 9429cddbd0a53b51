"""Where the investigator is, saved in the session after a short rest, and taken up again when it is opened."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.worker import Worker, WorkerError

from screens import background
from screens.places.marks import Marks
from screens.places.trail import Trail
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from textual.timer import Timer

    from screens.app import WorkbenchApp
    from workbench.engine.protocol import Engine

SAVE_AFTER = 0.5
"""Seconds of rest before the view is saved."""
AT_THE_END = 1.0
"""Seconds that the end of the app waits for it."""


class SavedView:
    """Saves the places visited and the state of every screen, where they changed since the last time."""

    def __init__(self, app: WorkbenchApp) -> None:
        self.app = app
        self._timer: Timer | None = None
        self._last: tuple[str, dict[str, Any]] | None = None

    def changed(self) -> None:
        """Save after a short rest."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.app.set_timer(SAVE_AFTER, self.save_now)

    def stop(self) -> None:
        """Save no more by itself: the app ends."""
        if self._timer is not None:
            self._timer.stop()

    def save_now(self) -> Worker[None] | None:
        """Save, if there is a session to save in and anything new; what saves it, or None."""
        engine, session = self.app.engine, self.app.session
        if engine is None or not session or engine.state != "connected":
            return None
        view = self._view()
        if self._last == (session, view):
            return None
        self._last = (session, view)
        return background.start(self.app, partial(self._send, engine, session, view), "view")

    async def save_last(self) -> None:
        """Save before the app ends, unless that takes longer than anybody would wait."""
        if saving := self.save_now():
            with suppress(TimeoutError, WorkerError):
                await asyncio.wait_for(saving.wait(), AT_THE_END)

    def _view(self) -> dict[str, Any]:
        trail = self.app.trail
        return {
            "screen": trail.here.screen,
            "subject": trail.here.subject,
            "trail": trail.as_list(),
            "at": trail.at,
            "marks": self.app.marks.as_json(),
            "pages": {page.id: state for page in self.app.pages if (state := page.state())},
        }

    async def _send(self, engine: Engine, session: str, view: dict[str, Any]) -> None:
        try:
            await engine.save_view(session, view)
        except WorkbenchError as error:
            self.app.status.show(message=f"the view was not saved: {error.message}", good=False)

    def restore(self, view: dict[str, Any], screens: frozenset[str]) -> None:
        """Take a saved view up; places that are none of `screens` are left out, like any other nonsense in it."""
        self.app.marks = Marks.from_view(view.get("marks"))
        pages = view.get("pages")
        for page in self.app.pages:
            state = pages.get(page.id) if isinstance(pages, dict) else None
            if isinstance(state, dict):
                page.restore(state)
        trail = Trail.from_view(view.get("trail"), view.get("at"), screens)
        if trail is not None and self.app.trail.here.screen == "home":
            self.app.trail = trail
