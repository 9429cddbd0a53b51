"""Handing a verb to the engine: what front ends do themselves, paths made absolute, and a missing engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from screens import verbs
from workbench.errors import EngineUnreachable, UsageError, WorkbenchError

if TYPE_CHECKING:
    from workbench.engine.protocol import Engine


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
