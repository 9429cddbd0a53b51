"""A training's checkpoint: one file with everything that decides its next step.

Tensors go in as safetensors, the rest as JSON in the same file's header, so that a checkpoint is whole or not there,
and reading one executes nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from workbench.files import write_atomic

NAME = "checkpoint.safetensors"


def write_checkpoint(folder: Path, tensors: dict[str, Tensor], told: dict[str, Any]) -> None:
    """Replace the checkpoint of a folder.

    Raises:
        StorageError: the disk is full; the old checkpoint is untouched.
    """
    packed = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomic(folder / NAME, save(packed, metadata={"state": json.dumps(told)}))


def read_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The tensors and the rest of a folder's checkpoint; None where there is none, or a damaged one."""
    try:
        with safe_open(folder / NAME, framework="pt") as file:
            told = json.loads((file.metadata() or {})["state"])
            return {name: file.get_tensor(name) for name in file.keys()}, told  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's moments and step counts by parameter number and name."""
    return {
        f"adam/{number}/{name}": value
        for number, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], rate: float) -> None:
    """Put Adam back to what `optimizer_tensors` gave, with the learning rate of its next step."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        kind, _, rest = name.partition("/")
        if kind == "adam":
            number, _, field = rest.partition("/")
            state.setdefault(int(number), {})[field] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": [{**group, "lr": rate} for group in groups]})
