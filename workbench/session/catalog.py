"""Finding, making and forking sessions by name.

What reads or makes a record is imported where it is done: every shell call finds a session here, and most of them
leave its record to the engine.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import demo
from workbench.errors import InputFileError, UnknownNameError, UsageError, storage_error
from workbench.files import write_atomic
from workbench.session.layout import (
    ARTIFACTS,
    INPUTS,
    LOG_NAME,
    META_NAME,
    NOTES_NAME,
    OPENED_NAME,
    SCHEMA,
    STORES,
    VIEW_NAME,
)

if TYPE_CHECKING:
    from workbench.session.log import LogLine
    from workbench.session.record import SessionRecord

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_name(name: str) -> str:
    """The name itself, if it can name a session.

    Raises:
        UsageError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a session",
            "Use up to 64 letters, digits, '.', '_' and '-', starting with a letter or digit.",
        )
    return name


def names(sessions: Path) -> list[str]:
    """Names of the sessions in the folder and of the shipped examples, sorted."""
    found = {path.parent.name for path in sessions.glob(f"*/{META_NAME}")}
    if (sessions / OPENED_NAME).exists():
        return sorted(found)  # one looks at what a colleague sent, and at nothing else
    # in a checkout the examples' folder holds sessions of the user's as well; from elsewhere these are not listed
    shipped = (path.parent for path in demo.sessions_dir().glob(f"*/{META_NAME}"))
    return sorted(found | {path.name for path in shipped if _is_example(path)})


def latest(sessions: Path) -> str | None:
    """The session of the folder that was worked in last, or None where it has none of its own."""
    ages = {}
    for meta in sessions.glob(f"*/{META_NAME}"):
        record = [meta.parent / LOG_NAME, meta.parent / VIEW_NAME, meta]
        ages[meta.parent.name] = max(path.stat().st_mtime for path in record if path.exists())
    own = {name: age for name, age in ages.items() if not _is_example(sessions / name)}
    return max(own, key=lambda name: (own[name], name)) if own else None


def _is_example(path: Path) -> bool:
    try:
        return bool(json.loads((path / META_NAME).read_text("utf-8")).get("example", False))
    except (OSError, ValueError, AttributeError):
        return False


def find(name: str, sessions: Path) -> Path:
    """The folder of a session: in `sessions`, else among the shipped examples.

    Raises:
        UnknownNameError: there is none of that name.
    """
    check_name(name)
    if (sessions / name / META_NAME).exists():
        return sessions / name
    if _is_example(demo.sessions_dir() / name):
        return demo.sessions_dir() / name
    hint = f"Looked in {sessions}. Make it with `workbench session new {name}`."
    raise UnknownNameError.among("session", name, names(sessions), hint)


def refuse_opened_folder(sessions: Path) -> None:
    """Refuse to make a session beside one that is only open for reading, where nobody would find it again.

    Raises:
        UsageError: the folder holds such a session.
    """
    if (sessions / OPENED_NAME).exists():
        raise UsageError(
            f"{sessions} holds a session that is open for reading, and no others are made there",
            "In the shell, workbench session import FILE takes it over, and workbench session new NAME makes another.",
        )


def create(name: str, sessions: Path, title: str = "", **extra: Any) -> Path:
    """Make an empty session and return its folder.

    Raises:
        UsageError: the name is taken or cannot name a session.
        StorageError: the folder cannot be written.
    """
    from workbench.session.log import utc_now

    path = sessions / check_name(name)
    refuse_opened_folder(sessions)
    if (path / META_NAME).exists():
        raise UsageError(f"session {name!r} exists already", "Choose another name, or work in it.")
    try:
        (path / ARTIFACTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    meta = {"schema": SCHEMA, "title": title or name, "created": utc_now(), **extra}
    write_atomic(path / META_NAME, json.dumps(meta, indent=1) + "\n")
    return path


def fork(record: SessionRecord, name: str, sessions: Path, upto: int | None = None) -> Path:
    """Copy a session's log and artifacts, up to and including line `upto`, into a new session.

    Raises:
        UsageError: the name is taken, or there is no such line.
        StorageError: the folder cannot be written.
    """
    lines = record.lines
    if upto is not None:
        lines = lines[: lines.index(record.line(upto)) + 1]
    path = create(name, sessions, title=record.title, forked_from=record.name)
    try:
        _copy(record, lines, path)
    except BaseException as error:
        shutil.rmtree(path, ignore_errors=True)  # half a fork would look like a session
        if isinstance(error, OSError):
            raise storage_error(path, error) from error
        raise
    return path


def _copy(record: SessionRecord, lines: list[LogLine], path: Path) -> None:
    from workbench.session.migrations import header

    sources = {line.artifact: record.artifact_path(line) for line in lines if line.artifact}
    for artifact, source in sorted(sources.items()):
        shutil.copytree(source, path / artifact, dirs_exist_ok=True)
    for name in (INPUTS, STORES):
        if (record.path / name).is_dir():
            shutil.copytree(record.path / name, path / name, dirs_exist_ok=True)
    if notes := record.notes():
        write_atomic(path / NOTES_NAME, notes)
    write_atomic(path / LOG_NAME, header() + "\n" + "".join(_dump(line) + "\n" for line in lines))


def working_copy(record: SessionRecord, sessions: Path) -> Path:
    """The fork in which changes to a shipped example are made: `NAME-2`, made on the first change.

    A later change to the same example goes on in the same fork, so that a loop in a shell makes one copy.
    """
    from workbench.session.record import SessionRecord

    for number in range(2, 1000):
        name = f"{record.name}-{number}"
        path = sessions / name
        if not (path / META_NAME).exists():
            return fork(record, name, sessions)
        if SessionRecord(path).meta.get("forked_from") == record.name:
            return path
    raise InputFileError(f"{sessions} holds too many copies of {record.name!r}", "Remove some.")


def _dump(line: LogLine) -> str:
    return line.model_dump_json(exclude_defaults=True)
