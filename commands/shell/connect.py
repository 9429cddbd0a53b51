"""From the shell to an engine: this machine's, or another's over ssh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.engine.client import Client

BROKER_MODULE = "commands.broker_main"


def connect(host: str, *, spawn: bool) -> Client:
    """A client of the engine of this user, started if need be and `spawn` allows it.

    Raises:
        EngineUnreachable: none answers, and none could be started.
    """
    from workbench.engine.client import Client

    if host:
        from workbench.engine.remote import name_of, ssh_command

        return Client(None, through=ssh_command(host), where=name_of(host))
    return Client(BROKER_MODULE if spawn else None)


def link_check(client: Client) -> dict[str, Any]:
    """What `doctor` says of the way to another machine: its name, the versions, and how long an answer takes."""
    import time

    from commands.engine import EngineJobs
    from workbench import __version__

    began = time.perf_counter()
    client.request(EngineJobs())
    wait = 1000 * (time.perf_counter() - began)
    theirs = str(client.engine.get("version"))
    found = f"to {client.where}: workbench {theirs} there, {__version__} here, an answer takes {wait:.0f} ms"
    mend = "" if theirs == __version__ else "Install the same version on both machines."
    return {"name": "link", "state": "ok" if not mend else "optional", "found": found, "mend": mend}


def open_app(session: str | None, sessions: str | None, host: str) -> int:
    """Open the terminal app.

    Raises:
        UsageError: standard input or output is no terminal, or the folder cannot be one of the other machine.
    """
    import importlib
    import sys

    from workbench.errors import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the app needs a terminal", "Give a command, see `workbench --help`; over ssh, use `ssh -t`.")

    if host:
        from workbench.engine.remote import folder_over_there

        sessions = folder_over_there(sessions, host)
    # by name: the shell front end is not made of screens
    return int(importlib.import_module("screens.app").main(session=session, sessions=sessions, host=host or None) or 0)


def pipe_stdio() -> int:
    """`engine --stdio`: a byte pipe between standard input and output and the engine, for `--host`."""
    from workbench.engine.stdio import pipe

    return pipe(BROKER_MODULE)
