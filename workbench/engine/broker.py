"""The broker: listens on the socket, keeps front ends apart, and owns the sessions and the model process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.engine.about import AboutEngine, Facts
from workbench.engine.address import Address
from workbench.engine.connection import FrontEnd, Ticket
from workbench.engine.dispatch import Dispatch
from workbench.engine.jobs import Job
from workbench.engine.messages import Request, RequestId, optional_name, read_request, request_id, sessions_folder
from workbench.engine.peer import is_own_user
from workbench.engine.registry import Registry
from workbench.engine.sessions import OpenSessions, sessions_or_default
from workbench.engine.supervisor import ModelProcess
from workbench.engine.wire import (
    CAPABILITIES,
    READ_SIZE,
    Lines,
    ProtocolError,
    TooLong,
    check_hello,
    decode,
    error_message,
    hello,
)
from workbench.errors import EngineUnreachable, WorkbenchError
from workbench.session import catalog

REQUEST_LIMIT = 256
"""Requests one front end may have under way."""
GRACE = 3.0
"""Seconds a running command gets to stop by itself when the engine stops."""


@dataclass(frozen=True)
class Limits:
    """After how many idle seconds the model process and the broker end."""

    child: float = 600.0
    broker: float = 1800.0

    @classmethod
    def from_environment(cls) -> Limits:
        """`WORKBENCH_CHILD_IDLE_SECONDS` and `WORKBENCH_IDLE_SECONDS`, else ten and thirty minutes."""
        return cls(
            float(os.environ.get("WORKBENCH_CHILD_IDLE_SECONDS", cls.child)),
            float(os.environ.get("WORKBENCH_IDLE_SECONDS", cls.broker)),
        )


class Broker:
    """One engine.

    Args:
        registry: the verbs, handed in since the engine knows none.
        address: where to listen.
        child_module: what runs as the model process.
        limits: idle times.
    """

    def __init__(self, registry: Registry, address: Address, child_module: str, limits: Limits) -> None:
        self._address = address
        self._limits = limits
        self._fronts: set[FrontEnd] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = self._last_needed = time.monotonic()
        self._stopping = False
        self._done = asyncio.Event()
        self._sessions = OpenSessions()
        self._model = ModelProcess(child_module, address.log)
        self._dispatch = Dispatch(registry, self._sessions, self._model, self._announce, self._announce_job)
        about = AboutEngine(self._dispatch.jobs, self._sessions, self._model, self._facts, self._stop)
        self._dispatch.engine_verbs = about.verbs()

    async def serve(self) -> None:
        """Listen until stopped or idle for too long.

        Raises:
            OSError: the socket cannot be bound, for example because another engine listens on it.
        """
        listener = _listen(self._address.socket)
        self._inode = self._address.socket.stat().st_ino
        server = await asyncio.start_unix_server(self._connected, sock=listener, limit=READ_SIZE)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: self._spawn(self._shut_down()))
        background = [asyncio.create_task(self._dispatch.jobs.work()), asyncio.create_task(self._watch_the_clock())]
        try:
            await self._done.wait()
        finally:
            server.close()
            for task in background:
                task.cancel()
            await self._farewell()

    # -- connections -----------------------------------------------------------------------------------

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not is_own_user(writer.get_extra_info("socket")):
            writer.close()
            return
        front = FrontEnd(writer)
        self._fronts.add(front)
        lines = Lines()
        try:
            while data := await reader.read(READ_SIZE):
                for line in lines.feed(data):
                    self._take(front, line)
        except ConnectionError:
            pass  # the same as an end of file: the front end is gone
        finally:
            self._fronts.discard(front)
            self._sessions.watch(None, front.watching)
            front.gone()
            front.close()
            self._last_needed = time.monotonic()

    def _take(self, front: FrontEnd, line: bytes | TooLong) -> None:
        """Act on one line; whatever is wrong with it goes back as an error, and the connection goes on."""
        message: dict[str, Any] = {}
        try:
            message = decode(line)
            if "hello" in message or not front.greeted:
                check_hello(message)
                front.greeted = True
                front.send(hello(pid=os.getpid(), capabilities=list(CAPABILITIES)))
            elif "cancel" in message:
                self._cancel_request(front, message["cancel"])
            else:
                self._accept(front, message, len(line) if isinstance(line, bytes) else 0)
        except WorkbenchError as error:
            name = message.get("id")
            front.send(error_message(name if isinstance(name, (int, str)) else None, error))

    def _accept(self, front: FrontEnd, message: dict[str, Any], size: int) -> None:
        name = request_id(message)
        if name in front.tickets:
            raise ProtocolError(f"a request with the id {name!r} is still under way", "Use a new id for each request.")
        if len(front.tickets) >= REQUEST_LIMIT:
            raise ProtocolError(f"{REQUEST_LIMIT} requests are under way", "Wait for some of them.")
        if self._stopping:
            raise EngineUnreachable("the engine is stopping", "Repeat the command: a new one starts.")
        if "do" in message:
            request = read_request(message, size)
            ticket = Ticket(front, name, request.detach)
            carry = self._carry_out_afar if request.carry or request.sent else self._carry_out
            self._answer(front, ticket, lambda: carry(front, request, ticket))
        elif "view" in message:
            self._answer(front, Ticket(front, name, False), lambda: self._save_view(message))
        elif "watch" in message:
            self._answer(front, Ticket(front, name, False), lambda: self._watch(front, message))
        elif "fetch" in message:
            self._answer(front, Ticket(front, name, False), lambda: asyncio.to_thread(front.outbox.read, message))
        elif "open" in message:
            self._answer(front, Ticket(front, name, False), lambda: asyncio.to_thread(front.outbox.open))
        elif "store" in message:
            self._answer(front, Ticket(front, name, False), lambda: asyncio.to_thread(front.outbox.store, message))
        elif "drop" in message:
            dropped = message["drop"]
            self._answer(front, Ticket(front, name, False), lambda: asyncio.to_thread(front.outbox.drop, dropped))
        else:
            raise ProtocolError(
                "a message asks for nothing", "It needs one of: do, view, watch, fetch, open, store, drop, cancel."
            )

    async def _carry_out(self, _front: FrontEnd, request: Request, ticket: Ticket) -> dict[str, Any]:
        return await self._dispatch.carry_out(request, ticket)

    async def _carry_out_afar(self, front: FrontEnd, request: Request, ticket: Ticket) -> dict[str, Any]:
        """The reply to a front end on another machine, with a list of what it is to fetch."""
        verb, params = self._dispatch.registry.lookup(request.do), request.params
        if request.sent:
            params = front.outbox.sent(verb, params, request.sent)
        box, params = await asyncio.to_thread(front.outbox.divert, verb, params)
        try:
            reply = await self._dispatch.carry_out(replace(request, params=params), ticket)
            if request.sent:
                await asyncio.to_thread(front.outbox.drop, request.sent["box"])
            return {**reply, "carried": await asyncio.to_thread(front.outbox.listing, box)}
        except BaseException:
            with suppress(ProtocolError):  # the front end may be gone, and its boxes with it
                await asyncio.to_thread(front.outbox.drop, box)
            raise

    def _cancel_request(self, front: FrontEnd, name: Any) -> None:
        ticket = front.tickets.get(name) if isinstance(name, (int, str)) else None
        if ticket is not None:  # else its answer is on the way already
            ticket.cancel()

    def _answer(self, front: FrontEnd, ticket: Ticket, work: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        front.tickets[ticket.request] = ticket
        self._spawn(self._answer_with(front, ticket, work))

    async def _answer_with(
        self, front: FrontEnd, ticket: Ticket, work: Callable[[], Awaitable[dict[str, Any]]]
    ) -> None:
        name: RequestId = ticket.request
        try:
            answer = {"id": name, "result": await work()}
        except WorkbenchError as error:
            answer = error_message(name, error)
        except Exception as error:
            traceback.print_exception(error, file=sys.stderr)
            answer = error_message(
                name,
                WorkbenchError(
                    f"the engine failed unexpectedly ({type(error).__name__}: {error})",
                    "This is a fault of the workbench; sessions are whole. See `workbench engine log`.",
                ),
            )
        front.tickets.pop(name, None)
        self._last_needed = time.monotonic()
        front.send(answer)

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- views and events ------------------------------------------------------------------------------

    async def _watch(self, front: FrontEnd, message: dict[str, Any]) -> dict[str, Any]:
        name = optional_name(message, "watch")
        sessions = await asyncio.to_thread(sessions_or_default, sessions_folder(message))
        path = None if name is None else await asyncio.to_thread(catalog.find, name, sessions)
        if front in self._fronts:
            self._sessions.watch(path, front.watching)
            front.watching = path
        return {"watching": name}

    async def _save_view(self, message: dict[str, Any]) -> dict[str, Any]:
        view, name = message["view"], optional_name(message, "session")
        if not isinstance(view, dict) or name is None:
            raise ProtocolError("a view needs an object and the name of its session")
        sessions = await asyncio.to_thread(sessions_or_default, sessions_folder(message))
        path = await asyncio.to_thread(catalog.find, name, sessions)
        if await self._sessions.is_never_written(path):
            return {"kept": False}  # looking at a shipped example does not change it, nor copy it
        async with self._sessions.writing(path) as held:
            await asyncio.to_thread(held.session.save_view, view)
        return {"kept": True}

    def _announce(self, path: Path, event: dict[str, Any]) -> None:
        for front in self._fronts:
            if front.watching == path:
                front.send(event)

    def _announce_job(self, job: Job) -> None:
        event = {"event": "job", "job": job.as_dict()}
        for front in self._fronts:
            if front.greeted:
                front.send(event)

    def _facts(self) -> Facts:
        return Facts(
            socket=str(self._address.socket),
            log=self._address.log,
            uptime=time.monotonic() - self._started,
            clients=len(self._fronts),
            child_idle_limit=self._limits.child,
            idle_limit=self._limits.broker,
        )

    async def _stop(self, ticket: Ticket) -> None:
        await self._wind_down(ticket)
        asyncio.get_running_loop().call_soon(self._done.set)  # after the answer was sent

    # -- the end ---------------------------------------------------------------------------------------

    async def _shut_down(self) -> None:
        await self._wind_down(None)
        self._done.set()

    async def _wind_down(self, but: Ticket | None) -> None:
        """Let no one in any more, stop the work, and let go of the sessions."""
        self._stopping = True
        self._forget_socket()
        for front in list(self._fronts):
            for ticket in list(front.tickets.values()):
                if ticket is not but:
                    ticket.cancel()
        for job in self._dispatch.jobs.open():
            self._dispatch.jobs.cancel(job)
        deadline = time.monotonic() + GRACE
        while self._busy(but) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await self._model.drop()
        deadline = time.monotonic() + GRACE
        while self._busy(but) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        self._sessions.close()

    def _busy(self, but: Ticket | None) -> bool:
        waiting = [ticket for front in self._fronts for ticket in front.tickets.values() if ticket is not but]
        return bool(waiting or self._dispatch.jobs.open())

    def _forget_socket(self) -> None:
        """Remove our socket, while it still listens, so that a newer engine's is never removed by mistake."""
        try:
            if self._address.socket.stat().st_ino == self._inode:
                self._address.socket.unlink()
        except FileNotFoundError:
            pass  # the folder was cleaned; there is nothing to remove

    async def _farewell(self) -> None:
        await asyncio.sleep(0.05)  # what was sent last leaves
        for front in list(self._fronts):
            front.close()

    async def _watch_the_clock(self) -> None:
        shortest = min(self._limits.child, self._limits.broker)
        while True:
            await asyncio.sleep(min(5.0, max(0.05, shortest / 4)))
            if self._model.pid is not None and self._model.idle_seconds >= self._limits.child:
                await self._model.drop()
            if self._fronts or self._dispatch.jobs.open():
                self._last_needed = time.monotonic()
            elif time.monotonic() - self._last_needed >= self._limits.broker or not self._address.socket.exists():
                await self._shut_down()


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        listener.bind(os.fspath(path))
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(old)
    listener.setblocking(False)
    return listener


def run_broker(registry: Registry, address: Address, child_module: str) -> int:
    """Be the engine until it is stopped; returns, with the exit status, only if it could not start."""

    async def main() -> None:
        await Broker(registry, address, child_module, Limits.from_environment()).serve()
        sys.stderr.flush()
        os._exit(0)  # a handler's thread that does not stop must not hold the process; what counts is on disk

    try:
        asyncio.run(main())
    except OSError as error:
        print(f"engine: cannot listen on {address.socket}: {error}", file=sys.stderr)
    return 1
