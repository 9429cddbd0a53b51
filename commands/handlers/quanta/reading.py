"""Carries out `quanta.list`, `show`, `export` and `stimuli`: clusters as rows, pages, files, stimulus sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.handlers.quanta import data
from commands.handlers.stimuli.sets import free_name, kept
from commands.quanta import QuantaExport, QuantaList, QuantaShow, QuantaStimuli
from workbench.errors import InputFileError, UsageError
from workbench.files import write_atomic
from workbench.lab import Lab
from workbench.predictions.contexts import answer_span, plain_text, sample_context
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.predictions.numbering import Numbering

ANSWERS = 12
HEAT = 40
"""Members whose similarities are shown as a matrix, at most."""
NEAREST = 5
PIECES = 24_000
"""Tokens of one reply, at most: a message has 256 KiB."""


def list_(query: QuantaList, lab: Lab) -> Outcome:
    """A page of the clusters in the order asked for; those of which a number is unknown come last."""
    clustering = data.Clustering.of(lab)
    rows = [clustering.row(number) for number in clustering.by_rank]
    wanted = query.filter.casefold()
    rows = [row for row in rows if wanted in row["label"].casefold() or _answers(row, wanted)]
    if query.sort == "number":
        rows.sort(key=lambda row: row["cluster"])
    elif query.sort != "size":
        sign = 1 if query.sort == "entropy" else -1
        rows.sort(key=lambda row: (row[query.sort] is None, sign * (row[query.sort] or 0.0), row["rank"]))
    shown = rows[query.offset : query.offset + query.limit]
    head = {key: clustering.about[key] for key in ("n_clusters", "affinity", "edits")}
    return Outcome(
        {**head, **_of(lab), "samples": len(clustering.labels), "sort": query.sort, "offset": query.offset,
         "total": len(rows), "clusters": shown}
    )  # fmt: skip


def _of(lab: Lab) -> dict[str, Any]:
    about = data.need(lab, data.SIMILARITY, "similarities", "similarity")
    samples = data.need(lab, data.SAMPLES, "samples", "select")
    corpus = data.need(lab, data.LOSSES, "losses", "losses")["corpus"]
    return {"of": about["of"], "mode": about["mode"], "model": samples["model"]["name"], "corpus": corpus}


def _answers(row: dict[str, Any], wanted: str) -> bool:
    return any(wanted in str(text).casefold() for text, _ in row["answers"])


def show(query: QuantaShow, lab: Lab) -> Outcome:
    """The samples in the order of the corpus, with what is known of the cluster."""
    clustering = data.Clustering.of(lab)
    members, numbering = clustering.members(query.cluster), data.numbering(lab)
    limit = min(query.limit, max(1, PIECES // (query.before + query.after + 1)))
    shown = members[query.offset : query.offset + limit]
    place = clustering.place(query.cluster)
    others = np.argsort(-np.where(np.arange(len(clustering.cohesion.labels)) == place, -np.inf,
                                  clustering.cohesion.between[place]), kind="stable")  # fmt: skip
    ranked = clustering.by_rank
    return Outcome(
        {
            **clustering.row(query.cluster, ANSWERS),
            "label_scores": clustering.label_scores(query.cluster),
            "clusters": len(ranked),
            "before": query.before,
            "after": query.after,
            "offset": query.offset,
            "samples": [_sample(clustering.samples, numbering, int(at), query.before, query.after) for at in shown],
            "nearest_clusters": [
                {**clustering.row(int(clustering.cohesion.labels[at]), 3),
                 "similarity": data.told(clustering.cohesion.between[place, at])}
                for at in others[:NEAREST] if at != place
            ],
            "matrix": _matrix(lab, members),
        }
    )  # fmt: skip


def _matrix(lab: Lab, members: np.ndarray) -> list[list[float]] | None:
    """Cosines of members, ordered so that like ones stand together; None where the similarities are not here."""
    few = members[np.unique(np.linspace(0, members.size - 1, min(HEAT, members.size)).astype(int))]
    try:
        part = np.asarray(data.similarity(lab)[np.ix_(few, few)], dtype=np.float64)
    except InputFileError:
        return None  # the rest of the page stands in the session
    order = np.argsort(-np.linalg.eigh(part)[1][:, -1], kind="stable")
    return [[round(float(value), 3) for value in row] for row in part[np.ix_(order, order)]]


def _sample(samples: data.Samples, numbering: Numbering, at: int, before: int, after: int) -> dict[str, Any]:
    document, position = int(samples.document[at]), int(samples.position[at])
    found = sample_context(numbering, document, position, before, after)
    return {
        "sample": at,
        "number": int(samples.number[at]),
        "document": document,
        "position": position,
        "loss": float(f"{samples.loss[at]:.3g}"),
        "before": found.before,
        "answer": found.answer,
        "after": found.after,
        "cut": found.cut,
    }


# --- files


def export(query: QuantaExport, lab: Lab) -> Outcome:
    """Write the file; the page is one file that asks nothing of the network."""
    clustering, numbering = data.Clustering.of(lab), data.numbering(lab)
    chosen = clustering.by_rank if query.cluster is None else [query.cluster]
    if query.format == "spans":
        lines = list(_spans(query, clustering, numbering))
        text, written = "".join(line + "\n" for line in lines), len(lines)
    else:
        clusters = [_whole(query, clustering, numbering, number) for number in chosen]
        written = sum(len(item["samples"]) for item in clusters)
        if query.format == "html":
            from workbench.reports.quanta_page import quanta_page

            text = quanta_page(_title(clustering, lab), clusters)
        else:
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(clusters))
    write_atomic(Path(query.out), text)
    return Outcome({"path": query.out, "format": query.format, "clusters": len(chosen), "written": written,
                    "bytes": len(text.encode("utf-8", "surrogatepass"))})  # fmt: skip


def _title(clustering: data.Clustering, lab: Lab) -> str:
    about = _of(lab)
    return (
        f"{len(clustering.ranks)} clusters of {len(clustering.labels):,} predictions of {about['model']} on "
        f"{about['corpus']}, by {about['of']} ({about['mode']}, {clustering.about['affinity']} affinity)"
    )


def _whole(query: QuantaExport, clustering: data.Clustering, numbering: Numbering, number: int) -> dict[str, Any]:
    members = clustering.members(number)
    members = members if query.samples < 0 else members[: query.samples]
    samples = [_sample(clustering.samples, numbering, int(at), query.before, query.after) for at in members]
    return {**clustering.row(number, ANSWERS), "samples": samples}


def _lines(clusters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in clusters:
        head = {key: item[key] for key in ("cluster", "rank", "size", "label", "note")}
        for sample in item["samples"]:
            yield {**head, **sample}


def _spans(query: QuantaExport, clustering: data.Clustering, numbering: Numbering) -> Iterator[str]:
    """Every document that has a sample, with the answers of the cluster marked."""
    if query.cluster is None:
        raise UsageError("spans mark the answers of one cluster", "Name it: --cluster NUMBER.")
    members = set(clustering.members(query.cluster).tolist())
    samples = clustering.samples
    for document in np.unique(samples.document).tolist():
        here = [int(at) for at in np.flatnonzero(samples.document == document) if int(at) in members]
        text = plain_text(numbering, document, 0, numbering.context)
        spans = [answer_span(numbering, document, int(samples.position[at])) for at in here]
        yield json.dumps({"text": text, "spans": [list(span) for span in spans if span[0] < span[1] <= len(text)]},
                         ensure_ascii=False)  # fmt: skip


# --- stimuli


def stimuli(command: QuantaStimuli, lab: Lab) -> Outcome:
    """The contexts of a cluster against those of another one or of all others, each text once."""
    from workbench.stimuli.sets import StimulusSet

    free_name(command.name, lab)
    clustering, numbering = data.Clustering.of(lab), data.numbering(lab)
    if command.against == command.cluster:
        raise UsageError(f"cluster {command.cluster} against itself has no difference", "Name another one.")
    inside = clustering.members(command.cluster)
    if command.against is None:
        outside, other = np.setdiff1d(np.arange(len(clustering.labels)), inside), "others"
    else:
        outside, other = clustering.members(command.against), f"cluster-{command.against}"
    positive = f"cluster-{command.cluster}"
    rng = np.random.default_rng(command.seed)
    texts, warnings = {}, []
    for name, members in ((positive, inside), (other, outside)):
        drawn = members if members.size <= command.most else np.sort(rng.permutation(members)[: command.most])
        given = list(_texts(command, clustering.samples, numbering, drawn))
        texts[name] = [text for text in dict.fromkeys(given) if text]
        if repeated := len(given) - len(texts[name]):
            warnings.append(
                f"{name}: {repeated} of {len(given)} contexts were left out: empty, or the same as another one; with "
                "more tokens fewer are alike (--before)"
            )
    shared = set(texts[positive]) & set(texts[other])
    for name in texts:
        texts[name] = [text for text in texts[name] if text not in shared]
        if len(texts[name]) < 2:
            raise UsageError(
                f"{name} has {len(texts[name])} different contexts, which are too few",
                "Keep more tokens: --before 100.",
            )
    about = _of(lab)
    found = StimulusSet.of(
        command.name, list(texts.items()), positive=positive,
        description=f"Contexts of predictions of {about['model']} on {about['corpus']}, "
                    f"{'with' if command.answer else 'up to'} the answer; look at the last token (--window last)",
    )  # fmt: skip
    if shared:
        warnings.append(f"{len(shared)} contexts that stand in both categories were left out")
    return kept(found, lab, warnings)


def _texts(command: QuantaStimuli, samples: data.Samples, numbering: Numbering, members: np.ndarray) -> Iterator[str]:
    for at in members:
        document, position = int(samples.document[at]), int(samples.position[at])
        last = position + int(command.answer)
        yield plain_text(numbering, document, max(0, last - command.before), last).strip()
