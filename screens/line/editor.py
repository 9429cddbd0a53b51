"""Writing in the investigator's own editor: the app steps aside, and takes up what was written."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from screens import verbs

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

UNSET = "no editor is set: export EDITOR=vim (or another) before workbench starts; n writes a note on the line"
CUT = "----- what stands from here on is only shown: it is kept as it is -----"


def command() -> list[str]:
    """The words of $VISUAL or $EDITOR; none where neither is set."""
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")


def write(app: WorkbenchApp, text: str, suffix: str = ".md") -> str | None:
    """Open the editor on a text and give what was saved; None where that failed, which is then said."""
    try:
        words = command()
    except ValueError as error:
        app.explain(f"$EDITOR cannot be read: {error}")
        return None
    if not words:
        app.explain(UNSET)
        return None
    handle, name = tempfile.mkstemp(prefix="workbench-", suffix=suffix)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        with app.suspend():
            done = subprocess.run([*words, name], check=False)
        if done.returncode:
            app.explain(f"{words[0]} ended with {done.returncode}: nothing was taken over")
            return None
        return Path(name).read_text("utf-8", errors="replace")
    except (OSError, SuspendNotSupported) as error:
        app.explain(f"{words[0]!r} could not be run: {error or 'this terminal cannot be handed over'}")
        return None
    finally:
        Path(name).unlink(missing_ok=True)


def add_note(app: WorkbenchApp) -> None:
    """Write a note on the session; those there are stand below, to be read."""
    known = str(app.summary.get("notes") or "")
    text = write(app, f"\n\n{CUT}\n{known}" if known.strip() else "")
    if text is None:
        return
    written = text.partition(CUT)[0].strip()
    if written:
        app.do(verbs.SessionNote(text=written))
    else:
        app.explain("nothing was written: no note was added")
