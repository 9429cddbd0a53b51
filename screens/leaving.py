"""Quitting while something is under way: it is asked what becomes of it."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from screens import background, verbs
from screens.sessions.jobs import JobsPage
from screens.widgets.command_line import Question
from workbench.errors import UsageError

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

PROMPT = "quit? "
ADVICE = "{what} is under way: c cancels it, D lets it go on, esc stays here"


def leave(app: WorkbenchApp) -> None:
    """Quit, unless work that would be cancelled by it is under way: then ask. Asked twice, quit."""
    jobs = app.query_one(JobsPage).own_open() if app.query(JobsPage) else []
    asked = app.line.question
    if not jobs or (asked is not None and asked.prompt == PROMPT):
        background.start(app, partial(_end, app, []), "leave", latest=True)
        return
    what = f":{jobs[0]['line'].split()[0]}" if len(jobs) == 1 else f"work ({len(jobs)} jobs)"

    def answered(text: str) -> str | None:
        if text in ("c", "y"):
            background.start(app, partial(_end, app, []), "leave", latest=True)
        elif text in ("D", "d"):
            app.close_line()
            background.start(app, partial(_end, app, [str(job["job"]) for job in jobs]), "leave", latest=True)
        else:
            return f"{text!r} is none of c, D and esc" if text else "type c or D; esc stays"
        return None

    def changed(text: str) -> None:
        if text in ("c", "D"):
            answered(text)

    app.open_line(Question(PROMPT, answered, advise=lambda _: ADVICE.format(what=what), changed=changed))


def obey_signals(app: WorkbenchApp) -> None:
    """End in good order when the system says so, else the terminal would stay as the app has set it up.

    Told again, the process ends at once.
    """
    if app.is_headless:
        return
    loop = asyncio.get_running_loop()
    obeyed = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is not signal.SIG_IGN]

    def told(number: int, _frame: Any) -> None:
        for one in obeyed:
            signal.signal(one, signal.SIG_DFL)
        end = partial(_end, app, [], 128 + number)
        loop.call_soon_threadsafe(app.call_later, partial(background.start, app, end, "leave", latest=True))

    for one in obeyed:
        signal.signal(one, told)


def step_aside(app: WorkbenchApp) -> None:
    """Stop, and give the terminal back to the shell until `fg`; where there is no such shell, nothing stops."""
    try:
        with app.suspend():
            before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.killpg(os.getpgrp(), signal.SIGTSTP)  # what started the app stops too: else the shell waits for it
            signal.signal(signal.SIGTSTP, before)
    except SuspendNotSupported:
        app.explain("this terminal cannot be given back")


async def _end(app: WorkbenchApp, detached: list[str], code: int = 0) -> None:
    """Let these jobs go on, save the view, and quit; where a job cannot be let go on, stay and say why."""
    for job in detached:
        with suppress(UsageError):  # it ended meanwhile: nothing is left to detach
            await app.ask(verbs.EngineDetach(job=job))
    await app.saved_view.save_last()
    app.exit(return_code=code)
