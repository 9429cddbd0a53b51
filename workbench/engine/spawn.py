"""Reaching the engine, and starting it where there is none: connect, else lock, connect again, then spawn."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workbench.engine import logfile
from workbench.engine.address import PACKAGE_ROOT, Address
from workbench.errors import EngineUnreachable

if TYPE_CHECKING:
    import subprocess

START_SECONDS = 60.0
"""How long a new engine may take until it listens; half a second on an idle machine."""
POLL_SECONDS = 0.01


def connect(address: Address) -> socket.socket | None:
    """A connection to a running engine, or None where none runs.

    Raises:
        EngineUnreachable: something is there that does not let this user in.
    """
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.connect(os.fspath(address.socket))
    except (FileNotFoundError, ConnectionRefusedError):
        link.close()
        return None
    except OSError as error:
        link.close()
        raise EngineUnreachable(
            f"the engine at {address.socket} cannot be reached ({error.strerror or error})",
            "Remove that file, or set WORKBENCH_RUNTIME to another folder.",
        ) from error
    except BaseException:
        link.close()
        raise
    return link


def connect_or_spawn(address: Address, broker_module: str) -> socket.socket:
    """A connection to the engine, started as `python -m broker_module` if need be.

    Raises:
        EngineUnreachable: it cannot be started; the hint quotes its log.
    """
    link = connect(address)
    if link is not None:
        return link
    with _start_lock(address):
        link = connect(address)  # another front end may have started it while this one waited
        if link is not None:
            return link
        _unlink_stale(address)
        return _spawn(address, broker_module)


def _unlink_stale(address: Address) -> None:
    """Remove the socket of an engine that was killed; anything else in its place is not ours to remove."""
    if not address.socket.exists():
        return
    if not address.socket.is_socket():
        raise EngineUnreachable(
            f"{address.socket} is not a socket", "Remove it, or set WORKBENCH_RUNTIME to another folder."
        )
    address.socket.unlink()


@contextmanager
def _start_lock(address: Address) -> Iterator[None]:
    try:
        handle = os.open(address.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EngineUnreachable(
            f"the engine's folder {address.lock.parent} cannot be written ({error.strerror})",
            "Set WORKBENCH_RUNTIME to a folder that you can write to.",
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _spawn(address: Address, broker_module: str) -> socket.socket:
    logfile.trim(address.log)
    before = logfile.size(address.log)
    process = _start(address, broker_module)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        link = connect(address)
        if link is not None:
            # It outlives this process on purpose; should it end first, it is reaped here.
            threading.Thread(target=process.wait, name="engine", daemon=True).start()
            return link
        if process.poll() is not None:
            raise _failed(f"the engine ended at its start (exit status {process.returncode})", address, before)
        time.sleep(POLL_SECONDS)
    process.kill()
    process.wait()
    raise _failed(f"the engine did not listen within {START_SECONDS:g} s", address, before)


def _start(address: Address, broker_module: str) -> subprocess.Popen[bytes]:
    import subprocess

    try:
        with address.log.open("ab") as log:
            return subprocess.Popen(
                python_command(broker_module, str(address.socket)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=python_environment(),
                start_new_session=True,
            )
    except OSError as error:
        raise EngineUnreachable(
            f"the engine cannot be started ({error.strerror or error})",
            f"See whether {address.log.parent} can be written, or work with --no-engine.",
        ) from error


def _failed(message: str, address: Address, since: int) -> EngineUnreachable:
    tail = logfile.last_lines(address.log, 8, since)
    said = "It said:\n" + "\n".join(tail) if tail else f"It said nothing; its log is {address.log}."
    return EngineUnreachable(message, said)


def python_command(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules, never one of the same name in the current folder (-P)."""
    return [sys.executable, "-P", "-m", module, *arguments]


def python_environment() -> dict[str, str]:
    """The environment in which our packages are found even in a checkout that was not installed."""
    environment = dict(os.environ)
    # A thread that spins at a barrier stalls every other one when the cores are shared: on a busy 2-core machine
    # a pass over a corpus took 3 times the processor time and 1.5 times as long.
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if PACKAGE_ROOT.name not in ("site-packages", "dist-packages"):
        rest = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(PACKAGE_ROOT), rest] if rest else [str(PACKAGE_ROOT)])
    return environment
