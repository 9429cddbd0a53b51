"""Ways to an engine for the app: its socket here, or a byte pipe through another program such as ssh."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from workbench.engine.address import Address, engine_address
from workbench.engine.spawn import connect, connect_or_spawn
from workbench.engine.wire import READ_SIZE
from workbench.errors import EngineUnreachable

END_SECONDS = 2.0
"""How long a program whose connection was closed may take to end."""
WORDS_SECONDS = 0.3
"""How long the last words of one that ended may take."""


@dataclass(frozen=True)
class Streams:
    """Both directions of a connection, and what must be ended with it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    process: asyncio.subprocess.Process | None = None

    async def close(self) -> None:
        """End the connection; a program that carried it is ended too."""
        self.writer.close()
        with suppress(ConnectionError):  # the other side was faster
            await self.writer.wait_closed()
        if self.process is not None:
            await _end(self.process)


Dial = Callable[[bool], Awaitable[Streams]]
"""Opens a connection; the argument says whether an engine may be started for it."""


def socket_dial(broker_module: str, address: Address | None = None) -> Dial:
    """The engine of this user on this machine."""

    async def dial(start: bool) -> Streams:
        where = address or engine_address()
        link = await _in_thread(lambda: connect_or_spawn(where, broker_module) if start else connect(where))
        if link is None:
            raise EngineUnreachable("no engine is running", "The next command starts one.")
        link.setblocking(False)
        return Streams(*await asyncio.open_connection(sock=link, limit=READ_SIZE))

    return dial


async def _in_thread(reach: Callable[[], socket.socket | None]) -> socket.socket | None:
    """Reach for a connection in a thread; one that comes after the wait was given up is closed."""
    future = asyncio.get_running_loop().run_in_executor(None, reach)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        future.add_done_callback(_close_late)
        raise


def _close_late(future: asyncio.Future[socket.socket | None]) -> None:
    if future.exception() is None and (link := future.result()) is not None:
        link.close()


def program_dial(command: Sequence[str]) -> Dial:
    """An engine behind a program that carries bytes, for example `ssh box workbench engine --stdio`.

    What the program says on standard error is quoted when it ends without an answer.
    """

    async def dial(_start: bool) -> Streams:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=READ_SIZE,
                start_new_session=True,
            )
        except OSError as error:
            raise EngineUnreachable(f"{command[0]} cannot be run ({error.strerror or error})", "Install it.") from error
        if process.stdout is None or process.stdin is None:
            raise EngineUnreachable(f"{command[0]} has no pipes")
        return Streams(process.stdout, process.stdin, process)

    return dial


async def last_words(streams: Streams) -> tuple[str, int | None]:
    """What the program that carried a broken connection said on standard error, and its exit status if it ended.

    It is not waited for without end: what the program left behind may hold standard error open.
    """
    if streams.process is None or streams.process.stderr is None:
        return "", None
    raw = bytearray()
    with suppress(TimeoutError):
        await asyncio.wait_for(streams.process.wait(), END_SECONDS)
    with suppress(TimeoutError):
        async with asyncio.timeout(WORDS_SECONDS):
            while data := await streams.process.stderr.read(READ_SIZE):
                raw += data
    return raw.decode("utf-8", "replace").strip()[-2000:], streams.process.returncode


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
