"""The engine's log file: kept short, and quoted in errors."""

from __future__ import annotations

from pathlib import Path

KEEP = 256 * 1024
GROW = 4 * 1024 * 1024


def trim(path: Path) -> None:
    """Cut a log that grew too long to its last part; writers append, so they go on undisturbed."""
    if not path.exists() or path.stat().st_size < GROW:
        return
    with path.open("r+b") as file:
        file.seek(-KEEP, 2)
        tail = file.read()
        file.seek(0)
        file.write(tail)
        file.truncate()


def size(path: Path) -> int:
    """Bytes written so far; 0 where there is no log yet."""
    return path.stat().st_size if path.exists() else 0


def last_lines(path: Path, count: int, since: int = 0) -> list[str]:
    """The last lines of the log, of what was written after byte `since`."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        end = file.seek(0, 2)
        start = max(end - KEEP, since if since <= end else 0)
        file.seek(start)
        text = file.read().decode("utf-8", "replace")
    return text.splitlines()[-count:]
