"""Aligning two token sequences (Needleman and Wunsch 1970): a match counts 1, a substitution and a gap -1 each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MATCH, OTHER, GAP = 1, -1, -1
Column = tuple["int | None", "int | None"]


def align(a: Sequence[int], b: Sequence[int]) -> list[Column]:
    """The columns of a best alignment: places in `a` and in `b`, None where there is a gap.

    Of equally good alignments it is the one that, read from the end, pairs tokens before it leaves one out, and
    leaves one of `a` out before one of `b`.
    """
    scores = _scores(np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64))
    i, j, columns = len(a), len(b), list[Column]()
    while i or j:
        here = scores[i, j]
        if i and j and here == scores[i - 1, j - 1] + (MATCH if a[i - 1] == b[j - 1] else OTHER):
            i, j = i - 1, j - 1
            columns.append((i, j))
        elif i and here == scores[i - 1, j] + GAP:
            i -= 1
            columns.append((i, None))
        else:
            j -= 1
            columns.append((None, j))
    return columns[::-1]


def _scores(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(len(a) + 1, len(b) + 1) the best score of each pair of beginnings, a row at a time."""
    places = GAP * np.arange(len(b) + 1)
    scores = np.empty((len(a) + 1, len(b) + 1), dtype=np.int64)
    scores[0] = places
    for i, token in enumerate(a):
        row = np.empty(len(b) + 1, dtype=np.int64)
        row[0] = GAP * (i + 1)
        row[1:] = np.maximum(scores[i, :-1] + np.where(b == token, MATCH, OTHER), scores[i, 1:] + GAP)
        # a gap in a goes on from the left: the best start, less what the way from there costs
        scores[i + 1] = np.maximum.accumulate(row - places) + places
    return scores
