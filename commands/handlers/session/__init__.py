"""Carries out `session.*`."""

from __future__ import annotations

from typing import Any

from commands.clusters import MADE_BY
from commands.handlers.features.stored_rankings import ranking_header, ranking_lines
from commands.handlers.log_text import text_of
from commands.handlers.revisions import older
from commands.handlers.session.comparing import compare
from commands.handlers.session.files import export, import_
from commands.line import from_params
from commands.registry import lookup
from commands.session import (
    SessionFork,
    SessionList,
    SessionNew,
    SessionNote,
    SessionResult,
    SessionShow,
    SessionUndo,
)
from workbench.errors import InputFileError, UsageError, WorkbenchError
from workbench.files import write_atomic
from workbench.lab import Lab
from workbench.labels.named import label_entries
from workbench.saes import verdict
from workbench.session import SessionRecord, catalog
from workbench.session.layout import NOTES_NAME, RESULT_NAME
from workbench.session.log import LogLine
from workbench.session.state import State, fold
from workbench.verbs import Outcome

__all__ = ["compare", "export", "fork", "import_", "list_", "new", "note", "result", "show", "undo"]


def new(command: SessionNew, lab: Lab) -> Outcome:
    """Make the folder; the session starts with an empty log."""
    path = catalog.create(command.name, lab.sessions, command.title)
    return Outcome({"session": path.name, "folder": str(path)})


def list_(_query: SessionList, lab: Lab) -> Outcome:
    """All sessions of the folder and the shipped examples, the last changed first."""
    rows = []
    for name in catalog.names(lab.sessions):
        try:
            rows.append(_row(SessionRecord(catalog.find(name, lab.sessions))))
        except WorkbenchError as error:
            rows.append(_unread(name, error.message))
        except (
            AttributeError,
            TypeError,
            KeyError,
        ) as error:  # a log whose lines are in order and whose values are not
            rows.append(_unread(name, f"its log holds what no command sets ({error})"))
    rows.sort(key=lambda row: (row["changed"], row["name"]), reverse=True)
    return Outcome({"folder": str(lab.sessions), "sessions": rows})


def _unread(name: str, reason: str) -> dict[str, Any]:
    """A session that cannot be read does not hide the others."""
    empty = dict.fromkeys(("created", "changed", "model", "sae", "forked_from"), "")
    return {"name": name, "title": f"cannot be read: {reason}", "commands": 0, "example": False, **empty}


def _row(record: SessionRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "title": record.title,
        "created": record.created,
        "changed": _changed(record),
        "commands": len(record.lines),
        "model": (record.state.get("model") or {}).get("name", ""),
        "sae": (record.state.get("sae") or {}).get("name", ""),
        "example": record.is_example,
        "forked_from": str(record.meta.get("forked_from", "")),
        **({"opened": record.opened_from} if record.opened_from else {}),
    }


def _changed(record: SessionRecord) -> str:
    """When the session last got a line; a fork was changed when it was made, whatever its lines' age."""
    return max([record.created, *(line.utc for line in record.lines[-1:])])


QUANTA = ("losses", "samples", "similarity", "clusters")
"""Steps of quanta, in their order."""


def show(query: SessionShow, lab: Lab) -> Outcome:
    """Everything a front end needs to draw a session."""
    record, state = lab.record, lab.state
    stimuli = {
        name: {
            "categories": entry.value["categories"],
            "positive": entry.value["positive"],
            "stale": entry.stale,
        }
        for name, entry in state.under("stimuli").items()
    }
    damage: list[str] = []
    headers = _headers(lab, damage)
    try:
        notes = record.notes()[-20_000:]
    except InputFileError as error:
        notes = ""
        damage.append(f"{error.message}. {error.hint}")
    clusters = [line.seq for verb in MADE_BY for line in record.done(verb)]
    body = {
        **_row(record),
        "model": state.get("model"),
        "sae": state.get("sae"),
        "index": state.get("index"),
        "gate": verdict.short(verdict.of_features(state)),
        "stimuli": stimuli,
        "labels": len(label_entries(state)),
        "rankings": headers,
        "clusters": max(clusters, default=None),
        "quanta": _quanta(state),
        "steers": [
            {"seq": line.seq, "feature": line.params["feature"], "line": text_of(line)}
            for line in record.done("steer.clamp")[-20:]
        ],
        "log": [_log_row(line, record) for line in record.lines[-query.tail :]] if query.tail else [],
        "notes": notes,
        "view": record.view(),
    }
    return Outcome(body, warnings=damage)


def _headers(lab: Lab, damage: list[str]) -> list[dict[str, Any]]:
    """The latest rankings; one that cannot be read is told in `damage`, and hides none of the others."""
    found = []
    for line in ranking_lines(lab)[-20:]:
        try:
            found.append(ranking_header(lab, line))
        except InputFileError as error:
            damage.append(f"{error.message}. {error.hint}")
        except (LookupError, TypeError, ValueError) as error:
            place = lab.record.artifact_path(line) / RESULT_NAME
            damage.append(f"{place} is no ranking ({type(error).__name__}: {error}). Restore it, or run the line again")
    return found


def _quanta(state: State) -> dict[str, Any]:
    """The steps of quanta that were taken; of the clusters, how many there are."""
    found: dict[str, Any] = {name: True for name in QUANTA if state.get(f"quanta/{name}")}
    if "clusters" in found:
        about: dict[str, Any] = state.get("quanta/clusters") or {}
        found["count"] = int(about.get("clusters", about["n_clusters"]))
    return found


def _log_row(line: LogLine, record: SessionRecord) -> dict[str, Any]:
    changed = older(line)
    return {
        "seq": line.seq,
        "utc": line.utc,
        "do": line.do,
        "line": text_of(line),
        "outcome": line.outcome,
        "seconds": line.seconds,
        "withdrawn": line.seq in record.state.withdrawn,
        "stale": line.seq in record.state.stale,
        "reused": line.reused,
        "artifact": line.artifact,
        "error": line.error,
        "warnings": [*([changed] if changed else []), *line.warnings],
        **({"older": changed} if changed else {}),
    }


def result(query: SessionResult, lab: Lab) -> Outcome:
    """What a log line stored, with what it rests on; nothing is computed."""
    line = lab.record.line(query.line)
    if line.outcome != "ok":
        told = (line.error or {}).get("message", "it failed")
        raise UsageError(f"log line {line.seq} ({line.do}) has no result: {told}", "Run it again.")
    row = _log_row(line, lab.record)
    body = {name: row[name] for name in ("seq", "utc", "do", "line", "seconds", "withdrawn", "stale", "warnings")}
    known = {name: value for name, value in line.provenance.items() if name != "gate"}
    gate = line.provenance.get("gate") if _rests_on_features(line) else None
    return Outcome(
        {**body, "result": lab.stored(line), "provenance": known, "gate": gate},
        provenance={"gate": gate} if gate else {},
    )


def _rests_on_features(line: LogLine) -> bool:
    """Whether the gate belongs to a line's numbers; older versions noted it beside results without features too."""
    try:
        return line.do == "sae.train" or from_params(lookup(line.do), line.params).rests_on_features
    except WorkbenchError:
        return True  # of another version: what it says stands


def note(command: SessionNote, lab: Lab) -> Outcome:
    """Append to notes.md."""
    _add_note(lab.record, command.text)
    return Outcome({"text": command.text})


def _add_note(record: SessionRecord, text: str) -> None:
    before = record.notes()
    gap = "" if not before or before.endswith("\n") else "\n"
    write_atomic(record.path / NOTES_NAME, f"{before}{gap}{text}\n")


def undo(command: SessionUndo, lab: Lab) -> Outcome:
    """Withdraw a line; what used it becomes stale."""
    record = lab.record
    candidates = [line for line in record.lines if line.outcome == "ok" and line.seq not in record.state.withdrawn]
    if command.line is None:
        candidates = [line for line in candidates if line.do != "session.undo"]
        if not candidates:
            raise UsageError("nothing to undo in this session")
        line = candidates[-1]
    else:
        line = record.line(command.line)
        if line not in candidates:
            raise UsageError(f"log line {line.seq} ({line.do}) is not in force", "It failed, or was undone before.")
    if line.do == "session.note":
        _take_back_note(record, str(line.params["text"]))
    for other in (record.line(seq) for seq in line.withdraws):
        if other.do == "session.note":
            _add_note(record, str(other.params["text"]))
    taken_back = LogLine(seq=record.lines[-1].seq + 1, utc="", do=command.dotted, params={}, withdraws=[line.seq])
    stale = sorted(fold([*record.lines, taken_back]).stale - record.state.stale)
    return Outcome({"undone": line.seq, "line": text_of(line), "stale": stale}, withdraws=[line.seq])


def _take_back_note(record: SessionRecord, text: str) -> None:
    """Remove the note's own text from notes.md; one that was edited since stays, and the log keeps what was written."""
    notes, added = record.notes(), f"{text}\n"
    before, found, after = notes.rpartition(added)
    if found and (not before or before.endswith("\n")):
        write_atomic(record.path / NOTES_NAME, before + after)


def fork(command: SessionFork, lab: Lab) -> Outcome:
    """Copy log and artifacts."""
    path = catalog.fork(lab.record, command.name, lab.sessions, command.upto)
    record = SessionRecord(path)
    return Outcome({"session": record.name, "folder": str(path), "commands": len(record.lines)})
