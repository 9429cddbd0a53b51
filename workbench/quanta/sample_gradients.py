"""The gradient of one predicted token's loss, or of its logit, sample by sample."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

Context = Sequence[int] | Tensor
Target = Literal["loss", "logit"]
"""What is differentiated. The gradient of the loss is that of the answer's logit less the mean of its competitors',
weighted by how likely they are: where a task has many answers, they compete, and what they share cancels. The gradient
of the logit keeps it; it also keeps what the model gives to all logits alike, which no prediction depends on."""

SMALL = 4_000_000
"""Models of fewer parameters make the gradient of one context on one thread."""


def checked_contexts(model: nn.Module, contexts: Sequence[Context]) -> list[Tensor]:
    """The contexts as (tokens,) tensors on the model's device.

    Raises:
        ValueError: none at all, one with nothing before its last token, or one longer than the model reads.
    """
    if not len(contexts):
        raise ValueError("no contexts: give token sequences whose last token is the predicted one")
    device = next(model.parameters()).device
    limit = _longest(model)
    found = []
    for number, context in enumerate(contexts):
        ids = torch.as_tensor(context, dtype=torch.long, device=device)
        if ids.dim() != 1 or ids.numel() < 2:
            raise ValueError(f"context {number} has {ids.numel()} tokens: it takes one to read and one to predict")
        if limit and ids.numel() - 1 > limit:
            raise ValueError(f"context {number} has {ids.numel() - 1} tokens to read, the model reads {limit}; cut it")
        found.append(ids)
    return found


def sample_gradients(
    model: nn.Module,
    parameters: Sequence[Tensor],
    contexts: Sequence[Tensor],
    first: int = 0,
    *,
    target: Target = "loss",
) -> Iterator[list[Tensor]]:
    """The gradient of -log p(last token | the tokens before it), or of minus its logit, for each context in turn.

    What comes after the predicted token cannot change the gradient, so the model never reads it. `first` is the number
    of the first context, for messages.

    Yields:
        One tensor per parameter, of its shape, in the model's number format.

    Raises:
        ValueError: the model gives no next-token logits, or a gradient is not finite.
    """
    keep = _keeps_logits(model)
    with _prepared(model, parameters):
        for number, ids in enumerate(contexts, first):
            with pass_threads(model):  # not around the yield: the products of rows keep all threads
                answer = model(ids[None, :-1], **({"logits_to_keep": 1} if keep else {}))
                logits = answer if isinstance(answer, Tensor) else getattr(answer, "logits", None)
                if logits is None or logits.dim() != 3:
                    raise ValueError(f"{type(model).__name__} gives no next-token logits: quanta need a causal model")
                loss = _loss(logits[0, -1].double(), ids[-1], target)
                found = torch.autograd.grad(loss, parameters, allow_unused=True)
            gradient = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]
            if not bool(torch.stack([torch.isfinite(part).all() for part in gradient]).all()):  # one wait, on a GPU
                raise ValueError(f"the gradient of sample {number} is not finite (loss {loss.item():.4g})")
            yield gradient


def _loss(logits: Tensor, answer: Tensor, target: Target) -> Tensor:
    """In float64: in float32, 1 - p of a token predicted with p near 1 keeps few digits, and so does the gradient."""
    return -logits[answer] if target == "logit" else nn.functional.cross_entropy(logits[None], answer[None])


def equal_votes(gradient: Sequence[Tensor]) -> list[Tensor]:
    """Every part of a gradient with length 1; one of length 0 stays 0."""
    return [part / part.double().norm().clamp_min(1e-30).to(part.dtype) for part in gradient]


@contextmanager
def pass_threads(model: nn.Module) -> Iterator[None]:
    """One thread for a pass of a small model on the processor, all of them for any other; as they were afterwards.

    The matrices of one context of a small model are done before a second thread has woken: it takes processor time and
    makes the pass longer, most of all where threads that wait sleep. It is the size that decides and no timing, since
    the number of threads changes the order of sums and with it their last digits.
    """
    parameters = list(model.parameters())
    small = sum(map(torch.numel, parameters)) < SMALL and all(one.device.type == "cpu" for one in parameters)
    before = torch.get_num_threads()
    if not small or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _prepared(model: nn.Module, parameters: Sequence[Tensor]) -> Iterator[None]:
    """Dropout off and gradients on for the parameters; both as they were afterwards."""
    training, needed = model.training, [parameter.requires_grad for parameter in parameters]
    model.eval()
    for parameter in parameters:
        parameter.requires_grad_(True)
    try:
        with torch.enable_grad():
            yield
    finally:
        model.train(training)
        for parameter, before in zip(parameters, needed, strict=True):
            parameter.requires_grad_(before)


def _keeps_logits(model: nn.Module) -> bool:
    return "logits_to_keep" in inspect.signature(model.forward).parameters


def _longest(model: nn.Module) -> int | None:
    config: Any = getattr(model, "config", None)
    found = getattr(config, "max_position_embeddings", None)
    return found if isinstance(found, int) else None
