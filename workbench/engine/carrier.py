"""A program that carries bytes to an engine elsewhere, as a socket to the blocking client."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.errors import EngineUnreachable

if TYPE_CHECKING:
    import subprocess

END_SECONDS = 2.0


def carry(command: Sequence[str]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Run a program with one end of a socket pair as its standard input and output; what it says is shown.

    Raises:
        EngineUnreachable: the program cannot be run.
    """
    import subprocess

    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(list(command), stdin=theirs.fileno(), stdout=theirs.fileno())
        except OSError as error:
            ours.close()
            raise EngineUnreachable(f"{command[0]} cannot be run ({error.strerror or error})", "Install it.") from error
    return process, ours


def end_carrier(process: subprocess.Popen[bytes]) -> None:
    """Wait for a program whose connection was closed; kill it if it does not end."""
    import subprocess

    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
