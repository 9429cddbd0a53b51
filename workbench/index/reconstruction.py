"""What a cluster of features does on the corpus: the tokens where a member fires, and every member's activation there.

A few reads of the index by feature, whatever the size of the corpus; no pass over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.errors import UsageError
from workbench.index.read import FeatureIndex


@dataclass(frozen=True)
class ClusterActivity:
    """A cluster on a sample of the tokens where it is active.

    Attributes:
        places: (tokens,) in the corpus, ascending.
        activations: (tokens, members).
        active: tokens on which some member is above the threshold, before the sample was drawn.
        silent: members that are never above it.
    """

    places: np.ndarray
    activations: np.ndarray
    active: int
    silent: tuple[int, ...]


def cluster_activity(
    index: FeatureIndex, members: Sequence[int], *, threshold: float = 0.0, most: int | None = None, seed: int = 0
) -> ClusterActivity:
    """The tokens on which any member is strictly above a threshold, or a uniform sample of them.

    Args:
        index: of the latents of an SAE.
        members: feature numbers.
        threshold: a token counts where some activation is strictly above it.
        most: tokens at most, drawn without replacement; None takes all.
        seed: of the sample.

    Raises:
        UsageError: the index is of raw units.
    """
    if index.meta["kind"] != "sparse":
        raise UsageError("raw units are active on every token", "Clusters are of the latents of an SAE.")
    read = [index.entries(int(member)) for member in members]
    above = [np.asarray(at[values > threshold]) for at, values in read]
    places = np.unique(np.concatenate(above)) if above else np.zeros(0, np.uint32)
    active = len(places)
    if most is not None and active > most:
        drawn = np.random.default_rng(seed).choice(active, most, replace=False, shuffle=False)
        places = places[np.sort(drawn)]
    activations = np.zeros((len(places), len(read)))
    for column, (at, values) in enumerate(read):
        if not len(at):
            continue
        near = np.minimum(np.searchsorted(at, places), len(at) - 1)
        activations[:, column] = np.where(at[near] == places, values[near], 0.0)
    silent = tuple(int(member) for member, kept in zip(members, above, strict=True) if not len(kept))
    return ClusterActivity(places.astype(np.int64), activations, active, silent)
