"""What if: the SAE at another layer, on a scaled input, with other decoder norms, with or without BOS.

Each function gives the fraction of variance unexplained after one change. A change that mends a bad
reconstruction names what is wrong with the SAE as it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.errors import WorkbenchError
from workbench.saes.faithfulness import Texts, fvu, probe, quantiles

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.models.site import Site
    from workbench.saes.space import SaeSpace

SCALES = tuple(2 ** (step / 2) for step in range(-20, 21))
"""Input scales tried: half octaves from 1/1024 to 1024."""
STEPS = 8
"""Conjugate gradient steps of the fit of decoder gains."""
NEAR = 2
"""Layers tried on either side where the SAE's own fits well enough."""

AT_ONCE = 4
"""Layers whose activations are held at once."""


@dataclass(frozen=True)
class Layer:
    """Another layer, and how well the SAE fits there."""

    site: str
    fvu: float


def other_layers(model: LoadedModel, space: SaeSpace, texts: Texts, *, everywhere: bool) -> list[Layer]:
    """The SAE moved to other layers, its input and its output by the same number of blocks."""
    reach = model.layers if everywhere else NEAR
    shifts = [shift for shift in range(-reach, reach + 1) if shift and _fits(model, space, shift)]
    found = []
    for start in range(0, len(shifts), AT_ONCE):
        moved = [(_moved(space.site, shift), _moved(space.writes, shift)) for shift in shifts[start : start + AT_ONCE]]
        acts = probe(model, texts, *(site for pair in moved for site in pair))
        for place, (_, written) in enumerate(moved):
            target = acts[2 * place + 1]
            found.append(Layer(written.name, fvu(target, space.reconstruct(acts[2 * place]))))
    return found


def _fits(model: LoadedModel, space: SaeSpace, shift: int) -> bool:
    """Whether the model has the sites so many blocks on, and as many units there."""
    for site, units in ((space.site, space.sae.W_enc.shape[0]), (space.writes, space.sae.b_dec.numel())):
        moved = _moved(site, shift)
        if not 0 <= moved.layer < model.layers:
            return False
        try:
            if model.site_width(moved) != units:
                return False
        except WorkbenchError:
            return False  # a model whose blocks differ may lack the stream there
    return True


def _moved(site: Site, shift: int) -> Site:
    return replace(site, layer=site.layer + shift)


def best_scale(space: SaeSpace, acts: Tensor, target: Tensor) -> tuple[float, float]:
    """The input scale c for which reconstruct(c x) / c fits best, and the FVU with it.

    An SAE trained on scaled activations, used without that scale, is mended by it. A transcoder's output is
    not divided: its input alone is scaled.
    """
    same = space.site == space.writes
    found = [(fvu(target, space.reconstruct(acts * scale) / (scale if same else 1.0)), scale) for scale in SCALES]
    value, scale = min(found)
    return scale, value


@dataclass(frozen=True)
class Gains:
    """The decoder gains that fit best: their quartiles over the latents that matter, and FVU without and with them.

    Both are measured on tokens that the fit did not see.
    """

    quartiles: list[float]
    before: float
    after: float


@torch.no_grad()
def best_gains(space: SaeSpace, acts: Tensor, target: Tensor) -> Gains:
    """A gain g for each latent's decoder direction that minimises |x - b - sum g f d|^2 (least squares).

    Solved on the first half of the tokens by `STEPS` steps of conjugate gradients from g = 1, judged on the second.
    """
    half = len(acts) // 2
    latents, error, decoder = _parts(space, acts[:half], target[:half])
    step = torch.zeros(latents.shape[1], device=acts.device)
    rest = (latents * (error @ decoder.T)).sum(0)  # (latents,) minus the gradient
    way, size = rest.clone(), rest @ rest
    for _ in range(STEPS):
        turned = (latents * (((latents * way) @ decoder) @ decoder.T)).sum(0)
        bend = way @ turned
        if bend <= 0 or size <= 0:
            break
        step += size / bend * way
        rest -= size / bend * turned
        size, before = rest @ rest, size
        way = rest + size / before * way
    latents, error, decoder = _parts(space, acts[half:], target[half:])
    spread = (target[half:] - target[half:].mean(0)).pow(2).sum().clamp_min(1e-30)
    weight = latents.pow(2).sum(0)
    mattering = (1 + step)[weight >= weight[weight > 0].median()] if bool((weight > 0).any()) else 1 + step
    return Gains(
        quantiles(mattering, (0.25, 0.5, 0.75)),
        float(error.pow(2).sum() / spread),
        float((error - (latents * step) @ decoder).pow(2).sum() / spread),
    )


def _parts(space: SaeSpace, acts: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Latents (tokens, width), error (tokens, units), and what a unit of each latent adds (width, units)."""
    latents, made = space.encode_and_decode(acts)
    decoder: Tensor = space.sae.W_dec.detach().float()
    if getattr(space.sae.cfg, "rescale_acts_by_decoder_norm", False):
        decoder = decoder / decoder.norm(dim=1, keepdim=True).clamp_min(1e-8)  # such latents carry their norm
    return latents, target - made, decoder


def with_bos_turned(model: LoadedModel, texts: Texts) -> tuple[bool, Texts] | None:
    """Whether the model's tokenizer opens a text with BOS, and the texts read the other way; None without a BOS."""
    bos = model.tokenizer.bos_token_id
    if bos is None or not texts.rows:
        return None
    opens = all(row[0] == bos for row in texts.rows)
    rows = [row[1:] for row in texts.rows] if opens else [[int(bos), *row][: model.context] for row in texts.rows]
    return opens, Texts(rows, texts.special, texts.tokens)
