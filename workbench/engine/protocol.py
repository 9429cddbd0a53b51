"""What the app asks of an engine, whichever it is: the real one, one behind ssh, or a recorded one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from workbench.verbs import Verb

Progress = Callable[[int, int, str], None]
"""Called with (done, total, text) while a request is being carried out."""

EventHandler = Callable[[dict[str, Any]], None]
"""Called with each unasked message: `{"event": "changed", ...}`, `{"event": "job", ...}` or
`{"event": "state", "state": ...}` when the link itself is lost or found again."""

LinkState = Literal["connecting", "connected", "lost", "closed"]


class Engine(Protocol):
    """The one interface the screens are written against.

    `request` raises the `WorkbenchError` that the engine sent; `EngineDied` and `EngineUnreachable` when the
    link is lost before an answer came. Cancelling the task that awaits `request` cancels the work.
    """

    on_event: EventHandler | None

    @property
    def state(self) -> LinkState:
        """How the link to the engine stands."""

    async def request(
        self,
        verb: Verb,
        *,
        session: str | None,
        progress: Progress | None = None,
        detach: bool = False,
        fresh: bool = False,
    ) -> dict[str, Any]:
        """Carry a verb out and give the reply object (docs/wire.md)."""

    async def watch(self, session: str | None) -> None:
        """Hear from now on what changes in that session; None: nothing."""

    async def save_view(self, session: str, view: dict[str, Any]) -> None:
        """Remember where the investigator is in that session."""

    async def close(self) -> None:
        """Let go of the link; running work that was not detached is cancelled."""
