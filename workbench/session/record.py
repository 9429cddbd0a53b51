"""Reading a session folder: everything that was recorded, with no lock, no numpy and no torch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from workbench.errors import InputFileError, UsageError
from workbench.session.layout import ARTIFACTS, META_NAME, NOTES_NAME, RESULT_NAME, VIEW_NAME
from workbench.session.log import LogLine, read_log, refuse_constant, unreadable
from workbench.session.migrations import check_form
from workbench.session.state import State, fold

_ARTIFACT = re.compile(rf"{ARTIFACTS}/[A-Za-z0-9_][A-Za-z0-9._-]*")
"""A folder of its own for each artifact, by a plain name: forks and exports write where it says."""
_STORED = {"result", "figures", "warnings"}


class SessionRecord:
    """What a session folder says: `meta`, `lines`, and the `state` folded from them.

    Args:
        path: the session's folder.
        before: read the log only up to this line, as it was when a command was accepted.

    Raises:
        InputFileError: no session there, or one that this version cannot read.
    """

    def __init__(self, path: Path, before: int | None = None) -> None:
        self.path = path
        self.meta = _read_meta(path)
        self.lines = [line for line in read_log(path) if before is None or line.seq < before]
        self.state: State = fold(self.lines)

    @property
    def name(self) -> str:
        """The session's name: that of its folder."""
        return self.path.name

    @property
    def is_example(self) -> bool:
        """Whether this is a shipped, read-only example."""
        return bool(self.meta.get("example", False))

    @property
    def title(self) -> str:
        """What is investigated, or the name where nothing says so."""
        return str(self.meta.get("title") or self.name)

    @property
    def created(self) -> str:
        """When it was made, UTC; empty where nothing says so."""
        return str(self.meta.get("created", ""))

    @property
    def opened_from(self) -> str:
        """The export of which this is a copy for reading, or an empty text."""
        return str(self.meta.get("opened", ""))

    def line(self, seq: int) -> LogLine:
        """The log line with that sequence number.

        Raises:
            InputFileError: there is none.
        """
        for line in self.lines:
            if line.seq == seq:
                return line
        raise InputFileError(f"session {self.name!r} has no log line {seq}", "See `workbench session show`.")

    def done(self, verb: str) -> list[LogLine]:
        """The lines of one verb that worked and were not withdrawn, oldest first."""
        return [
            line
            for line in self.lines
            if line.do == verb and line.outcome == "ok" and line.seq not in self.state.withdrawn
        ]

    def artifact(self, line: LogLine) -> dict[str, Any]:
        """The stored result of a line: `{"result", "figures", "warnings"}`.

        Raises:
            InputFileError: it is missing or damaged.
        """
        path = self.artifact_path(line) / RESULT_NAME
        try:
            data: dict[str, Any] = json.loads(path.read_text("utf-8", "surrogatepass"), parse_constant=refuse_constant)
            if not isinstance(data, dict) or not data.keys() >= _STORED or not isinstance(data["result"], dict):
                raise ValueError(f"it has not all of {', '.join(sorted(_STORED))}")
        except (OSError, ValueError, RecursionError) as error:
            raise InputFileError(
                f"the result of line {line.seq} ({line.do}) cannot be read from {path}",
                "Restore it from a copy, or run the line again; the rest of the session can be read.",
            ) from error
        return data

    def artifact_path(self, line: LogLine) -> Path:
        """The folder of a line's artifact; a path that leaves the session is refused."""
        plain = _ARTIFACT.fullmatch(line.artifact) is not None
        named = self.path / (line.artifact if plain else "")
        path = named.resolve()
        if plain and named.is_symlink() and not path.is_relative_to((self.path / ARTIFACTS).resolve()):
            raise InputFileError(
                f"{named}, the artifact of line {line.seq}, is a link that leads outside the session (to {path})",
                "Put the folder itself in the place of the link.",
            )
        if not plain or not path.is_relative_to((self.path / ARTIFACTS).resolve()):
            raise InputFileError(
                f"line {line.seq} names an artifact outside the session ({line.artifact!r})",
                "The log was edited, or comes from someone who means no good: do not use it.",
            )
        return path

    def view(self) -> dict[str, Any]:
        """Where the investigator was: screen, cursor, sort order; empty when nothing was saved."""
        try:
            data = json.loads((self.path / VIEW_NAME).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}  # a view is a convenience: a damaged one costs the cursor, not the session
        return data if isinstance(data, dict) else {}

    def notes(self) -> str:
        """The investigator's own words.

        Raises:
            InputFileError: they cannot be read.
        """
        path = self.path / NOTES_NAME
        try:
            return path.read_text("utf-8", "replace") if path.exists() else ""
        except OSError as error:
            raise unreadable(path, error) from error


def refuse_opened(path: Path, what: str) -> None:
    """Refuse what a session that is only open for reading cannot do.

    Raises:
        UsageError: the session in that folder is one.
    """
    if source := _read_meta(path).get("opened"):
        raise UsageError(
            f"session {path.name!r} is open for reading: {what}",
            f"In the shell, workbench session import {Path(str(source)).name} makes it one of yours.",
        )


def _read_meta(path: Path) -> dict[str, Any]:
    meta_path = path / META_NAME
    try:
        meta = json.loads(meta_path.read_text("utf-8"))
        schema = int(meta["schema"])
    except FileNotFoundError as error:
        raise InputFileError(f"{path} is not a session", "Make one with `workbench session new NAME`.") from error
    except OSError as error:
        raise unreadable(meta_path, error) from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputFileError(f"{meta_path} is damaged ({error})", "Restore it from a copy.") from error
    check_form(schema, f"session {path.name!r} ({meta_path})")
    result: dict[str, Any] = meta
    return result
