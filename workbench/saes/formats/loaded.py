"""What every format becomes: a SAELens object, with what its files say about where it belongs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

SUPPORTED = (
    "standard", "gated", "topk", "jumprelu",
    "transcoder", "skip_transcoder", "jumprelu_transcoder", "jumprelu_skip_transcoder",
)  # fmt: skip
"""Architectures whose latents are one vector of numbers >= 0 for each token. Batch top-k and matryoshka SAEs are
saved as jumprelu."""


@dataclass(frozen=True)
class LoadedSae:
    """An SAE in memory.

    Attributes:
        sae: the SAELens object; encodes (..., units) and decodes (..., latents).
        format: `saelens`, `sparsify` or `dictionary_learning`.
        hook: the site it reads, as its files name it; empty where they do not.
        hook_out: the site it writes; empty where it is the one it reads.
        skip: (units out, units in) of a transcoder's linear path beside the latents.
    """

    sae: Any
    format: str
    hook: str
    hook_out: str = ""
    skip: Tensor | None = None


def build(architecture: str, settings: dict[str, Any], weights: dict[str, Tensor], device: str) -> Any:
    """A SAELens object in float32 from its settings and weights.

    Args:
        settings: fields of the architecture's config; `d_in` and `d_sae` come from the weights.
        weights: by SAELens' names; W_enc (units, latents), W_dec (latents, units), biases, thresholds.

    Raises:
        RuntimeError: the weights do not fit together.
    """
    import torch
    from sae_lens.registry import get_sae_class

    kind, config = get_sae_class(architecture)
    units, latents = weights["W_enc"].shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = kind(config(d_in=units, d_sae=latents, dtype="float32", device="cpu", **settings))
    made.load_state_dict({name: value.to(torch.float32).contiguous() for name, value in weights.items()})
    return made.to(device)
