"""An ssh server of the tests' own on the loopback interface, and an `ssh` that knows the way to it."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.tiny import required

SERVER = "/usr/sbin/sshd"
PATIENCE = 60.0

SERVER_CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""
CLIENT_CONFIG = """\
Host box
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
  StrictHostKeyChecking yes
  LogLevel ERROR
"""


@dataclass
class Box:
    """The machine at the other end, which is this one: `host` is what `--host` takes."""

    folder: Path
    port: int
    server: subprocess.Popen[bytes]

    @property
    def user(self) -> str:
        return f"{getpass.getuser()}@box"

    def program(self, command: str, **environment: str) -> Path:
        """A `workbench` at that end, with an environment of its own: a login knows nothing of the test's."""
        path = self.folder / "workbench"
        words = "".join(f"export {name}='{value}'\n" for name, value in environment.items())
        path.write_text(f'#!/bin/sh\n{words}exec {command} "$@"\n')
        path.chmod(0o755)
        return path

    def cut(self) -> int:
        """Kill the server's end of every connection, as a network that goes away does; says how many there were."""
        return _kill_all(_children(self.server.pid))

    def stop(self) -> int:
        """Let nobody in any more, and cut the connections there are; says how many there were."""
        found = _children(self.server.pid)
        self.server.kill()
        self.server.wait()
        return _kill_all(found)

    def start(self) -> None:
        """Listen again, at the same port."""
        self.server = _listening(self.folder, self.port)


def _kill_all(connections: list[int]) -> int:
    for pid in connections:
        # for a user other than root, the server hands a connection on to another process
        for one in [*(inner for inner in _children(pid) if "sshd" in _name(inner)), pid]:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
    return len(connections)


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


@contextmanager
def box() -> Iterator[Box]:
    """A server with a host key and an authorized key of its own; its folder holds an `ssh` for the PATH."""
    for program in (SERVER, "ssh", "ssh-keygen"):
        if shutil.which(program) is None:
            required(f"{program} is missing")
    folder = Path(tempfile.mkdtemp(prefix="wb-ssh-"))
    try:
        for name in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        known = (folder / "host.pub").read_text().split()
        (folder / "known").write_text(f"[127.0.0.1]:{port} {known[0]} {known[1]}\n")
        (folder / "server.conf").write_text(SERVER_CONFIG.format(port=port, folder=folder))
        (folder / "client.conf").write_text(CLIENT_CONFIG.format(port=port, folder=folder))
        ssh = folder / "ssh"
        ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/client.conf "$@"\n')
        ssh.chmod(0o755)
        found = Box(folder, port, _listening(folder, port))
        try:
            yield found
        finally:
            found.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listening(folder: Path, port: int) -> subprocess.Popen[bytes]:
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)  # where root's server drops its privileges
    with (folder / "server.log").open("ab") as log:
        server = subprocess.Popen([SERVER, "-D", "-e", "-f", str(folder / "server.conf")], stderr=log)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.02)
        else:
            return server
    server.kill()
    raise AssertionError(f"sshd does not listen: {(folder / 'server.log').read_text()}")
