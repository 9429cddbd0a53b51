"""Carries out `stimuli.*`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from commands.stimuli import StimuliImport, StimuliList, StimuliShow
from workbench.errors import InputFileError, UsageError
from workbench.lab import Lab
from workbench.stimuli.importers import import_set
from workbench.stimuli.pairs import find_pairs
from workbench.stimuli.sets import StimulusSet, find_set, shipped_names, shipped_set
from workbench.verbs import Outcome

_UPLOADED = re.compile(r"^[0-9a-f]{12}-")


def import_(command: StimuliImport, lab: Lab) -> Outcome:
    """Read the file, check every sentence against the loaded model's context, keep the set."""
    path = lab.record.path / command.file
    name = command.to or _UPLOADED.sub("", Path(command.file).stem)
    if not re.fullmatch(r"[\w.-]{1,64}", name):
        raise UsageError(f"{name!r} cannot name a stimulus set", "Give --to NAME (letters, digits, '.', '_', '-').")
    shown = _UPLOADED.sub("", path.name)
    read = import_set(path, name, command.positive, shown, command.factor)
    _check_lengths(read.set, shown, lab)
    return _kept(read.set, lab, list(read.notices))


def _kept(found: StimulusSet, lab: Lab, warnings: list[str]) -> Outcome:
    """Store a set, or its new version, in the session."""
    lab.save_json("set", found.as_dict())
    body = {**_page(found, 0, 20), "digest": found.digest, "pairs": find_pairs(found).as_dict()}
    return Outcome(body, sets={f"stimuli/{found.name}": found.entry()}, warnings=warnings)


def _check_lengths(found: StimulusSet, file: str, lab: Lab) -> None:
    if lab.state.get("model") is None:
        return
    model = lab.model
    for category, text in found.rows:
        try:
            model.tokenize(text)
        except UsageError as error:
            raise InputFileError(f"in category {category!r} of {file}: {error.message}", error.hint) from error


def list_(_query: StimuliList, lab: Lab) -> Outcome:
    """This session's sets, then the shipped ones that no own set hides."""
    own = lab.state.under("stimuli") if lab.has_session else {}
    rows: list[dict[str, Any]] = [{**entry.value, "origin": "session", "stale": entry.stale} for entry in own.values()]
    rows += [
        {**shipped_set(name).entry(), "origin": "shipped", "stale": False}
        for name in shipped_names()
        if name not in own
    ]
    return Outcome({"sets": rows})


def show(query: StimuliShow, lab: Lab) -> Outcome:
    """A page of sentences."""
    found = find_set(query.set, lab)
    return Outcome({**_page(found, query.offset, query.limit), "digest": found.digest})


def _page(found: StimulusSet, offset: int, limit: int) -> dict[str, Any]:
    rows = found.everything
    return {
        "name": found.name,
        "description": found.description,
        "positive": found.positive,
        "categories": found.counts,
        "factors": found.factors,
        "rows": [
            {"category": one.category, "text": one.text, **one.columns()} for one in rows[offset : offset + limit]
        ],
        "offset": offset,
        "total": len(rows),
        "steering": found.steering.as_dict() if found.steering.prompts else None,
    }
