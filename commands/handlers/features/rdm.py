"""Carries out `features.rdm`: the distances a feature, or a set of them, sees, beside models, from stored results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from commands.features import FeaturesRdm
from commands.handlers.features.rsa import by_category
from commands.handlers.features.rsa_models import WORD
from commands.handlers.features.stored_rankings import choose_or_make, ranking_header, ranking_line, ranking_lines
from workbench.errors import InputFileError, MismatchError, UnknownNameError, UsageError
from workbench.features.evidence import labels_by_index
from workbench.features.pooled import ranking_pooled
from workbench.features.rankings import Ranking, plain
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes.ids import feature_index
from workbench.session.log import LogLine
from workbench.verbs import Outcome

RSA = ("features.rsa",)


@dataclass(frozen=True)
class _Seen:
    """What some features did on the sentences of a ranking; masked sentences are left out.

    Attributes:
        values: (sentences, features) pooled activations.
        categories: of each sentence.
        texts: the sentences.
        tokens: how many each has.
        model: (sentences, sentences) the ranking's model RDM.
        kept: which of the ranked sentences these are.
    """

    values: np.ndarray
    categories: list[str]
    texts: list[str]
    tokens: list[int]
    model: np.ndarray
    kept: np.ndarray


def rdm(query: FeaturesRdm, lab: Lab) -> Outcome:
    """Distances between the categories, their noise ceiling, and models against one another."""
    line = ranking_line(lab, query.ranking, verbs=RSA)
    header = ranking_header(lab, line)
    ranking = Ranking.from_arrays(header["space"], lab.arrays(line, "ranking"))
    asked = [
        feature_index(one, ranking.space, len(ranking.status), "ranking's") for one in (query.feature, *query.also)
    ]
    indices = list(dict.fromkeys(asked))
    seen = _seen(lab, line, indices)
    names, model = by_category(seen.categories, seen.model)
    folds, reason = _folds(lab, line, header, seen)
    if query.distance == "crossnobis":
        distances = _crossnobis(seen, names, folds, reason)
    else:
        _, distances = by_category(seen.categories, _squared(seen.values))
    row = ranking.rows(np.array(indices[:1]), labels=labels_by_index(lab, ranking.space))[0]
    ceiling, no_ceiling = _ceiling(seen, names, folds, reason)
    body = {
        "feature": row["feature"],
        "index": indices[0],
        "features": indices,
        "ranking": header,
        "test": row,
        "names": names,
        "model": model,
        "distance": query.distance,
        "distances": distances,
        "ceiling": ceiling,
        "ceiling_reason": no_ceiling,
        "models": _against(query, lab, line, header, seen) if query.against else [],
    }
    return Outcome(body, figures=_figures(body), provenance={"gate": header["gate"]})


def _seen(lab: Lab, line: LogLine, indices: list[int]) -> _Seen:
    pooled = ranking_pooled(lab, line)
    if pooled is None:
        raise InputFileError(f"log line {line.seq} kept no pooled activations", "Run the RSA again with --fresh.")
    values = np.stack([pooled.column(index) for index in indices], axis=1)  # (sentences, features)
    kept = np.flatnonzero(~np.isnan(values).any(axis=1))
    stored = lab.stored_json(line, "sentences")
    sentences = [stored[place] for place in kept]
    return _Seen(
        values=values[kept],
        categories=[one["category"] for one in sentences],
        texts=["".join(one["tokens"]) for one in sentences],
        tokens=[len(one["tokens"]) for one in sentences],
        model=lab.arrays(line, "model_rdm")["rdm"][np.ix_(kept, kept)],
        kept=kept,
    )


def _squared(values: np.ndarray) -> np.ndarray:
    """(sentences, sentences) squared distances of the features as one."""
    return np.asarray(np.square(values[:, None] - values).sum(axis=2))


def _folds(lab: Lab, line: LogLine, header: dict[str, Any], seen: _Seen) -> tuple[np.ndarray | None, str]:
    """(sentences,) the fold of each, or None and why there are none."""
    found = lab.stimuli(header["stimuli"])
    if found.digest != line.provenance["stimuli"]["digest"]:
        return None, f"the set {header['stimuli']!r} was changed since log line {line.seq}: rank it again"
    known = {(one.category, one.text): one.fold for one in found.included}
    folds = [known.get(pair, "") for pair in zip(seen.categories, seen.texts, strict=True)]
    if missing := folds.count(""):
        told = "the sentences have" if missing == len(folds) else f"{missing} of {len(folds)} sentences have"
        return None, f"{told} no fold: `workbench stimuli edit {header['stimuli']} --of SENTENCE --fold NAME`"
    return np.array(folds), ""


def _crossnobis(seen: _Seen, names: list[str], folds: np.ndarray | None, reason: str) -> list[list[float]]:
    """Distances across folds, per feature; what varies between replicates of a category adds nothing on average."""
    from workbench.stats import crossnobis

    if folds is None:
        raise UsageError(f"crossnobis needs the folds of the sentences, and {reason}", "Or use --distance squared.")
    try:
        found = crossnobis(seen.values, np.array(seen.categories), folds)  # categories sorted
    except ValueError as error:
        raise UsageError(str(error), "Give every category sentences in two folds or more.") from error
    place = [sorted(names).index(name) for name in names]
    return [[float(f"{value:.6g}") for value in row] for row in found[np.ix_(place, place)]]


def _ceiling(seen: _Seen, names: list[str], folds: np.ndarray | None, reason: str) -> tuple[dict[str, Any] | None, str]:
    """How far the RDMs of the folds agree, and how far the model agrees with them; or why that is not known."""
    from workbench.stats import compare_rdms, noise_ceiling

    if folds is None:
        return None, reason
    if len(names) < 3:
        return None, "two categories have one distance, which has nothing to correlate with"
    pairs = np.triu_indices(len(names), 1)
    rdms = []
    for fold in np.unique(folds):
        cells = [(np.array(seen.categories) == name) & (folds == fold) for name in names]
        if not all(cell.any() for cell in cells):
            return None, f"fold {str(fold)!r} lacks a category"
        means = np.stack([seen.values[cell].mean(axis=0) for cell in cells])  # (categories, features)
        rdms.append(_squared(means)[pairs])
    try:
        found = noise_ceiling(rdms)
    except ValueError as error:
        return None, str(error)
    model = np.array(by_category(seen.categories, seen.model)[1])[pairs]
    score = float(np.mean([compare_rdms(one, model) for one in rdms]))
    return {"lower": found.lower, "upper": found.upper, "model": plain(score), "folds": len(rdms)}, ""


def _against(query: FeaturesRdm, lab: Lab, line: LogLine, header: dict[str, Any], seen: _Seen) -> list[dict[str, Any]]:
    """The ranking's model and the others: scores, their intervals, and each one's difference from the ranking's."""
    from workbench.stats import compare_models

    models = {header["against"]: seen.model}
    for name in query.against:
        said, other = _other(name, lab, line, seen)
        if said in models:
            raise UsageError(f"--against {name} is among the models already ({said})", "Name each model once.")
        models[said] = other
    try:
        found = compare_models(
            seen.values,
            list(models.values()),
            comparison=header["statistic"],
            bootstraps=query.bootstraps,
            seed=query.seed,
        )
    except ValueError as error:
        raise UsageError(str(error), "Choose another model or feature.") from error
    return [
        {
            "model": said,
            "score": plain(found.scores[place]),
            "interval": [plain(found.low[place]), plain(found.high[place])],
            "difference": plain(found.difference[place, 0]) if place else None,
            "p": plain(found.p[place, 0]) if place else None,
        }
        for place, said in enumerate(models)
    ]


def _other(name: str, lab: Lab, line: LogLine, seen: _Seen) -> tuple[str, np.ndarray]:
    """A model by its name or the log line of its ranking, in words and as (sentences, sentences)."""
    if name.isdecimal():
        return _of_line(int(name), lab, line, seen)
    if name not in _MODELS:
        lines = choose_or_make(ranking_lines(lab, RSA), RSA)
        raise UnknownNameError.among("model", name, _MODELS, f"Or give the log line of a ranking by RSA. {lines}")
    made = np.asarray(_MODELS[name](seen), dtype=np.float64)
    if not np.ptp(made[np.triu_indices(len(made), 1)]):
        raise UsageError(f"{name} is the same for every pair of sentences", "Name a model that varies.")
    return name, made


def _of_line(seq: int, lab: Lab, line: LogLine, seen: _Seen) -> tuple[str, np.ndarray]:
    other = ranking_line(lab, seq, verbs=RSA)
    if lab.stored_json(other, "sentences") != lab.stored_json(line, "sentences"):
        raise MismatchError(
            f"log lines {line.seq} and {seq} are not of the same sentences", "Rank the same set, with the same model."
        )
    said = f"{ranking_header(lab, other)['against']} (line {seq})"
    return said, np.asarray(lab.arrays(other, "model_rdm")["rdm"][np.ix_(seen.kept, seen.kept)])


def _places(seen: _Seen) -> np.ndarray:
    """The place of each sentence's category in the order of the sentences."""
    order = list(dict.fromkeys(seen.categories))
    return np.array([order.index(name) for name in seen.categories])


def _categorical(seen: _Seen) -> np.ndarray:
    from workbench.stats import categorical_rdm

    return np.asarray(categorical_rdm(seen.categories))


def _graded(seen: _Seen) -> np.ndarray:
    from workbench.stats import graded_rdm

    return np.asarray(graded_rdm(_places(seen)))


def _cyclic(seen: _Seen) -> np.ndarray:
    from workbench.stats import cyclic_rdm

    return np.asarray(cyclic_rdm(_places(seen), len(set(seen.categories))))


def _length(seen: _Seen) -> np.ndarray:
    from workbench.stats import length_rdm

    return np.asarray(length_rdm(seen.tokens))


def _lexical(seen: _Seen) -> np.ndarray:
    from workbench.stats import overlap_rdm

    return np.asarray(overlap_rdm([set(WORD.findall(text.casefold())) for text in seen.texts]))


_MODELS: dict[str, Callable[[_Seen], np.ndarray]] = {
    "categorical": _categorical,
    "graded": _graded,
    "cyclic": _cyclic,
    "length": _length,
    "lexical": _lexical,
}


def _figures(body: dict[str, Any]) -> list[Figure]:
    names, header = body["names"], body["ranking"]
    which = "+".join(f"#{index}" for index in body["features"])
    squared = body["distance"] == "squared"
    note = "mean over pairs of sentences of these categories"
    seen = f"{which}: {'squared' if squared else 'crossnobis'} distances"
    return [
        Figure(kind="matrix", title=title, note=said, data={"rows": names, "columns": names, "values": values})
        for title, values, said in (
            (f"model: {header['against']}", body["model"], note),
            (seen, body["distances"], note if squared else "between means of categories, across folds"),
        )
    ]
