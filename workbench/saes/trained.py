"""Trained SAEs on disk: SAELens folders under `WORKBENCH_HOME/saes`, each with the story of its training."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from workbench.digests import folder_digest
from workbench.errors import StorageError, UsageError, storage_error
from workbench.files import write_atomic
from workbench.models.site import Site
from workbench.saes.activation_set import ActivationSet
from workbench.saes.recipe import Recipe
from workbench.saes.space import STORY, SaeSpace
from workbench.saes.training import Trained

CHUNK = 4096


@dataclass(frozen=True)
class Validation:
    """A trained SAE on activations it was not trained on.

    Attributes:
        rows: how many.
        loss: mean squared error summed over units, where inputs have a mean norm of sqrt(width).
        fvu: share of the variance left unexplained.
        l0: mean number of latents that fire.
        silent: latents that fire on none of the rows.
    """

    rows: int
    loss: float
    fvu: float
    l0: float
    silent: int


def read_sae(folder: Path, device: str) -> Any:
    """The SAE of a SAELens folder as it will be used, not as it was trained."""
    from sae_lens import SAE

    return SAE.load_from_disk(str(folder), device=device).eval()


@torch.no_grad()
def validate(folder: Path, found: Trained, source: ActivationSet, device: str = "cpu") -> Validation:
    """Measure the SAE in its saved form on the rows kept for validation."""
    recipe = found.recipe
    space = SaeSpace("", Site(0, ""), recipe.latents, read_sae(folder, device), bounds=found.bounds)
    held = source.read(recipe.training, recipe.rows)  # (rows, width)
    if not len(held):
        return Validation(0, 0.0, 0.0, 0.0, 0)
    middle = held.mean(0, dtype=torch.float64)
    error = spread = fired = 0.0
    ever = torch.zeros(recipe.latents, dtype=torch.bool)
    for rows in torch.split(held, CHUNK):
        acts, made = space.encode_and_decode(rows.to(device))
        error += float((rows - made.cpu()).double().pow(2).sum())
        spread += float((rows.double() - middle).pow(2).sum())
        fired += float((acts != 0).sum())
        ever |= (acts != 0).any(dim=0).cpu()
    count = len(held)
    return Validation(
        count, error * found.scale**2 / count, error / max(spread, 1e-30), fired / count, int((~ever).sum())
    )


def taken(home: Path, name: str, recipe: Recipe) -> None:
    """Refuse a name under which another SAE is kept.

    Raises:
        UsageError: the SAE of that name was trained in another way.
    """
    if name and (home / "saes" / name).exists() and not kept_as(home, name, recipe):
        raise UsageError(f"there is an SAE {name!r} already, trained in another way", "Choose another --name.")


def kept_as(home: Path, name: str, recipe: Recipe) -> bool:
    """Whether an SAE of that name is kept that was trained after this recipe."""
    try:
        found = json.loads((home / "saes" / name / STORY).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("asked") == recipe.key


def keep(building: Path, home: Path, name: str) -> Path:
    """Move a finished SAE to its place and give it; what is there already is never replaced.

    An equal one is taken as it is. One of the same recipe whose last bits differ (another machine, another version)
    stays too, and the new one is kept beside it under its digest.

    Raises:
        StorageError: the folder cannot be written.
    """
    digest = folder_digest(building).removeprefix("sha256:")
    target = home / "saes" / name
    if target.exists() and folder_digest(target).removeprefix("sha256:") != digest:
        target = target.with_name(f"{name}-{digest[:8]}")
    if target.exists():
        shutil.rmtree(building, ignore_errors=True)
        return target
    try:
        building.rename(target)
    except OSError as error:
        raise storage_error(target, error) from error
    return target


def write_sae(
    folder: Path, found: Trained, source: ActivationSet, asked: Recipe, about: dict[str, Any], device: str = "cpu"
) -> Validation:
    """Write a trained SAE in SAELens format with `training.json` beside it, and measure it.

    Args:
        asked: the recipe as asked for.
        about: metadata: `model_name`, `hook_name`, `prepend_bos`, `context_size`, `dataset_path`.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    metadata = found.sae.cfg.metadata
    for name, value in about.items():
        setattr(metadata, name, value)
    if found.bounds is not None:
        metadata.winsorised = list(found.bounds)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        found.sae.save_inference_model(str(folder))
        (folder / "sae_weights.safetensors").chmod(0o644)
        # SAELens writes its keys in an order that differs from process to process, and so would the digest
        config = json.loads((folder / "cfg.json").read_text("utf-8"))
        write_atomic(folder / "cfg.json", json.dumps(config, indent=1, sort_keys=True) + "\n")
    except (OSError, SafetensorError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise storage_error(folder, error) from error
        raise StorageError(f"writing the SAE to {folder} failed ({error})", "Check the disk and repeat.") from error
    validation = validate(folder, found, source, device)
    story = {
        "asked": asked.key,
        "recipe": asdict(found.recipe),
        "activations": asdict(source.recipe),
        "curve": [asdict(point) for point in found.curve],
        "dead": found.dead,
        "stopped": found.stopped,
        "validation": asdict(validation),
    }
    write_atomic(folder / STORY, json.dumps(story, indent=1) + "\n")
    return validation
