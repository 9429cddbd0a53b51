"""Carries out `features.*`."""

from __future__ import annotations

from typing import Any

import numpy as np

from commands.features import FeaturesList, FeaturesNeighbours, FeaturesShow
from commands.handlers.features.activating import activate
from commands.handlers.features.common import common
from commands.handlers.features.comparing import compare
from commands.handlers.features.contrast import contrast
from commands.handlers.features.contrast_maps import map_
from commands.handlers.features.differing import diff
from commands.handlers.features.exporting import export
from commands.handlers.features.marking import known_tag, loaded_space, note, tag, tags
from commands.handlers.features.probing import maxact, probe
from commands.handlers.features.rdm import rdm
from commands.handlers.features.replicate import replicate
from commands.handlers.features.rsa import rsa
from commands.handlers.features.searching import search
from commands.handlers.features.stored_rankings import ranking_header, ranking_line, ranking_of
from commands.handlers.features.why import why
from commands.handlers.sae.earlier import earlier
from workbench.errors import UsageError
from workbench.features.evidence import (
    explanations_of_one,
    label_of,
    labelled_with,
    labels_by_index,
    on_corpus,
    scores_of,
    sentence_lines,
)
from workbench.features.marks import notes_by_feature, tags_by_feature
from workbench.features.rankings import holding
from workbench.lab import Lab
from workbench.saes.ids import feature_id, feature_index
from workbench.saes.neuronpedia import page
from workbench.verbs import Outcome

__all__ = [
    "activate", "common", "compare", "contrast", "diff", "export", "list_", "map_", "maxact", "note", "probe", "rdm",
    "replicate", "rsa", "search", "show", "tag", "tags", "why",
]  # fmt: skip


def list_(query: FeaturesList, lab: Lab) -> Outcome:
    """A page of a ranking, sorted and filtered."""
    line = ranking_line(lab, query.ranking)
    header = ranking_header(lab, line, query.effect)
    ranking = ranking_of(lab, line, header)
    labels = labels_by_index(lab, ranking.space)
    order = ranking.order(query.sort, query.direction)
    if wanted := query.filter.casefold().lstrip("#"):
        telling = np.isin(order, np.fromiter(labelled_with(labels, wanted), dtype=np.int64))
        order = order[telling | holding(order, wanted)]
    if query.tag:
        own = known_tag(lab.state, query.tag)
        order = np.array([index for index in order if feature_id(ranking.space, int(index)) in own], dtype=np.int64)
    shown = order[query.offset : query.offset + query.limit]
    rows = ranking.rows(shown, labels=labels)
    for row in rows:
        row["rank"] = ranking.rank(row["index"])  # its place of all, whatever is left out here and however sorted
    found = {"ranking": header, "rows": rows, "offset": query.offset, "total": len(order)}
    return Outcome(found, provenance={"gate": header["gate"]})


def show(query: FeaturesShow, lab: Lab) -> Outcome:
    """Everything known about one feature, from stored results alone."""
    space, corpus = _space_of(query.feature, lab)
    index = feature_index(query.feature, space["name"], space["width"])
    missing: list[str] = []
    body: dict[str, Any] = {"feature": feature_id(space["name"], index), "index": index, "space": space["name"]}
    body["label"] = label = label_of(lab.record, body["feature"])
    body["label_scores"] = scores_of(lab.state, body["feature"], label["text"]) if label else []
    body |= _on_stimuli(query, lab, index, space["name"], missing)
    body |= _on_corpus(lab, corpus, index, missing)
    body["tags"] = tags_by_feature(lab.state).get(body["feature"], [])
    body["note"] = notes_by_feature(lab.state).get(body["feature"], "")
    body["explanations"] = explanations_of_one(lab.record, body["feature"])
    body["link"] = page(str(space.get("neuronpedia", "")), index)
    return Outcome({**body, "missing": missing})


def _space_of(feature: str, lab: Lab) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The entries of the features meant and of their index: those loaded, or others that the session had loaded."""
    space = loaded_space(lab)
    owner = feature.rpartition("#")[0]
    if owner in ("", space["name"]):
        return space, lab.entry("index")
    return earlier(lab, owner) or (space, lab.entry("index"))


def _on_stimuli(query: FeaturesShow, lab: Lab, index: int, space: str, missing: list[str]) -> dict[str, Any]:
    try:
        line = ranking_line(lab, query.ranking, query.stimuli)
        header = ranking_header(lab, line, query.effect)
    except UsageError as error:
        missing.append(f"{error.message}. {error.hint}")
        return {"test": None, "ranking": None, "stimuli": None}
    if header["space"] != space:
        missing.append("the latest ranking is of other features: rank these with `workbench features contrast`")
        return {"test": None, "ranking": None, "stimuli": None}
    ranking = ranking_of(lab, line, header)
    test = ranking.rows(np.array([index]), labels=labels_by_index(lab, space))[0]
    test["rank"] = ranking.rank(index)
    lines = sentence_lines(lab, line, index)
    shown = sorted(lines, key=lambda item: -item["pooled"])[: query.lines]
    stimuli = {
        "name": header["stimuli"],
        "maximum": max((max(item["values"], default=0.0) for item in lines), default=0.0),
        "total": len(lines),
        "lines": shown,
    }
    return {"test": test, "ranking": header, "stimuli": stimuli}


def _on_corpus(lab: Lab, corpus: dict[str, Any] | None, index: int, missing: list[str]) -> dict[str, Any]:
    found = None if corpus is None else lab.open_index(corpus)
    if found is None:
        where = "the corpus index is not on this machine" if corpus else "the features are not indexed on a corpus"
        missing.append(f"{where}: `workbench index build`")
        return {"corpus": None, "logits": None}
    return {"corpus": on_corpus(found, index), "logits": found.logits(index)}


def neighbours(query: FeaturesNeighbours, lab: Lab) -> Outcome:
    """The nearest features of all, from the index alone."""
    from workbench.index.neighbours import near

    space, found = loaded_space(lab), lab.index()
    if found is None:
        raise UsageError("neighbours need the corpus index", "Build it first: `workbench index build`.")
    if found.meta["space"] != space["name"]:
        raise UsageError("the corpus index is of other features", "Build one of these: `workbench index build`.")
    index = feature_index(query.feature, space["name"], space["width"])
    body = near(found, index, query.limit, query.tokens, labels_by_index(lab, space["name"]))
    return Outcome({"feature": feature_id(space["name"], index), "index": index, "space": space["name"], **body})
