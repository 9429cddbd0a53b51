"""A feature that means nothing: as many activations as a real one has, on tokens drawn from the whole corpus."""

from __future__ import annotations

import numpy as np

from workbench.index.read import FeatureIndex

MOST = 1000
"""Tokens at the most: were it active everywhere, no window would be silent."""


class NullIndex(FeatureIndex):
    """An index whose features fire at random.

    Args:
        index: the one whose activations are scattered.
        seed: of the places.
    """

    def __init__(self, index: FeatureIndex, seed: int) -> None:
        super().__init__(index.folder, index.store)
        self._seed = seed
        self._scattered: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def entries(self, feature: int) -> tuple[np.ndarray, np.ndarray]:
        """Places that have nothing to do with the feature, ascending, with its activations."""
        if feature not in self._scattered:
            values = np.asarray(super().entries(feature)[1])
            rng = np.random.default_rng([self._seed, feature])
            count = min(len(values), MOST)
            tokens = np.flatnonzero(~np.isin(self.store.tokens[: int(self.meta["tokens"])], self.store.special))
            places = np.sort(rng.choice(tokens, size=count, replace=False))
            self._scattered[feature] = places, rng.permutation(values)[:count]
        return self._scattered[feature]
