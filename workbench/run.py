"""Carrying one verb out in this process: what `--no-engine`, notebooks, tests and the child share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError, WorkbenchError
from workbench.lab import Lab, Progress
from workbench.saes import verdict
from workbench.session import catalog
from workbench.session.record import SessionRecord, refuse_opened
from workbench.session.session import Pending, Reply, Session, stage_outcome
from workbench.uploads import keep_uploads
from workbench.verbs import Command, Outcome, Verb

if TYPE_CHECKING:
    from workbench.models.cache import ModelCache
    from workbench.uploads import UploadedFile

Resolve = Callable[[type[Verb]], Callable[[Any, Lab], Outcome]]
"""Gives the handler of a verb; handed in, since the library knows no verb."""


class Runner:
    """Carries verbs out in this process, on one session at a time.

    Args:
        resolve: gives the handler of a verb.
        sessions: the folder in which sessions are found and made.
        holder: who this is, for the session's lock.
        models: the cache of loaded models; made on first need when left out.
    """

    def __init__(
        self, resolve: Resolve, sessions: Path, holder: str = "a workbench process", models: ModelCache | None = None
    ) -> None:
        self.resolve = resolve
        self.sessions = sessions
        self.holder = holder
        self._models = models

    @property
    def models(self) -> ModelCache:
        """The cache of loaded models, made on first need."""
        if self._models is None:
            from workbench.models.cache import ModelCache

            self._models = ModelCache()
        return self._models

    def do(
        self,
        verb: Verb,
        session: str | None,
        *,
        fresh: bool = False,
        files: Mapping[str, UploadedFile] | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> dict[str, Any]:
        """Carry a verb out and give the reply object that every front end prints.

        Args:
            verb: what to do.
            session: name of the session, or None for verbs that need none.
            fresh: compute even where an equal result is stored.
            files: content of the files that the verb's fields name; they are kept in the session.
            progress: called with (done, total, text).
            cancelled: asked between batches.

        Returns:
            `{"command", "params", "result", "artifact", "seconds", "provenance", "session", "warnings", ...}`

        Raises:
            WorkbenchError: whatever went wrong, each with its kind and hint.
        """
        if not verb.changes_session:
            return self._query(verb, session, progress, cancelled)
        if session is None:
            raise UsageError("no session", "Name one with --session NAME, or make one: `workbench session new NAME`.")
        path = catalog.find(session, self.sessions)
        refuse_opened(path, "nothing in it changes")
        record = SessionRecord(path)
        forked = ""
        if record.is_example:
            record = SessionRecord(catalog.working_copy(record, self.sessions))
            forked = record.name
        with Session(record.path, self.holder) as open_session:
            command = keep_uploads(verb, files or {}, record.path)
            if not isinstance(command, Command):
                raise UsageError(f"{verb.dotted} is no command")

            def run(pending: Pending) -> dict[str, Any]:
                lab = Lab(
                    open_session,
                    sessions=self.sessions,
                    staging=pending.staging,
                    models=self.models,
                    progress=progress,
                    cancelled=cancelled,
                )
                return carry_out(command, lab, self.resolve)

            reply = open_session.do(command, run, fresh=fresh)
            torn = open_session.torn
        return reply_object(command, reply, record, forked, torn)

    def _query(
        self, verb: Verb, session: str | None, progress: Progress | None, cancelled: Callable[[], bool] | None
    ) -> dict[str, Any]:
        record = None if session is None else SessionRecord(catalog.find(session, self.sessions))
        lab = Lab(record, sessions=self.sessions, models=self.models, progress=progress, cancelled=cancelled)
        return answer(verb, lab, self.resolve)


def carry_out(verb: Verb, lab: Lab, resolve: Resolve) -> dict[str, Any]:
    """Run a command's handler and stage its outcome; gives the header for `Session.commit`."""
    if lab.staging is None:
        raise UsageError(f"{verb.dotted} needs a place for its result")
    outcome = guarded(verb, lab, resolve)
    return stage_outcome(lab.staging, outcome, list(lab.uses))


def answer(verb: Verb, lab: Lab, resolve: Resolve) -> dict[str, Any]:
    """Run a query's handler and give the reply object."""
    started = time.perf_counter()
    outcome = guarded(verb, lab, resolve)
    return {
        "command": verb.dotted,
        "params": verb.params(),
        "result": outcome.result,
        "figures": [figure.model_dump(mode="json") for figure in outcome.figures],
        "artifact": None,
        "seconds": round(time.perf_counter() - started, 4),
        "provenance": {**_gate(verb, lab), **outcome.provenance},
        "warnings": outcome.warnings,
        "session": lab.record.name if lab.has_session else None,
    }


def _gate(verb: Verb, lab: Lab) -> dict[str, Any]:
    """The sanity gate's verdict on the features that a query rests on."""
    found = verdict.short(verdict.of_features(lab.state)) if verb.rests_on_features and lab.has_session else None
    return {} if found is None else {"gate": found}


def guarded(verb: Verb, lab: Lab, resolve: Resolve) -> Outcome:
    """Run a handler; what it did not expect becomes an error that names the verb, never a bare traceback."""
    try:
        outcome = resolve(type(verb))(verb, lab)
    except (WorkbenchError, KeyboardInterrupt):
        raise
    except MemoryError as error:
        raise WorkbenchError(f"{verb.dotted} ran out of memory", "Use fewer tokens or a smaller model.") from error
    except Exception as error:
        raise WorkbenchError(
            f"{verb.dotted} failed unexpectedly ({type(error).__name__}: {error})",
            "This is a fault of the workbench; the session is whole. See `workbench engine log`.",
        ) from error
    outcome.warnings.extend(lab.take_notices())
    return outcome


def reply_object(
    verb: Verb, reply: Reply, record: SessionRecord, forked: str = "", torn: bytes = b""
) -> dict[str, Any]:
    """The reply to a command, as every front end prints it.

    Args:
        verb: the command.
        reply: what the session stored.
        record: the session.
        forked: its name, if it was copied from a shipped example for this command.
        torn: the half line that was cut off its log when it was opened for this command.
    """
    warnings = list(reply.warnings)
    if forked:
        origin = record.meta.get("forked_from", "")
        warnings.insert(0, f"{origin!r} is a shipped example: working in its copy {forked!r}")
    if torn:
        warnings.insert(0, f"a crash had left half a line at the end of the log; it was cut off ({len(torn)} bytes)")
    return {
        "command": verb.dotted,
        "params": verb.params(),
        "result": reply.result,
        "artifact": reply.line.artifact,
        "seconds": reply.line.seconds,
        "provenance": reply.line.provenance,
        "warnings": warnings,
        "session": record.name,
        "seq": reply.line.seq,
        "reused": reply.line.reused,
    }
