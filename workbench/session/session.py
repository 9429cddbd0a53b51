"""The one writer of a session folder: a result is stored before it is announced."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workbench import __version__
from workbench.digests import canonical_json, folder_digest, value_digest
from workbench.errors import InputFileError, StorageError, UsageError, WorkbenchError, storage_error
from workbench.files import append_line, sync_folder, write_atomic
from workbench.saes import verdict
from workbench.session.layout import ARTIFACTS, INPUTS, LOG_NAME, LOST, NOTES_NAME, RESULT_NAME, VIEW_NAME
from workbench.session.lock import SessionLock
from workbench.session.log import LogLine, cut_torn_line, utc_now
from workbench.session.migrations import bring_up_to_date
from workbench.session.record import SessionRecord
from workbench.session.state import fold
from workbench.verbs import Command, Outcome, Upload

_PROVEN = ("ref", "digest", "revision", "corpus", "tokens")
"""What a log line repeats of the state entries that its command read."""


@dataclass
class Pending:
    """A command that was accepted and is being carried out; its artifact grows in `staging`."""

    command: Command
    seq: int
    key: str
    staging: Path
    started: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True)
class Reply:
    """What a front end gets for a command: the log line and the stored result."""

    line: LogLine
    result: dict[str, Any]
    warnings: list[str]


def stage_outcome(staging: Path, outcome: Outcome, uses: list[int]) -> dict[str, Any]:
    """Write `result.json` into the staging folder and return what the log line needs of the outcome.

    Raises:
        WorkbenchError: the result holds NaN or another value that JSON cannot say.
        StorageError: the disk is full or the folder cannot be written.
    """
    body = {
        "result": outcome.result,
        "figures": [figure.model_dump(mode="json") for figure in outcome.figures],
        "warnings": outcome.warnings,
    }
    try:
        text = json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise WorkbenchError(f"the result cannot be stored ({error})", "This is a fault of the verb.") from error
    write_atomic(staging / RESULT_NAME, text + "\n")
    return {
        "sets": outcome.sets,
        "withdraws": outcome.withdraws,
        "warnings": outcome.warnings,
        "provenance": outcome.provenance,
        "uses": sorted(uses),
    }


class Session(SessionRecord):
    """A session open for writing; holds the lock until closed.

    Attributes:
        torn: the half-written line that a crash left at the end of the log, now cut off; empty mostly.

    Raises:
        SessionLockedError: another process writes this session.
        StorageError: the folder cannot be written.
        InputFileError: the folder is no session, or damaged.
    """

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(path)
        self._lock = SessionLock(path, holder)
        try:
            self.torn = cut_torn_line(path)
            bring_up_to_date(path)
            super().__init__(path)  # read again: the log may have grown before the lock was ours
            self._drop_leftovers()
        except BaseException:
            self._lock.close()
            raise

    def _drop_leftovers(self) -> None:
        """Clear artifacts without a log line away: half ones go, whole ones go to `lost`.

        A crash leaves one that was never announced; a log that lost its end leaves results that somebody may want back.
        """
        known = {line.artifact for line in self.lines}
        folder = self.path / ARTIFACTS
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name.startswith(".") or f"{ARTIFACTS}/{path.name}" not in known:
                if not path.name.startswith(".") and (path / RESULT_NAME).is_file():
                    self._set_aside(path)
                shutil.rmtree(path, ignore_errors=True)

    def _set_aside(self, artifact: Path) -> None:
        target = self.path / LOST / artifact.name
        with contextlib.suppress(OSError):  # a disk that cannot be written says so at the next command
            target.parent.mkdir(exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            artifact.rename(target)

    def begin(self, command: Command, *, fresh: bool = False) -> Pending | Reply:
        """Accept a command: either the stored reply of an equal one, or a place to carry it out.

        Raises:
            StorageError: the folder cannot be written.
        """
        key = self.key_of(command)
        if command.reuse and not fresh and (found := self._stored(key)) is not None:
            return self._repeat(command, *found)
        seq = self._next_seq()
        staging = self.path / ARTIFACTS / f".{seq:04d}-{command.dotted.replace('.', '-')}.tmp"
        try:
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(parents=True)
        except OSError as error:
            raise storage_error(self.path, error) from error
        return Pending(command, seq, key, staging)

    def key_of(self, command: Command) -> str:
        """What a result depends on: the command, its revision, and the state entries it reads."""
        return value_digest(
            {
                "do": command.dotted,
                "params": command.params(),
                "revision": command.result_revision,
                "reads": self.state.digest_of(command.reads),
            }
        )

    def _stored(self, key: str) -> tuple[LogLine, dict[str, Any]] | None:
        for line in reversed(self.lines):
            usable = line.outcome == "ok" and line.seq not in self.state.withdrawn | self.state.stale
            if usable and line.key == key and line.artifact:
                try:
                    return line, self.artifact(line)
                except InputFileError:
                    continue  # gone or damaged: it is computed again, which mends it
        return None

    def _repeat(self, command: Command, same: LogLine, stored: dict[str, Any]) -> Reply:
        line = same.model_copy(
            update={
                "seq": self._next_seq(),
                "utc": utc_now(),
                "params": command.params(),
                "reused": same.reused or same.seq,
                "seconds": 0.0,
                "provenance": {**same.provenance, **self._gate(command)},  # the SAE may have been checked since
            }
        )
        self._append(line)
        return Reply(line, stored["result"], stored["warnings"])

    def commit(self, pending: Pending, header: dict[str, Any]) -> Reply:
        """Store the staged artifact, append the log line, and give back the reply.

        The line gets its number now: a note written while a long command ran comes before it in the log.

        Raises:
            StorageError: the disk is full or the folder cannot be written; the log is as it was.
        """
        digest = folder_digest(pending.staging)
        seq = self._next_seq()
        target = self.path / ARTIFACTS / f"{seq:04d}-{pending.command.dotted.replace('.', '-')}"
        try:
            shutil.rmtree(target, ignore_errors=True)
            pending.staging.rename(target)
            sync_folder(target.parent)
        except OSError as error:
            raise storage_error(target, error) from error
        line = LogLine(
            seq=seq,
            utc=utc_now(),
            do=pending.command.dotted,
            params=pending.command.params(),
            digest=digest,
            artifact=f"{ARTIFACTS}/{target.name}",
            seconds=round(time.perf_counter() - pending.started, 3),
            key=pending.key,
            sets=header["sets"],
            uses=header["uses"],
            withdraws=header["withdraws"],
            warnings=header["warnings"],
            provenance={**self._provenance(pending.command, header["sets"]), **header["provenance"]},
        )
        try:
            self._append(line)
        except StorageError:
            shutil.rmtree(target, ignore_errors=True)  # never announced, and its space may be wanted
            raise
        return Reply(line, self.artifact(line)["result"], header["warnings"])

    def _provenance(self, command: Command, sets: Mapping[str, Any]) -> dict[str, Any]:
        """What the numbers rest on: the session's, or what the command itself chose instead."""
        record: dict[str, Any] = {"version": __version__, "command_revision": command.result_revision}
        for name in ("model", "sae", "index"):
            value = sets.get(name, self.state.get(name))
            if isinstance(value, dict) and name in command.reads:
                record[name] = {key: value[key] for key in _PROVEN if key in value}
        record |= self._gate(command, sets)
        if (seed := command.params().get("seed")) is not None:
            record["seed"] = seed
        return record

    def _gate(self, command: Command, sets: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The sanity gate's verdict on the features that a command rests on."""
        if not command.rests_on_features:
            return {}
        space = (sets or {}).get("sae") or self.state.get("sae") or {}
        found = verdict.short(verdict.of_space(self.state, space.get("name")))
        return {} if found is None else {"gate": found}

    def adopt(self, line: LogLine, source: Path | None) -> None:
        """Take over a line from another session's log, with a copy of its artifact folder `source`.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        if source is not None and line.artifact and not self.artifact_path(line).exists():
            try:
                shutil.copytree(source, self.artifact_path(line))
            except OSError as error:
                raise storage_error(self.path, error) from error
        self._append(line)

    def discard(self, pending: Pending) -> None:
        """Forget a command that was refused: no trace stays."""
        shutil.rmtree(pending.staging, ignore_errors=True)

    def fail(self, pending: Pending, error: WorkbenchError) -> None:
        """Record that the work failed; a refused request leaves no trace, since nothing was done."""
        self.discard(pending)
        if isinstance(error, UsageError):
            self._drop_inputs(pending.command)
            return
        self._append(
            LogLine(
                seq=self._next_seq(),
                utc=utc_now(),
                do=pending.command.dotted,
                params=pending.command.params(),
                outcome="error",
                seconds=round(time.perf_counter() - pending.started, 3),
                error=error.as_dict(),
            )
        )

    def _drop_inputs(self, command: Command) -> None:
        """Remove the files that came with a refused request, unless another line names them."""
        named = {value for line in self.lines for value in line.params.values() if isinstance(value, str)}
        for name, field_info in type(command).model_fields.items():
            value = str(getattr(command, name))
            if any(isinstance(item, Upload) for item in field_info.metadata) and value not in named:
                with contextlib.suppress(OSError):  # a disk that cannot be written is the error reported already
                    (self.path / INPUTS / Path(value).name).unlink(missing_ok=True)
                    (self.path / INPUTS).rmdir()  # refuses while it holds other files

    def do(self, command: Command, run: Callable[[Pending], dict[str, Any]], *, fresh: bool = False) -> Reply:
        """Carry out one command in this thread; `run` fills the staging folder and returns the header."""
        pending = self.begin(command, fresh=fresh)
        if isinstance(pending, Reply):
            return pending
        try:
            header = run(pending)
            return self.commit(pending, header)
        except WorkbenchError as error:
            self.fail(pending, error)
            raise
        except BaseException:
            self.discard(pending)
            raise

    def save_view(self, view: dict[str, Any]) -> None:
        """Remember where the investigator is."""
        write_atomic(self.path / VIEW_NAME, canonical_json(view) + "\n")

    def save_notes(self, text: str) -> None:
        """Replace the investigator's notes."""
        write_atomic(self.path / NOTES_NAME, text)

    def _next_seq(self) -> int:
        return self.lines[-1].seq + 1 if self.lines else 1

    def _append(self, line: LogLine) -> None:
        text = json.dumps(line.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False, allow_nan=False)
        append_line(self.path / LOG_NAME, text)
        self.lines.append(line)
        self.state = fold(self.lines)

    def close(self) -> None:
        """Let go of the lock."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
