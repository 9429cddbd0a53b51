"""Verbs about the background engine and its jobs."""

from __future__ import annotations

from pydantic import Field

from workbench.verbs import Query


class EngineStatus(Query):
    """Show the engine: process, model process, sessions, clients and jobs."""

    dotted = "engine.status"
    place = "engine"
    sessionless = True


class EngineStop(Query):
    """Stop the engine after the running job was cancelled."""

    dotted = "engine.stop"
    place = "engine"
    sessionless = True


class EngineLog(Query):
    """Show the last lines of the engine's log."""

    dotted = "engine.log"
    place = "engine"
    sessionless = True

    lines: int = Field(40, ge=1, le=1000, description="How many lines")


class EngineJobs(Query):
    """List running, waiting and finished jobs."""

    dotted = "engine.jobs"
    place = "engine"
    sessionless = True


class _OfJob(Query):
    """A verb about one job."""

    place = "engine"
    sessionless = True
    positional = ("job",)

    job: str = Field(description="Job id, as `engine jobs` shows it")


class EngineCancel(_OfJob):
    """Cancel a job."""

    dotted = "engine.cancel"


class EngineDetach(_OfJob):
    """Let a job go on when the terminal that asked for it closes."""

    dotted = "engine.detach"


class EngineAttach(_OfJob):
    """Wait for a detached job and show its progress and result."""

    dotted = "engine.attach"
