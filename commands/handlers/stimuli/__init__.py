"""Carries out `stimuli.*`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from commands.handlers.stimuli.drafting import draft
from commands.handlers.stimuli.sets import (
    CATEGORIES,
    KNOWN_WORDS,
    check_lengths,
    check_name,
    free_name,
    kept,
    measured,
    page,
)
from commands.stimuli import StimuliCheck, StimuliEdit, StimuliImport, StimuliList, StimuliNew, StimuliShow
from workbench.errors import UnknownNameError, UsageError
from workbench.lab import Lab
from workbench.stimuli import edits
from workbench.stimuli.importers import import_set
from workbench.stimuli.leveling import LEVEL, Exchange, exchanged, exchanges, side_auc
from workbench.stimuli.pairs import find_pairs
from workbench.stimuli.sets import StimulusSet, find_set, shipped_names, shipped_set
from workbench.verbs import Outcome

__all__ = ["check", "draft", "edit", "import_", "list_", "new", "show"]

_UPLOADED = re.compile(r"^[0-9a-f]{12}-")


def import_(command: StimuliImport, lab: Lab) -> Outcome:
    """Read the file, check every sentence against the loaded model's context, keep the set."""
    path = lab.record.path / command.file
    name = command.to or _UPLOADED.sub("", Path(command.file).stem)
    check_name(name, "Give --to NAME (letters, digits, '.', '_', '-').")
    shown = _UPLOADED.sub("", path.name)
    read = import_set(path, name, command.positive, shown, command.factor)
    check_lengths(read.set, shown, lab)
    return kept(read.set, lab, list(read.notices))


def new(command: StimuliNew, lab: Lab) -> Outcome:
    """A set from typed sentences."""
    name = command.name
    free_name(name, lab)
    made = edits.new_set(name, command.category or CATEGORIES, (command.first, command.second), command.positive)
    made = replace(made, description=command.description)
    check_lengths(made, name, lab)
    empty = [category for category, count in made.counts.items() if not count]
    told = (
        f"no sentence yet in {', '.join(map(repr, empty))}: `workbench stimuli edit {name} --category NAME --add TEXT`"
    )
    return kept(made, lab, [told] if empty else find_pairs(made).words(name))


def edit(command: StimuliEdit, lab: Lab) -> Outcome:
    """The set after the changes, each made on what the one before left."""
    before = find_set(command.set, lab)
    after = _edited(before, command)
    swaps: list[Exchange] = []
    if command.level:
        measures, _ = measured(after, lab)
        values = {measure.name: measure.values for measure in measures}
        if command.level not in values:
            raise UnknownNameError.among("measure", command.level, values)
        swaps = exchanges(after, values[command.level], after.positive or after.names[0])
        if not swaps:
            raise _not_leveled(after, values[command.level], command.level)
        after = exchanged(after, swaps)
    if after == before:
        raise UsageError(f"nothing of {before.name!r} would change", "See `workbench stimuli edit --help`.")
    fresh = {one.text for one in after.stimuli} - {one.text for one in before.stimuli}
    check_lengths(replace(after, stimuli=tuple(one for one in after.stimuli if one.text in fresh)), after.name, lab)
    warnings = find_pairs(after).words(after.name) if after.stimuli != before.stimuli else []
    if before.name in shipped_names() and before.name not in lab.state.under("stimuli"):
        warnings.append(f"this session now has its own version of the shipped set {before.name!r}")
    found = kept(after, lab, warnings)
    moved = [{"out": [one.text for one in swap.out], "into": [one.text for one in swap.into]} for swap in swaps]
    return replace(found, result={**found.result, "swaps": moved})


def _not_leveled(found: StimulusSet, values: Sequence[float], measure: str) -> UsageError:
    """Why no exchange levels a measure: it is level as it is, or no excluded sentence would help."""
    auc = side_auc(found, values, found.positive or found.names[0])
    if auc is not None and abs(auc - 0.5) < LEVEL:
        return UsageError(
            f"no exchange: {measure} is level already in {found.name!r} (AUC {auc:.2f})",
            f"`workbench stimuli check {found.name}` shows the other measures.",
        )
    return UsageError(
        f"no exchange with an excluded sentence levels {measure} in {found.name!r}",
        f"Add sentences with another number of {measure} and exclude them, then repeat.",
    )


def _edited(found: StimulusSet, command: StimuliEdit) -> StimulusSet:
    """The changes in the order of the fields: sentences, their columns, then what the set says of itself."""
    found = _with_columns(_with_sentences(found, command), command)
    if command.positive:
        found = edits.with_positive(found, command.positive)
    if command.pairs:
        found = edits.with_pairs(found, command.pairs)
    if command.description:
        found = replace(found, description=command.description)
    return edits.with_steering(found, command.prompt, command.raises, command.lowers)


def _with_sentences(found: StimulusSet, command: StimuliEdit) -> StimulusSet:
    """Sentences added, taken out, rewritten, left out of the analyses or let in again."""
    if command.add or command.category:
        found = edits.with_sentences(found, command.category, command.add)
    if command.remove:
        found = edits.without(found, command.remove)
    if command.replace and not command.text:
        hint = f"Give --text NEW, or take the sentence out: --remove {shlex.quote(command.replace)}."
        raise UsageError("--replace SENTENCE needs a --text that is not empty", hint)
    if command.text and not command.replace:
        raise UsageError("--text is what --replace SENTENCE becomes", "Name that sentence; --add TEXT adds one.")
    if command.replace:
        found = edits.with_text(found, command.replace, command.text)
    found = edits.with_inclusion(found, command.exclude, False)
    return edits.with_inclusion(found, command.include, True)


def _with_columns(found: StimulusSet, command: StimuliEdit) -> StimulusSet:
    """Columns of the sentences named by `of`, set or cleared."""
    columns = {column: getattr(command, column) for column in ("id", "item", "fold", "target")}
    given = {column: value for column, value in columns.items() if value or column == command.clear}
    if bool(given) != bool(command.of):
        raise UsageError("--of SENTENCE goes with --id, --item, --fold, --target or --clear", "Give both.")
    for column, value in given.items():
        found = edits.with_column(found, command.of, column, value)
    return found


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
    return Outcome({**page(found, query.offset, query.limit), "digest": found.digest})


def check(query: StimuliCheck, lab: Lab) -> Outcome:
    """Measure the design; no model is run."""
    from workbench.stimuli.check import check_design

    found = find_set(query.set, lab)
    if query.positive and query.positive not in found.counts:
        raise UnknownNameError.among(f"category of {found.name!r}", query.positive, found.counts)
    measures, sources = measured(found, lab, query.corpus)
    features = int((lab.entry("sae") or {}).get("width", 0)) if lab.has_session else 0
    body = check_design(found, measures, positive=query.positive, features=features, seed=query.seed)
    known = sources["known_words"]
    if known is not None and known < KNOWN_WORDS:
        body["warnings"].append(
            f"only {known:.0%} of the words stand in the corpus {sources['frequency']!r}: a model of that corpus "
            "cannot read these sentences, and word frequency is not measured"
        )
    return Outcome({**body, "sources": sources})
