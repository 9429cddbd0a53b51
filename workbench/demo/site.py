"""The site of the demo's SAE in the plain Hugging Face model: reading it and editing it."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import GPT2LMHeadModel

from workbench.demo.tokens import BOUNDARY_ID, by_length, padded

SITE_LAYER = 1
SITE = f"blocks.{SITE_LAYER}.hook_resid_post"
# `Two days from Monday is`: boundary, offset, unit, from, NAME, is.
NAME_POSITION = 4


def logits_with_site(
    model: GPT2LMHeadModel, ids: torch.Tensor, edit: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """Logits (rows, length, vocabulary) with the residual stream at the site put through `edit`."""

    def hook(_module: Any, _args: Any, output: Any) -> Any:
        return (edit(output[0]), *output[1:]) if isinstance(output, tuple) else edit(output)

    handle = model.transformer.h[SITE_LAYER].register_forward_hook(hook)
    try:
        logits: torch.Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    finally:
        handle.remove()
    return logits


@torch.no_grad()
def site_activations(model: GPT2LMHeadModel, rows: Sequence[Sequence[int]], rows_a_run: int = 128) -> torch.Tensor:
    """The residual stream at the site for every token but the boundary tokens: (tokens, width)."""
    found = []
    for group in by_length(rows, 1 + len(rows) // rows_a_run):
        ids, present = padded(group)
        hidden = model.transformer(input_ids=ids, output_hidden_states=True).hidden_states[SITE_LAYER + 1]
        found.append(hidden[present & (ids != BOUNDARY_ID)])
    return torch.cat(found)
