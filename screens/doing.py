"""Handing a verb to the engine: what only the shell does, a missing engine, and the line that shows how it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from screens import verbs
from screens.text import duration
from workbench.errors import EngineUnreachable, UsageError, WorkbenchError

if TYPE_CHECKING:
    from screens.app import WorkbenchApp
    from workbench.engine.protocol import Engine

Then = Callable[[dict[str, Any]], None]
"""What is done with the reply."""


def shell_only(verb: type[verbs.Verb]) -> str:
    """Why a verb does not run in the app, or an empty text."""
    if verb.place == "front":
        return f"runs in the shell: workbench {verb.dotted.replace('.', ' ')}"
    if verb.dotted == "engine.stop":
        return "would end the engine under this app; in the shell: workbench engine stop"
    return ""


async def request(
    engine: Engine | None,
    verb: verbs.Verb,
    session: str | None,
    progress: Callable[[int, int, str], None] | None = None,
    unreached: WorkbenchError | None = None,
) -> dict[str, Any]:
    """The engine's reply; `unreached` is why there is no engine, once that is known.

    Raises:
        WorkbenchError: what the engine sent, or that there is none.
    """
    if reason := shell_only(type(verb)):
        raise UsageError(f"{verb.dotted} {reason}")
    if engine is None and unreached is not None:
        raise EngineUnreachable(
            f"the engine could not be reached: {unreached.message}", f"{unreached.hint} r tries again."
        )
    if engine is None:
        raise EngineUnreachable("the engine is not reached yet", "Wait a moment and repeat.")
    return await engine.request(verb, session=session, progress=progress)


async def carry_out(app: WorkbenchApp, verb: verbs.Verb, then: Then | None = None) -> bool:
    """Carry a verb out; the status line shows its `:` line and how it goes. Says whether it worked."""
    line = verbs.format_line(verb)
    if not app.history or app.history[-1] != line:
        app.history.append(line)
    app.status.show(message=f":{line} …")
    app.running += 1

    def progress(done: int, total: int, text: str) -> None:
        share = f"{done * 100 // total}% " if total else ""
        app.status.show(message=f"{share}{text} :{line}")

    try:
        reply = await request(app.engine, verb, app.session, progress, app.unreached)
    except WorkbenchError as error:
        what = "cancelled" if error.kind == "cancelled" else "failed"
        app.status.show(message=f"{what} :{line}", good=False)
        app.notify_error(error)
        return False
    finally:
        app.running -= 1
    _done(app, verb, line, reply)
    if then is not None:
        then(reply)
    if warnings := reply.get("warnings"):  # last: what `then` opens takes older messages away
        app.notify_text([f"warning: {warning}" for warning in warnings])
    return True


def _done(app: WorkbenchApp, verb: verbs.Verb, line: str, reply: dict[str, Any]) -> None:
    again = f" (stored result of line {reply['reused']})" if reply.get("reused") else ""
    app.status.show(message=f"{duration(reply.get('seconds'))}{again} :{line}")
    if not verb.changes_session:
        return
    if reply.get("session") and reply["session"] != app.session:
        app.link.moved(str(reply["session"]))
    app.refresh_all()
