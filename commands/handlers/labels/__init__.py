"""Carries out `labels.*`."""

from __future__ import annotations

from typing import Any

from commands.handlers.labels.importing import import_
from commands.handlers.labels.listing import compare, show
from commands.handlers.labels.scoring import cost, score
from commands.handlers.labels.suggesting import suggest
from commands.handlers.labels.targets import named
from commands.labels import LabelsAccept, LabelsRate, LabelsReject, LabelsSet
from workbench.errors import UsageError
from workbench.lab import Lab
from workbench.labels.named import INVESTIGATOR, label_entry, own_label
from workbench.verbs import Outcome

__all__ = ["accept", "compare", "cost", "import_", "rate", "reject", "score", "set_", "show", "suggest"]


def set_(command: LabelsSet, lab: Lab) -> Outcome:
    """Keep the investigator's own label."""
    name, number = named(command.of, command.feature, lab)
    text = command.text.strip()
    before = _in_force(name, lab)
    told = {"feature": name, "index": number, "text": text, "before": (before or {}).get("text", "")}
    return Outcome(told, sets=own_label(lab.state, name, text))


def accept(command: LabelsAccept, lab: Lab) -> Outcome:
    """Mark the label in force, or a suggestion, as the investigator's choice; it keeps its source."""
    name, number = named(command.of, command.feature, lab)
    chosen = lab.entry(f"suggestions/{name}/{command.source}") if command.source else _in_force(name, lab)
    if chosen is None:
        whose = f" of {command.source}" if command.source else ""
        raise UsageError(f"{name} has no label{whose} to accept", "Suggest one: `workbench labels suggest`.")
    value = {**chosen, "status": "accepted"}
    told = {"feature": name, "index": number, "text": value["text"]}
    if value["source"] == INVESTIGATOR:
        return Outcome(told, sets=own_label(lab.state, name, str(value["text"])))
    return Outcome(told, sets={**own_label(lab.state, name, ""), f"labels/{name}": value})


def reject(command: LabelsReject, lab: Lab) -> Outcome:
    """Take the label out of force, and remember it as rejected."""
    name, number = named(command.of, command.feature, lab)
    label = _in_force(name, lab)
    if label is None:
        raise UsageError(f"{name} has no label to reject", "See `workbench labels show`.")
    sets = own_label(lab.state, name, "")
    if label["source"] != INVESTIGATOR:
        sets[f"suggestions/{name}/{label['source']}"] = {**label, "status": "rejected"}
    return Outcome({"feature": name, "index": number, "text": label["text"]}, sets=sets)


def rate(command: LabelsRate, lab: Lab) -> Outcome:
    """Keep the investigator's rating, and tell the label that it was given beside."""
    name, number = named(command.of, command.feature, lab)
    before, label = lab.entry(f"ratings/{name}"), _in_force(name, lab)
    value = {"rating": command.rating, "concept": command.concept.strip(), "blind": command.blind}
    told = {"feature": name, "index": number, **value, "before": None if before is None else before["rating"]}
    return Outcome({**told, "label": (label or {}).get("text", "")}, sets={f"ratings/{name}": value})


def _in_force(name: str, lab: Lab) -> dict[str, Any] | None:
    """The label in force, remembered as used."""
    entry = label_entry(lab.state, name)
    if entry is None:
        return None
    lab.uses.add(entry.seq)
    found: dict[str, Any] = entry.value
    return found
