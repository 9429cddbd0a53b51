"""Painting a screen once, with its content, where the content comes at once."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from textual.app import App
from textual.timer import Timer

PATIENCE = 0.1
"""Seconds that a screen waits for its content before it is painted without."""


class OnePaint:
    """Holds the painting back; keys go to the screen meanwhile."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._held: ExitStack | None = None
        self._patience: Timer | None = None

    def hold(self) -> None:
        """Paint nothing until `release`, or until patience ends."""
        if self._held is None:
            self._held = ExitStack()
            self._held.enter_context(self._app.batch_update())
            self._patience = self._app.set_timer(PATIENCE, self.release)

    def release(self) -> None:
        """Paint what there is."""
        self.stop()
        if self._held is not None:
            held, self._held = self._held, None
            held.close()
            self._app.screen.check_idle()  # the batch prompts the app alone, and a screen at rest would stay unpainted

    def stop(self) -> None:
        """Have no patience any more: it would end with the next screen, or after the last."""
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
