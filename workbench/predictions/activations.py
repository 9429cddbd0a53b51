"""The baseline that knows no gradient: what the neurons of all layers do on the token before the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.models.site import NEURONS, Site

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel

BATCH = 16


def activation_similarity(
    model: LoadedModel, contexts: Sequence[Sequence[int]], tick: Callable[[int, int], None]
) -> tuple[np.ndarray, int]:
    """Cosines (samples, samples) of the neurons of all layers at the last token before the answer, and their number.

    Raises:
        MismatchError: the architecture has no neurons to be read.
    """
    sites = [Site(layer, NEURONS) for layer in range(model.layers)]
    order = sorted(range(len(contexts)), key=lambda number: len(contexts[number]))
    rows: dict[int, np.ndarray] = {}
    for start in range(0, len(order), BATCH):
        tick(start, len(order))
        batch = order[start : start + BATCH]
        ids, mask = model.pad([contexts[number][:-1] for number in batch])
        acts = model.read_sites(ids, mask, sites)  # (batch, tokens, neurons) each
        for row, number in enumerate(batch):
            last = len(contexts[number]) - 2
            rows[number] = np.concatenate([acts[site][row, last].float().cpu().numpy() for site in sites])
    vectors = np.stack([rows[number] for number in range(len(contexts))]).astype(np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    matrix = vectors @ vectors.T
    np.fill_diagonal(matrix, 1.0)
    return matrix, vectors.shape[1]
