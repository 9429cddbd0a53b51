"""Many prompts in one forward pass: what stands at one place of each, and what each predicts after a change there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from workbench.circles.tasks import Prompts
    from workbench.models.loaded import LoadedModel
    from workbench.models.site import Site

Floats = NDArray[np.float64]
Tick = Callable[[int, int, str], None]

LOGITS_AT_ONCE = 1 << 25
"""Logits held at a time: 128 MiB in float32."""
MOST_ROWS = 512


@dataclass(frozen=True)
class Predictions:
    """What follows each row.

    Attributes:
        answers: (rows, names) logits of the names' tokens.
        top: (rows,) the likeliest token of all.
    """

    answers: Floats
    top: NDArray[np.int64]


@dataclass(frozen=True)
class Change:
    """Vectors that take the place of what stands at a site, one for each row.

    Attributes:
        site: where.
        at: (rows,) the token that is changed.
        vectors: (rows, width).
    """

    site: Site
    at: Sequence[int]
    vectors: Floats


def read_at(model: LoadedModel, prompts: Prompts, places: Sequence[int], sites: Sequence[Site]) -> dict[Site, Floats]:
    """(prompts, width) activations at one token of each prompt, for several sites in one pass."""
    found: dict[Site, list[Floats]] = {site: [] for site in sites}
    for start in range(0, len(places), MOST_ROWS):
        part = slice(start, start + MOST_ROWS)
        ids, mask = model.pad([text.ids for text in prompts.texts[part]])
        for site, acts in model.read_sites(ids, mask, sites).items():
            rows = torch.arange(len(acts), device=acts.device)
            chosen = acts[rows, torch.tensor(list(places[part]), device=acts.device)]
            found[site].append(chosen.double().cpu().numpy())
    return {site: np.concatenate(parts) for site, parts in found.items()}


def predict(
    model: LoadedModel,
    prompts: Prompts,
    which: Sequence[int],
    tokens: Sequence[int],
    change: Change | None = None,
    batch: int = MOST_ROWS,
) -> Predictions:
    """What the model says after prompts, changed or as they are.

    Prompts are padded on the right, which no token of a causal model sees.

    Args:
        which: (rows,) the prompt of each row.
        tokens: whose logits are wanted.
        change: one vector for each row.
        batch: most rows of one pass.

    Raises:
        MismatchError: an encoder, or the hook did not run.
        WorkbenchError: memory runs out with a single row.
    """
    model.need_logits()
    ids, _ = model.pad([prompts.texts[number].ids for number in which])  # (rows, tokens)
    last = torch.tensor([prompts.last_at[number] for number in which], device=ids.device)
    vocabulary = int(model.plain.config.get_text_config().vocab_size)
    batch = min(batch, max(1, LOGITS_AT_ONCE // (ids.shape[1] * vocabulary)))
    wanted = torch.tensor(list(tokens), device=ids.device)

    def some(start: int, stop: int) -> tuple[Tensor, Tensor]:
        parts = [
            _pass(model, ids[low : min(low + batch, stop)], last[low : min(low + batch, stop)], change, low)
            for low in range(start, stop, batch)
        ]
        logits = torch.cat(parts)
        return logits[:, wanted].double().cpu(), logits.argmax(-1).cpu()

    found = [some(low, min(low + 8 * batch, len(which))) for low in range(0, len(which), 8 * batch)]
    return Predictions(
        np.concatenate([answers.numpy() for answers, _ in found]), np.concatenate([top.numpy() for _, top in found])
    )


@torch.no_grad()
def _pass(model: LoadedModel, ids: Tensor, last: Tensor, change: Change | None, offset: int) -> Tensor:
    """(rows, vocabulary) logits at the last tokens; in halves where the memory does not hold the rows."""

    def run(start: int, stop: int) -> Tensor:
        hook = None if change is None else _put(change, offset + start, offset + stop)
        with model.intervention(None if change is None else change.site, hook):
            logits: Tensor = model.bridge(ids[start:stop], return_type="logits")
        return logits[torch.arange(stop - start, device=logits.device), last[start:stop].to(logits.device)]

    return torch.cat(model.portions.run(len(ids), run))


def _put(change: Change, start: int, stop: int) -> Callable[[Tensor], Tensor]:
    def put(acts: Tensor) -> Tensor:
        """Activations (rows, tokens, width) with the rows' vectors at their places."""
        rows = torch.arange(stop - start, device=acts.device)
        at = torch.tensor(list(change.at[start:stop]), device=acts.device)
        new = acts.clone()
        new[rows, at] = torch.tensor(change.vectors[start:stop], device=acts.device).to(acts.dtype)
        return new

    return put
