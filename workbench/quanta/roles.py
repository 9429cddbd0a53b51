"""Choosing a model's parameters by the role of the module that holds them, never by their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn

Role = Literal["embedding", "unembedding", "norm", "final_norm", "inner"]


def parameter_roles(model: nn.Module) -> dict[str, Role]:
    """The role of every parameter, by name.

    An embedding is what an `nn.Embedding` holds; an unembedding tied to it counts as embedding. The unembedding is
    what the model calls its output embeddings, else the last linear map onto the vocabulary. A norm is a
    normalisation module; the final norm is the one that stands in no list of blocks. Everything else is inner.
    """
    roles: dict[int, Role] = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding):
            _mark(roles, module, "embedding")
        elif _is_norm(module):
            _mark(roles, module, "norm" if _in_a_block(model, name) else "final_norm")
    head = _unembedding(model)
    if head is not None:
        _mark(roles, head, "unembedding")
    return {name: roles.get(id(parameter), "inner") for name, parameter in model.named_parameters()}


def chosen_parameters(model: nn.Module, include: Iterable[Role] = ()) -> dict[str, Tensor]:
    """The inner parameters, and those of the roles to include, by name in the model's order.

    Raises:
        ValueError: the model has no parameter of a role asked for, or none at all that is inner.
    """
    roles = parameter_roles(model)
    wanted = {"inner", *include}
    for role in sorted(wanted):
        if role not in roles.values():
            have = ", ".join(sorted(set(roles.values()))) or "none"
            raise ValueError(f"the model has no parameter of role {role!r} (its roles: {have})")
    return {name: parameter for name, parameter in model.named_parameters() if roles[name] in wanted}


def without_vectors(chosen: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weight matrices among the parameters.

    Raises:
        ValueError: there is none.
    """
    found = {name: parameter for name, parameter in chosen.items() if parameter.dim() > 1}
    if not found:
        raise ValueError("there is no weight matrix among the parameters asked for: equal votes need some")
    return found


def _mark(roles: dict[int, Role], module: nn.Module, role: Role) -> None:
    for parameter in module.parameters(recurse=False):
        roles.setdefault(id(parameter), role)  # the first mark stays: a tied unembedding is an embedding


def _is_norm(module: nn.Module) -> bool:
    # model libraries write RMS norms of their own; what makes one is a class of that name with vectors alone
    vectors = all(parameter.dim() <= 1 for parameter in module.parameters(recurse=False))
    named = type(module).__name__.endswith("Norm") or isinstance(module, (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm))
    return named and vectors and not list(module.children())


def _in_a_block(model: nn.Module, name: str) -> bool:
    parts = name.split(".")
    parents = (".".join(parts[:depth]) for depth in range(1, len(parts)))
    return any(isinstance(model.get_submodule(parent), (nn.ModuleList, nn.Sequential)) for parent in parents)


def _unembedding(model: nn.Module) -> nn.Module | None:
    declared = getattr(model, "get_output_embeddings", None)
    if callable(declared):
        head = declared()
        return head if isinstance(head, nn.Module) else None
    vocabularies = {module.num_embeddings for module in model.modules() if isinstance(module, nn.Embedding)}
    found = None
    for module in model.modules():
        if isinstance(module, nn.Linear) and module.out_features in vocabularies:
            found = module
    return found


def flat_size(parameters: Iterable[Tensor]) -> int:
    """Numbers in all of the parameters."""
    return sum(torch.numel(parameter) for parameter in parameters)
