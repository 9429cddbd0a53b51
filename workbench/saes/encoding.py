"""The encoders of the supported architectures, each one matrix product and what it takes beside it.

The arithmetic is SAELens'; what it makes in new tensors is made in place here, the two products of a gated SAE,
whose encoders are multiples of each other, are one, and the norms of the decoder are not measured at every call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

CACHED = 1 << 20
"""Latents worked on at once: 4 MiB in float32."""


@torch.no_grad()
def encode(sae: Any, acts: Tensor, norms: Tensor | None = None) -> Tensor:
    """Latents (..., width) of activations (..., units), in the number format of the SAE.

    Args:
        sae: SAELens' object of one of `formats.loaded.SUPPORTED`.
        norms: (width,) the lengths of its decoder rows where latents are measured in units of them, else None.
    """
    taken = sae.process_sae_in(acts)
    rows = taken.reshape(-1, taken.shape[-1])  # (rows, units)
    architecture = str(sae.cfg.architecture())
    if architecture == "gated":
        found = _gated(sae, rows)
    else:
        found = _product(sae, rows, norms)
        if architecture == "topk":
            found = _top(found, int(sae.activation_fn.k))
        elif "jumprelu" in architecture:
            for part in _parts(found):
                part.relu_().mul_(part > sae.threshold)  # many times faster than masked_fill_
        else:
            found.relu_()
    return found.reshape(*taken.shape[:-1], -1)


@torch.no_grad()
def largest(sae: Any, acts: Tensor, norms: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The k largest latents of a TopK SAE on activations (rows, units): their values and numbers, (rows, k) each.

    The same numbers as `encode`'s, without the zeros around them; a value may be 0.
    """
    values, places = _product(sae, sae.process_sae_in(acts), norms).topk(int(sae.activation_fn.k), dim=-1, sorted=False)
    return values.relu_(), places


def _product(sae: Any, rows: Tensor, norms: Tensor | None) -> Tensor:
    """What the latents are before their activation function, (rows, width)."""
    found = torch.addmm(sae.b_enc, rows, sae.W_enc)
    return found if norms is None else found.mul_(norms)


def _gated(sae: Any, rows: Tensor) -> Tensor:
    """Magnitudes where the gate is open: both see one product, W_mag = exp(r_mag) W_gate."""
    product: Tensor = rows @ sae.W_enc  # (rows, width)
    gain = sae.r_mag.exp()
    for part in _parts(product):
        opened = part > -sae.b_gate
        torch.addcmul(sae.b_mag, part, gain, out=part).relu_().mul_(opened)
    return product


def _parts(found: Tensor) -> Sequence[Tensor]:
    """Views of some rows each, which a processor's cache holds from one elementwise step to the next."""
    if found.device.type != "cpu":
        return [found]
    return torch.split(found, max(1, CACHED // found.shape[-1]))


def _top(found: Tensor, k: int) -> Tensor:
    """The k largest of each row, those that are not positive left out."""
    values, places = found.topk(k, dim=-1, sorted=False)
    return found.zero_().scatter_(-1, places, values.relu_())
