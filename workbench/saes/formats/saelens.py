"""SAELens folders: `cfg.json` and `sae_weights.safetensors`."""

from __future__ import annotations

import dataclasses
import difflib
import json
import warnings
from pathlib import Path
from typing import Any

from workbench.errors import InputFileError
from workbench.saes.formats.loaded import SUPPORTED, LoadedSae

NAME = "SAELens"
FILES = ("cfg.json", "sae_weights.safetensors")


def read(folder: Path, device: str) -> LoadedSae:
    """The SAE of a folder.

    Raises:
        InputFileError: an architecture that is not supported, or keys nobody knows.
    """
    from sae_lens import SAE

    _check(json.loads((folder / "cfg.json").read_text("utf-8")), folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return from_sae(SAE.load_from_disk(str(folder), device=device))


def from_sae(sae: Any) -> LoadedSae:
    """A SAELens object with what its metadata say.

    Raises:
        InputFileError: an architecture that is not supported.
    """
    architecture = sae.cfg.architecture()
    if architecture not in SUPPORTED:
        raise _unsupported(architecture, "the SAE")
    about = sae.cfg.metadata
    skip = getattr(sae, "W_skip", None)
    return LoadedSae(sae, "saelens", str(about.hook_name or ""), str(about.hook_name_out or ""), skip)


def _check(config: Any, folder: Path) -> None:
    """Refuse what SAELens would pass over in silence: keys it does not know.

    Flat configs of SAELens before version 6 hold the whole configuration of the training and are not checked.
    """
    if not isinstance(config, dict):
        raise InputFileError(f"{folder / 'cfg.json'} holds no object", "Check cfg.json.")
    if not isinstance(config.get("metadata"), dict):
        return
    architecture = str(config.get("architecture", ""))
    if architecture not in SUPPORTED:
        raise _unsupported(architecture, f"cannot load the SAE in {folder}")
    known = _known_keys(architecture)
    unknown = sorted(config.keys() - known)
    if unknown:
        near = difflib.get_close_matches(unknown[0], sorted(known), n=1)
        advice = f"Did you mean {near[0]!r}? " if near else ""
        raise InputFileError(
            f"cannot load the SAE in {folder} (cfg.json has unknown keys: {', '.join(map(repr, unknown))})",
            f"{advice}A key that is not read would change nothing, silently: remove or mend it.",
        )


def _known_keys(architecture: str) -> set[str]:
    """Keys of the architecture's config, of its training form too, which SAELens writes in checkpoints."""
    from sae_lens.registry import SAE_TRAINING_CLASS_REGISTRY, get_sae_class

    configs = [get_sae_class(architecture)[1]]
    if architecture in SAE_TRAINING_CLASS_REGISTRY:
        configs.append(SAE_TRAINING_CLASS_REGISTRY[architecture][1])
    return {"architecture", "metadata"}.union(*({item.name for item in dataclasses.fields(each)} for each in configs))


def _unsupported(architecture: str, what: str) -> InputFileError:
    training = architecture in ("batchtopk", "matryoshka_batchtopk")
    return InputFileError(
        f"{what} (architecture {architecture!r} is not supported)"
        if what != "the SAE"
        else f"the SAE's architecture {architecture!r} is not supported",
        "This is a training checkpoint: save it with save_inference_model, which makes it jumprelu."
        if training
        else f"Supported are {', '.join(SUPPORTED)}.",
    )
