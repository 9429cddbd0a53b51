"""Carries out `session.compare`; `commands/handlers/session/` names it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from commands.handlers.log_text import text_of
from commands.registry import find
from commands.session import SessionCompare
from workbench.errors import UsageError
from workbench.lab import Lab
from workbench.session import SessionRecord, catalog
from workbench.session.comparing import Compared, compared, in_force, paired
from workbench.session.log import LogLine
from workbench.session.replay import Difference, Tolerances
from workbench.verbs import Command, Outcome

MOST = 500
"""Commands of a comparison."""


def compare(query: SessionCompare, lab: Lab) -> Outcome:
    """Pair the commands of both sessions and say how each pair differs."""
    one = SessionRecord(catalog.find(query.first, lab.sessions))
    other = SessionRecord(catalog.find(query.second, lab.sessions)) if query.second else lab.record
    if one.path == other.path:
        raise UsageError(f"{one.name!r} would be compared with itself", "Name two sessions.")
    pairs = list(paired(in_force(one), in_force(other), _subject))
    rows = []
    for number, pair in enumerate(pairs[:MOST]):
        lab.tick(number, len(pairs), "comparing")
        line = pair[0] or pair[1]
        rows.append(_row(compared(pair, one, other, _tolerance(line), query.most)))
    counts = Counter(row["what"] for row in rows)
    return Outcome(
        {
            "first": _header(one),
            "second": _header(other),
            "counts": dict(sorted(counts.items())),
            "same": counts.keys() <= {"same"} and len(pairs) <= MOST,
            "lines": rows,
            "left_out": max(0, len(pairs) - MOST),
        }
    )


def _header(record: SessionRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "title": record.title,
        "commands": len(in_force(record)),
        "model": (record.state.get("model") or {}).get("name", ""),
        "sae": (record.state.get("sae") or {}).get("name", ""),
    }


def _subject(line: LogLine) -> tuple[Any, ...]:
    verb = find(line.do)
    return tuple(line.params.get(name) for name in verb.positional) if verb is not None else ()


def _tolerance(line: LogLine | None) -> Tolerances:
    verb = None if line is None else find(line.do)
    return verb.tolerance if verb is not None and issubclass(verb, Command) else {}


def _row(found: Compared) -> dict[str, Any]:
    first, second = found.first, found.second
    shown = first or second
    return {
        "what": found.what,
        "do": "" if shown is None else shown.do,
        "first": None if first is None else {"seq": first.seq, "line": text_of(first)},
        "second": None if second is None else {"seq": second.seq, "line": text_of(second)},
        "settings": _differences(found.settings),
        "foundations": _differences(found.foundations),
        "numbers": _differences(found.numbers),
        "differing": found.differing,
    }


def _differences(found: list[Difference]) -> list[dict[str, Any]]:
    return [{"field": item.field, "first": item.recorded, "second": item.recomputed} for item in found]
