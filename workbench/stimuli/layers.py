"""What a feature's direction carries at every layer of the model, in each sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from workbench.errors import UsageError
from workbench.models.site import Site
from workbench.stimuli.activations import MOST_ENTRIES, Pool, lay_window, pool_tokens, window_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from workbench.models.loaded import LoadedModel
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace
    from workbench.stimuli.windows import Span, Window


def layer_features(
    model: LoadedModel,
    space: FeatureSpace,
    texts: Sequence[TokenizedText],
    pool: Pool,
    tick: Callable[[int, int, str], None],
    *,
    window: Window,
    spans: Sequence[Span],
) -> tuple[list[str], np.ndarray]:
    """Pooled read-outs of the same stream at every layer.

    Raw units are read as they are. A latent belongs to one layer, and its encoder means nothing at another; there the
    stream x is read along its decoder direction d instead, as x.d / |d|^2, which is linear and not thresholded, at the
    latent's own layer too.

    Returns:
        The names of the sites, and (sentences, layers, features) float32, NaN where a sentence is masked.

    Raises:
        UsageError: the numbers would not fit the memory.
    """
    stream = getattr(space, "writes", space.site).stream
    sites = [Site(layer, stream) for layer in range(model.layers)]
    if (entries := len(texts) * len(sites) * space.width) > MOST_ENTRIES:
        raise UsageError(
            f"a map of {len(texts)} sentences x {len(sites)} layers x {space.width} features has {entries:,} entries",
            f"At most {MOST_ENTRIES:,}: use fewer sentences (--against), or raw units.",
        )
    directions = None if space.info["units"] == "raw" else space.directions()  # (features, units)
    laid = lay_window(window, texts, spans)
    found = np.full((len(texts), len(sites), space.width), np.nan, dtype=np.float32)
    for layer, site in enumerate(sites):
        tick(layer, len(sites), f"reading {site.name}")
        for number, (text, acts) in enumerate(zip(texts, model.read(texts, site), strict=True)):
            if (places := laid[number]) is None:
                continue
            kept = acts[torch.tensor(text.is_text, device=acts.device)].float().cpu()  # (tokens, units)
            read = kept if directions is None else _read_out(kept, directions)  # (tokens, features)
            found[number, layer] = pool_tokens(window_values(read, window, places), pool).numpy()
    return [site.name for site in sites], found


def _read_out(acts: Tensor, directions: Tensor) -> Tensor:
    """Coefficients (tokens, features) of activations (tokens, units) along each direction; 0 along one of no length."""
    squared = directions.square().sum(dim=1)
    return acts @ directions.T / torch.where(squared > 0, squared, 1.0)
