"""What the verbs of `quanta.*` share: the losses, samples, similarity and clusters that are in force."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import MismatchError, UnknownNameError, UsageError
from workbench.features.evidence import scores_of
from workbench.lab import Lab
from workbench.labels.named import QUANTA_OWN, label_entry
from workbench.quanta import Cohesion, answer_entropy, size_ranks

if TYPE_CHECKING:
    from workbench.predictions.losses import Losses
    from workbench.predictions.numbering import Numbering
    from workbench.session.log import LogLine

LOSSES, SAMPLES, SIMILARITY, CLUSTERS = "quanta/losses", "quanta/samples", "quanta/similarity", "quanta/clusters"
LABELS = QUANTA_OWN


def cleared(*entries: str) -> dict[str, Any]:
    """State entries that rest on what is made anew, taken away."""
    return dict.fromkeys(entries)


def need(lab: Lab, entry: str, what: str, verb: str) -> dict[str, Any]:
    """A state entry.

    Raises:
        UsageError: there is none; the hint names the verb that makes it.
    """
    value: dict[str, Any] | None = lab.entry(entry)
    if value is None:
        raise UsageError(f"no {what} in this session", f"Make them first: `workbench quanta {verb}`.")
    return value


def line_of(lab: Lab, entry: str, what: str, verb: str) -> LogLine:
    """The log line that made a state entry.

    Raises:
        UsageError: there is none; the hint names the verb that makes it.
    """
    need(lab, entry, what, verb)
    return lab.record.line(lab.state.entries[entry].seq)


def numbering(lab: Lab) -> Numbering:
    """The predictions that the session's losses are of.

    Raises:
        UsageError: no losses were taken.
        MismatchError: the corpus is gone, or its name now stands for another one.
    """
    from workbench.corpus import store as stores
    from workbench.predictions.numbering import Numbering

    about = need(lab, LOSSES, "losses", "losses")
    found = (stores.open_digest(home, about["store"]) for home in lab.homes)
    store = next((one for one in found if one is not None), None)
    if store is None:
        raise MismatchError(
            f"the corpus {about['corpus']!r} of the losses is not on this machine",
            f"Take them again: `workbench quanta losses {about['corpus']}`.",
        )
    return Numbering(store, about["context"], about["documents"])


def unchanged(lab: Lab) -> None:
    """Refuse to go on with samples of a corpus whose name now stands for other text.

    Raises:
        MismatchError: it does.
    """
    from workbench.corpus import store as stores

    about = need(lab, LOSSES, "losses", "losses")
    if about["corpus"] not in stores.names(lab.home):
        return  # the demo's corpus is made on demand, under no name
    if any(stores.open_digest(home, about["store"]) for home in lab.homes[1:]):
        return  # it came along with the session: the name here is of this machine's own corpus
    now = stores.open_name(lab.home, about["corpus"]).digest
    if now != about["store"]:
        raise MismatchError(
            f"the corpus {about['corpus']!r} changed since its losses were taken (was {about['store'][:19]}, is "
            f"{now[:19]})",
            f"Take them again, and select again: `workbench quanta losses {about['corpus']}`.",
        )


def losses(lab: Lab) -> Losses:
    """The session's losses, this machine's or those that came along with the session.

    Raises:
        UsageError, MismatchError: as `numbering`.
    """
    from workbench.predictions.losses import Losses

    found = [Losses(home, numbering(lab)) for home in lab.homes]
    first = need(lab, LOSSES, "losses", "losses")["models"][0]["digest"]
    return next((one for one in found if one.path(str(first)).exists()), found[0])


def similarity(lab: Lab) -> np.ndarray:
    """(samples, samples) float32 of the similarity in force, mapped from the disk.

    Raises:
        UsageError: there is none.
        InputFileError: it is not on this machine and did not come along with the session, or is damaged.
    """
    from workbench.predictions.similarities import has_matrix, open_matrix

    key = str(need(lab, SIMILARITY, "similarities", "similarity")["key"])
    return open_matrix(next((home for home in lab.homes if has_matrix(home, key)), lab.home), key)


def of_model(about: dict[str, Any], name: str) -> dict[str, Any]:
    """The model of that name among those whose losses were taken; the first where none is named.

    Raises:
        UnknownNameError: there is none of that name.
    """
    models: list[dict[str, Any]] = about["models"]
    if not name:
        return models[0]
    for model in models:
        if name in (model["name"], model["ref"]):
            return model
    raise UnknownNameError.among("model of the losses", name, [model["name"] for model in models])


@dataclass(frozen=True)
class Samples:
    """The selected predictions.

    Attributes:
        number: (samples,) canonical number of each.
        document: (samples,) its document.
        position: (samples,) its token in the document.
        loss: (samples,) in nats.
        answer: (samples,) token id.
        pieces: text of each answer token.
    """

    number: np.ndarray
    document: np.ndarray
    position: np.ndarray
    loss: np.ndarray
    answer: np.ndarray
    pieces: dict[int, str]

    @classmethod
    def of(cls, lab: Lab) -> Samples:
        """Those in force.

        Raises:
            UsageError: none were selected.
        """
        line = line_of(lab, SAMPLES, "samples", "select")
        arrays = lab.arrays(line, "samples")
        pieces = {int(key): str(text) for key, text in lab.stored_json(line, "answers").items()}
        number, document, position = arrays["number"], arrays["document"], arrays["position"]
        return cls(number, document, position, arrays["loss"], arrays["answer"], pieces)

    def answers(self, members: np.ndarray, most: int) -> list[list[Any]]:
        """[text, count] of the answers of some samples, commonest first."""
        ids, counts = np.unique(self.answer[members], return_counts=True)
        order = np.lexsort((ids, -counts))[:most]
        return [[self.pieces.get(int(ids[at]), f"#{ids[at]}"), int(counts[at])] for at in order]


@dataclass(frozen=True)
class Clustering:
    """The clusters in force.

    Attributes:
        lab: for labels.
        about: its state entry.
        labels: (samples,) number of each sample's cluster, as the clustering or an edit gave it.
        cohesion: what is known of each cluster.
        samples: the predictions.
    """

    lab: Lab
    about: dict[str, Any]
    labels: np.ndarray
    cohesion: Cohesion
    samples: Samples

    @classmethod
    def of(cls, lab: Lab) -> Clustering:
        """Those in force.

        Raises:
            UsageError: there are none.
        """
        about = need(lab, CLUSTERS, "clusters of predictions", "cluster")
        arrays = lab.arrays(line_of(lab, CLUSTERS, "clusters of predictions", "cluster"), "clusters")
        names = ("cluster", "size", "cohesion", "between", "nearest", "separation")
        return cls(lab, about, arrays["labels"], Cohesion(*(arrays[name] for name in names)), Samples.of(lab))

    @cached_property
    def ranks(self) -> dict[int, int]:
        """Rank by size of each cluster, from 0."""
        return size_ranks(self.labels)

    @cached_property
    def by_rank(self) -> list[int]:
        """Numbers of the clusters, largest first."""
        return sorted(self.ranks, key=self.ranks.__getitem__)

    def place(self, cluster: int) -> int:
        """Where a cluster is in the arrays of `cohesion`.

        Raises:
            UnknownNameError: there is none of that number.
        """
        found = np.flatnonzero(self.cohesion.labels == cluster)
        if not found.size:
            known = ", ".join(str(number) for number in sorted(self.ranks)[:12])
            raise UnknownNameError(
                f"no cluster {cluster} among the {len(self.ranks)}",
                f"See `workbench quanta list`; numbers are {known}{', …' if len(self.ranks) > 12 else ''}.",
            )
        return int(found[0])

    def members(self, cluster: int) -> np.ndarray:
        """Samples of a cluster.

        Raises:
            UnknownNameError: there is none of that number.
        """
        self.place(cluster)
        return np.flatnonzero(self.labels == cluster)

    def entropy(self, cluster: int) -> float:
        """Entropy in bits of the answers of a cluster."""
        return answer_entropy(self.samples.answer[self.labels == cluster])

    def label(self, cluster: int) -> dict[str, str]:
        """Its label with whose it is, and note; empty texts where there are none."""
        own = self.lab.state.get(f"{LABELS}/{self.about['root']}/{cluster}") or {}
        entry = label_entry(self.lab.state, f"quanta/{self.about['root']}#{cluster}")
        given = {} if entry is None else entry.value
        said = {name: str(given.get(field, "")) for name, field in (("label", "text"), ("label_source", "source"))}
        return {**said, "note": str(own.get("note", ""))}

    def label_scores(self, cluster: int) -> list[dict[str, Any]]:
        """The scores of the text of its label."""
        name = f"quanta/{self.about['root']}#{cluster}"
        return scores_of(self.lab.state, name, self.label(cluster)["label"])

    def row(self, cluster: int, answers: int = 5) -> dict[str, Any]:
        """What is told of a cluster in lists."""
        place = self.place(cluster)
        members = self.members(cluster)
        nearest = int(self.cohesion.nearest[place])
        return {
            "cluster": cluster,
            "rank": self.ranks[cluster] + 1,
            "size": int(members.size),
            "cohesion": told(self.cohesion.cohesion[place]),
            "separation": told(self.cohesion.separation[place]),
            "nearest": None if nearest < 0 else int(self.cohesion.labels[nearest]),
            "entropy": round(self.entropy(cluster), 4),
            "answers": self.samples.answers(members, answers),
            **self.label(cluster),
        }


def told(value: float) -> float | None:
    """A number as replies have it: null where it is none."""
    return round(float(value), 4) if np.isfinite(value) else None
