"""What the engine says and does about itself: status, log, jobs, cancel, detach, attach, stop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import __version__
from workbench.engine import logfile
from workbench.engine.connection import Ticket
from workbench.engine.jobs import JobQueue, outcome_or_left
from workbench.engine.sessions import OpenSessions
from workbench.engine.supervisor import ModelProcess
from workbench.verbs import Verb

EngineVerb = Callable[[Verb, Ticket], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Facts:
    """What only the broker knows of itself."""

    socket: str
    log: Path
    uptime: float
    clients: int
    child_idle_limit: float
    idle_limit: float


class AboutEngine:
    """The verbs with `place = "engine"`.

    Args:
        jobs: the queue.
        sessions: the sessions open for writing.
        model: the process with the model.
        facts: asks the broker about itself.
        stop: winds the broker down, except for the request of this ticket.
    """

    def __init__(
        self,
        jobs: JobQueue,
        sessions: OpenSessions,
        model: ModelProcess,
        facts: Callable[[], Facts],
        stop: Callable[[Ticket], Awaitable[None]],
    ) -> None:
        self._jobs = jobs
        self._sessions = sessions
        self._model = model
        self._facts = facts
        self._wind_down = stop

    def verbs(self) -> dict[str, EngineVerb]:
        """What carries each verb out, by dotted name."""
        return {
            "engine.status": self._status,
            "engine.stop": self._stop,
            "engine.log": self._log,
            "engine.jobs": self._list_jobs,
            "engine.cancel": self._cancel,
            "engine.detach": self._detach,
            "engine.attach": self._attach,
        }

    async def _status(self, _verb: Verb, _ticket: Ticket) -> dict[str, Any]:
        facts = self._facts()
        child = None
        if (pid := self._model.pid) is not None:
            child = {"pid": pid, "idle_seconds": round(self._model.idle_seconds, 1)}
        return {
            "pid": os.getpid(),
            "version": __version__,
            "socket": facts.socket,
            "log": str(facts.log),
            "uptime": round(facts.uptime, 1),
            "child": child,
            "sessions": [path.name for path in self._sessions.paths()],
            "clients": facts.clients,
            "jobs": len(self._jobs.open()),
            "child_idle_limit": facts.child_idle_limit,
            "idle_limit": facts.idle_limit,
        }

    async def _log(self, verb: Verb, _ticket: Ticket) -> dict[str, Any]:
        count = int(verb.params().get("lines", 40))
        return {"lines": await asyncio.to_thread(logfile.last_lines, self._facts().log, count)}

    async def _list_jobs(self, _verb: Verb, _ticket: Ticket) -> dict[str, Any]:
        return {"jobs": [job.as_dict() for job in self._jobs.all()]}

    async def _cancel(self, verb: Verb, _ticket: Ticket) -> dict[str, Any]:
        job = self._jobs.find(str(verb.params()["job"]))
        self._jobs.cancel(job)
        return {"job": job.as_dict()}

    async def _detach(self, verb: Verb, _ticket: Ticket) -> dict[str, Any]:
        job = self._jobs.find(str(verb.params()["job"]))
        self._jobs.detach(job)
        return {"job": job.as_dict()}

    async def _attach(self, verb: Verb, ticket: Ticket) -> dict[str, Any]:
        job = self._jobs.find(str(verb.params()["job"]))
        if not job.over:
            job.tickets.append(ticket)
            ticket.progress(job.done, job.total, job.text, job.id)
        leave = asyncio.Event()
        ticket.on_cancel(leave.set)
        return await outcome_or_left(job, ticket, leave)

    async def _stop(self, _verb: Verb, ticket: Ticket) -> dict[str, Any]:
        await self._wind_down(ticket)
        return {"pid": os.getpid(), "stopped": True}
