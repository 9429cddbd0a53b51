"""Carries out `labels.show` and `labels.compare`."""

from __future__ import annotations

from typing import Any

from commands.handlers.labels.failing import SHOWN, failures, grouped
from commands.handlers.labels.targets import each_text, named
from commands.labels import LabelsCompare, LabelsShow
from workbench.features.evidence import cut, explanations_of, scores_of
from workbench.lab import Lab
from workbench.labels.named import clusters_space, label_entries, label_entry, number_of, of_name, quanta_space
from workbench.saes.ids import feature_id
from workbench.verbs import Outcome

SHOWN_SCORES = 2
"""Scores of a label in a list: a reply has room for so many."""
IMPORTED = 300
"""Bytes of an imported explanation in a list."""
ORDER = ("features", "clusters", "quanta")


def show(query: LabelsShow, lab: Lab) -> Outcome:
    """A page of the labels: those given in the session, then imported ones of features without; what failed beside."""
    wanted, rows = query.filter.casefold(), _given(lab) + _imported(lab)
    kept = [row for row in rows if query.of in ("all", row["of"])]
    found = [row for row in kept if wanted in row["feature"].casefold() or wanted in str(row["text"]).casefold()]
    page = [row | _beside(row["feature"], lab) for row in found[query.offset : query.offset + query.limit]]
    failed = [one for one in failures(lab) if query.of in ("all", one["of"])]
    told = {"failed": failed[:SHOWN], "failures": len(failed), "failed_groups": grouped(failed)}
    return Outcome({"labels": page, "offset": query.offset, "total": len(found), **told})


def _given(lab: Lab) -> list[dict[str, Any]]:
    """The labels of the session, those of clusters and quanta that are no longer in force behind the others."""
    in_force = {"clusters": clusters_space(lab.state), "quanta": quanta_space(lab.state)}
    rows = []
    for name, entry in label_entries(lab.state).items():
        of = of_name(name)
        gone = of != "features" and name.rpartition("#")[0] != in_force[of]
        head = {"feature": name, "of": of, "index": number_of(name)}
        said = {key: entry.value[key] for key in ("text", "source", "status")}
        rows.append({**head, **said, "seq": entry.seq, "stale": entry.stale or gone})
    return sorted(rows, key=lambda row: (ORDER.index(row["of"]), row["stale"], row["index"]))


def _beside(name: str, lab: Lab) -> dict[str, Any]:
    """What else a row of the page shows; of each the whole state is looked through, so that others are not asked."""
    entry = label_entry(lab.state, name)
    if entry is None:  # imported
        return {}
    scores = scores_of(lab.state, name, str(entry.value["text"]))[:SHOWN_SCORES]
    return {
        "scores": [{key: value for key, value in score.items() if key != "text"} for score in scores],
        "by": entry.value.get("by"),
        "rating": lab.state.get(f"ratings/{name}"),
        "suggestions": len(lab.state.under(f"suggestions/{name}")),
    }


def _imported(lab: Lab) -> list[dict[str, Any]]:
    """The imported explanations of the features that have no label of the session."""
    own, rows = lab.state.under("labels"), []
    for space in sorted({name.rpartition("#")[0] for name in lab.state.under("explanations")}):
        seq = max(entry.seq for name, entry in lab.state.under("explanations").items() if name.startswith(f"{space}#"))
        for index, found in sorted(explanations_of(lab.record, space).items()):
            if (name := feature_id(space, index)) not in own:
                said = {"text": cut(found[0]["text"], IMPORTED), "source": "imported", "status": "published"}
                head = {"feature": name, "of": "features", "index": index}
                rows.append({**head, **said, "seq": seq, "stale": False})
    return rows


def compare(query: LabelsCompare, lab: Lab) -> Outcome:
    """All suggestions by what they are of, with the scores of their texts."""
    wanted = {named(query.of, text, lab)[0] for text in each_text(query.features)}
    found: dict[str, list[dict[str, Any]]] = {}
    for key, entry in lab.state.under("suggestions").items():
        number, _, source = key.rpartition("#")[2].partition("/")
        name = f"{key.rpartition('#')[0]}#{number}"
        if name in wanted or (not wanted and of_name(name) == query.of):
            value = entry.value
            row = {"source": source, "text": value["text"], "status": value["status"], "seq": entry.seq}
            scores = scores_of(lab.state, name, str(value["text"]))
            found.setdefault(name, []).append(row | {"scores": scores, "by": value.get("by")})
    return Outcome({"of": query.of, "features": [_compared(name, found[name], lab) for name in _ordered(found)]})


def _ordered(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    return sorted(found, key=lambda name: (name.rpartition("#")[0], number_of(name)))


def _compared(name: str, rows: list[dict[str, Any]], lab: Lab) -> dict[str, Any]:
    return {"feature": name, "index": number_of(name), "labels": rows, "rating": lab.state.get(f"ratings/{name}")}
