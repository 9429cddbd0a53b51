"""Where things live outside a session: the cache, the user's settings, the default sessions folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from workbench.errors import UsageError


def home() -> Path:
    """`WORKBENCH_HOME`, or the platform's user cache folder for the workbench."""
    if value := os.environ.get("WORKBENCH_HOME"):
        return Path(value).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("feature-workbench")


def settings() -> Path:
    """`WORKBENCH_CONFIG`, or `feature-workbench` where the user's programs keep their settings."""
    if value := os.environ.get("WORKBENCH_CONFIG"):
        return Path(value).expanduser().absolute()
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config").expanduser() / "feature-workbench"


def require_folder(file: Path, what: str) -> None:
    """Refuse to write a file where there is no folder.

    Raises:
        UsageError: the folder is missing.
    """
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {str(file.parent)!r} for {what}", "Make it, or choose another --out.")


def require_ending(file: Path, endings: Sequence[str], or_else: str = "") -> None:
    """Refuse a name whose ending does not say what is going to be in the file.

    Args:
        file: the name as given.
        endings: those allowed, in small letters and with the dot.
        or_else: what else can be done, added to the hint.

    Raises:
        UsageError: it has another ending, or none.
    """
    if file.suffix.lower() not in endings:
        raise UsageError(f"{file.name} has no ending that says its form", f"Use {', '.join(endings)}{or_else}.")


def default_sessions() -> Path:
    """`WORKBENCH_SESSIONS`, else `./sessions` where that folder exists, else `sessions` in `home()`."""
    if value := os.environ.get("WORKBENCH_SESSIONS"):
        return Path(value).expanduser().absolute()
    here = Path.cwd() / "sessions"
    return here if here.is_dir() else home() / "sessions"
