"""Sessions of earlier versions: what their logs look like, and how they become logs of this version.

The first line of a log says its form, `{"log": 2}`; a log without that line is of form 1. A session is read in any
form that was ever written. It is brought up to date on the disk when it is opened for writing, in two steps of which
each leaves a session that can be read: first the log, with its first line, then `session.json`.

A new form needs a number (`layout.SCHEMA`), one step in `STEPS`, and a session of the old form in tests/session/old.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.errors import InputFileError
from workbench.files import write_atomic
from workbench.session.layout import LOG_NAME, META_NAME, SCHEMA

Line = dict[str, Any]
Step = Callable[[Line], Line]

HEADER = "log"
"""The field of a log's first line that holds the number of its form."""


def _as_it_is(line: Line) -> Line:
    return line


STEPS: dict[int, Step] = {1: _as_it_is}
"""What makes a line of a form one of the next: 2 brought the first line and left the others as they were."""


def header() -> str:
    """The first line of a log of this version."""
    return json.dumps({HEADER: SCHEMA})


def form_of(first: bytes) -> int | None:
    """The form that a log's first line tells, or None where it is a line of a log of form 1."""
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        return None  # a damaged line: whoever reads the lines says which
    form = found.get(HEADER) if isinstance(found, dict) and "seq" not in found else None
    return form if isinstance(form, int) and not isinstance(form, bool) else None


def check_form(form: int, what: str) -> None:
    """Refuse a form that this version does not know.

    Raises:
        InputFileError: it is newer, or was never written.
    """
    if form > SCHEMA:
        raise InputFileError(
            f"{what} was written by a newer workbench (form {form}, this one knows {SCHEMA})", "Update the workbench."
        )
    if form < 1:
        raise InputFileError(f"{what} says it has form {form}, which never was", "Restore it from a copy.")


def to_this_version(line: Line, form: int) -> Line:
    """A log line of an earlier form as one of this version."""
    for number in range(form, SCHEMA):
        line = STEPS[number](line)
    return line


def bring_up_to_date(folder: Path) -> None:
    """Write a session of an earlier form again in this version's; one of this version is not touched.

    Raises:
        InputFileError: it is of a newer form, or damaged.
        StorageError: the disk is full or the folder cannot be written; the session is as it was.
    """
    _bring_log(folder / LOG_NAME)
    _bring_meta(folder / META_NAME)


def _bring_log(path: Path) -> None:
    raw = path.read_bytes() if path.exists() else b""
    first, _, rest = raw.partition(b"\n")
    form = form_of(first)
    if form == SCHEMA:
        return
    if form is not None:
        check_form(form, str(path))
    lines = raw if form is None else rest
    if any(STEPS[number] is not _as_it_is for number in range(form or 1, SCHEMA)):
        texts = lines.split(b"\n")[:-1]
        lines = b"".join(_dump(to_this_version(json.loads(text), form or 1)) for text in texts)
    write_atomic(path, header().encode() + b"\n" + lines)


def _dump(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _bring_meta(path: Path) -> None:
    meta = json.loads(path.read_text("utf-8"))
    check_form(int(meta["schema"]), str(path))
    if meta["schema"] != SCHEMA:
        write_atomic(path, json.dumps({**meta, "schema": SCHEMA}, indent=1) + "\n")
