"""What errors say of a machine behind ssh: on which one a file was looked for, and why that one was not reached."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from workbench import __version__
from workbench.engine.wire import ProtocolError
from workbench.errors import EngineUnreachable, InputFileError, UnknownNameError, UsageError, WorkbenchError
from workbench.uploads import marked
from workbench.verbs import File, Folder, InItsPlace, Output, Sent, Upload, Verb

HERE = "Check the path; it is relative to where you are."
"""A hint that is true of files of this machine only."""
LAST_SIGNS = 300
"""Signs of what came back that a message quotes."""
GUIDE = "docs/troubleshooting.md, `Over ssh`, says more."
_CAUSES = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "the host key of {host} is not the one that this machine knows",
        "If {host} was set up anew, remove the old key with the `ssh-keygen -R` line that `ssh {host}` shows; "
        "if not, ask who runs it.",
    ),
    (
        r"Host key verification failed",
        "this machine does not know the host key of {host}",
        "Log in once with `ssh {host}` and accept its key.",
    ),
    (
        r"Permission denied|Too many authentication failures",
        "{host} did not let this user in",
        "See that `ssh -o BatchMode=yes {host} true` asks nothing: put a key with a passphrase into `ssh-add`, or "
        "share one login (ControlMaster) where a password or a second factor is asked for.",
    ),
    (
        r"Could not resolve hostname",
        "no machine is known as {host}",
        "Check the name; short names, ports and jump hosts are those of ~/.ssh/config.",
    ),
    (
        r"Connection refused|timed out|No route to host|unreachable|Connection closed by|Connection reset|"
        r"kex_exchange_identification|banner exchange|stdio forwarding failed",
        "{host} cannot be reached",
        "Is it on, and this machine in its network? Ports, identities and jump hosts are set in ~/.ssh/config; "
        "`ssh {host} true` must work first.",
    ),
    (
        r"workbench is neither on|not found|No such file or directory",
        "there is no workbench to run on {host}",
        "Install it there, or say where it is: --host {host}:/path/to/workbench. A port goes into ~/.ssh/config.",
    ),
    (
        r"option.*--stdio|unrecognized arguments|ModuleNotFoundError|ImportError|SyntaxError",
        "the workbench on {host} cannot carry this",
        "Bring it up to date there, or name another one: --host {host}:/path/to/workbench.",
    ),
    (
        r"currently not available|nologin|interactive",
        "{host} lets this user in, but run no commands",
        "Ask who runs it for a login shell.",
    ),
)
"""What ssh or the far shell says, what that means, and what mends it; the first that fits counts."""


def unreachable(where: str, said: str, status: int | None = None) -> EngineUnreachable:
    """Why no engine answered from a machine, by what came back from it.

    Args:
        where: what the machine is called.
        said: what ssh and the far shell wrote.
        status: the exit status of ssh, where it ended.
    """
    came = f"It said: {_last(said)}" if said.strip() else "Nothing came back."
    for pattern, what, mend in _CAUSES:
        if re.search(pattern, said):
            return EngineUnreachable(what.format(host=where), f"{mend.format(host=where)} {came}")
    ended = "" if status is None else f" (exit status {status})"
    mend = f"See that `ssh {where} true` works and ends without a word. {GUIDE}"
    return EngineUnreachable(f"the link to {where} ended before the engine answered{ended}", f"{mend} {came}")


def _last(said: str) -> str:
    lines = [line.strip() for line in said.strip().splitlines() if line.strip()]
    return " / ".join(lines[-3:])[-LAST_SIGNS:]


def other_protocol(error: ProtocolError, where: str) -> ProtocolError:
    """The error of a hello that is not ours, with the machine that said it."""
    return ProtocolError(
        error.message.replace("the other side", where, 1),
        f"Install the same version on {where} and here, and end the old engine there: "
        f"`ssh {where} workbench engine stop`.",
    )


def not_here(error: WorkbenchError, where: str) -> WorkbenchError:
    """The error of a file that is read on this machine before it is sent."""
    if not isinstance(error, InputFileError):
        return error
    return _with(error, f"It was looked for on this machine, not on {where}: such a file is read here and sent along.")


def not_there(error: WorkbenchError, verb: Verb, where: str, version: str = __version__) -> WorkbenchError:
    """The error that another machine sent, with the machine where something was not found on it.

    Args:
        error: what it sent.
        verb: what it was asked for.
        where: what it is called.
        version: of the workbench there; another one than here may be why it refused.
    """
    if isinstance(error, UsageError) and version != __version__:
        error = _with(error, f"{where} has workbench {version}, this machine {__version__}.")
    named = _paths(verb)
    if isinstance(error, UnknownNameError) and not named:
        return _with(error, f"It was looked for on {where}, not here.")
    if not named or not isinstance(error, (InputFileError, UnknownNameError)):
        return error  # or what is wrong is in a file that came from here
    error = type(error)(error.message, error.hint.replace(HERE, "Check the path."))
    if any(getattr(verb, field) for field in marked(type(verb), Sent)):
        return _with(error, f"It was looked for here first, then on {where}.")
    here = next((path for path in named if Path(path).expanduser().exists()), None)
    if here is not None:
        copy = f"`scp -r {shlex.quote(here)} {where}:`"
        return _with(error, f"It was looked for on {where}. {here} is on this machine: copy it there ({copy}).")
    absolute = all(path.startswith("/") for path in named)
    how = "" if absolute else f" Name a file or folder of {where} by its absolute path there."
    return _with(error, f"It was looked for on {where}, not here.{how}")


def side(verb: type[Verb], field: str, where: str) -> str:
    """On which of the two machines a path given for this field is meant; empty for a field that takes none."""
    if field in marked(verb, Upload):
        return "read here, sent along"
    if field in marked(verb, Sent):
        return f"sent from here, or a path on {where}"
    if field in marked(verb, Output):
        return "written here"
    if any(field in marked(verb, mark) for mark in (File, Folder, InItsPlace)):
        return f"paths are of {where}"
    return ""


def _paths(verb: Verb) -> list[str]:
    """The values of a verb that may be paths of the other machine."""
    fields = dict.fromkeys([*marked(type(verb), Folder), *marked(type(verb), File)])
    values = {name: getattr(verb, name) for name in fields}
    return [str(value) for name, value in values.items() if value != type(verb).model_fields[name].default]


def _with(error: WorkbenchError, note: str) -> WorkbenchError:
    return type(error)(error.message, f"{error.hint} {note}".lstrip())
