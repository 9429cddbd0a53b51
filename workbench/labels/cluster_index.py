"""A cluster of features as labels see it: active where any of its members is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from workbench.index.read import FeatureIndex

KEPT = 16
"""Clusters whose places stay in memory."""
LOGITS = 10
"""Tokens that a cluster's members make likelier, and unlikelier, that are told."""


class ClusterIndex(FeatureIndex):
    """An index whose features are clusters.

    The activation of a cluster is the sum of its members' activations, each in lengths of its decoder direction: above
    zero exactly where some member is.

    Args:
        index: of the members.
        members: feature numbers of each cluster.
        lengths: of each cluster the lengths of its members' decoder directions.
    """

    def __init__(self, index: FeatureIndex, members: Sequence[np.ndarray], lengths: Sequence[np.ndarray]) -> None:
        super().__init__(index.folder, index.store)
        self.meta = {**self.meta, "features": len(members)}
        self._base = index
        self._members = members
        self._lengths = lengths
        self._joint: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    @cached_property
    def summary(self) -> dict[str, np.ndarray]:
        """`fired`, (clusters,): activations of all members; nothing else is known of a cluster without a pass."""
        fired = self._base.summary["fired"]
        return {"fired": np.array([int(fired[members].sum()) for members in self._members])}

    @cached_property
    def directions(self) -> np.ndarray:
        """(clusters, units) unit vectors: the mean of the members' directions."""
        base = self._base.directions
        means = [base[members].astype(np.float32).mean(axis=0) for members in self._members]
        stacked = np.stack(means) if means else np.zeros((0, base.shape[1]), np.float32)
        found: np.ndarray = stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12)
        return found

    def entries(self, feature: int) -> tuple[np.ndarray, np.ndarray]:
        """All tokens on which some member is active, ascending, and what the members sum to on each."""
        if feature not in self._joint:
            if len(self._joint) >= KEPT:
                del self._joint[next(iter(self._joint))]
            self._joint[feature] = self._joined(feature)
        return self._joint[feature]

    def _joined(self, cluster: int) -> tuple[np.ndarray, np.ndarray]:
        read = [self._base.entries(int(member)) for member in self._members[cluster]]
        at = np.concatenate([places for places, _ in read])
        parts = zip(read, self._lengths[cluster], strict=True)
        values = np.concatenate([np.asarray(found) * float(length) for (_, found), length in parts])
        places, inverse = np.unique(at, return_inverse=True)
        sums = np.bincount(inverse, weights=values, minlength=len(places))
        return places, sums.astype(np.float32)

    def logits(self, feature: int) -> dict[str, list[list[Any]]] | None:
        """The tokens that some member makes likelier (`top`) or unlikelier (`bottom`), the strongest first."""
        told = [self._base.logits(int(member)) for member in self._members[feature]]
        known = [one for one in told if one is not None]
        if not known:
            return None
        return {
            "top": _strongest([one["top"] for one in known]),
            "bottom": _strongest([one["bottom"] for one in known]),
        }


def _strongest(lists: Sequence[Sequence[Sequence[Any]]]) -> list[list[Any]]:
    """The tokens of several lists, each once, by their largest value."""
    best: dict[str, float] = {}
    for token, value in (pair for pairs in lists for pair in pairs):
        if abs(value) > abs(best.get(token, 0.0)):
            best[token] = value
    ranked = sorted(best.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [[token, value] for token, value in ranked[:LOGITS]]
