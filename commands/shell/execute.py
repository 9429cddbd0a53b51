"""Carrying verbs out for the shell: through the engine, or in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.shell.terminal import visible
from workbench import paths
from workbench.engine.pace import Pace
from workbench.errors import EngineUnreachable, UsageError
from workbench.progress import WAITING, read_numbers
from workbench.session import catalog
from workbench.session.layout import ALONE
from workbench.verbs import Query, Verb

if TYPE_CHECKING:
    from workbench.engine.client import Client

Progress = Callable[[int, int, str], None]


@dataclass
class Executor:
    """Where and how the verbs of one shell call are carried out.

    Attributes:
        session: the session asked for, or None to take the one last worked in.
        sessions: the folder of sessions.
        in_process: run in this process instead of the engine.
        host: `user@box` of a remote engine, or "".
        sessions_there: the folder of sessions on that machine, or None for its own default.
        fresh: compute even where an equal result is stored.
    """

    session: str | None
    sessions: Path
    in_process: bool = False
    host: str = ""
    fresh: bool = False
    progress: Progress | None = None
    sessions_there: Path | None = None

    @classmethod
    def default(cls, session: str | None = None, sessions: str | None = None) -> Executor:
        """An executor on the default folder of sessions."""
        return cls(session, Path(sessions).expanduser().absolute() if sessions else paths.default_sessions())

    def move_to(self, host: str, sessions: str | None = None) -> None:
        """Work on another machine from now on, in its own folder of sessions unless one is named.

        Raises:
            UsageError: that folder is not absolute, or the work is to be done in this process.
        """
        from workbench.engine.remote import folder_over_there

        if self.in_process:
            raise UsageError("--no-engine works in this process, and --host elsewhere", "Leave one of them out.")
        there = folder_over_there(sessions, host)
        self.host, self.sessions_there = host, Path(there) if there else None

    def session_name(self, verb: Verb) -> str | None:
        """The session asked for, else the one last worked in; none for a verb that is about no session."""
        if verb.sessionless:
            return None
        if self.session is None and not self.host:
            self.session = catalog.latest(self.sessions)
        return self.session

    def do(self, verb: Verb) -> dict[str, Any]:
        """Carry a verb out and give its reply.

        Raises:
            WorkbenchError: what went wrong.
        """
        if verb.dotted == "report" and not self.host:
            verb = self._named_output(verb)
        if self.in_process:
            return self._here(verb)
        if isinstance(verb, Query) and verb.carried_out_in == "broker" and not self.host:
            return self._through_running_engine(verb)
        return self._through_engine(verb, spawn=True)

    def _named_output(self, verb: Verb) -> Verb:
        """The verb with the file that it writes here where none is named."""
        fields = verb.params()
        if fields["out"]:
            return verb
        name = fields.get("target") or self.session_name(verb) or "session"
        named = {
            "report": f"report-{name}.{fields.get('format') or 'html'}",
            "session.export": f"{name}.zip",
            "clusters.export": f"cluster-{fields.get('cluster')}.html",
        }
        return verb.model_copy(update={"out": named[verb.dotted]})

    def _through_running_engine(self, verb: Verb) -> dict[str, Any]:
        """Answer a query from files here when no engine runs: starting one would take longer."""
        try:
            return self._through_engine(verb, spawn=False)
        except EngineUnreachable:
            return self._here(verb)

    def _through_engine(self, verb: Verb, *, spawn: bool) -> dict[str, Any]:
        from commands.shell.connect import connect, link_check

        with connect(self.host, spawn=spawn) as client:
            if self.host and self.session is None and not verb.sessionless:
                self.session = self._latest_over_there(client)
            if self.host and verb.dotted in ("report", "session.export", "clusters.export"):
                verb = self._named_output(verb)
            reply = client.request(
                verb,
                session=self.session_name(verb),
                sessions=self.sessions_there if self.host else self.sessions,
                fresh=self.fresh,
                detach=bool(self.host) and verb.heavy,  # a link over a network breaks by itself: the work goes on
                progress=self.progress,
            )
            if self.host and "checks" in reply["result"]:  # of `doctor`
                reply["result"]["checks"].insert(0, link_check(client))
        return reply

    def session_names(self) -> list[str]:
        """The sessions there are, here or on the other machine."""
        if not self.host:
            return catalog.names(self.sessions)
        from commands.shell.connect import connect

        with connect(self.host, spawn=True) as client:
            return [str(one["name"]) for one in self._sessions_over_there(client)]

    def _sessions_over_there(self, client: Client) -> list[dict[str, Any]]:
        from commands.session import SessionList

        found: list[dict[str, Any]] = client.request(SessionList(), sessions=self.sessions_there)["result"]["sessions"]
        return found

    def _latest_over_there(self, client: Client) -> str | None:
        """The session of the other machine that was changed last, as without --host; None where it has none."""
        found = self._sessions_over_there(client)
        return next((str(one["name"]) for one in found if not one["example"] and one["changed"]), None)

    def _here(self, verb: Verb) -> dict[str, Any]:
        # by name, so that the front end itself never imports a handler
        import importlib

        from workbench.uploads import absolute_paths, read_uploads

        runner_type = importlib.import_module("workbench.run").Runner
        resolve = importlib.import_module("commands.handlers").handler_of
        runner = runner_type(resolve, self.sessions, ALONE)
        reply: dict[str, Any] = runner.do(
            absolute_paths(verb),
            self.session_name(verb),
            fresh=self.fresh,
            files=read_uploads(verb),
            progress=self.progress,
        )
        return reply


def show_progress(done: int, total: int, text: str) -> None:
    """One line on stderr that overwrites itself; nothing where stderr is no terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{_told(done, total, text)}")
        sys.stderr.flush()


def _told(done: int, total: int, text: str) -> str:
    shown = visible(text)  # it may name a command of a session that is not one's own
    return f"{shown} {done}/{total}" if total else shown


class PlainProgress:
    """A line on stderr now and then, where nothing can be overwritten; no word of what takes seconds."""

    def __init__(self) -> None:
        self._pace = Pace(10.0, at_once=False)

    def __call__(self, done: int, total: int, text: str) -> None:
        """Say how far the work is, and at once what it waits for."""
        if text.startswith(WAITING) or self._pace.due():
            sys.stderr.write(f"{_told(done, total, text)}\n")
            sys.stderr.flush()


def shell_progress() -> Progress:
    """How a person is told of progress: by a line that overwrites itself where stderr is a terminal."""
    return show_progress if sys.stderr.isatty() else PlainProgress()


class JsonProgress:
    """One JSON object a line on stderr, at most one a second, with the running numbers that its text holds."""

    def __init__(self) -> None:
        self._pace = Pace(1.0)

    def __call__(self, done: int, total: int, text: str) -> None:
        """Say how far the work is."""
        if self._pace.due():
            told = {"done": done, "total": total, "text": text, "numbers": read_numbers(text)}
            sys.stderr.write(json.dumps({"progress": told}) + "\n")
            sys.stderr.flush()


def clear_progress() -> None:
    """Remove the progress line."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
