"""What a labels verb is about: features, clusters or quanta, by name and number, and how their windows are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from commands.handlers.clusters.sets import ClusterSet
from commands.handlers.features.stored_rankings import ranking_line
from commands.handlers.labels.asking import indexed
from commands.handlers.quanta import data as quanta
from workbench.errors import UsageError
from workbench.features.rankings import Ranking
from workbench.lab import Lab
from workbench.labels.drawing import Draw, Drawing
from workbench.labels.named import Of, clusters_space, quanta_space
from workbench.saes.ids import feature_id, feature_index

FEATURES = 100
"""Features that are priced where no number is given."""


def count(of: Of, lab: Lab) -> int:
    """How many clusters or quanta there are; of features as many as a first look takes.

    Raises:
        UsageError: there are none.
    """
    if of == "features":
        return FEATURES
    return len(ClusterSet(lab).sizes) if of == "clusters" else len(quanta.Clustering.of(lab).ranks)


def each_text(texts: Sequence[str]) -> list[str]:
    """Texts of numbers or names, those between commas apart, each once: `459,38` names two."""
    parts = [part.strip() for text in texts for part in text.split(",")]
    return list(dict.fromkeys(part for part in parts if part))


def named(of: Of, text: str, lab: Lab) -> tuple[str, int]:
    """The name and number of what a text means.

    Raises:
        UsageError: no SAE, clusters or quanta are there, or the number is none of theirs.
    """
    space, number_of = _numbers(of, lab)
    number = number_of(text)
    return feature_id(space, number), number


def _numbers(of: Of, lab: Lab) -> tuple[str, Callable[[str], int]]:
    """The space of what is labelled, and what makes its number of a text."""
    if of == "clusters":
        clusters = ClusterSet(lab)
        space, width = str(clusters_space(lab.state)), len(clusters.sizes)
        return space, lambda text: feature_index(text, space, width, "found")
    if of == "quanta":
        clustering = quanta.Clustering.of(lab)
        space, last = str(quanta_space(lab.state)), max(clustering.ranks)

        def number_of(text: str) -> int:
            number = feature_index(text, space, last + 1, "clustered")
            clustering.place(number)
            return number

        return space, number_of
    loaded = lab.entry("sae")
    if loaded is None:
        raise UsageError("no SAE is loaded in this session", "Load one first: `workbench sae load demo`.")
    return str(loaded["name"]), lambda text: feature_index(text, loaded["name"], loaded["width"])


@dataclass(frozen=True)
class Target:
    """What is labelled or scored.

    Attributes:
        of: features, clusters or quanta.
        space: before the `#` of their names.
        draw: draws their windows.
        number_of: makes a number of a text.
    """

    of: Of
    space: str
    draw: Drawing
    number_of: Callable[[str], int]

    def name(self, number: int) -> str:
        """The name of one of them."""
        return feature_id(self.space, number)

    def chosen(self, texts: Sequence[str], top: int, lab: Lab) -> list[int]:
        """The numbers that were named; else the top of the latest ranking, or the largest clusters or quanta."""
        if texts:
            return list(dict.fromkeys(self.number_of(text) for text in each_text(texts)))
        if self.of == "clusters":
            sizes = ClusterSet(lab).sizes
            return [int(number) for number in np.argsort(-sizes, kind="stable")[:top]]
        if self.of == "quanta":
            return quanta.Clustering.of(lab).by_rank[:top]
        line = ranking_line(lab, None)
        ranking = Ranking.from_arrays(str(lab.stored(line)["space"]), lab.arrays(line, "ranking"))
        if ranking.space != self.space:
            raise UsageError("the latest ranking is of other features than the index", "Name the features to label.")
        return [int(number) for number in ranking.order()[:top]]


def target(of: Of, seed: int, lab: Lab) -> Target:
    """What a command is about, with its windows.

    Raises:
        UsageError: there is no index, or there are no clusters or quanta, or the clusters are of other features.
    """
    if of == "clusters":
        return _clusters(seed, lab)
    if of == "quanta":
        return _quanta(seed, lab)
    index = indexed(lab)
    space, width = str(index.meta["space"]), int(index.meta["features"])
    return Target(of, space, Draw(index, seed), lambda text: feature_index(text, space, width))


def _clusters(seed: int, lab: Lab) -> Target:
    from workbench.labels.cluster_index import ClusterIndex

    found, index = ClusterSet(lab), indexed(lab)
    if found.space != str(index.meta["space"]):
        raise UsageError(
            f"the clusters are of {found.space}, the index is of {index.meta['space']}",
            "Find clusters of the loaded features: `workbench clusters find`.",
        )
    numbers = range(len(found.sizes))
    lengths = found.lengths
    parts = [slice(int(found.starts[number]), int(found.starts[number + 1])) for number in numbers]
    joined = ClusterIndex(index, [found.members[part] for part in parts], [lengths[part] for part in parts])
    space, number_of = _numbers("clusters", lab)
    return Target("clusters", space, Draw(joined, seed), number_of)


def _quanta(seed: int, lab: Lab) -> Target:
    from workbench.labels.prediction_windows import PredictionDraw, Predictions

    quanta.unchanged(lab)
    clustering = quanta.Clustering.of(lab)
    samples, cohesion = clustering.samples, clustering.cohesion
    found = Predictions(
        quanta.numbering(lab), samples.document, samples.position, samples.loss, samples.answer, clustering.labels,
        np.asarray(cohesion.labels), np.asarray(cohesion.between),
    )  # fmt: skip
    space, number_of = _numbers("quanta", lab)
    return Target("quanta", space, PredictionDraw(found, seed), number_of)
