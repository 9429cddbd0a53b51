"""The clusters of a session: storing them, and reading the latest ones back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from commands.clusters import MADE_BY
from workbench.digests import value_digest
from workbench.errors import UnknownNameError, UsageError
from workbench.features.evidence import scores_of
from workbench.lab import Lab
from workbench.labels.named import clusters_space, label_entry
from workbench.session.log import LogLine

SHOWN = 20


@dataclass(frozen=True)
class Cluster:
    """One cluster as it was stored.

    Attributes:
        number: in the list.
        members: (members,) feature numbers.
        units: (members, width) directions of length 1; None for clusters of an SAE that was not loaded.
        lengths: (members,) of the decoder's rows; ones where they were not kept.
        cosine: mean cosine of its pairs; None where there are no directions.
    """

    number: int
    members: np.ndarray
    units: np.ndarray | None
    lengths: np.ndarray
    cosine: float | None


class ClusterSet:
    """The latest clusters of a session.

    Attributes:
        line: the log line that made them.
        stored: its result.
    """

    def __init__(self, lab: Lab) -> None:
        lines = [line for verb in MADE_BY for line in lab.record.done(verb)]
        if not lines:
            raise UsageError("no clusters in this session", "Find some: `workbench clusters find`.")
        self.lab = lab
        self.line: LogLine = max(lines, key=lambda line: line.seq)
        self.stored: dict[str, Any] = lab.stored(self.line)

    @property
    def space(self) -> str:
        """The features that the clusters are of."""
        return str(self.stored["space"])

    @cached_property
    def members(self) -> np.ndarray:
        """The members of all clusters, one after the other."""
        return self._whole("members")

    @cached_property
    def sizes(self) -> np.ndarray:
        """(clusters,) how many features each has."""
        return self._whole("sizes")

    @cached_property
    def cosines(self) -> np.ndarray:
        """(clusters,) mean cosine of each, NaN where no directions were at hand."""
        return self._whole("cosines")

    @cached_property
    def lengths(self) -> np.ndarray:
        """(all members,) of the decoder's rows; ones where they were not kept."""
        found = self._whole("lengths", np.ones(len(self.members)))
        return found.astype(np.float64)

    def _whole(self, name: str, instead: np.ndarray | None = None) -> np.ndarray:
        from safetensors import safe_open

        self.lab.uses.add(self.line.seq)
        with safe_open(self.lab.record.artifact_path(self.line) / "clusters.safetensors", "numpy") as file:
            if instead is not None and name not in file.keys():  # noqa: SIM118 - not a dict
                return instead
            return np.asarray(file.get_tensor(name))

    @cached_property
    def starts(self) -> np.ndarray:
        """(clusters + 1,) where each begins among the members."""
        return np.concatenate([[0], np.cumsum(self.sizes)])

    def of(self, number: int) -> np.ndarray:
        """The members of one cluster."""
        return np.asarray(self.members[self.starts[number] : self.starts[number + 1]])

    def cluster(self, number: int) -> Cluster:
        """One cluster with its directions, and nothing else of the file.

        Raises:
            UnknownNameError: there is no such cluster.
        """
        if number >= len(self.sizes):
            raise UnknownNameError(f"no cluster {number}", f"There are {len(self.sizes)}, counted from 0.")
        members = self.of(number)
        begin, end = int(self.starts[number]), int(self.starts[number + 1])
        found = self.lab.array_rows(self.line, "clusters", begin, end) if self.has_directions else {}
        units = found.get("directions")
        lengths = found.get("lengths", np.ones(len(members)))
        cosine = float(self.cosines[number])
        return Cluster(
            number,
            members,
            None if units is None else units.astype(np.float64),
            lengths.astype(np.float64),
            None if np.isnan(cosine) else cosine,
        )

    @property
    def has_directions(self) -> bool:
        """Whether decoder directions were kept beside the members."""
        return bool(self.stored.get("directions", True))

    def name(self, number: int) -> str:
        """What a published cluster is known as; empty for all others."""
        return str(self.stored.get("names", {}).get(str(number), ""))

    def label(self, number: int) -> dict[str, str]:
        """The label in force of a cluster with whose it is; empty texts where there is none."""
        entry = label_entry(self.lab.state, f"{clusters_space(self.lab.state)}#{number}")
        given = {} if entry is None else entry.value
        return {"label": str(given.get("text", "")), "label_source": str(given.get("source", ""))}

    def label_scores(self, number: int) -> list[dict[str, Any]]:
        """The scores of the text of a cluster's label."""
        name = f"{clusters_space(self.lab.state)}#{number}"
        return scores_of(self.lab.state, name, self.label(number)["label"])


def keep(
    lab: Lab, clusters: Sequence[np.ndarray], decoder: np.ndarray | None, lengths: np.ndarray | None
) -> np.ndarray:
    """Store clusters of two or more features with their directions; gives the mean cosine of each.

    Args:
        clusters: members of each.
        decoder: (features, width) directions; None where the SAE they are of is not loaded.
        lengths: (features,) what a unit of activation writes, in lengths of the direction.
    """
    members = np.concatenate(clusters).astype(np.int64) if clusters else np.zeros(0, dtype=np.int64)
    sizes = np.array([len(cluster) for cluster in clusters], dtype=np.int64)
    arrays = {"members": members, "sizes": sizes, "cosines": np.full(len(sizes), np.nan)}
    if decoder is not None:
        units = decoder[members]  # a copy of the members' rows alone, which for a large decoder are few
        units /= np.maximum(np.linalg.norm(units, axis=1, keepdims=True), 1e-12)
        parts = np.split(units, np.cumsum(sizes)[:-1]) if clusters else []
        arrays["cosines"] = np.array([_mean_cosine(part) for part in parts])
        arrays |= {"directions": units}
        if lengths is not None:
            arrays |= {"lengths": lengths[members].astype(np.float32)}
    lab.save("clusters", **arrays)
    return arrays["cosines"]


def largest_rows(
    clusters: Sequence[np.ndarray], cosines: np.ndarray, returns: Sequence[float] = ()
) -> list[dict[str, Any]]:
    """The largest clusters for a result, with how well each comes back in halves of the documents, if known."""
    return [
        {"cluster": number, "size": len(clusters[number]), "cosine": rounded(cosines[number]),
         "features": [int(member) for member in clusters[number][:12]],
         **({"returns": returns[number]} if returns else {})}
        for number in range(min(len(clusters), SHOWN))
    ]  # fmt: skip


def rounded(value: Any, places: int = 4) -> float | None:
    """A number for a reply; null where it is undefined."""
    return None if value is None or np.isnan(value) else round(float(value), places)


def _mean_cosine(units: np.ndarray) -> float:
    """Mean cosine of all pairs of rows."""
    size = len(units)
    total = float(np.square(units.sum(axis=0)).sum()) - size
    return total / (size * (size - 1))


def decoder_of(space: Any) -> tuple[np.ndarray, np.ndarray]:
    """(features, width) decoder directions, and (features,) how long a unit of each feature's activation is."""
    decoder: np.ndarray = space.directions().numpy()
    cfg = getattr(getattr(space, "sae", None), "cfg", None)
    if getattr(cfg, "rescale_acts_by_decoder_norm", False):  # activations are in units of the rows' norms already
        return decoder, np.ones(len(decoder))
    return decoder, np.linalg.norm(decoder, axis=1)


def entry_of(space: str, clusters: list[np.ndarray]) -> dict[str, Any]:
    """The state entry of a clustering: its digest tells one from another of the same number of clusters."""
    members = [cluster.tolist() for cluster in clusters]
    return {"space": space, "count": len(clusters), "digest": value_digest(members)}
