"""The log of a session: a line that says its form, then one JSON line per command, append-only."""

from __future__ import annotations

import io
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.errors import InputFileError
from workbench.session.layout import LOG_NAME
from workbench.session.migrations import check_form, form_of, to_this_version


class LogLine(BaseModel):
    """What happened: a command, what came of it, and what its numbers rest on."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    seq: int
    utc: str
    do: str
    params: dict[str, Any]
    outcome: Literal["ok", "error"] = "ok"
    digest: str = ""
    artifact: str = ""
    seconds: float = 0.0
    key: str = ""
    reused: int | None = None
    """The line whose stored result this one took over."""
    sets: dict[str, Any] = Field(default_factory=dict)
    uses: list[int] = Field(default_factory=list)
    withdraws: list[int] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    provenance: dict[str, Any] = Field(default_factory=dict)
    error: dict[str, str] | None = None


def utc_now() -> str:
    """The time now, UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_log(folder: Path) -> list[LogLine]:
    """The lines of a session's log, oldest first; a half-written last line is left out.

    Raises:
        InputFileError: a line that is no log line, a sequence that goes backwards, a log of a newer version, or one
            that cannot be read.
    """
    path = folder / LOG_NAME
    if not path.exists():
        return []
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    whole = raw[: raw.rfind(b"\n") + 1]  # what follows the last newline was cut off by a crash
    form = form_of(whole.partition(b"\n")[0])
    if form is not None:
        check_form(form, str(path))
    lines: list[LogLine] = []
    for number, text in enumerate(io.BytesIO(whole), start=1):
        if number == 1 and form is not None:
            continue
        line = _parse(text.removesuffix(b"\n"), path, number, form or 1)
        if lines and line.seq <= lines[-1].seq:
            raise InputFileError(
                f"log line {number} of {path} has sequence number {line.seq} after {lines[-1].seq}",
                "The log was edited or its lines were moved; restore it from a copy.",
            )
        lines.append(line)
    return lines


def unreadable(path: Path, error: OSError) -> InputFileError:
    """The error on a file of a session that is there and cannot be read."""
    return InputFileError(
        f"{path} cannot be read ({error.strerror or error})",
        "Give yourself leave to read it, or restore it from a copy.",
    )


def _parse(text: bytes, path: Path, number: int, form: int) -> LogLine:
    try:
        raw = json.loads(text.decode("utf-8", "surrogatepass"), parse_constant=refuse_constant, parse_float=_finite)
        return LogLine.model_validate(to_this_version(raw, form) if isinstance(raw, dict) else raw)
    except (ValueError, ValidationError, RecursionError) as error:
        reason = str(error).split("\n")[0]
        raise InputFileError(
            f"line {number} of {path} is not a log line ({reason})",
            "Restore the line from a copy, or delete it and everything after it.",
        ) from error


def refuse_constant(constant: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python's JSON takes and nothing else does."""
    raise ValueError(f"{constant} is no JSON")


def _finite(text: str) -> float:
    found = float(text)
    if math.isinf(found):
        raise ValueError(f"{text:.40} is beyond every number")
    return found


def cut_torn_line(folder: Path) -> bytes:
    """Cut a half-written last line off the log and return it (empty when the log is whole)."""
    path = folder / LOG_NAME
    if not path.exists():
        return b""
    raw = path.read_bytes()
    end = raw.rfind(b"\n") + 1
    torn = raw[end:]
    if torn:
        with path.open("r+b") as file:
            file.truncate(end)
    return torn
