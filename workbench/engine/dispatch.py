"""Carrying requests out: who does it, on which session, and what the front end gets."""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from workbench.engine.about import EngineVerb
from workbench.engine.connection import Ticket
from workbench.engine.jobs import Job, JobQueue, outcome_or_left
from workbench.engine.messages import Request
from workbench.engine.pace import Pace
from workbench.engine.registry import Registry
from workbench.engine.sessions import Held, OpenSessions, sessions_or_default
from workbench.engine.supervisor import ModelProcess
from workbench.errors import UsageError, WorkbenchError
from workbench.kept import Kept
from workbench.lab import Lab
from workbench.run import answer, carry_out, reply_object
from workbench.session import Pending, Reply, SessionRecord, catalog
from workbench.session.layout import LOG_NAME, META_NAME
from workbench.session.record import refuse_opened
from workbench.uploads import keep_uploads
from workbench.verbs import Command, Verb

_RECORDS = Kept[SessionRecord](4)
"""Records of the sessions that were asked about last: a held key asks thirty times a second."""
NO_SESSION = "Name one with --session NAME, or make one: `workbench session new NAME`."


class Dispatch:
    """Gives each request to whoever carries it out.

    Args:
        registry: the verbs.
        sessions: the sessions open for writing.
        model: the process with the model.
        announce: sends an event about a session (its folder, the event) to those who watch it.
        announce_job: sends an event about a job to everyone.
    """

    def __init__(
        self,
        registry: Registry,
        sessions: OpenSessions,
        model: ModelProcess,
        announce: Callable[[Path, dict[str, Any]], None],
        announce_job: Callable[[Job], None],
    ) -> None:
        self.registry = registry
        self.sessions = sessions
        self.model = model
        self.jobs = JobQueue(self._run, announce_job)
        self.engine_verbs: dict[str, EngineVerb] = {}
        self._announce = announce

    async def carry_out(self, request: Request, ticket: Ticket) -> dict[str, Any]:
        """The reply to a request.

        Raises:
            WorkbenchError: whatever went wrong.
        """
        verb = self.registry.make(request.do, request.params)
        if verb.place == "front":
            raise UsageError(f"{verb.dotted} is carried out by the front end", "Run it from the shell or the app.")
        if verb.place == "engine":
            return await self._about_engine(verb, ticket)
        sessions = await asyncio.to_thread(sessions_or_default, request.sessions)
        named = None if verb.sessionless else request.session
        path = None if named is None else await asyncio.to_thread(catalog.find, named, sessions)
        changes = verb.changes_session
        if changes and path is None:
            raise UsageError("no session", NO_SESSION)
        if request.files and not changes:
            raise UsageError(f"{verb.dotted} keeps no files", "Only a command of a session does.")
        if path is not None and (changes or verb.carried_out_in == "child"):
            what = (
                "nothing in it changes" if changes else f"{verb.dotted} needs the model, and what is stored needs none"
            )
            await asyncio.to_thread(refuse_opened, path, what)
        if verb.carried_out_in == "child" and (changes or verb.heavy):
            return await self._as_job(verb, request, ticket, path, sessions)
        if verb.carried_out_in == "child":
            return await self._ask_model(verb, ticket, path, sessions)
        if changes and path is not None:
            return await self._change(verb, request, ticket, path, sessions)
        return await self._read(verb, ticket, path, sessions)

    async def _about_engine(self, verb: Verb, ticket: Ticket) -> dict[str, Any]:
        started = time.perf_counter()
        carry = self.engine_verbs.get(verb.dotted)
        if carry is None:
            raise UsageError(f"this engine does not know {verb.dotted}")
        return engine_reply(verb, await carry(verb, ticket), started)

    # -- in the broker ---------------------------------------------------------------------------------

    async def _read(self, verb: Verb, ticket: Ticket, path: Path | None, sessions: Path) -> dict[str, Any]:
        progress = threaded_progress(ticket)

        def work() -> dict[str, Any]:
            record = None if path is None else _record_of(path)
            lab = Lab(record, sessions=sessions, progress=progress, cancelled=ticket.cancelled.is_set)
            return answer(verb, lab, self.registry.resolve)

        return await in_thread(verb, work)

    async def _change(self, verb: Verb, request: Request, ticket: Ticket, path: Path, sessions: Path) -> dict[str, Any]:
        path, forked = await self.sessions.own(path, sessions)
        progress = threaded_progress(ticket)
        async with self.sessions.writing(path) as held, self._turn(held):
            record = held.session

            def run(pending: Pending) -> dict[str, Any]:
                lab = Lab(
                    record,
                    sessions=sessions,
                    staging=pending.staging,
                    progress=progress,
                    cancelled=ticket.cancelled.is_set,
                )
                return carry_out(pending.command, lab, self.registry.resolve)

            def work() -> dict[str, Any]:
                command = as_command(keep_uploads(verb, request.files, path))
                reply = record.do(command, run, fresh=request.fresh)
                return reply_object(command, reply, record, forked, held.take_torn())

            return await in_thread(verb, work)

    # -- in the process with the model -----------------------------------------------------------------

    async def _ask_model(self, verb: Verb, ticket: Ticket, path: Path | None, sessions: Path) -> dict[str, Any]:
        call = await self.model.call(_question(verb, path, sessions), ticket.progress)
        ticket.on_cancel(call.cancel)
        return await call.answer

    async def _as_job(
        self, verb: Verb, request: Request, ticket: Ticket, path: Path | None, sessions: Path
    ) -> dict[str, Any]:
        if (
            path is not None
            and isinstance(verb, Command)
            and verb.changes_session
            and (stored := await self._stored(verb, request, path, sessions))
        ):
            return stored
        line = self.registry.describe(verb)
        job = Job(self.jobs.next_id(), verb, line, request, path, sessions, session=request.session, tickets=[ticket],
                  detached=request.detach)  # fmt: skip
        self.jobs.submit(job)
        ticket.on_cancel(lambda: self.jobs.cancel(job))
        return await outcome_or_left(job, ticket, job.left)

    async def _stored(self, verb: Command, request: Request, path: Path, sessions: Path) -> dict[str, Any] | None:
        """The stored reply of an equal command, so that it need not wait for a job of another session.

        Behind a job of its own session it does wait: that job may change what the command reads.
        """
        busy = self.jobs.open()
        if request.fresh or not verb.reuse or not busy or any(job.path == path for job in busy):
            return None
        path, forked = await self.sessions.own(path, sessions)
        async with self.sessions.writing(path) as held, self._turn(held):
            command = as_command(await asyncio.to_thread(keep_uploads, verb, request.files, path))
            begun = await asyncio.to_thread(held.session.begin, command)
            if isinstance(begun, Reply):
                return reply_object(command, begun, held.session, forked, held.take_torn())
            held.session.discard(begun)
        return None

    async def _run(self, job: Job) -> dict[str, Any]:
        try:
            if job.path is not None and job.verb.changes_session:
                return await self._run_command(job, job.path)
            return await self._through_model(job, _question(job.verb, job.path, job.sessions))
        except WorkbenchError:
            raise
        except Exception as error:
            raise unexpected(job.verb, error) from error

    async def _run_command(self, job: Job, path: Path) -> dict[str, Any]:
        path, forked = await self.sessions.own(path, job.sessions)
        job.session = path.name
        async with self.sessions.writing(path) as held:
            verb = await asyncio.to_thread(keep_uploads, job.verb, job.request.files, path)
            command = as_command(verb)
            reply = await self._through_session(job, held, command)
            return reply_object(command, reply, held.session, forked, held.take_torn())

    async def _through_session(self, job: Job, held: Held, command: Command) -> Reply:
        session = held.session
        async with self._turn(held):
            pending = await asyncio.to_thread(session.begin, command, fresh=job.request.fresh)
        if isinstance(pending, Reply):
            return pending
        question = _question(command, session.path, job.sessions)
        question |= {"staging": str(pending.staging), "before": pending.seq}
        try:
            header = await self._through_model(job, question)
            async with self._turn(held):
                return await asyncio.to_thread(session.commit, pending, header)
        except WorkbenchError as error:
            await self._record_failure(held, pending, error)
            raise
        except BaseException:
            session.discard(pending)
            raise

    async def _record_failure(self, held: Held, pending: Pending, error: WorkbenchError) -> None:
        async with self._turn(held):
            try:
                await asyncio.to_thread(held.session.fail, pending, error)
            except WorkbenchError as also:  # the disk may be what failed: the first error is the one to report
                print(f"engine: could not log a failure of {pending.command.dotted}: {also}", file=sys.stderr)

    async def _through_model(self, job: Job, question: dict[str, Any]) -> dict[str, Any]:
        call = await self.model.call(question, lambda done, total, text: self.jobs.report(job, done, total, text))
        job.stop = call.cancel
        if job.cancelled:
            call.cancel()
        return await call.answer

    # -- events ----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _turn(self, held: Held) -> AsyncIterator[None]:
        """A turn at the session's log; who watches the session hears of a new line, of failures too."""
        async with held.turn:
            before = len(held.session.lines)
            try:
                yield
            finally:
                if len(held.session.lines) > before:
                    self._changed(held)

    def _changed(self, held: Held) -> None:
        session = held.session
        line = session.lines[-1]
        verb = self.registry.make(line.do, line.params)
        self._announce(
            session.path,
            {
                "event": "changed",
                "session": session.name,
                "seq": line.seq,
                "do": line.do,
                "line": self.registry.describe(verb),
                "outcome": line.outcome,
            },
        )


def _question(verb: Verb, path: Path | None, sessions: Path) -> dict[str, Any]:
    return {
        "do": verb.dotted,
        "params": verb.params(),
        "session": None if path is None else str(path),
        "sessions": str(sessions),
    }


def engine_reply(verb: Verb, result: dict[str, Any], started: float) -> dict[str, Any]:
    """The reply to a verb about the engine; `engine.attach` gives the job's own reply."""
    if "command" in result and "result" in result:
        return result
    return {
        "command": verb.dotted,
        "params": verb.params(),
        "result": result,
        "figures": [],
        "artifact": None,
        "seconds": round(time.perf_counter() - started, 4),
        "provenance": {},
        "warnings": [],
        "session": None,
    }


def as_command(verb: Verb) -> Command:
    """The verb as the command it is."""
    if not isinstance(verb, Command):
        raise UsageError(f"{verb.dotted} changes nothing")
    return verb


def threaded_progress(ticket: Ticket) -> Callable[[int, int, str], None]:
    """A progress reporter for a handler that runs in a thread."""
    loop = asyncio.get_running_loop()
    pace = Pace()

    def progress(done: int, total: int, text: str) -> None:
        if pace.due():
            loop.call_soon_threadsafe(ticket.progress, int(done), int(total), str(text))

    return progress


def _record_of(path: Path) -> SessionRecord:
    """The record of a session to be read; it is folded anew where its log or what stands over it changed."""
    try:
        meta = (path / META_NAME).stat()
    except OSError:
        return SessionRecord(path)  # which says what is wrong
    stamp = f"{meta.st_mtime_ns} {meta.st_ino} {meta.st_size}"
    return _RECORDS.get(path / LOG_NAME, lambda: SessionRecord(path), stamp)


async def in_thread(verb: Verb, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run a handler in a thread; an unexpected failure is logged with its traceback and named."""
    try:
        return await asyncio.to_thread(work)
    except WorkbenchError as error:
        if error.__cause__ is not None and error.kind == WorkbenchError.kind:
            traceback.print_exception(error, file=sys.stderr)
        raise
    except Exception as error:
        raise unexpected(verb, error) from error


def unexpected(verb: Verb, error: Exception) -> WorkbenchError:
    """The error a front end gets for a fault of ours, which is logged with its traceback."""
    traceback.print_exception(error, file=sys.stderr)
    return WorkbenchError(
        f"{verb.dotted} failed unexpectedly ({type(error).__name__}: {error})",
        "This is a fault of the workbench; the session is whole. See `workbench engine log`.",
    )
