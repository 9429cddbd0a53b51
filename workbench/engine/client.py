"""The blocking client of the shell: one connection, one request at a time, no asyncio."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from workbench.engine.address import Address, engine_address
from workbench.engine.carried import Asking, check_carry, fetching, sending
from workbench.engine.carrier import Carrier
from workbench.engine.question import question
from workbench.engine.spawn import connect, connect_or_spawn
from workbench.engine.wire import (
    LINE_LIMIT,
    READ_SIZE,
    Lines,
    ProtocolError,
    check_hello,
    decode,
    encode,
    hello,
    hello_in,
)
from workbench.errors import (
    Cancelled,
    EngineDied,
    EngineUnreachable,
    InputFileError,
    UsageError,
    WorkbenchError,
    error_from_dict,
)

if TYPE_CHECKING:
    from workbench.engine.protocol import Progress
    from workbench.verbs import Verb

TRIES = 3
"""Connections to try: an engine that ends at this very moment closes one without a word."""
BANNER_SIGNS = 1000
"""Of what a login shell said before the hello, so much is kept to be quoted."""
LEFT = "The engine stops the work at its next batch, unless it was detached."


class Client:
    """A shell command's way to the engine.

    Args:
        broker_module: run as `python -m broker_module` where no engine runs; None never starts one.
        address: where the engine listens; this user's own when left out.
        through: a program that carries bytes to an engine elsewhere (`remote.ssh_command`), instead of the socket.
        where: what that machine is called when something is not found on it.

    Raises:
        EngineUnreachable: no engine runs and none was or could be started.
        ProtocolError: the engine speaks another protocol.
    """

    def __init__(
        self, broker_module: str | None, address: Address | None = None, *, through: Sequence[str] = (), where: str = ""
    ) -> None:
        self._through = through
        self.where = where or (through[0] if through else "")
        """What the machine of the engine is called, where it is reached through a program."""
        self._address = None if through else address or engine_address()
        self._module = broker_module
        self._carrier: Carrier | None = None
        self._banner = ""
        self._count = 0
        self._open: set[int] = set()
        self._early: dict[int, dict[str, Any]] = {}
        self._greeting = False
        self.engine: dict[str, Any] = {}
        """What the engine said of itself: `version`, `pid`, `capabilities`."""
        for _ in range(TRIES):
            self._link = self._connect()
            self._lines = Lines()
            self._ready: list[dict[str, Any]] = []
            if self._greet():
                return
            failed = None if self._carrier is None else self._not_reached(self._carrier)
            self.close()
            if failed is not None:
                raise failed
        raise EngineUnreachable("the engine closes every connection", "See its log with `workbench engine log`.")

    def _connect(self) -> socket.socket:
        if self._address is None:
            self._carrier = Carrier(self._through)
            return self._carrier.link
        if self._module is not None:
            return connect_or_spawn(self._address, self._module)
        link = connect(self._address)
        if link is None:
            raise EngineUnreachable("no engine is running", "Any command that needs one starts it.")
        return link

    def _not_reached(self, carrier: Carrier) -> EngineUnreachable:
        from workbench.engine.afar import unreachable

        self._link.close()
        said, status = carrier.last_words()
        return unreachable(self.where, f"{self._banner}\n{said}", status)

    def _greet(self) -> bool:
        try:
            self._link.sendall(encode(hello()))
            self._greeting = True
            answer = self._receive()
            self._greeting = False
        except (EngineDied, ConnectionError):
            return False
        try:
            if "error" in answer:
                raise error_from_dict(answer["error"])
            check_hello(answer)
        except WorkbenchError as error:
            self.close()
            if self._through and isinstance(error, ProtocolError):
                from workbench.engine.afar import other_protocol

                raise other_protocol(error, self.where) from error
            raise
        self.engine = answer
        return True

    def request(
        self,
        verb: Verb,
        *,
        session: str | None = None,
        sessions: Path | None = None,
        fresh: bool = False,
        detach: bool = False,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Carry a verb out and give the reply object (docs/wire.md).

        Args:
            verb: what to do; files it names are read here and sent along.
            session: the session's name.
            sessions: the folder of sessions; the engine's default when left out.
            fresh: compute again even if the result is stored.
            detach: the work goes on when this process ends.
            progress: called with (done, total, text), at most five times a second.

        Raises:
            WorkbenchError: what the engine answered; Cancelled after Ctrl-C, EngineDied when the link broke.
        """
        if not self._through:
            return self._outcome(self._send(verb, session, sessions, fresh, detach, progress), progress)
        from workbench.engine.afar import not_here, not_there

        try:
            name = self._send(verb, session, sessions, fresh, detach, progress)
        except InputFileError as error:
            raise not_here(error, self.where) from error
        try:
            reply = self._outcome(name, progress)
        except UsageError as error:
            raise not_there(error, verb, self.where, str(self.engine.get("version"))) from error
        return self._driven(fetching(verb, reply, progress))

    def _outcome(self, name: int, progress: Progress | None) -> dict[str, Any]:
        asked_to_stop = False
        while True:
            try:
                message = self._answer_to(name)
                if "progress" not in message:
                    return _result(message)
                if progress is not None:
                    progress(*message["progress"])
            except KeyboardInterrupt:
                if asked_to_stop:
                    raise self._left() from None
                asked_to_stop = True
                self._interrupt(name)

    def _driven(self, asking: Asking) -> dict[str, Any]:
        """Ask what a generator wants asked, up to its end; gives what it gives."""
        asked: deque[int] = deque()
        try:
            step = next(asking)
            while True:
                if step is None:
                    step = _answered(asking, lambda: self._part(asked.popleft()))
                else:
                    asked.append(self._ask(step))
                    step = next(asking)
        except StopIteration as done:
            found: dict[str, Any] = done.value
            return found
        finally:
            self._open.difference_update(asked)
            asking.close()

    def _part(self, name: int) -> dict[str, Any]:
        """An answer in a row of many: Ctrl-C ends them all, for none of them takes long."""
        try:
            return _result(self._answer_to(name))
        except KeyboardInterrupt:
            raise Cancelled("interrupted", "What stood at the place of the file is untouched.") from None

    def _ask(self, message: dict[str, Any]) -> int:
        self._count += 1
        self._open.add(self._count)
        self._write({"id": self._count, **message})
        return self._count

    def detach(
        self, verb: Verb, *, session: str | None = None, sessions: Path | None = None, fresh: bool = False
    ) -> str | dict[str, Any]:
        """Start a job and leave it: gives its id, or the reply itself where no job was needed.

        Raises:
            WorkbenchError: the request was refused.
        """
        message = self._answer_to(self._send(verb, session, sessions, fresh, True))
        while "progress" in message and "job" not in message:
            message = self._answer_to(message["id"])
        return str(message["job"]) if "job" in message else _result(message)

    def _send(
        self,
        verb: Verb,
        session: str | None,
        sessions: Path | None,
        fresh: bool,
        detach: bool,
        progress: Progress | None = None,
    ) -> int:
        sent = self._driven(sending(verb, self.engine, progress)) if self._through else None
        self._count += 1
        carry = bool(self._through) and check_carry(verb, self.engine)
        asked = question(verb, session=session, sessions=sessions, fresh=fresh, detach=detach, carry=carry, sent=sent)
        self._write({"id": self._count, **asked})
        return self._count

    def _write(self, message: dict[str, Any]) -> None:
        try:
            self._link.sendall(encode(message, LINE_LIMIT))
        except ConnectionError as error:
            raise self._lost() from error

    def _interrupt(self, name: int) -> None:
        """Ask the engine to stop the request; a second Ctrl-C leaves without waiting for it."""
        try:
            self._link.sendall(encode({"cancel": name}))
        except ConnectionError as error:
            raise self._lost() from error
        except KeyboardInterrupt:
            raise self._left() from None

    def _left(self) -> Cancelled:
        """The error of one who did not wait for the work to stop."""
        self.close()
        if not self._through:
            return Cancelled("interrupted", LEFT)
        see = f"`workbench --host {self.where} engine jobs`"
        return Cancelled("interrupted", f"Whether {self.where} heard of it is not known: see {see}.")

    def _answer_to(self, name: int) -> dict[str, Any]:
        if name in self._early:
            return self._early.pop(name)
        while True:
            message = self._receive()
            if message.get("id") == name:
                self._open.discard(name)
                return message
            if message.get("id") in self._open:  # of several that were asked at once, another one's
                self._early[message["id"]] = message
                self._open.discard(message["id"])
            if message.get("id") is None and "error" in message:
                raise error_from_dict(message["error"])

    def _receive(self) -> dict[str, Any]:
        while not self._ready:
            try:
                data = self._link.recv(READ_SIZE)
            except ConnectionError as error:
                raise self._lost() from error
            if not data:
                raise self._lost()
            lines = self._lines.feed(data)
            if self._greeting:
                lines, banner = hello_in(lines)
                self._banner = f"{self._banner}\n{banner}"[-BANNER_SIGNS:]
            self._ready = [decode(line) for line in lines]
        return self._ready.pop(0)

    def _lost(self) -> EngineDied:
        if self._through:
            return EngineDied(
                f"the link to {self.where} broke before the answer came",
                f"Long work goes on over there (`workbench --host {self.where} engine jobs`). Repeat the command: it "
                "waits for that work, and what is stored is given at once.",
            )
        return EngineDied(
            "the engine ended before it answered", "Repeat the command: a new engine starts, and the session is whole."
        )

    def close(self) -> None:
        """End the connection; a request under way is cancelled unless it was detached."""
        self._link.close()
        if self._carrier is not None:
            self._carrier.end()
            self._carrier = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _answered(asking: Asking, outcome: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """Give a generator the answer that it waits for, or the error that came instead."""
    try:
        answer = outcome()
    except WorkbenchError as error:
        return asking.throw(error)
    return asking.send(answer)


def _result(message: dict[str, Any]) -> dict[str, Any]:
    if "error" in message:
        raise error_from_dict(message["error"])
    if "result" not in message:
        raise ProtocolError("the other side answers with neither result nor error", "Is it `workbench engine --stdio`?")
    result: dict[str, Any] = message["result"]
    return result
