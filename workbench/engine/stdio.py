"""`engine --stdio`: a byte pipe between standard input and output and the engine's socket, for ssh."""

from __future__ import annotations

import os
import socket
import threading

from workbench.engine.address import Address, engine_address
from workbench.engine.spawn import connect_or_spawn
from workbench.engine.wire import READ_SIZE


def pipe(broker_module: str, address: Address | None = None, *, source: int = 0, sink: int = 1) -> int:
    """Carry bytes both ways until either side ends; gives the exit status.

    Raises:
        EngineUnreachable: no engine runs and none can be started.
    """
    with connect_or_spawn(address or engine_address(), broker_module) as link:
        threading.Thread(target=_forward, args=(source, link), name="to the engine", daemon=True).start()
        try:
            while data := link.recv(READ_SIZE):
                _write_all(sink, data)
        except (BrokenPipeError, ConnectionError):
            return 1  # the far end hung up in the middle of an answer
    return 0


def _forward(source: int, link: socket.socket) -> None:
    try:
        while data := os.read(source, READ_SIZE):
            link.sendall(data)
        link.shutdown(socket.SHUT_WR)  # the broker sees the end, answers no more, and closes
    except OSError:
        return  # the engine closed first; the other direction ends the pipe


def _write_all(sink: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]
