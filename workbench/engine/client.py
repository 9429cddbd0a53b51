"""The blocking client of the shell: one connection, one request at a time, no asyncio."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from workbench.engine.address import Address, engine_address
from workbench.engine.carried import Asking, check_carry, fetching, sending
from workbench.engine.carrier import carry, end_carrier
from workbench.engine.question import question
from workbench.engine.spawn import connect, connect_or_spawn
from workbench.engine.wire import LINE_LIMIT, READ_SIZE, Lines, check_hello, decode, encode, hello
from workbench.errors import (
    Cancelled,
    EngineDied,
    EngineUnreachable,
    InputFileError,
    UnknownNameError,
    WorkbenchError,
    error_from_dict,
)

if TYPE_CHECKING:
    import subprocess

    from workbench.engine.protocol import Progress
    from workbench.verbs import Verb

TRIES = 3
"""Connections to try: an engine that ends at this very moment closes one without a word."""


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
        self._where = where
        self._address = None if through else address or engine_address()
        self._module = broker_module
        self._carrier: subprocess.Popen[bytes] | None = None
        self._count = 0
        self._greeting = False
        self.engine: dict[str, Any] = {}
        """What the engine said of itself: `version`, `pid`, `capabilities`."""
        for _ in range(TRIES):
            self._link = self._connect()
            self._lines = Lines()
            self._ready: list[dict[str, Any]] = []
            if self._greet():
                return
            self.close()
            if through:
                raise EngineUnreachable(f"{through[0]} ended before the engine answered", "See what it said above.")
        raise EngineUnreachable("the engine closes every connection", "See its log with `workbench engine log`.")

    def _connect(self) -> socket.socket:
        if self._address is None:
            self._carrier, carried = carry(self._through)
            return carried
        if self._module is not None:
            return connect_or_spawn(self._address, self._module)
        link = connect(self._address)
        if link is None:
            raise EngineUnreachable("no engine is running", "Any command that needs one starts it.")
        return link

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
        except WorkbenchError:
            self.close()
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
        reply = self._outcome(self._send(verb, session, sessions, fresh, detach, progress), progress)
        return self._driven(fetching(verb, reply, progress)) if self._through else reply

    def _outcome(self, name: int, progress: Progress | None) -> dict[str, Any]:
        while True:
            try:
                message = self._answer_to(name)
                if "progress" not in message:
                    return _result(message, self._where)
                if progress is not None:
                    progress(*message["progress"])
            except KeyboardInterrupt:
                self._interrupt(name)

    def _driven(self, asking: Asking) -> dict[str, Any]:
        """Ask what a generator wants asked, up to its end; gives what it gives."""
        try:
            message = next(asking)
            while True:
                self._count += 1
                self._write({"id": self._count, **message})
                message = asking.send(self._outcome(self._count, None))
        except StopIteration as done:
            found: dict[str, Any] = done.value
            return found
        finally:
            asking.close()

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
            self.close()
            raise Cancelled(
                "interrupted", "The engine stops the work at its next batch, unless it was detached."
            ) from None

    def _answer_to(self, name: int) -> dict[str, Any]:
        while True:
            message = self._receive()
            if message.get("id") == name:
                return message
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
            if self._greeting:  # a login shell behind ssh may say something before the engine does
                lines = [line for line in lines if isinstance(line, bytes) and line.startswith(b"{")]
            self._ready = [decode(line) for line in lines]
        return self._ready.pop(0)

    def _lost(self) -> EngineDied:
        if self._through:
            return EngineDied(
                f"the link through {self._through[0]} broke before the answer came",
                "Long work goes on over there; repeat the command: what is stored is given at once.",
            )
        return EngineDied(
            "the engine ended before it answered", "Repeat the command: a new engine starts, and the session is whole."
        )

    def close(self) -> None:
        """End the connection; a request under way is cancelled unless it was detached."""
        self._link.close()
        if self._carrier is not None:
            end_carrier(self._carrier)
            self._carrier = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _result(message: dict[str, Any], where: str = "") -> dict[str, Any]:
    if "error" in message:
        error = error_from_dict(message["error"])
        if where and isinstance(error, (InputFileError, UnknownNameError)):
            error = type(error)(error.message, f"{error.hint} It was looked for on {where}, not here.".lstrip())
        raise error
    result: dict[str, Any] = message["result"]
    return result
