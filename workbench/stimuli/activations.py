"""What every feature does on every token of a stimulus set, and on each sentence as one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from workbench.models.loaded import LoadedModel
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace

Pool = Literal["mean", "max", "last"]


@dataclass(frozen=True)
class TokenFeatures:
    """Non-zero features of the text tokens of several sentences, token by token.

    Attributes:
        starts: (sentences + 1,) first token of each sentence; special tokens are left out.
        pointers: (tokens + 1,) first entry of each token.
        features: (entries,) feature of each entry, rising within a token.
        values: (entries,) its activation, float32.
        pooled: (sentences, features) one number for each sentence, float32.
    """

    starts: np.ndarray
    pointers: np.ndarray
    features: np.ndarray
    values: np.ndarray
    pooled: np.ndarray


def stimulus_features(
    model: LoadedModel,
    space: FeatureSpace,
    texts: Sequence[TokenizedText],
    pool: Pool,
    tick: Callable[[int, int, str], None],
) -> TokenFeatures:
    """Run the sentences once; BOS and padding never count.

    Raw units are dense: their tokens are not kept, only the pooled numbers.
    """
    keep_tokens = space.info["units"] == "latents"
    starts, counts, features, values = [0], [], [], []
    pooled = np.zeros((len(texts), space.width), dtype=np.float32)
    for number, (text, acts) in enumerate(zip(texts, model.read(texts, space.site), strict=True)):
        if number % 16 == 0:
            tick(number, len(texts), "reading sentences")
        kept = acts[torch.tensor(text.is_text, device=acts.device)]  # (tokens, units), special tokens out
        encoded = space.encode(kept).cpu()  # (tokens, features)
        pooled[number] = pool_tokens(encoded, pool).numpy()
        starts.append(starts[-1] + encoded.shape[0])
        if keep_tokens:
            rows, columns = torch.nonzero(encoded, as_tuple=True)
            counts.append(torch.bincount(rows, minlength=encoded.shape[0]).numpy())
            features.append(columns.to(torch.int32).numpy())
            values.append(encoded[rows, columns].numpy())
        else:
            counts.append(np.zeros(encoded.shape[0], dtype=np.int64))
    pointers = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    return TokenFeatures(
        starts=np.array(starts, dtype=np.int64),
        pointers=pointers,
        features=np.concatenate(features) if features else np.zeros(0, dtype=np.int32),
        values=np.concatenate(values) if values else np.zeros(0, dtype=np.float32),
        pooled=pooled,
    )


def pool_tokens(encoded: Tensor, pool: Pool) -> Tensor:
    """One number for each feature: the mean, the largest or the last of the tokens (tokens, features)."""
    if pool == "mean":
        return encoded.mean(dim=0)
    return encoded.amax(dim=0) if pool == "max" else encoded[-1]
