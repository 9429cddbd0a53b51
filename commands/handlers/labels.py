"""Carries out `labels.*`."""

from __future__ import annotations

from typing import Any

from commands.handlers.labels_import import import_
from commands.handlers.stored_rankings import ranking_line
from commands.labels import LabelsSet, LabelsShow, LabelsSuggest
from workbench.errors import UsageError
from workbench.evidence import cut, explanations_of
from workbench.lab import Lab
from workbench.labels.offline import suggest as suggest_offline
from workbench.rankings import Ranking
from workbench.saes.ids import feature_id, feature_index
from workbench.verbs import Outcome

__all__ = ["import_", "set_", "show", "suggest"]


IMPORTED = 300
"""Bytes of an imported explanation in a list."""


def suggest(command: LabelsSuggest, lab: Lab) -> Outcome:
    """Label the named features, or the top of the latest ranking, from their tokens in the index."""
    index = lab.index()
    if index is None:
        raise UsageError("labels need the corpus index", "Build it first: `workbench index build`.")
    space = str(index.meta["space"])
    frequencies = index.frequencies().astype("float64")
    rows: list[dict[str, Any]] = []
    sets: dict[str, Any] = {}
    chosen = _chosen(command, lab, space, int(index.meta["features"]))
    for done, number in enumerate(chosen):
        lab.tick(done, len(chosen), "labelling")
        name = feature_id(space, number)
        found = suggest_offline(*index.token_totals(number), frequencies, index.pieces)
        windows = int((index.summary["document"][number] >= 0).sum())
        row = {"feature": name, "index": number, "windows": windows, "text": "", "tokens": [], "status": "silent"}
        if found is not None:
            tokens = [[token, round(share, 4)] for token, share in found.tokens]
            row |= {"text": found.text, "tokens": tokens, "status": "suggested", "covered": round(found.covered, 4)}
            if not _is_own(lab, name):
                sets[f"labels/{name}"] = {"text": found.text, "source": command.labeller, "status": "suggested"}
        rows.append(row)
    return Outcome({"labeller": command.labeller, "labels": rows}, sets=sets)


def _is_own(lab: Lab, feature: str) -> bool:
    """Whether the investigator gave this label: a suggestion never overwrites it."""
    label = lab.state.get(f"labels/{feature}")
    return label is not None and label["source"] == "investigator"


def _chosen(command: LabelsSuggest, lab: Lab, space: str, width: int) -> list[int]:
    if command.features:
        return [feature_index(text, space, width) for text in command.features]
    line = ranking_line(lab, None)
    ranking = Ranking.from_arrays(str(lab.stored(line)["space"]), lab.arrays(line, "ranking"))
    if ranking.space != space:
        raise UsageError("the latest ranking is of other features than the index", "Name the features to label.")
    return [int(number) for number in ranking.order()[: command.top]]


def set_(command: LabelsSet, lab: Lab) -> Outcome:
    """Keep the investigator's own label."""
    space = lab.entry("sae")
    if space is None:
        raise UsageError("no SAE is loaded in this session", "Load one first: `workbench sae load demo`.")
    number = feature_index(command.feature, space["name"], space["width"])
    name = feature_id(space["name"], number)
    text = command.text.strip()
    value = {"text": text, "source": "investigator", "status": "accepted"} if text else None
    return Outcome({"feature": name, "index": number, "text": text}, sets={f"labels/{name}": value})


def show(query: LabelsShow, lab: Lab) -> Outcome:
    """A page of the labels by feature: those given in the session, then imported ones of features without."""
    rows = [
        {
            "feature": name,
            "index": int(name.rpartition("#")[2]),
            **{key: entry.value[key] for key in ("text", "source", "status")},
            "seq": entry.seq,
            "stale": entry.stale,
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
