"""Losses as a histogram on a logarithmic axis, in nats."""

from __future__ import annotations

from typing import Any

import numpy as np

LEAST, MOST = 1e-4, 32.0


def loss_histogram(losses: np.ndarray, keep: np.ndarray | None = None, bins: int = 36) -> dict[str, Any]:
    """Edges in nats with counts of all losses, and of those kept; below the first edge above 0 is one bin.

    Losses that are no numbers are in no bin; those beyond the last edge are in the last.
    """
    edges = np.concatenate([[0.0], np.geomspace(LEAST, MOST, bins)])
    place = np.searchsorted(edges, losses, side="right") - 1
    place = np.clip(place, 0, bins - 1)
    known = np.isfinite(losses)
    counts = np.bincount(place[known], minlength=bins)
    kept = None if keep is None else np.bincount(place[known & keep], minlength=bins).tolist()
    return {"edges": [float(f"{edge:.4g}") for edge in edges], "counts": counts.tolist(), "kept": kept}
