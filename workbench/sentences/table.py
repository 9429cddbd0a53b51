"""What every feature does on every token of a few sentences, as the list of what is not 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Peaks:
    """The strongest token of each feature in each sentence in which it is not silent, by sentence, then feature.

    Attributes:
        sentence: (peaks,)
        feature: (peaks,)
        value: (peaks,) the activation.
        token: (peaks,) its number within the sentence.
    """

    sentence: np.ndarray
    feature: np.ndarray
    value: np.ndarray
    token: np.ndarray


@dataclass(frozen=True)
class SentenceFeatures:
    """The activations other than 0 on the text tokens of several sentences, token by token.

    Attributes:
        width: how many features there are.
        starts: (sentences + 1,) first token of each sentence; special tokens are left out.
        rows: (entries,) the token of each entry, not falling.
        features: (entries,) its feature.
        values: (entries,) its activation.
    """

    width: int
    starts: np.ndarray
    rows: np.ndarray
    features: np.ndarray
    values: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """(sentences,) tokens of each."""
        return np.diff(self.starts)

    def peaks(self, *, signed: bool = False) -> Peaks:
        """The token of each feature and sentence where it is farthest from 0, or largest where `signed`.

        Of equal ones the first token counts.
        """
        sentence = np.searchsorted(self.starts, self.rows, side="right") - 1
        size = self.values if signed else np.abs(self.values)
        order = np.lexsort((self.rows, -size, self.features, sentence))
        pair = sentence[order].astype(np.int64) * self.width + self.features[order]
        best = order[np.flatnonzero(np.diff(pair, prepend=-1))]
        return Peaks(
            sentence[best], self.features[best], self.values[best], self.rows[best] - self.starts[sentence[best]]
        )

    def of_feature(self, feature: int) -> np.ndarray:
        """(tokens,) one feature's activation on every token."""
        found = np.zeros(int(self.starts[-1]))
        mine = self.features == feature
        found[self.rows[mine]] = self.values[mine]
        return found
