"""Carries out `replay`: every command again in a session of its own, compared with the record."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

from commands.handlers import handler_of
from commands.handlers.log_text import text_of
from commands.handlers.replay.corpora import Corpora
from commands.handlers.replay.places import MODEL, SAE, SHIPPED, SOURCE, Places, Recorded
from commands.handlers.revisions import revisions
from commands.line import from_params
from commands.registry import VERBS, lookup
from commands.report import Replay
from workbench.digests import folder_digest
from workbench.errors import Cancelled, InputFileError, ReplayDiffers, StorageError, UsageError, WorkbenchError
from workbench.lab import Lab, Progress
from workbench.run import carry_out
from workbench.session import Pending, Session, SessionRecord, catalog
from workbench.session.layout import INPUTS
from workbench.session.log import LogLine
from workbench.session.replay import Difference, compare, compare_arrays, told
from workbench.verbs import Command, Outcome

COMMANDS_TOLD = 4
FIELDS_TOLD = 3
LINES_TOLD = 5
"""What the error of a failed check shows: it is read in the app's notice too."""
_HERE = {MODEL: "FOLDER", SAE: "FOLDER", SOURCE: "HERE"}
"""What a hint asks for."""
FAILED = "outcome"
"""The field of a line that was carried out once and fails now: no number differs, there is none."""


def replay(query: Replay, lab: Lab) -> Outcome:
    """Recompute in a scratch folder with an empty cache, so that nothing stored can leak in."""
    record = lab.record if not query.target else SessionRecord(catalog.find(query.target, lab.sessions))
    if not record.lines:
        raise UsageError(f"session {record.name!r} has nothing to replay", "Run a command first.")
    with tempfile.TemporaryDirectory(prefix="workbench-replay-") as scratch:
        home = Path(scratch) / "home"
        places = Places(record, query.at, lab, home)
        folder = catalog.create(record.name, Path(scratch) / "sessions")
        if (record.path / INPUTS).is_dir():
            shutil.copytree(record.path / INPUTS, folder / INPUTS)
        with Session(folder, "replay") as again, lab.models.elsewhere(places.models, places.saes):
            found = _replay_all(record, again, home, query, lab, places)
    if query.check and found["differences"]:
        raise ReplayDiffers(_told(record.name, found), _mend(found))
    return Outcome(found)


def _told(name: str, found: dict[str, Any]) -> str:
    """What differs: the commands, and the first fields of each with both values; and what could not be computed."""
    by_line: dict[int, list[dict[str, Any]]] = {}
    by_reason: dict[str, list[int]] = {}
    for item in found["differences"]:
        if item["field"] == FAILED:
            by_reason.setdefault(item["recomputed"].removeprefix("error: "), []).append(item["seq"])
        else:
            by_line.setdefault(item["seq"], []).append(item)
    lines = []
    if by_line:
        count = sum(map(len, by_line.values()))
        lines.append(f"{count} recorded numbers of {name!r} differ, in {len(by_line)} of {found['total']} commands")
    for seq, items in list(by_line.items())[:COMMANDS_TOLD]:
        lines.append(f"  line {seq} :{items[0]['line']}: {len(items)}")
        lines += [
            f"    {item['field'].removeprefix('result.')}: {told(item['recorded'], item['recomputed'])}"
            for item in items[:FIELDS_TOLD]
        ]
    if by_reason:
        failed = sum(map(len, by_reason.values()))
        lines.append(f"{failed} of {found['total']} commands of {name!r} could not be computed again here")
    for reason, failing in list(by_reason.items())[:COMMANDS_TOLD]:
        lines.append(f"  {_lines(failing)}: {reason}")
    lines += [f"  the {one['what']} {one['recorded']} was read from {one['here']}" for one in found["elsewhere"]]
    return "\n".join(lines)


def _lines(numbers: list[int]) -> str:
    shown, more = numbers[:LINES_TOLD], len(numbers) - LINES_TOLD
    return f"line{'s' * (len(numbers) > 1)} {', '.join(map(str, shown))}{f' and {more} more' if more > 0 else ''}"


def _mend(found: dict[str, Any]) -> str:
    only_failed = all(item["field"] == FAILED for item in found["differences"])
    if found["missing"]:
        refs = " ".join(f"--at {shlex.quote(one['recorded'])}={_HERE[one['what']]}" for one in found["missing"])
        nothing = "Nothing else differs. " if only_failed else ""
        return (
            f"{nothing}Say where the same files lie here: `workbench replay {found['session']} --check {refs}` (for a "
            "folder a link will do at its place); what was recorded can be read without them."
        )
    if only_failed:
        return (
            "Nothing else differs. Bring what is missing to where the log names it (for a folder a link will do), and "
            "repeat; what was recorded can be read without it."
        )
    return "Run `workbench replay` without --check to see all."


def _missing(places: Places, differences: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is not on this machine, where a line failed or differs for want of it; what a line trains is not missed."""
    failed = [item["recomputed"] for item in differences if item["field"] == FAILED]
    wanted = {one: line for one, line in places.missing.items() if _is_wanted(one, line, failed)}
    other = {item["seq"] for item in differences if item["field"] == "result.digest"}
    if not any(line.seq in other or any(one.ref in text for text in failed) for one, line in wanted.items()):
        return []
    return [
        {"seq": line.seq, "what": one.kind, "recorded": one.ref, "digest": one.digest} for one, line in wanted.items()
    ]


def _is_wanted(one: Recorded, line: LogLine, failed: list[str]) -> bool:
    if one.kind == SOURCE:  # an imported corpus is found by its content as well, without the files it came from
        return any(one.ref in text for text in failed)
    return one.ref not in SHIPPED and (one.kind != SAE or line.do != "sae.train")


def _replay_all(
    record: SessionRecord, again: Session, home: Path, query: Replay, lab: Lab, places: Places
) -> dict[str, Any]:
    recorded: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    recomputed = 0
    corpora = Corpora(record, lab.home, home)
    lines = [line for line in record.lines if line.outcome == "ok"]
    for line in record.lines:
        tell = _teller(line, record.lines[-1].seq, lab)
        tell(0, 0, "replaying")
        reason, found = _why_not(line, query), []
        places.settle(line)
        if not reason:
            try:
                corpora.lend(line, [item["seq"] for item in recorded])
                found = _recompute(record, again, line, home, lab, tell, places)
                recomputed += 1
            except (Cancelled, StorageError):  # of the whole, not of this line
                raise
            except WorkbenchError as error:
                reason = corpora.stands_in(line)
                if not reason:
                    reason, found = _of_failure(line, error, record, [item["seq"] for item in recorded], again.path)
        if not again.lines or again.lines[-1].seq < line.seq:
            _adopt(record, again, line)
        if reason and line.outcome == "ok":
            recorded.append({"seq": line.seq, "do": line.do, "reason": reason})
        head = {"seq": line.seq, "line": text_of(line)}
        differences += [
            {**head, "field": one.field, "recorded": one.recorded, "recomputed": one.recomputed} for one in found
        ]
    return {
        "session": record.name,
        "total": len(lines),
        "recomputed": recomputed,
        "recorded": recorded,
        "differences": differences[:200],
        "elsewhere": places.used,
        "missing": _missing(places, differences),
        "equal": not differences,
    }


def _teller(line: LogLine, last: int, lab: Lab) -> Progress:
    """Progress of a line's own work, told as that of the whole: which line it is, and what is done for it."""

    def tell(_done: int, _total: int, text: str) -> None:
        lab.tick(line.seq - 1, last, f"line {line.seq} of {last} {line.do}: {text}")

    return tell


def _adopt(record: SessionRecord, again: Session, line: LogLine) -> None:
    """Take a line over as it was recorded, so that later ones find what they read."""
    try:
        source = record.artifact_path(line) if line.artifact else None
    except InputFileError:
        source = None  # said by the lines that read it
    again.adopt(line, source if source is not None and source.is_dir() else None)


def _of_failure(
    line: LogLine, error: WorkbenchError, record: SessionRecord, taken: list[int], scratch: Path
) -> tuple[str, list[Difference]]:
    """What a line that cannot be computed again is: taken from the record where it lacks what such a line made.

    A line over the limit leaves nothing in the empty cache. An error that is no refusal is a difference all the same.
    """
    basis = _basis(line, record, taken)
    if basis is None or not isinstance(error, UsageError):
        told = error.message.replace(str(scratch), str(record.path))  # the copy is gone when this is read
        return "", [Difference(FAILED, "ok", f"error: {told}")]
    return f"it rests on line {basis.seq} ({basis.do}), which is from the record: {error.message}", []


def _basis(line: LogLine, record: SessionRecord, taken: list[int]) -> LogLine | None:
    """A line from the record that a line rests on: the latest of those that it reads itself, or of those behind them.

    A line may also rest on another by the name of a corpus.
    """
    by_seq = {one.seq: one for one in record.lines}
    waiting, seen = [line], {line.seq}
    direct = set(line.uses) & set(taken)
    while waiting:
        one = waiting.pop()
        corpus = f"corpora/{one.params.get('corpus', '')}"
        named = [seq for seq in taken if seq < one.seq and corpus in by_seq[seq].sets]
        for seq in {*one.uses, *named} & by_seq.keys() - seen:
            seen.add(seq)
            waiting.append(by_seq[seq])
    found = direct & by_seq.keys() or seen & set(taken)
    return by_seq[max(found)] if found else None


def _why_not(line: LogLine, query: Replay) -> str:
    """Why a line is taken from the record, or nothing where it is computed again."""
    if line.outcome != "ok":
        return "it failed"
    if line.reused is not None:
        return f"it repeats line {line.reused}"
    if line.do not in VERBS:
        return "this version has no such command"
    then, now = revisions(line)
    if then != now:
        found = f"its numbers changed on purpose since (revision {then} of the command then, {now} now)"
        return f"{found}; run it again in the session for those of now" if then < now else found
    if "language_model" in line.provenance:
        return "a language model answered it"
    if line.seconds > query.max_seconds:
        return f"it took {line.seconds:.0f} s, the limit is {query.max_seconds:.0f} s (--max-seconds)"
    return ""


def _recompute(
    record: SessionRecord, again: Session, line: LogLine, home: Path, lab: Lab, tell: Progress, places: Places
) -> list[Difference]:
    verb = from_params(lookup(line.do), line.params)
    if not isinstance(verb, Command):
        return [Difference(line.do, "a command", "a query of this version")]

    if line.seq != (again.lines[-1].seq + 1 if again.lines else 1):
        return [Difference("sequence", line.seq, len(again.lines) + 1)]
    was = record.artifact(line)["result"]
    pending = again.begin(verb, fresh=True)
    if not isinstance(pending, Pending):
        return [Difference(line.do, "computed again", "a stored reply")]
    try:
        own = Lab(again, sessions=again.path.parent, staging=pending.staging, models=lab.models, progress=tell)
        own.home = home
        own.sources = places.sources
        reply = again.commit(pending, carry_out(verb, own, handler_of))
    except BaseException:
        again.discard(pending)  # no line of an error: the recorded one takes its place, so that numbers stay
        raise
    found = list(compare(was, reply.result, verb.tolerance))
    folders = record.artifact_path(line), again.artifact_path(reply.line)
    return found + list(compare_arrays(*folders, verb.loose_arrays)) + _lost(line, *folders)


def _lost(line: LogLine, recorded: Path, recomputed: Path) -> list[Difference]:
    """Files that the command stores and the record has no more; where its digest is right it never had them."""
    gone = sorted({path.name for path in recomputed.iterdir()} - {path.name for path in recorded.iterdir()})
    if not gone or not line.digest or folder_digest(recorded) == line.digest:
        return []
    return [Difference(f"{line.artifact}/{name}", "missing", "present") for name in gone]
