"""Copying text so that it arrives: tmux's buffer, else the terminal (OSC 52), else a file; and which it was.

Inside tmux an OSC 52 sequence is dropped under the default `set-clipboard external`, while
`tmux load-buffer -w -` reaches both tmux's buffer and the terminal. Local tools (pbcopy, xclip) are not
tried: over ssh they would fill the clipboard of the wrong machine.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

LARGEST = 75_000
"""Bytes that terminals take by OSC 52; longer texts go to a file."""


def copy(text: str, osc52: Callable[[str], None]) -> str:
    """Copy the text and say how: a sentence for the status line."""
    size = len(text.encode("utf-8", "replace"))
    if size > LARGEST:
        return f"{size:,} bytes are too many for a clipboard: written to {_to_file(text)}"
    if os.environ.get("TMUX") and _to_tmux(text):
        return f"copied {len(text):,} characters via tmux"
    if os.environ.get("TERM", "dumb") not in ("dumb", "linux", ""):
        osc52(text)
        return f"copied {len(text):,} characters via the terminal (OSC 52)"
    return f"this terminal takes no clipboard text: written to {_to_file(text)}"


def _to_tmux(text: str) -> bool:
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=text.encode("utf-8", "replace"),
            capture_output=True,
            timeout=2,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False  # the next way is tried, and the status line says which it was
    return done.returncode == 0


def _to_file(text: str) -> Path:
    handle, name = tempfile.mkstemp(prefix="workbench-copy-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return Path(name)
