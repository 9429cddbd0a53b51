"""Handing a verb to the engine: what only the shell does, a missing engine, and the line that shows how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from screens import verbs
from screens.labels.text import nothing_suggested
from screens.painting.text import duration, in_app
from screens.sessions.jobs import JobsPage
from screens.sessions.rate import Rate
from workbench.errors import EngineUnreachable, UsageError, WorkbenchError, error_from_dict

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

Then = Callable[[dict[str, Any]], None]
"""What is done with the reply."""

LONG = 10.0
"""Seconds after which the end of a job rings the terminal's bell: whoever waited looks elsewhere by then."""


def shell_only(verb: type[verbs.Verb]) -> str:
    """Why a verb does not run in the app, or an empty text."""
    if verb.place == "front":
        return f"runs in the shell: workbench {verb.dotted.replace('.', ' ')}"
    if verb.dotted == "engine.stop":
        return "would end the engine under this app; in the shell: workbench engine stop"
    return ""


async def request(
    app: WorkbenchApp, verb: verbs.Verb, progress: Callable[[int, int, str], None] | None = None
) -> dict[str, Any]:
    """The engine's reply about the open session, without the labels that are hidden.

    Raises:
        WorkbenchError: what the engine sent, or that there is none.
    """
    if reason := shell_only(type(verb)):
        raise UsageError(f"{verb.dotted} {reason}")
    if app.engine is None and app.unreached is not None:
        raise EngineUnreachable(
            f"the engine could not be reached: {app.unreached.message}", f"{app.unreached.hint} r tries again."
        )
    if app.engine is None:
        raise EngineUnreachable("the engine is not reached yet", "Wait a moment and repeat.")
    reply = await app.engine.request(app.blind.asked(verb), session=app.session, progress=progress)
    return {**reply, "result": app.blind.scrubbed(reply["result"])}


async def carry_out(app: WorkbenchApp, verb: verbs.Verb, then: Then | None = None) -> bool:
    """Carry a verb out; the status line shows its `:` line and how it goes. Says whether it worked."""
    line = verbs.format_line(verb)
    if not app.history or app.history[-1] != line:
        app.history.append(line)
    app.status.show(message=f":{line} …")
    app.under_way.append(verb)
    rate = Rate()

    def progress(done: int, total: int, text: str) -> None:
        rate.take(done, total, time.monotonic())
        waiting = len(app.under_way) - 1  # what was asked for here meanwhile: it would seem forgotten
        more = f"{waiting} more {'waits' if waiting == 1 else 'wait'} · " if waiting > 0 else ""
        app.status.progress(f"{rate.lead}{more}{text} :{line}")

    try:
        reply = await request(app, verb, progress)
    except WorkbenchError as error:
        what = "cancelled" if error.kind == "cancelled" else "failed"
        app.status.show(message=f"{what} :{line}", good=False)
        app.notify_error(error)
        return False
    finally:
        app.under_way.remove(verb)
    _done(app, verb, line, reply)
    if then is not None:
        then(reply)
    if warnings := reply.get("warnings"):  # last: what `then` opens takes older messages away
        app.notify_text([f"warning: {in_app(warning)}" for warning in warnings])
    elif nothing := nothing_suggested(verb, reply["result"]):
        app.explain(nothing)
    return True


def tell_job(app: WorkbenchApp, job: dict[str, Any]) -> None:
    """Say how a job of the session goes that nothing here waits for: one that was let go on, or another terminal's."""
    jobs = app.query_one(JobsPage)
    if job.get("session") != app.session or jobs.is_own(job):
        return
    state, name, line = str(job["state"]), str(job.get("job")), str(job.get("line"))
    if state == "running":
        if not app.under_way:
            app.status.progress(f"{jobs.progress_of(name)}{job.get('text') or ''} :{line}")
    elif state != "waiting":
        took = duration(job.get("seconds"))
        app.status.show(message=f"{name} {state} after {took} :{line}", good=state == "done")
        if (job.get("seconds") or 0.0) >= LONG:
            app.bell()
        if state == "failed" and job.get("error"):
            app.notify_error(error_from_dict(job["error"]))


def _done(app: WorkbenchApp, verb: verbs.Verb, line: str, reply: dict[str, Any]) -> None:
    if (reply.get("seconds") or 0.0) >= LONG:
        app.bell()
    again = f" (stored result of line {reply['reused']})" if reply.get("reused") else ""
    app.status.show(message=f"{duration(reply.get('seconds'))}{again} :{line}")
    if not verb.changes_session:
        return
    if reply.get("session") and reply["session"] != app.session:
        app.link.moved(str(reply["session"]))
    app.refresh_all()
