"""What features do differently in two sentences that are aligned token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.sentences.align import Column
from workbench.sentences.table import SentenceFeatures


@dataclass(frozen=True)
class Differences:
    """The features that differ, strongest first.

    Attributes:
        features: (differing,)
        change: (differing,) b less a in the column where that is largest.
        column: (differing,) that column.
        maximum: (2, width) the largest activation of each feature in each sentence, 0 where it is silent.
        active: (2, width) whether each is active in each sentence, by more than the tolerance.
        distance: (columns,) Euclidean distance of the two tokens over all features.
        tolerance: the size up to which a difference is 0.
    """

    features: np.ndarray
    change: np.ndarray
    column: np.ndarray
    maximum: np.ndarray
    active: np.ndarray
    distance: np.ndarray
    tolerance: float


def differences(pair: SentenceFeatures, columns: Sequence[Column], least: float) -> Differences:
    """Compare sentence 0 with sentence 1, column by column; where one has no token it counts as silent there.

    Args:
        pair: the two sentences.
        columns: of an alignment of their tokens.
        least: differences up to this share of the largest activation are 0: the last bits of a sum are no finding.
    """
    place = _columns_of(columns, int(pair.starts[-1]), int(pair.starts[1]))[pair.rows]
    side = (pair.rows >= pair.starts[1]).astype(np.int64)
    size, width = max(len(columns), 1), pair.width
    keys, where = np.unique(pair.features.astype(np.int64) * size + place, return_inverse=True)
    values = pair.values.astype(np.float64)
    change = np.bincount(where, weights=np.where(side == 1, values, -values), minlength=len(keys))
    tolerance = least * float(np.abs(values).max(initial=0.0))
    change[np.abs(change) <= tolerance] = 0.0
    feature, column = keys // size, keys % size
    order = np.lexsort((column, -np.abs(change), feature))
    first = order[np.flatnonzero(np.diff(feature[order], prepend=-1))]  # the largest change of each feature
    first = first[change[first] != 0]
    first = first[np.lexsort((feature[first], -np.abs(change[first])))]
    maximum, active = np.zeros((2, width)), np.zeros((2, width), dtype=bool)
    strong = np.abs(values) > tolerance
    active[side[strong], pair.features[strong]] = True
    peaks = pair.peaks()
    maximum[peaks.sentence, peaks.feature] = peaks.value
    distance = np.sqrt(np.bincount(column, weights=change**2, minlength=len(columns)))
    return Differences(feature[first], change[first], column[first], maximum, active, distance, tolerance)


def _columns_of(columns: Sequence[Column], tokens: int, first_of_b: int) -> np.ndarray:
    """(tokens,) the column of each token of both sentences."""
    found = np.zeros(tokens, dtype=np.int64)
    for number, (a, b) in enumerate(columns):
        if a is not None:
            found[a] = number
        if b is not None:
            found[first_of_b + b] = number
    return found


def by_column(pair: SentenceFeatures, columns: Sequence[Column], feature: int) -> list[list[float | None]]:
    """A feature's activations in both sentences, column by column, None in a gap."""
    values, first_of_b = pair.of_feature(feature), int(pair.starts[1])
    ours = [None if a is None else round(float(values[a]), 4) for a, _ in columns]
    theirs = [None if b is None else round(float(values[first_of_b + b]), 4) for _, b in columns]
    return [ours, theirs]
