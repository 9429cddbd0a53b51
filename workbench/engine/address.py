"""Where the engine listens: a socket in a folder that belongs to this user alone."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from workbench import __version__, paths
from workbench.engine.wire import PROTOCOL
from workbench.errors import EngineUnreachable

PATH_LIMIT = 100
"""Bytes of a socket's path; the kernel refuses longer ones (108 on Linux, 104 on macOS)."""
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Address:
    """The files of one engine: its socket, the lock of its start, and its log."""

    socket: Path

    @property
    def lock(self) -> Path:
        """Held while an engine is being started."""
        return self.socket.with_suffix(".lock")

    @property
    def log(self) -> Path:
        """What the broker and its child wrote to standard error."""
        return self.socket.with_suffix(".log")


def runtime_folder() -> Path:
    """`WORKBENCH_RUNTIME`, else a folder in `XDG_RUNTIME_DIR`, else one for this user among temporary files."""
    if value := os.environ.get("WORKBENCH_RUNTIME"):
        return Path(value).expanduser().absolute()
    if value := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(value) / "feature-workbench"
    import tempfile

    return Path(tempfile.gettempdir()) / f"feature-workbench-{os.getuid()}"


def engine_address() -> Address:
    """The address of this user's engine for this version, this installation and this `WORKBENCH_HOME`.

    Raises:
        EngineUnreachable: its folder is not private, cannot be made, or has too long a path.
    """
    folder = runtime_folder()
    secure_folder(folder)
    # Two checkouts of one version never share an engine, nor do two homes: a test meets no one else's.
    place = hashlib.sha256(f"{paths.home()}\n{PACKAGE_ROOT}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    path = folder / f"{__version__}-{PROTOCOL}-{place}.sock"
    if len(os.fsencode(path)) >= PATH_LIMIT:
        raise EngineUnreachable(
            f"the engine's socket path is longer than {PATH_LIMIT} bytes ({path})",
            "Set WORKBENCH_RUNTIME to a folder with a shorter path.",
        )
    return Address(path)


def secure_folder(folder: Path) -> None:
    """Make the folder, or check that only its owner, this user, can enter it.

    Raises:
        EngineUnreachable: it cannot be made, is no folder, belongs to another user, or is open to others.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise EngineUnreachable(
            f"the engine's folder {folder} cannot be made ({error.strerror or error})",
            "Set WORKBENCH_RUNTIME to a folder that you can write to.",
        ) from error
    if not stat.S_ISDIR(found.st_mode):
        raise EngineUnreachable(f"the engine's folder {folder} is not a folder", "Remove it, or set WORKBENCH_RUNTIME.")
    if found.st_uid != os.getuid():
        raise EngineUnreachable(
            f"the engine's folder {folder} belongs to user {found.st_uid}, not to you ({os.getuid()})",
            "Set WORKBENCH_RUNTIME to a folder of your own.",
        )
    if found.st_mode & 0o077:
        raise EngineUnreachable(
            f"the engine's folder {folder} is open to other users (mode {stat.S_IMODE(found.st_mode):04o})",
            f"Close it with `chmod 700 {folder}`, or set WORKBENCH_RUNTIME.",
        )
