"""Every error the workbench raises on purpose.

WorkbenchError            kind, message, hint; exit code 1: the work failed
├── UsageError            exit code 2: the request itself is wrong, nothing was done
│   ├── UnknownNameError  a name nobody knows, with the nearest known ones
│   ├── InputFileError    a file that is missing, empty or not what it should be
│   ├── MismatchError     things that do not belong together (an SAE and a model, a site and a width)
│   ├── SessionLockedError another process writes this session
│   └── StorageError      a full disk or a folder that cannot be written
├── EngineUnreachable     exit code 3: no engine, and none could be started
├── EngineDied            the model process ended in the middle of a request
├── BudgetSpent           the next paid call could pass the cap, and was not made
├── Cancelled             exit code 130: stopped on request
└── ReplayDiffers         a replayed number is not the recorded one
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, ClassVar

ALIKE = 0.7
"""Likeness from which a name that begins with another letter is still taken for a slip."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question with the nearest of the known names, or an empty text where none is near.

    Names that begin alike are near sooner than names that share letters: `delete` is no slip for `result`.
    """
    near = difflib.get_close_matches(name, sorted(set(known)), n=3, cutoff=0.5)
    meant = [one for one in near if one[:1] == name[:1] or _ratio(name, one) >= ALIKE]
    return f"Did you mean {' or '.join(meant)}?" if meant else ""


def _ratio(name: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, name).ratio()


class WorkbenchError(Exception):
    """An error with a stable kind, a sentence that names the value, and a hint that says what to do."""

    kind: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}".rstrip() if self.hint else self.message

    def as_dict(self) -> dict[str, str]:
        """The error as it travels on the wire and stands in `--json` output."""
        return {"kind": self.kind, "message": self.message, "hint": self.hint}


class UsageError(WorkbenchError):
    """The request itself is wrong; nothing was done."""

    kind = "usage"
    exit_code = 2


class UnknownNameError(UsageError):
    """A name nobody knows."""

    kind = "unknown_name"

    @classmethod
    def among(cls, what: str, name: str, known: Iterable[str], hint: str = "") -> UnknownNameError:
        """An error for `name`, with the nearest of the `known` names in its hint."""
        names = sorted(set(known))
        advice = did_you_mean(name, names)
        if not advice and names and len(names) <= 12:
            advice = f"Known: {', '.join(names)}."
        return cls(f"unknown {what} {name!r}", " ".join(part for part in (advice, hint) if part))


class InputFileError(UsageError):
    """A file that is missing, empty, or not what it should be."""

    kind = "input_file"


class MismatchError(UsageError):
    """Two things that do not belong together."""

    kind = "mismatch"


class SessionLockedError(UsageError):
    """Another process holds the session for writing."""

    kind = "session_locked"


class StorageError(UsageError):
    """The disk is full or the folder cannot be written."""

    kind = "storage"


class EngineUnreachable(WorkbenchError):  # noqa: N818 - reads as the state it reports
    """No engine answers, and none could be started."""

    kind = "engine_unreachable"
    exit_code = 3


class EngineDied(WorkbenchError):  # noqa: N818
    """The process that holds the model ended in the middle of a request."""

    kind = "engine_died"


class BudgetSpent(WorkbenchError):  # noqa: N818 - reads as the state it reports
    """The next paid call could pass the cap, and was not made."""

    kind = "budget_spent"


class Cancelled(WorkbenchError):  # noqa: N818
    """The work was stopped on request."""

    kind = "cancelled"
    exit_code = 130


class ReplayDiffers(WorkbenchError):  # noqa: N818
    """A replayed number is not the recorded one."""

    kind = "replay_differs"


def _tree(root: type[WorkbenchError]) -> Iterable[type[WorkbenchError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def error_from_dict(data: dict[str, Any]) -> WorkbenchError:
    """The error a peer sent; an unknown kind becomes a plain WorkbenchError."""
    by_kind = {cls.kind: cls for cls in _tree(WorkbenchError)}
    cls = by_kind.get(str(data.get("kind", "")), WorkbenchError)
    return cls(str(data.get("message", "unknown error")), str(data.get("hint", "")))


def storage_error(path: object, reason: OSError) -> StorageError:
    """A StorageError that says which path failed and what to do about it."""
    import errno
    import os

    # an error of copying a tree has no number of its own, only the texts of those below it
    if reason.errno == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(reason):
        return StorageError(f"the disk is full (writing {path})", "Free some space and repeat; nothing was lost.")
    if reason.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StorageError(
            f"cannot write to {path} ({reason.strerror})",
            "Choose another folder with --sessions DIR, or make this one writable.",
        )
    return StorageError(f"writing {path} failed ({reason.strerror or reason})", "Check the disk and repeat.")
