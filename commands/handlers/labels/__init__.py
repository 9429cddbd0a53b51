"""Carries out `labels.*`."""

from __future__ import annotations

from typing import Any

from commands.handlers.labels.importing import import_
from commands.handlers.labels.scoring import cost, score
from commands.handlers.labels.suggesting import suggest
from commands.labels import LabelsAccept, LabelsCompare, LabelsReject, LabelsSet, LabelsShow
from workbench.errors import UsageError
from workbench.evidence import cut, explanations_of, scores_of
from workbench.lab import Lab
from workbench.saes.ids import feature_id, feature_index
from workbench.verbs import Outcome

__all__ = ["accept", "compare", "cost", "import_", "reject", "score", "set_", "show", "suggest"]


SHOWN_SCORES = 2
"""Scores of a label in a list: a reply has room for so many."""
IMPORTED = 300
"""Bytes of an imported explanation in a list."""


def set_(command: LabelsSet, lab: Lab) -> Outcome:
    """Keep the investigator's own label."""
    name, number = _feature(command.feature, lab)
    text = command.text.strip()
    value = {"text": text, "source": "investigator", "status": "accepted"} if text else None
    before = (lab.entry(f"labels/{name}") or {}).get("text", "")
    told = {"feature": name, "index": number, "text": text, "before": before}
    return Outcome(told, sets={f"labels/{name}": value})


def accept(command: LabelsAccept, lab: Lab) -> Outcome:
    """Mark the label in force, or a suggestion, as the investigator's choice; it keeps its source."""
    name, number = _feature(command.feature, lab)
    chosen = lab.entry(f"suggestions/{name}/{command.source}" if command.source else f"labels/{name}")
    if chosen is None:
        whose = f" of {command.source}" if command.source else ""
        raise UsageError(f"{name} has no label{whose} to accept", "Suggest one: `workbench labels suggest`.")
    value = {**chosen, "status": "accepted"}
    return Outcome({"feature": name, "index": number, "text": value["text"]}, sets={f"labels/{name}": value})


def reject(command: LabelsReject, lab: Lab) -> Outcome:
    """Take the label out of force, and remember it as rejected."""
    name, number = _feature(command.feature, lab)
    label = lab.entry(f"labels/{name}")
    if label is None:
        raise UsageError(f"{name} has no label to reject", "See `workbench labels show`.")
    sets: dict[str, Any] = {f"labels/{name}": None}
    if label["source"] != "investigator":
        sets[f"suggestions/{name}/{label['source']}"] = {**label, "status": "rejected"}
    return Outcome({"feature": name, "index": number, "text": label["text"]}, sets=sets)


def compare(query: LabelsCompare, lab: Lab) -> Outcome:
    """All suggestions by feature, with the scores of their texts."""
    wanted = {_feature(text, lab)[0] for text in query.features}
    found: dict[str, list[dict[str, Any]]] = {}
    for key, entry in lab.state.under("suggestions").items():
        name, _, source = key.rpartition("#")[2].partition("/")
        feature = f"{key.rpartition('#')[0]}#{name}"
        if not wanted or feature in wanted:
            value = entry.value
            row = {"source": source, "text": value["text"], "status": value["status"], "seq": entry.seq}
            found.setdefault(feature, []).append(row | {"scores": scores_of(lab.state, feature, str(value["text"]))})
    rows = [
        {"feature": feature, "index": int(feature.rpartition("#")[2]), "labels": rows}
        for feature, rows in sorted(found.items(), key=lambda item: int(item[0].rpartition("#")[2]))
    ]
    return Outcome({"features": rows})


def _feature(text: str, lab: Lab) -> tuple[str, int]:
    space = lab.entry("sae")
    if space is None:
        raise UsageError("no SAE is loaded in this session", "Load one first: `workbench sae load demo`.")
    number = feature_index(text, space["name"], space["width"])
    return feature_id(space["name"], number), number


def show(query: LabelsShow, lab: Lab) -> Outcome:
    """A page of the labels by feature: those given in the session, then imported ones of features without."""
    rows = [
        {
            "feature": name,
            "index": int(name.rpartition("#")[2]),
            **{key: entry.value[key] for key in ("text", "source", "status")},
            "seq": entry.seq,
            "stale": entry.stale,
            "scores": [
                {key: value for key, value in score.items() if key != "text"}
                for score in scores_of(lab.state, name, str(entry.value["text"]))[:SHOWN_SCORES]
            ],
            "by": entry.value.get("by"),
        }
        for name, entry in lab.state.under("labels").items()
    ]
    wanted, rows = query.filter.casefold(), sorted(rows, key=lambda row: row["index"]) + _imported(lab)
    found = [row for row in rows if wanted in row["feature"].casefold() or wanted in str(row["text"]).casefold()]
    page = found[query.offset : query.offset + query.limit]
    return Outcome({"labels": page, "offset": query.offset, "total": len(found)})


def _imported(lab: Lab) -> list[dict[str, Any]]:
    """The imported explanations of the features that have no label of the session."""
    own, rows = lab.state.under("labels"), []
    for space in sorted({name.rpartition("#")[0] for name in lab.state.under("explanations")}):
        seq = max(entry.seq for name, entry in lab.state.under("explanations").items() if name.startswith(f"{space}#"))
        for index, found in sorted(explanations_of(lab.record, space).items()):
            if (name := feature_id(space, index)) not in own:
                said = {"text": cut(found[0]["text"], IMPORTED), "source": "imported", "status": "published"}
                rows.append({"feature": name, "index": index, **said, "seq": seq, "stale": False})
    return rows
