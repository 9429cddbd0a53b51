"""Carries out `features.export`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from commands.features import FeaturesExport
from commands.handlers.features.marking import known_tag, loaded_space
from commands.handlers.features.own_text import index_of
from commands.handlers.features.stored_rankings import ranking_lines
from workbench.errors import UsageError
from workbench.exports.neuronpedia import feature_objects
from workbench.exports.rows import COLUMNS, Told, full_rows, table_rows
from workbench.exports.writing import format_of, write_rows
from workbench.features.evidence import explanations_of
from workbench.features.marks import notes_by_feature, tags_by_feature
from workbench.features.rankings import Ranking
from workbench.lab import Lab
from workbench.saes.ids import feature_id, feature_index
from workbench.verbs import Outcome


def export(query: FeaturesExport, lab: Lab) -> Outcome:
    """Write features to a file, block by block."""
    if not query.out.strip():
        raise UsageError("no file to write", "Name one: `workbench features export features.csv`.")
    space, path = loaded_space(lab), Path(query.out)
    form, missing = format_of(path, query.format), list[str]()
    told = _told(lab, space, missing)
    features = _features(query, lab, space, told)
    rows: Iterable[dict[str, Any]]
    if form == "neuronpedia":
        if told.index is None:
            raise UsageError(
                "Neuronpedia's form needs the corpus index of these features", "Build it: `workbench index build`."
            )
        rows = feature_objects(told, told.index, features, query.windows)
    elif form == "jsonl":
        rows = full_rows(told, features, query.windows)
    else:
        rows = table_rows(told, features)
    size = write_rows(path, form, _ticking(rows, len(features), lab))
    columns = list(COLUMNS) if form in ("csv", "parquet") else []
    body = {"path": str(path), "bytes": size, "features": len(features), "format": form, "columns": columns}
    warnings = []
    if told.index is not None and (slice_of := told.index.store.meta["enriched"]):
        warnings.append(f"densities are of a slice of {slice_of['of_name']!r}, not of the whole")
    return Outcome({**body, "missing": missing}, warnings=warnings)


def _ticking(rows: Iterable[dict[str, Any]], total: int, lab: Lab) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        if number % 64 == 0:
            lab.tick(number, total, "writing features")
        yield row


def _told(lab: Lab, space: dict[str, Any], missing: list[str]) -> Told:
    """What the session knows of its features."""
    name = str(space["name"])
    index = index_of(lab, name)
    if index is None:
        missing.append("no density, windows, histogram or logits: `workbench index build`")
    lines = [line for line in ranking_lines(lab) if lab.stored(line)["space"] == name]
    ranking = None
    if lines:
        ranking = Ranking.from_arrays(name, lab.arrays(lines[-1], "ranking"))
    else:
        missing.append("no test: rank these features with `workbench features contrast`")
    return Told(
        space=name,
        labels=_labels(lab, name),
        tags=tags_by_feature(lab.state),
        notes=notes_by_feature(lab.state),
        index=index,
        ranking=ranking,
        seq=lines[-1].seq if lines else None,
        neuronpedia=str(space.get("neuronpedia", "")),
    )


def _labels(lab: Lab, space: str) -> dict[int, list[dict[str, str]]]:
    """Every label of each feature, the session's own first."""
    found = {
        number: [{"text": one["text"], "source": "imported", "by": one["by"], "method": one["method"]} for one in every]
        for number, every in explanations_of(lab.record, space).items()
    }
    for name, entry in lab.state.under("labels").items():
        owner, _, number = name.rpartition("#")
        if owner == space and number.isdecimal():
            own = {"text": str(entry.value["text"]), "source": str(entry.value["source"]), "by": "", "method": ""}
            found[int(number)] = [own, *found.get(int(number), [])]
    return found


def _features(query: FeaturesExport, lab: Lab, space: dict[str, Any], told: Told) -> list[int]:
    """The numbers of the features to write, ascending."""
    name, width = str(space["name"]), int(space["width"])
    found = {feature_index(text, name, width) for text in query.features} or set(range(width))
    if query.tag:
        own = known_tag(lab.state, query.tag)
        found = {number for number in found if feature_id(name, number) in own}
    if query.labelled:
        found &= told.labels.keys()
    if not found:
        raise UsageError("no feature is asked for", "Leave out --tag, --labelled or --features.")
    return sorted(found)
