"""The client of the app: many requests at a time, events, and a link that is found again when lost."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.engine.afar import not_here, not_there, other_protocol, unreachable
from workbench.engine.carried import Asking, check_carry, fetching, sending
from workbench.engine.protocol import EventHandler, LinkState, Progress
from workbench.engine.question import question
from workbench.engine.streams import Dial, Streams, last_words
from workbench.engine.wire import (
    LINE_LIMIT,
    READ_SIZE,
    Lines,
    ProtocolError,
    TooLong,
    check_hello,
    decode,
    encode,
    hello,
    hello_in,
)
from workbench.errors import (
    EngineDied,
    EngineUnreachable,
    InputFileError,
    UsageError,
    WorkbenchError,
    error_from_dict,
)
from workbench.verbs import Verb

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts to find a lost engine; the last one is repeated."""
GOES_ON = "Long work goes on over there and is stored: see Jobs once the link is back; repeat anything else."
TRIES = 3
"""Connections to try at once: an engine that ends at this very moment closes one without a word."""
BANNER_READS = 16
"""Blocks of other text that may come before the engine's hello."""
BANNER_SIGNS = 1000
"""Of that text, so much is kept to be quoted."""


@dataclass(eq=False)
class _Waiting:
    answer: asyncio.Future[dict[str, Any]]
    progress: Progress | None


class AsyncClient:
    """An engine behind a pair of streams.

    A lost link fails what was under way, and is sought again without starting an engine, so that
    `engine stop` stops it; the next request starts one if none came back.

    Args:
        dial: opens the connection (`socket_dial`, `program_dial`).
        sessions: the folder of sessions; the engine's default when None.
        on_event: called with each event.
        where: what the machine behind the link is called, where it is another one. Long work then goes on when the
            link breaks, as one over a network does by itself, and files are carried over it.
    """

    def __init__(
        self,
        dial: Dial,
        sessions: Path | None = None,
        on_event: EventHandler | None = None,
        *,
        where: str = "",
    ) -> None:
        self.on_event = on_event
        self.engine: dict[str, Any] = {}
        """What the engine said of itself: `version`, `pid`, `capabilities`."""
        self._dial = dial
        self._where = where
        self._sessions = None if sessions is None else sessions.absolute()
        self._banner = ""
        self._state: LinkState = "connecting"
        self._streams: Streams | None = None
        self._opening: tuple[asyncio.Task[None], bool] | None = None
        self._waiting: dict[int, _Waiting] = {}
        self._count = 0
        self._watched: str | None = None
        self._reading: asyncio.Task[None] | None = None
        self._seeking: asyncio.Task[None] | None = None

    @property
    def state(self) -> LinkState:
        """How the link to the engine stands."""
        return self._state

    async def connect(self, start: bool = True) -> None:
        """Open the link unless it is open.

        Raises:
            EngineUnreachable: no engine answers and none could be started.
            ProtocolError: the engine speaks another protocol.
        """
        while self._streams is None:
            if self._state == "closed":
                raise EngineUnreachable("the link to the engine was closed")
            attempt, may_start = self._attempt(start)
            try:
                await asyncio.shield(attempt)  # others may wait for the same link
            except WorkbenchError:
                if may_start or not start:
                    raise

    def _attempt(self, start: bool) -> tuple[asyncio.Task[None], bool]:
        if self._opening is None or self._opening[0].done():
            task = asyncio.create_task(self._establish(start))
            task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
            self._opening = (task, start)
        return self._opening

    async def _establish(self, start: bool) -> None:
        self._streams, lines = await self._open(start)
        self._reading = asyncio.create_task(self._read(self._streams, lines))
        if self._watched is not None:
            await self._watch_again(self._watched)
        self._become("connected")

    async def _watch_again(self, session: str) -> None:
        try:
            await self._ask({"watch": session, "sessions": self._folder()})
        except UsageError as error:  # the session is gone: the link is good all the same
            self._watched = None
            self._tell({"event": "unwatched", "session": session, "error": error.as_dict()})

    async def _open(self, start: bool) -> tuple[Streams, Lines]:
        for attempt in range(1, TRIES + 1):
            streams = await self._dial(start)
            try:
                return streams, await self._greet(streams)
            except ConnectionError as error:  # it was ending just then: the next attempt finds or starts another
                if streams.process is not None or attempt == TRIES:
                    said, status = await last_words(streams)
                    await streams.close()
                    if self._where:
                        raise unreachable(self._where, f"{self._banner}\n{said}", status) from error
                    raise EngineUnreachable(
                        "the engine closed the link without a word", said or "See its log."
                    ) from error
                await streams.close()
            except BaseException:
                await streams.close()
                raise
        raise EngineUnreachable("no attempt to reach the engine was made")

    async def _greet(self, streams: Streams) -> Lines:
        lines, self._banner = Lines(), ""
        streams.writer.write(encode(hello()))
        for _ in range(BANNER_READS):
            data = await streams.reader.read(READ_SIZE)
            if not data:
                raise ConnectionResetError("end of file before a hello")
            found, banner = hello_in(lines.feed(data))
            self._banner = f"{self._banner}\n{banner}"[-BANNER_SIGNS:]
            if found:
                try:
                    self._welcome(found)
                except ProtocolError as error:
                    if not self._where:
                        raise
                    raise other_protocol(error, self._where) from error
                return lines
        raise ProtocolError("the other side says much, but no hello", "Is it `workbench engine --stdio`?")

    def _welcome(self, found: list[bytes | TooLong]) -> None:
        answer = decode(found[0])
        if "error" in answer:
            raise error_from_dict(answer["error"])
        check_hello(answer)
        self.engine = answer
        for line in found[1:]:
            self._take(decode(line))

    # -- what the app asks -----------------------------------------------------------------------------

    async def request(
        self,
        verb: Verb,
        *,
        session: str | None,
        progress: Progress | None = None,
        detach: bool = False,
        fresh: bool = False,
    ) -> dict[str, Any]:
        """Carry a verb out and give the reply object; cancelling the awaiting task cancels the work.

        Raises:
            WorkbenchError: what the engine answered; EngineDied or EngineUnreachable for a lost link.
        """
        detach = detach or (bool(self._where) and verb.heavy)
        await self.connect()
        if not self._where:
            message = question(verb, session=session, sessions=self._sessions, fresh=fresh, detach=detach)
            return await self._ask(message, progress)
        try:
            sent = await self._driven(sending(verb, self.engine, progress))
            carry = check_carry(verb, self.engine)
            message = question(
                verb, session=session, sessions=self._sessions, fresh=fresh, detach=detach, carry=carry, sent=sent
            )
        except InputFileError as error:
            raise not_here(error, self._where) from error
        try:
            reply = await self._ask(message, progress)
        except UsageError as error:
            raise not_there(error, verb, self._where, str(self.engine.get("version"))) from error
        return await self._driven(fetching(verb, reply, progress)) if carry else reply

    async def _driven(self, asking: Asking) -> dict[str, Any]:
        """Ask what a generator wants asked, up to its end; gives what it gives."""
        asked: deque[asyncio.Task[dict[str, Any]]] = deque()
        try:
            step = next(asking)
            while True:
                if step is not None:
                    asked.append(asyncio.create_task(self._ask(step)))
                    step = next(asking)
                    continue
                try:
                    answer = await asked.popleft()
                except WorkbenchError as error:
                    step = asking.throw(error)
                else:
                    step = asking.send(answer)
        except StopIteration as done:
            found: dict[str, Any] = done.value
            return found
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
            asking.close()

    async def watch(self, session: str | None) -> None:
        """Hear from now on what changes in that session, also after the link was lost and found again."""
        await self.connect()
        await self._ask({"watch": session, "sessions": self._folder()})
        self._watched = session

    async def save_view(self, session: str, view: dict[str, Any]) -> None:
        """Remember where the investigator is; a shipped example keeps no view."""
        await self.connect()
        await self._ask({"view": view, "session": session, "sessions": self._folder()})

    async def close(self) -> None:
        """Let go of the link; running work that was not detached is cancelled."""
        self._become("closed")
        opening = None if self._opening is None else self._opening[0]
        for task in (self._seeking, opening, self._reading):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        self._fail_waiting(EngineUnreachable("the link to the engine was closed"))
        if self._streams is not None:
            streams, self._streams = self._streams, None
            await streams.close()

    # -- the link --------------------------------------------------------------------------------------

    def _folder(self) -> str | None:
        return None if self._sessions is None else str(self._sessions)

    async def _ask(self, message: dict[str, Any], progress: Progress | None = None) -> dict[str, Any]:
        self._count += 1
        name = self._count
        waiting = _Waiting(asyncio.get_running_loop().create_future(), progress)
        self._waiting[name] = waiting
        try:
            await self._send({"id": name, **message})
            return await waiting.answer
        except asyncio.CancelledError:
            if self._streams is not None:
                self._streams.writer.write(encode({"cancel": name}))
            raise
        finally:
            self._waiting.pop(name, None)

    async def _send(self, message: dict[str, Any]) -> None:
        if self._streams is None:
            raise EngineUnreachable("the link to the engine was lost", "Repeat the command.")
        try:
            self._streams.writer.write(encode(message, LINE_LIMIT))
            await self._streams.writer.drain()
        except ConnectionError as error:
            raise EngineDied("the engine ended before it got the request", "Repeat the command.") from error

    async def _read(self, streams: Streams, lines: Lines) -> None:
        try:
            while data := await streams.reader.read(READ_SIZE):
                for line in lines.feed(data):
                    self._take(decode(line))
        except (ConnectionError, ProtocolError):
            pass  # told below, as any lost link: every waiting request gets its error
        await self._lost(streams)

    def _take(self, message: dict[str, Any]) -> None:
        if "event" in message:
            self._tell(message)
            return
        waiting = self._waiting.get(message.get("id", -1))
        if waiting is None or waiting.answer.done():
            return  # the answer to a request that was cancelled meanwhile
        if "progress" not in message:
            _settle(waiting, message)
        elif waiting.progress is not None:
            try:
                waiting.progress(*message["progress"])
            except Exception as error:  # a fault of the caller ends its request, not the link of all
                waiting.answer.set_exception(error)

    async def _lost(self, streams: Streams) -> None:
        self._streams = None
        said, _ = await last_words(streams)
        await streams.close()
        hint = GOES_ON if self._where else "Repeat the command: a new engine starts, and the session is whole."
        at = f" on {self._where}" if self._where else ""
        self._fail_waiting(EngineDied(f"the link to the engine{at} was lost", f"{hint}\n{said}".rstrip()))
        if self._state != "closed":
            self._become("lost")
        if self._state != "closed" and (self._seeking is None or self._seeking.done()):
            self._seeking = asyncio.create_task(self._seek())

    async def _seek(self) -> None:
        for attempt in range(1_000_000):
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            try:
                await self.connect(start=False)
            except WorkbenchError as error:
                self._tell({"event": "sought", "error": error.as_dict()})
                continue  # still not there; the state says so
            return

    def _fail_waiting(self, error: WorkbenchError) -> None:
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(error)

    def _become(self, state: LinkState) -> None:
        if state != self._state:
            self._state = state
            self._tell({"event": "state", "state": state})

    def _tell(self, event: dict[str, Any]) -> None:
        if self.on_event is not None:
            asyncio.get_running_loop().call_soon(self.on_event, event)


def _settle(waiting: _Waiting, message: dict[str, Any]) -> None:
    if "error" in message:
        waiting.answer.set_exception(error_from_dict(message["error"]))
    else:
        waiting.answer.set_result(message["result"])
