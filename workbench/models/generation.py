"""Continuing a prompt: greedy or sampled, with or without a change at a site.

Sampling adds Gumbel noise to the logits and takes the largest (Gumbel, 1954; Maddison et al., 2014), which draws a
token with its softmax probability. The noise depends on the seed and the place alone, so that two runs of one seed
differ by their logits and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.errors import MismatchError

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.models.site import Site


def continue_ids(
    model: LoadedModel,
    ids: Sequence[int],
    tokens: int,
    *,
    temperature: float = 0.0,
    top_k: int = 0,
    seed: int = 0,
    site: Site | None = None,
    change: Callable[[Tensor], Tensor] | None = None,
    tick: Callable[[int], None] | None = None,
) -> list[int]:
    """The ids that follow `ids`: at most `tokens`, fewer at the end of a text or of the context.

    Args:
        temperature: 0 takes the likeliest token; otherwise logits are divided by it and a token is drawn.
        top_k: draw among so many likeliest tokens only; 0 draws among all.
        seed: of the draws.
        site: where `change` is applied, in every forward pass.
        change: activations (1, tokens, width) -> the same.
        tick: called with the number of tokens made so far, before each; what it raises ends the work.

    Raises:
        MismatchError: the model is an encoder, the hook did not run, or the logits are not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    grown = list(ids)
    for made in range(max(0, min(tokens, model.context - len(grown)))):
        if tick is not None:
            tick(made)
        last = model.logits(grown, site, change)[-1].double().cpu()  # (vocabulary,)
        if not bool(torch.isfinite(last).all()):
            raise MismatchError(
                f"the model predicts NaN or infinity after {made} new tokens", "Change it less, or use float32."
            )
        token = _choose(last, temperature, top_k, generator)
        if token == model.tokenizer.eos_token_id:
            break
        grown.append(token)
    return grown[len(ids) :]


def _choose(logits: Tensor, temperature: float, top_k: int, generator: torch.Generator) -> int:
    """One token of (vocabulary,) logits."""
    if temperature <= 0:
        return int(logits.argmax())
    uniform = torch.rand(len(logits), generator=generator, dtype=torch.float64).clamp(min=1e-300)
    noisy = logits / temperature - (-uniform.log()).log()
    if 0 < top_k < len(logits):
        kept = logits.topk(top_k).indices
        return int(kept[noisy[kept].argmax()])
    return int(noisy.argmax())
