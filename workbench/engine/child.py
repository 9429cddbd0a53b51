"""The process with the model: carries out one request at a time, and answers queries between batches."""

from __future__ import annotations

import os
import queue
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.engine.pace import Pace
from workbench.engine.registry import Registry
from workbench.engine.wire import LINE_LIMIT, MESSAGE_LIMIT, READ_SIZE, Lines, decode, encode, error_message, hello
from workbench.errors import Cancelled, WorkbenchError
from workbench.lab import Lab
from workbench.run import answer, carry_out
from workbench.session import SessionRecord
from workbench.verbs import Verb

if TYPE_CHECKING:
    from workbench.models.cache import ModelCache

BROKEN_DEVICE = ("CUDA error:", "device-side assert")
"""Signs that the accelerator's context is lost for this process: it must end to be of use again."""


class Child:
    """Reads requests in a thread and serves them in the main one.

    Args:
        connection: the way to the broker.
        registry: the verbs.
    """

    def __init__(self, connection: socket.socket, registry: Registry) -> None:
        self._connection = connection
        self._registry = registry
        self._inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._working = False
        self._models: ModelCache | None = None

    def run(self) -> None:
        """Serve until the broker is gone."""
        try:
            self._send(hello(pid=os.getpid()))
        except BrokenPipeError:
            return  # the broker ended while this process started
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        while True:
            self._serve(self._inbox.get())

    def _read(self) -> None:
        lines = Lines()
        try:
            while data := self._connection.recv(READ_SIZE):
                for line in lines.feed(data):
                    self._sort(decode(line))
        except (OSError, WorkbenchError) as error:
            print(f"model process: the link to the engine broke: {error}", file=sys.stderr, flush=True)
        os._exit(0)  # no broker, no work: a computation in the main thread must not outlive it

    def _sort(self, message: dict[str, Any]) -> None:
        if "cancel" in message:
            self._cancelled.add(message["cancel"])
        else:
            self._inbox.put(message)

    def _serve(self, message: dict[str, Any]) -> None:
        name = message["id"]
        try:
            if name in self._cancelled:
                raise Cancelled(f"{message['do']} was cancelled", "Nothing was done.")
            self._send({"id": name, "begun": True})
            result = self._carry_out(message)
            limit = LINE_LIMIT if message.get("staging") else MESSAGE_LIMIT
            self._send({"id": name, "result": result}, limit)
        except WorkbenchError as error:
            _log(error)
            self._refuse(name, error)
        except Exception as error:
            traceback.print_exception(error, file=sys.stderr)
            self._refuse(name, WorkbenchError(f"{message['do']} failed unexpectedly ({type(error).__name__}: {error})"))
        finally:
            self._cancelled.discard(name)

    def _refuse(self, name: int, error: WorkbenchError) -> None:
        self._send(error_message(name, error))
        if any(sign in str(error) for sign in BROKEN_DEVICE):
            os._exit(1)

    def _carry_out(self, message: dict[str, Any]) -> dict[str, Any]:
        verb = self._registry.make(message["do"], message["params"])
        lab = self._lab(message, verb)
        if message.get("staging"):
            return carry_out(verb, lab, self._registry.resolve)
        return answer(verb, lab, self._registry.resolve)

    def _lab(self, message: dict[str, Any], verb: Verb) -> Lab:
        name, pace = message["id"], Pace()
        nested, self_is_job = self._working, bool(message.get("staging")) or verb.heavy

        def progress(done: int, total: int, text: str) -> None:
            if pace.due():
                self._send({"id": name, "progress": [int(done), int(total), str(text)[:500]]})
            if self_is_job and not nested:
                self._answer_waiting()

        path, staging = message.get("session"), message.get("staging")
        return Lab(
            None if path is None else SessionRecord(Path(path), before=message.get("before")),
            sessions=Path(message["sessions"]),
            staging=None if staging is None else Path(staging),
            models=self._model_cache(),
            progress=progress,
            cancelled=lambda: name in self._cancelled,
        )

    def _answer_waiting(self) -> None:
        """Serve the queries that came while a job runs; they are short, and do not nest."""
        self._working = True
        try:
            while not self._inbox.empty():
                self._serve(self._inbox.get())
        finally:
            self._working = False

    def _model_cache(self) -> ModelCache:
        if self._models is None:
            from workbench.models.cache import ModelCache

            self._models = ModelCache()
        return self._models

    def _send(self, message: dict[str, Any], limit: int = MESSAGE_LIMIT) -> None:
        self._connection.sendall(encode(message, limit))


def _log(error: WorkbenchError) -> None:
    """Leave the traceback of what nobody expected in the engine's log."""
    if error.__cause__ is not None and error.kind == WorkbenchError.kind:
        traceback.print_exception(error, file=sys.stderr)
        sys.stderr.flush()


def run_child(registry: Registry, descriptor: int) -> None:
    """Be the model process on this end of a socket pair; returns never."""
    with socket.socket(fileno=descriptor) as connection:
        Child(connection, registry).run()
