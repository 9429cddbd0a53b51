"""The queue of work for the model process: first come, first served, one at a time."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

from workbench.engine.connection import Ticket
from workbench.engine.messages import Request
from workbench.engine.pace import Pace
from workbench.errors import Cancelled, UnknownNameError, UsageError, WorkbenchError
from workbench.progress import WAITING
from workbench.verbs import Verb

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
KEPT = 100
"""Finished jobs that stay in the list."""
PATIENCE = 10.0
"""Seconds without a batch boundary after which a cancelled job says what it waits for."""
STOPPED = "Nothing was stored; the session is as it was."


@dataclass(eq=False)
class Job:
    """One command, or long query, for the model process."""

    id: str
    verb: Verb
    line: str
    request: Request
    path: Path | None
    sessions: Path
    state: JobState = "waiting"
    done: int = 0
    total: int = 0
    text: str = "waiting"
    reply: dict[str, Any] | None = None
    error: WorkbenchError | None = None
    cancelled: bool = False
    detached: bool = False
    """Whether it goes on when the front end that asked for it is gone."""
    session: str | None = None
    tickets: list[Ticket] = field(default_factory=list)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when who asked for it waits no longer, after it was detached."""
    stop: Callable[[], None] | None = None
    began: float = 0.0
    seconds: float = 0.0
    events: Pace = field(default_factory=lambda: Pace(1.0))

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("done", "failed", "cancelled")

    def as_dict(self) -> dict[str, Any]:
        """The job as the Jobs screen and `engine jobs` show it."""
        running = time.monotonic() - self.began if self.state == "running" else self.seconds
        return {
            "job": self.id,
            "do": self.verb.dotted,
            "line": self.line,
            "session": self.session,
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "text": self.text,
            "seconds": round(running, 3),
            "detached": self.detached,
            "error": None if self.error is None else self.error.as_dict(),
        }

    async def outcome(self) -> dict[str, Any]:
        """Wait for the reply.

        Raises:
            WorkbenchError: what ended the job.
        """
        await self.finished.wait()
        if self.error is not None:
            raise self.error
        return self.reply or {}


async def outcome_or_left(job: Job, ticket: Ticket, leave: asyncio.Event) -> dict[str, Any]:
    """Wait for a job's reply until `leave` is set; the job goes on without the ticket.

    Raises:
        Cancelled: the ticket waits no longer.
        WorkbenchError: what ended the job.
    """
    waits = [asyncio.ensure_future(job.finished.wait()), asyncio.ensure_future(leave.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    if not job.over:
        job.tickets.remove(ticket)
        raise Cancelled(f"no longer waiting for job {job.id}", f"It goes on; `workbench engine attach {job.id}`.")
    return await job.outcome()


class JobQueue:
    """Runs jobs one after the other and remembers the last ones.

    Args:
        run: carries a job out.
        announce: called when a job changes its state.
    """

    def __init__(self, run: Callable[[Job], Awaitable[dict[str, Any]]], announce: Callable[[Job], None]) -> None:
        self._run = run
        self._announce = announce
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: asyncio.Queue[Job] = asyncio.Queue()
        self._count = 0

    def next_id(self) -> str:
        """A name for a new job."""
        self._count += 1
        return f"j{self._count}"

    def all(self) -> list[Job]:
        """Every job still known, oldest first."""
        return list(self._jobs.values())

    def open(self) -> list[Job]:
        """The jobs that wait or run."""
        return [job for job in self._jobs.values() if not job.over]

    def find(self, name: str) -> Job:
        """The job of that name.

        Raises:
            UnknownNameError: there is none, or none any more.
        """
        if name not in self._jobs:
            raise UnknownNameError.among("job", name, self._jobs, "See `workbench engine jobs`.")
        return self._jobs[name]

    def submit(self, job: Job) -> None:
        """Put a job at the end of the queue."""
        self._jobs[job.id] = job
        for old in [known for known in self._jobs.values() if known.over][:-KEPT]:
            del self._jobs[old.id]
        self._waiting.put_nowait(job)
        self._announce(job)
        if not self._say_what_for(job):
            self.report(job, 0, 0, "starting")

    def _say_what_for(self, job: Job) -> bool:
        """Tell who waits for a job which one it stands behind; says whether it stands behind one."""
        ahead = list(takewhile(lambda one: one is not job, self.open()))
        if ahead:
            more = f" and {len(ahead) - 1} more" if len(ahead) > 1 else ""
            self.report(job, 0, 0, f"{WAITING} {ahead[0].id} {ahead[0].verb.dotted}{more}")
        return bool(ahead)

    def report(self, job: Job, done: int, total: int, text: str) -> None:
        """Pass a job's progress on to everyone who waits for it."""
        job.done, job.total, job.text = done, total, text
        for ticket in job.tickets:
            ticket.progress(done, total, text, job.id)
        if job.events.due():
            self._announce(job)

    def cancel(self, job: Job) -> None:
        """Stop a job: one that waits at once, one that runs at its next batch."""
        if job.over or job.cancelled:
            return
        job.cancelled = True
        if job.state == "waiting":
            self._finish(job, "cancelled", error=Cancelled(f"{job.verb.dotted} was cancelled", STOPPED))
        elif job.stop is not None:
            job.stop()
            asyncio.get_running_loop().call_later(PATIENCE, self._explain, job)

    def detach(self, job: Job) -> None:
        """Let a job go on when the front end that asked for it is gone.

        Raises:
            UsageError: it has ended.
        """
        if job.over:
            raise UsageError(f"job {job.id} is {job.state} already", "Only a job that waits or runs can be detached.")
        job.detached = True
        if not job.left.is_set():
            job.tickets[0].let_go(job.left.set)
        self._announce(job)

    def _explain(self, job: Job) -> None:
        if not job.over:
            self.report(
                job, job.done, job.total, "cancelling: waits for the running batch (`workbench engine stop` kills it)"
            )

    async def work(self) -> None:
        """Carry jobs out for ever."""
        while True:
            job = await self._waiting.get()
            if not job.over:
                await self._carry_out(job)

    async def _carry_out(self, job: Job) -> None:
        job.state, job.text, job.began = "running", "running", time.monotonic()
        self._announce(job)
        for other in self.open():
            if other.state == "waiting":
                self._say_what_for(other)
        try:
            reply = await self._run(job)
        except Cancelled as error:
            self._finish(job, "cancelled", error=error)
        except WorkbenchError as error:
            self._finish(job, "failed", error=error)
        else:
            self._finish(job, "done", reply=reply)

    def _finish(
        self, job: Job, state: JobState, reply: dict[str, Any] | None = None, error: WorkbenchError | None = None
    ) -> None:
        job.state, job.reply, job.error, job.text = state, reply, error, state
        job.seconds = time.monotonic() - job.began if job.began else 0.0
        job.stop = None
        job.finished.set()
        self._announce(job)
