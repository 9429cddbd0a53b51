"""Activation patching by component: attention, MLP and heads of another problem's run put into this one's.

Source: Engels et al. (2024), appendix on activation patching. Their scores were cut off at 0; here a component that
moves the answer the wrong way keeps its sign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from workbench.circles.forward import LOGITS_AT_ONCE, MOST_ROWS, Floats
from workbench.errors import MismatchError
from workbench.models.places import find_place
from workbench.models.site import ATTENTION, MLP, RESIDUAL_POST, Site

if TYPE_CHECKING:
    from workbench.circles.tasks import Asked
    from workbench.models.loaded import LoadedModel

STREAMS = {"residual": RESIDUAL_POST, "attention": ATTENTION, "mlp": MLP}


@dataclass(frozen=True)
class HeadScores:
    """Share of the way from this problem's logit difference to the other's, by component.

    Attributes:
        layers: (streams, layers) of the residual stream, attention output and MLP output.
        heads: (layers, heads).
        streams: names of the first axis of `layers`.
        pairs: how many pairs were used.
    """

    layers: Floats
    heads: Floats
    streams: tuple[str, ...]
    pairs: int


def head_scores(
    model: LoadedModel,
    asked: Asked,
    pairs: Sequence[tuple[int, int]],
    at: str,
    tick: Callable[[int, int, str], None],
) -> HeadScores:
    """Patch every component at one token of each asked problem from its clean problem's run, pairs in one batch.

    Args:
        model: a model of next tokens.
        asked: the task as it is put to the model.
        pairs: numbers of problems: (the one that is asked, the one whose run is put in).
        at: the token that is patched, as `asked.prompts.places` names it.
        tick: told how far it is, block by block.

    Raises:
        MismatchError: an encoder, or an architecture whose heads the bridge does not show.
    """
    model.need_logits()
    places = asked.prompts.places(at)
    dirty = [one for one, _ in pairs]
    source = [other for _, other in pairs]
    targets = torch.tensor([problem.target for problem in asked.task.problems])
    tokens = torch.tensor(asked.answers)
    both = [(tokens[targets[one]], tokens[targets[other]]) for one, other in pairs]
    first, second = (torch.tensor([int(pair[side]) for pair in both]) for side in (0, 1))
    hooks = _hooks(model)
    kept = _kept(model, asked, source, hooks)
    row, where = torch.arange(len(pairs)), torch.tensor([places[number] for number in dirty])
    origin = torch.tensor([places[number] for number in source])

    def difference(numbers: Sequence[int], edits: list[Any]) -> Floats:
        logits = _last_logits(model, asked, numbers, edits)
        found: Floats = (logits[row, second] - logits[row, first]).double().numpy()
        return found

    low, high = difference(dirty, []), difference(source, [])
    whole = np.where(np.abs(high - low) > 1e-9, high - low, np.nan)
    layers = np.zeros((len(STREAMS), model.layers))
    heads = np.zeros((model.layers, int(model.plain.config.get_text_config().num_attention_heads)))
    steps = model.layers * (len(STREAMS) + heads.shape[1])
    done = 0
    for layer in range(model.layers):
        for place, stream in enumerate((*STREAMS, *range(heads.shape[1]))):
            tick(done, steps, f"block {layer}")
            done += 1
            name = hooks[layer]["heads" if isinstance(stream, int) else stream]
            edit = (name, _exchange(kept[name], row, where, origin, stream if isinstance(stream, int) else None))
            score = float(np.nanmean((difference(dirty, [edit]) - low) / whole))
            if isinstance(stream, int):
                heads[layer, stream] = score
            else:
                layers[place, layer] = score
    return HeadScores(layers, heads, tuple(STREAMS), len(pairs))


def _hooks(model: LoadedModel) -> list[dict[str, str]]:
    """The bridge's hook of each stream and of the heads, for each block."""
    found = []
    for layer in range(model.layers):
        own = {name: find_place(model, Site(layer, stream)).hook for name, stream in STREAMS.items()}
        attention = getattr(model.bridge.blocks[layer], "_modules", {}).get("attn")
        if attention is None or "o" not in attention._modules:
            raise MismatchError(
                f"block {layer} of {model.name} shows no heads", "`circle heads` needs an architecture with heads."
            )
        found.append({**own, "heads": f"blocks.{layer}.attn.o.hook_in"})
    return found


def _kept(model: LoadedModel, asked: Asked, numbers: Sequence[int], hooks: list[dict[str, str]]) -> dict[str, Tensor]:
    """What passes every hook in the clean problems' run."""
    kept: dict[str, Tensor] = {}

    def keeper(name: str) -> Callable[..., None]:
        def keep(acts: Tensor, hook: Any) -> None:  # noqa: ARG001 - TransformerLens passes the hook by this name
            kept[name] = torch.cat([kept[name], acts.detach()]) if name in kept else acts.detach()

        return keep

    _last_logits(model, asked, numbers, [(name, keeper(name)) for block in hooks for name in block.values()])
    return kept


def _exchange(clean: Tensor, row: Tensor, where: Tensor, origin: Tensor, head: int | None) -> Callable[..., Tensor]:
    """A hook that puts the clean run's part at each row's token; rows come in order, part by part."""
    passed = [0]

    def put(acts: Tensor, hook: Any) -> Tensor:  # noqa: ARG001 - TransformerLens passes the hook by this name
        start, stop = passed[0], passed[0] + len(acts)
        passed[0] = stop
        new = acts.clone()
        local = torch.arange(len(acts))
        to, of = where[start:stop], origin[start:stop]
        if head is None:
            new[local, to] = clean[row[start:stop], of]
        elif acts.ndim == 4:
            new[local, to, head] = clean[row[start:stop], of, head]
        else:
            raise MismatchError("the bridge shows this model's heads in one row", "`circle heads` cannot part them.")
        return new

    return put


@torch.no_grad()
def _last_logits(model: LoadedModel, asked: Asked, numbers: Sequence[int], edits: list[Any]) -> Tensor:
    """(rows, vocabulary) at the last tokens, in equal parts that the memory is sure to hold."""
    width = max(len(text.ids) for text in asked.prompts.texts)
    vocabulary = int(model.plain.config.get_text_config().vocab_size)
    batch = min(MOST_ROWS, max(1, LOGITS_AT_ONCE // (width * vocabulary)))
    last, found = asked.prompts.last_at, []
    for start in range(0, len(numbers), batch):
        part = numbers[start : start + batch]
        rows = [list(asked.prompts.texts[number].ids) for number in part]
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=model.device)
        with model.bridge.hooks(fwd_hooks=list(edits)):
            logits = model.bridge(ids, return_type="logits")
        found.append(logits[torch.arange(len(part)), torch.tensor([last[number] for number in part])].cpu())
    return torch.cat(found)
