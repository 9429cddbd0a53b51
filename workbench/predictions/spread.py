"""What the similarities of different samples are like, told in a few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

ROWS = 2000
"""Samples among which all pairs are looked at; of more, so many at equal distances."""


def pair_spread(matrix: np.ndarray, bins: int = 40) -> dict[str, Any]:
    """Mean, quantiles and histogram of the similarities of pairs of different samples."""
    few = np.unique(np.linspace(0, len(matrix) - 1, min(ROWS, len(matrix))).astype(int))
    part = np.asarray(matrix[np.ix_(few, few)], dtype=np.float64)
    pairs = part[np.triu_indices(len(few), 1)]
    low, middle, high = (float(value) for value in np.quantile(pairs, [0.05, 0.5, 0.95]))
    counts, edges = np.histogram(np.clip(pairs, -1, 1), bins=bins, range=(-1.0, 1.0))
    return {
        "mean": float(pairs.mean()),
        "q05": low,
        "median": middle,
        "q95": high,
        "largest": float(pairs.max()),
        "histogram": {"edges": [round(float(edge), 4) for edge in edges], "counts": counts.tolist()},
    }
