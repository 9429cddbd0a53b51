"""CE loss recovered: what the model still predicts when the SAE's reconstruction takes the site's place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.saes.faithfulness import Texts

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import SaeSpace

LOGITS = 1 << 25
"""Logits held at once: 128 MiB in float32."""
Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Recovered:
    """Mean next-token loss in nats with the site as it is, reconstructed, and replaced by its mean."""

    clean: float
    sae: float
    mean: float

    @property
    def share(self) -> float:
        """(mean - sae) / (mean - clean): 1 where nothing is lost, 0 where the SAE is no better than the mean."""
        return (self.mean - self.sae) / (self.mean - self.clean)


@torch.no_grad()
def recovered(model: LoadedModel, space: SaeSpace, texts: Texts, mean: Tensor) -> Recovered:
    """Losses over the texts; special tokens keep their activations and are predicted no better or worse for it.

    Args:
        mean: (units,) the mean of the site that the SAE writes to.

    Raises:
        MismatchError: the model predicts no next token, or the hook did not run.
    """
    model.need_logits()
    special = torch.tensor(sorted(texts.special), dtype=torch.long, device=model.device)
    sums, tokens = [0.0, 0.0, 0.0], 0
    longest = max(len(row) for row in texts.rows)
    size = max(1, LOGITS // (longest * int(model.info["vocabulary"])))
    for start in range(0, len(texts.rows), size):
        ids, mask = model.pad(texts.rows[start : start + size])
        text = ~torch.isin(ids, special)
        made = space.reconstruct(model.read_ids(ids, mask, space.site))  # (batch, tokens, units)
        changes: list[Change | None] = [None, _put(made, text), _put(mean.expand_as(made), text)]
        for place, change in enumerate(changes):
            sums[place] += _loss(model, space, ids, mask, change)
        tokens += int(mask[:, 1:].sum())
    return Recovered(*(value / max(tokens, 1) for value in sums))


def _put(values: Tensor, where: Tensor) -> Change:
    """The change that puts values (batch, tokens, units) where (batch, tokens) says so."""
    return lambda acts: torch.where(where[..., None], values.to(acts.dtype), acts)


def _loss(model: LoadedModel, space: SaeSpace, ids: Tensor, mask: Tensor, change: Change | None) -> float:
    """Summed loss of the next tokens of a padded batch (batch, tokens), padding on the right left out."""
    with model.intervention(None if change is None else space.writes, change):
        logits: Tensor = model.bridge(ids, return_type="logits")
    wanted = mask[:, 1:].bool()
    return float(torch.nn.functional.cross_entropy(logits[:, :-1][wanted].float(), ids[:, 1:][wanted], reduction="sum"))
