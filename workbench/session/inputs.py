"""Files of the user's that a session keeps, so that its log can be replayed by somebody without them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from workbench.errors import InputFileError
from workbench.files import write_atomic
from workbench.session.record import INPUTS

LIMIT = 16 * 1024 * 1024


def read_upload(path: str) -> tuple[str, bytes]:
    """Name and content of a file that a command names.

    Raises:
        InputFileError: it is missing, a folder, unreadable or over 16 MiB.
    """
    file = Path(path).expanduser()
    try:
        size = file.stat().st_size
        if size > LIMIT:
            raise InputFileError(f"{path!r} has {size / 2**20:.0f} MiB, the limit is 16", "Split it.")
        return file.name, file.read_bytes()
    except FileNotFoundError as error:
        raise InputFileError(f"no file {path!r}", "Check the path.") from error
    except OSError as error:
        raise InputFileError(f"cannot read {path!r} ({error.strerror})", "Check the path.") from error


def keep_input(session: Path, name: str, content: bytes) -> str:
    """Store a file in the session and give the relative path that the log will name.

    The name carries the content's digest, so that equal files are kept once and none is overwritten.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    safe = re.sub(r"[^\w.-]+", "-", Path(name).name).lstrip(".-")[:80] or "file"
    relative = f"{INPUTS}/{hashlib.sha256(content).hexdigest()[:12]}-{safe}"
    if not (session / relative).exists():
        write_atomic(session / relative, content)
    return relative
