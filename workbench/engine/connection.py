"""One connected front end, and the requests it waits for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.engine.messages import RequestId
from workbench.engine.outbox import Outbox
from workbench.engine.wire import ProtocolError, encode, error_message

BACKLOG_LIMIT = 8 * 1024 * 1024
"""Bytes a front end may leave unread before it is taken for dead."""


class FrontEnd:
    """A client of the broker: what it watches, what it waits for, and the way to it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.greeted = False
        self.watching: Path | None = None
        self.tickets: dict[RequestId, Ticket] = {}
        self.outbox = Outbox()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message without waiting; a front end that stopped reading is cut off."""
        try:
            line = encode(message)
        except ProtocolError as error:
            line = encode(error_message(message.get("id"), error))
        if self._writer.is_closing():
            return
        self._writer.write(line)
        if self._writer.transport.get_write_buffer_size() > BACKLOG_LIMIT:
            self._writer.transport.abort()

    def close(self) -> None:
        """Close the connection after what was sent has left."""
        self._writer.close()

    def gone(self) -> None:
        """Give up what this client waited for, since nobody is there to hear it; detached work goes on."""
        for ticket in list(self.tickets.values()):
            if not ticket.detached:
                ticket.cancel()
        self.outbox.clear()


class Ticket:
    """One request under way: how to report on it, and how to stop it."""

    def __init__(self, front: FrontEnd, request: RequestId, detached: bool) -> None:
        self._front = front
        self._stop: Callable[[], None] | None = None
        self.request = request
        self.detached = detached
        self.cancelled = threading.Event()

    def progress(self, done: int, total: int, text: str, job: str | None = None) -> None:
        """Tell the front end how far its request is."""
        message: dict[str, Any] = {"id": self.request, "progress": [done, total, text]}
        if job is not None:
            message["job"] = job
        self._front.send(message)

    def on_cancel(self, stop: Callable[[], None]) -> None:
        """Say what to do when the request is cancelled; done at once if it was already."""
        self._stop = stop
        if self.cancelled.is_set():
            stop()

    def let_go(self, leave: Callable[[], None]) -> None:
        """Have the work go on whatever becomes of the front end; its wish to stop calls `leave` instead."""
        self.detached, self._stop = True, leave

    def cancel(self) -> None:
        """Ask for the request to stop."""
        if self.cancelled.is_set():
            return
        self.cancelled.set()
        if self._stop is not None:
            self._stop()
