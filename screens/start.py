"""How the app reaches its engine, and which session it opens first."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.paths import default_sessions

if TYPE_CHECKING:
    from workbench.engine.protocol import Engine

BROKER_MODULE = "commands.broker_main"


def engine_opener(sessions: str | None, host: str | None) -> Callable[[], Awaitable[Engine]]:
    """What makes the link: this machine's engine, or another's over ssh."""

    async def open_engine() -> Engine:
        from workbench.engine.async_client import AsyncClient
        from workbench.engine.remote import name_of, ssh_command
        from workbench.engine.streams import program_dial, socket_dial

        if host:
            dial = program_dial(ssh_command(host, ask=False))
            client = AsyncClient(dial, Path(sessions) if sessions else None, where=name_of(host))
        else:
            folder = Path(sessions).expanduser() if sessions else default_sessions()
            client = AsyncClient(socket_dial(BROKER_MODULE), folder)
        await client.connect()
        return client

    return open_engine


def first_start(session: str | None, host: str | None) -> bool:
    """Whether nobody worked here before: no session, and the tour was never shown."""
    from screens.overlays.tour import was_seen

    return session is None and host is None and not was_seen()


def wants_mouse() -> bool:
    """Whether the app takes the mouse; WORKBENCH_MOUSE=off leaves it to the terminal, for its own selection."""
    return os.environ.get("WORKBENCH_MOUSE", "on").lower() not in ("off", "0", "no")


def last_session(sessions: str | None) -> str | None:
    """The session that was changed or looked at last, or None where there is none.

    Told by file times alone, since nothing slow may stand before the first frame.
    """
    folder = Path(sessions).expanduser() if sessions else default_sessions()
    found: list[tuple[float, str]] = []
    try:
        for entry in os.scandir(folder):
            times = [_time(Path(entry.path, name)) for name in ("session.json", "log.jsonl", "view.json")]
            if times[0]:
                found.append((max(times), entry.name))
    except OSError:
        return None  # no folder yet: the first session makes it
    return max(found)[1] if found else None


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
