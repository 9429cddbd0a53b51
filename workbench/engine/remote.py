"""Reaching the engine of another machine: the ssh command that carries bytes to it."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath

from workbench.errors import UsageError

_FIND = (
    'w=$(command -v workbench || ls "$HOME/.venv/bin/workbench" 2>/dev/null); '
    'if [ -z "$w" ]; then echo "workbench is neither on the login shell\'s PATH nor in ~/.venv/bin: '
    'add its path as --host USER@BOX:PATH" >&2; exit 127; fi; exec "$w" engine --stdio'
)


def ssh_command(host: str, *, ask: bool = True) -> list[str]:
    """The program that reaches the engine of `user@box` or `user@box:PATH`, PATH being the remote `workbench`.

    Without PATH, the remote login shell's PATH is searched, then `~/.venv/bin`.

    Args:
        host: where.
        ask: whether ssh may ask for a password on the terminal; the app draws on it, so it may not.

    Raises:
        UsageError: this names no host.
    """
    target, _, path = host.partition(":")
    if not target or target.startswith("-") or any(character.isspace() for character in target):
        raise UsageError(f"--host {host!r} names no host", "Use user@box, or user@box:PATH.")
    remote = f"exec {_remote_path(path)} engine --stdio" if path else f"exec sh -lc {shlex.quote(_FIND)}"
    batch = [] if ask else ["-o", "BatchMode=yes"]
    return ["ssh", "-T", *batch, "-o", "ServerAliveInterval=15", "--", target, remote]


def name_of(host: str) -> str:
    """What `user@box:PATH` is called in messages: `user@box`."""
    return host.partition(":")[0]


def folder_over_there(sessions: str | None, host: str) -> str | None:
    """The folder of sessions on the other machine, where one is named.

    Raises:
        UsageError: it is not absolute, and a relative path of this machine means nothing on that one.
    """
    if sessions and not PurePosixPath(sessions).is_absolute():
        raise UsageError(
            f"--sessions {sessions!r} is a folder on {name_of(host)} and has no absolute path",
            "Name it from its root, or leave it out: the box has a folder of its own.",
        )
    return sessions


def _remote_path(path: str) -> str:
    """The path, quoted for the remote shell; `~/` stays its to expand."""
    return f"~/{shlex.quote(path[2:])}" if path.startswith("~/") else shlex.quote(path)
