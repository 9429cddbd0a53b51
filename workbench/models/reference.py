"""From what the investigator typed to the files of a model; imports nothing heavy."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import demo
from workbench.digests import folder_digest
from workbench.errors import InputFileError, UnknownNameError

WEIGHT_NAMES = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")


@dataclass(frozen=True)
class ModelReference:
    """Where a model comes from: a folder on this machine, or a name on the hub."""

    ref: str
    name: str
    folder: Path | None

    @property
    def source(self) -> str:
        """What the loading code is given."""
        return str(self.folder) if self.folder is not None else self.ref


def resolve(ref: str) -> ModelReference:
    """The model that `ref` names: `demo`, an existing folder, or a Hugging Face name.

    Raises:
        InputFileError: a folder that holds no model.
        UnknownNameError: neither a folder nor a possible hub name.
    """
    if ref == "demo":
        return ModelReference("demo", "demo", _checked(demo.model_dir()))
    folder = Path(ref).expanduser()
    if ref and folder.is_dir():
        return ModelReference(ref, folder.resolve().name, _checked(folder.resolve()))
    looks_like_path = ref.startswith((".", "/", "~")) or ref.count("/") > 1
    if looks_like_path or not ref:
        raise UnknownNameError(f"no model folder {ref!r}", "Give `demo`, an existing folder, or a Hugging Face name.")
    return ModelReference(ref, ref.replace("/", "--"), None)


def _checked(folder: Path) -> Path:
    if not (folder / "config.json").exists():
        raise InputFileError(f"{folder} holds no config.json", "Give a folder in Hugging Face format.")
    if not any((folder / name).exists() for name in WEIGHT_NAMES):
        raise InputFileError(f"{folder} holds no weights", "It needs model.safetensors (or its sharded index).")
    return folder


def digest(reference: ModelReference) -> str:
    """The digest of a local model's files; a hub model's is its commit, known after loading."""
    return "" if reference.folder is None else folder_digest(reference.folder)


def read_config(reference: ModelReference) -> dict[str, Any]:
    """`config.json` of a local model, without loading it."""
    if reference.folder is None:
        return {}
    data: dict[str, Any] = json.loads((reference.folder / "config.json").read_text("utf-8"))
    return data


def stay_offline(reference: ModelReference) -> None:
    """Keep the libraries from asking a hub when everything is on this machine already."""
    if reference.folder is not None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
