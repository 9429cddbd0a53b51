"""Which features several sentences share and control sentences do not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workbench.sentences.table import SentenceFeatures


@dataclass(frozen=True)
class Shared:
    """The features found, most telling first, and what was counted of all.

    Attributes:
        found: (found,) features.
        counts: (width,) sentences in which each is active.
        control_counts: (width,) control sentences.
        means: (width,) mean over the sentences of the largest activation, silent ones as 0.
        control_means: (width,)
        above: (sentences, found) whether each of those found is active.
        needed: sentences that make up the share.
        allowed: control sentences in which one may be active.
    """

    found: np.ndarray
    counts: np.ndarray
    control_counts: np.ndarray
    means: np.ndarray
    control_means: np.ndarray
    above: np.ndarray
    needed: int
    allowed: int


def shared(table: SentenceFeatures, sentences: int, *, threshold: float, share: float, control_share: float) -> Shared:
    """Count features over the first `sentences` of a table; those that follow are controls.

    Args:
        threshold: a feature is active in a sentence where it is above this on some token.
        share: of the sentences in which it must be.
        control_share: of the controls in which it may be.
    """
    controls, width = len(table.lengths) - sentences, table.width
    peaks = table.peaks(signed=True)
    active, first = peaks.value > threshold, peaks.sentence < sentences
    counts = np.bincount(peaks.feature[active & first], minlength=width)
    control_counts = np.bincount(peaks.feature[active & ~first], minlength=width)
    means = np.bincount(peaks.feature[first], weights=peaks.value[first], minlength=width) / max(sentences, 1)
    control_means = np.bincount(peaks.feature[~first], weights=peaks.value[~first], minlength=width) / max(controls, 1)
    # a product such as 0.7 * 10 may lie a last bit beside the whole number that is meant
    needed, allowed = max(1, math.ceil(share * sentences - 1e-9)), math.floor(control_share * controls + 1e-9)
    found = np.flatnonzero((counts >= needed) & (control_counts <= allowed))
    gain = counts[found] / max(sentences, 1) - control_counts[found] / max(controls, 1)
    found = found[np.lexsort((found, -means[found], -gain))]
    above = np.zeros((sentences, len(found)), dtype=bool)
    at = np.full(width, -1)
    at[found] = np.arange(len(found))
    kept = active & first & (at[peaks.feature] >= 0)
    above[peaks.sentence[kept], at[peaks.feature[kept]]] = True
    return Shared(found, counts, control_counts, means, control_means, above, needed, allowed)
