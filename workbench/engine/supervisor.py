"""The process that holds the model: started on first need, replaced when it dies, dropped when idle."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.engine import logfile
from workbench.engine.spawn import python_command, python_environment
from workbench.engine.wire import LINE_LIMIT, READ_SIZE, Lines, ProtocolError, decode, encode
from workbench.errors import EngineDied, error_from_dict

TAIL = 8
"""Lines of the log that an `engine_died` error quotes."""
STOP_SECONDS = 2.0


@dataclass(eq=False)
class Call:
    """A request on its way through the model process."""

    id: int
    message: dict[str, Any]
    answer: asyncio.Future[dict[str, Any]]
    progress: Callable[[int, int, str], None]
    child: _Child | None = None
    begun: bool = False
    sent: int = 0
    cancelled: bool = False

    def cancel(self) -> None:
        """Ask the process to stop this request at its next batch."""
        self.cancelled = True
        if self.child is not None:
            self.child.send({"cancel": self.id})

    def fail(self, error: EngineDied) -> None:
        """End it with an error, unless it has ended."""
        if not self.answer.done():
            self.answer.set_exception(error)


class _Child:
    """One life of the model process."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        log: Path,
        log_start: int,
        bequeath: Callable[[Call], None],
    ) -> None:
        self._bequeath = bequeath
        self.process = process
        self.calls: dict[int, Call] = {}
        self.last_used = time.monotonic()
        self.ended = False
        self.dropped = False
        self._writer = writer
        self._log = log
        self._log_start = log_start
        self.task = asyncio.create_task(self._read(reader))

    def send(self, message: dict[str, Any]) -> None:
        if not self._writer.is_closing():
            self._writer.write(encode(message, LINE_LIMIT))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        lines = Lines()
        try:
            while data := await reader.read(READ_SIZE):
                for line in lines.feed(data):
                    self._take(decode(line))
        except (ConnectionError, ProtocolError) as error:
            print(f"engine: the link to the model process broke: {error}", file=sys.stderr, flush=True)
        finally:
            await self._bury()

    def _take(self, message: dict[str, Any]) -> None:
        call = self.calls.get(message.get("id", -1))
        if call is None:
            return  # its hello, or the answer to a request that was given up
        self.last_used = time.monotonic()
        if "begun" in message:
            call.begun = True
            return
        if "progress" in message:
            done, total, text = message["progress"]
            call.progress(done, total, text)
            return
        del self.calls[call.id]
        if call.answer.done():
            return
        if "error" in message:
            call.answer.set_exception(error_from_dict(message["error"]))
        else:
            call.answer.set_result(message["result"])

    async def _bury(self) -> None:
        self.ended = True  # from here on a new request starts a new process
        self._writer.close()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            self.process.kill()  # it closed its end, or sent nonsense, and still runs
            await self.process.wait()
        calls, self.calls = list(self.calls.values()), {}
        for call in calls:
            if call.begun or call.sent > 1 or self.dropped:
                call.fail(self._death(str(call.message.get("do"))))
            else:
                self._bequeath(call)  # it died before it took the request: a fresh one does the work

    def _death(self, do: str) -> EngineDied:
        code = self.process.returncode or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
        advice = "Repeat the command: a fresh process starts."
        if code == -signal.SIGKILL:
            advice += " A kill often means that memory ran out: use fewer tokens or a smaller model."
        tail = logfile.last_lines(self._log, TAIL, self._log_start)
        said = "\nIts last lines:\n" + "\n".join(tail) if tail else ""
        return EngineDied(f"the model process {how} while it carried out {do}", advice + said)


class ModelProcess:
    """Passes requests to the process with the model.

    Args:
        module: run as `python -m module FD`; reads and answers requests on that file descriptor.
        log: where its standard error goes.
    """

    def __init__(self, module: str, log: Path) -> None:
        self._module = module
        self._log = log
        self._child: _Child | None = None
        self._starting = asyncio.Lock()
        self._retries: set[asyncio.Task[None]] = set()
        self._count = 0

    @property
    def pid(self) -> int | None:
        """The process id, or None while there is no process."""
        child = self._living()
        return None if child is None else child.process.pid

    @property
    def idle_seconds(self) -> float:
        """Seconds since it last had something to do."""
        child = self._living()
        return 0.0 if child is None or child.calls else time.monotonic() - child.last_used

    def _living(self) -> _Child | None:
        child = self._child
        return None if child is None or child.ended else child

    async def call(self, message: dict[str, Any], progress: Callable[[int, int, str], None]) -> Call:
        """Send a request; its answer is awaited with `call.answer`.

        Raises:
            EngineDied: the process cannot be started.
        """
        self._count += 1
        call = Call(self._count, message, asyncio.get_running_loop().create_future(), progress)
        await self._place(call)
        return call

    async def _place(self, call: Call) -> None:
        async with self._starting:
            child = self._living() or await self._start()
            self._child = call.child = child
        child.calls[call.id] = call
        call.sent += 1
        child.send({"id": call.id, **call.message})
        if call.cancelled:
            call.cancel()

    def _place_again(self, call: Call) -> None:
        task = asyncio.create_task(self._retry(call))
        self._retries.add(task)
        task.add_done_callback(self._retries.discard)

    async def _retry(self, call: Call) -> None:
        try:
            await self._place(call)
        except EngineDied as error:
            call.fail(error)

    async def _start(self) -> _Child:
        logfile.trim(self._log)
        start = logfile.size(self._log)
        ours, theirs = socket.socketpair()
        try:
            with self._log.open("ab") as log:
                process = await asyncio.create_subprocess_exec(
                    *python_command(self._module, str(theirs.fileno())),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env=python_environment(),
                    pass_fds=(theirs.fileno(),),
                )
        except OSError as error:
            ours.close()
            raise EngineDied(
                f"the model process cannot be started ({error})", "Free some memory and repeat."
            ) from error
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        return _Child(process, reader, writer, self._log, start, self._place_again)

    async def drop(self) -> None:
        """End the process; what it was doing fails with EngineDied."""
        child, self._child = self._child, None
        if child is None or child.ended:
            return
        child.dropped = True
        child.process.kill()
        await child.task
