"""Loading a model from its files: safetensors only, every weight there and finite, on the device asked for."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch

from workbench.errors import InputFileError, MismatchError, UsageError, WorkbenchError
from workbench.models import hub
from workbench.models import reference as references
from workbench.models.kinds import Kind, kind_of
from workbench.models.loaded import LoadedModel
from workbench.models.memory import is_out_of_memory
from workbench.models.site import RESIDUAL_POST, Site

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

SHORT = 256
"""Contexts up to here compute attention eagerly: a fused kernel gains nothing on them, and eagerly the plain model
agrees with the bridge to the last bit. Longer ones take the kernel that transformers prefers."""


def load_model(entry: dict[str, Any], stand_in: references.StandIn | None = None) -> LoadedModel:
    """Load `{"ref", "revision", "dtype", "device", "device_map", "digest"}`; an empty digest accepts any files.

    Args:
        entry: a state entry, or what a command asks for.
        stand_in: where its files lie, if that is another place than the one it names.

    Raises:
        InputFileError: its files are gone, damaged or not the recorded ones.
        MismatchError: an architecture that cannot be investigated, or a device this machine does not have.
        UsageError: a revision of what has none, or two ways to place the model at once.
    """
    reference = references.resolve_at(str(entry["ref"]), stand_in)
    folder, digest = _files(reference, str(entry.get("revision") or ""), str(entry.get("digest") or ""))
    device, spread = _placing(entry)
    kind = kind_of(folder)
    plain = _weights(reference, folder, kind, DTYPES[str(entry.get("dtype") or "float32")], spread)
    if not spread:
        plain.to(device)
    plain.eval().requires_grad_(False)
    model = LoadedModel(reference.name, plain, _fitting(reference, _tokenizer(reference, folder), plain))
    model.info = _info(reference, folder, model, kind, digest, entry)
    return model


def _files(reference: references.ModelReference, revision: str, digest: str) -> tuple[Path, str]:
    """The folder of the files, and their digest."""
    if reference.folder is None:
        folder = hub.snapshot(reference.ref, revision, digest)
        return folder, hub.COMMIT + hub.commit_of(folder)
    if revision:
        raise UsageError(
            f"{reference.ref!r} is a local model and has no revision {revision!r}", "Leave --revision out."
        )
    found = references.digest(reference)
    if digest and found != digest:
        raise InputFileError(
            f"the model {reference.ref!r} is not the one of this session (its files changed)",
            "Load it again with `workbench model load`, which starts new results.",
        )
    return reference.folder, found


def _placing(entry: dict[str, Any]) -> tuple[str, bool]:
    """The device to use, and whether the model is spread over several instead."""
    wanted = str(entry.get("device") or "auto")
    spread = str(entry.get("device_map") or "none") != "none"
    if spread and wanted != "auto":
        raise UsageError(f"--device-map places the model itself, not on {wanted!r}", "Leave --device out.")
    return pick_device(wanted), spread


def _weights(reference: references.ModelReference, folder: Path, kind: Kind, dtype: torch.dtype, spread: bool) -> Any:
    from transformers import AutoModel, AutoModelForCausalLM
    from transformers.utils import logging as quiet

    quiet.disable_progress_bar()  # progress is the engine's to tell
    quiet.set_verbosity_error()
    loader = AutoModelForCausalLM if kind.causal else AutoModel
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # third-party notices; what matters is checked below
            plain, report = loader.from_pretrained(
                folder,
                dtype=dtype,
                device_map="auto" if spread else None,
                use_safetensors=True,
                attn_implementation="eager" if _context(kind.config.get_text_config()) <= SHORT else None,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except Exception as error:
        if is_out_of_memory(error):
            raise WorkbenchError(
                f"out of memory while loading the model {reference.ref!r}",
                "Use --dtype bfloat16, --device-map auto, or a smaller model.",
            ) from error
        raise _cannot_load(reference, error) from error
    _check(reference, plain, kind, report)
    return plain


def _tokenizer(reference: references.ModelReference, folder: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise _cannot_load(reference, error) from error


def _fitting(reference: references.ModelReference, tokenizer: Any, plain: Any) -> Any:
    """The tokenizer, if it is one of this model: a folder without any gives an empty one, and no error."""
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise InputFileError(
            f"the model {reference.ref!r} has no tokenizer",
            "Put its files (tokenizer.json, tokenizer_config.json) into the folder: its `save_pretrained` does.",
        )
    known = int(plain.get_input_embeddings().weight.shape[0])
    if tokenizer.vocab_size > known:
        raise InputFileError(
            f"the tokenizer of {reference.ref!r} has {tokenizer.vocab_size} tokens, its weights know {known}",
            "They do not belong together: put the tokenizer that the model was trained with into the folder.",
        )
    return tokenizer


def _cannot_load(reference: references.ModelReference, error: Exception) -> InputFileError:
    reason = str(error).strip().split("\n")[0][:200]
    return InputFileError(
        f"cannot load the model {reference.ref!r} ({type(error).__name__}: {reason})",
        "Its files are damaged or do not belong together: fetch it again.",
    )


def _check(reference: references.ModelReference, plain: Any, kind: Kind, report: dict[str, Any]) -> None:
    """Refuse weights that would be made up (missing in the files) or are no numbers."""
    # nobody reads the pooler of an encoder, and many come without one
    missing = sorted(name for name in report["missing_keys"] if kind.causal or "pooler" not in name)
    if missing:
        raise InputFileError(
            f"the weights of {reference.ref!r} lack {len(missing)} tensors ({', '.join(missing[:3])} ...)",
            "Fetch the model again; random ones would be put in their place.",
        )
    for name, weights in plain.named_parameters():
        if not weights.is_meta and not bool(torch.isfinite(weights).all()):
            raise InputFileError(
                f"the model {reference.ref!r} holds NaN or infinite weights ({name})",
                "Get a sound copy of it, or load it with --dtype float32.",
            )


def _info(
    reference: references.ModelReference,
    folder: Path,
    model: LoadedModel,
    kind: Kind,
    digest: str,
    entry: dict[str, Any],
) -> dict[str, Any]:
    config = model.plain.config.get_text_config()
    return {
        "ref": reference.ref,
        "name": reference.name,
        "source": str(folder),
        "digest": digest,
        "revision": str(entry.get("revision") or "") or (hub.commit_of(folder) if reference.folder is None else ""),
        "architecture": (kind.config.architectures or [type(model.plain).__name__])[0],
        "layers": model.layers,
        "width": model.width,
        "context": _context(config),
        "vocabulary": int(config.vocab_size),
        "parameters": sum(p.numel() for p in model.plain.parameters()),
        "dtype": str(model.plain.dtype).removeprefix("torch."),
        "device": str(model.device),
        "sites": [Site(layer, RESIDUAL_POST).name for layer in range(model.layers)],
        "causal": kind.causal,
    }


def _context(config: Any) -> int:
    return int(getattr(config, "max_position_embeddings", 0) or 2048)


def pick_device(wanted: str) -> str:
    """The device to use; `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        MismatchError: a device this machine does not have.
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if wanted.startswith("cuda"):
        if not torch.cuda.is_available():
            raise MismatchError(f"device {wanted!r} asked for, but this machine has no CUDA", "Use --device cpu.")
        if int(wanted.partition(":")[2] or 0) >= torch.cuda.device_count():
            last = torch.cuda.device_count() - 1
            raise MismatchError(
                f"device {wanted!r} asked for, but the last one here is cuda:{last}", "Use --device auto."
            )
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise MismatchError("device 'mps' asked for, but this machine has none", "Use --device cpu.")
    return wanted
