"""dictionary_learning folders: `ae.pt`, a state dict, and beside it `config.json` of the training.

The file is a pickle; it is read by torch's weights-only reader, which builds tensors and runs no code.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import InputFileError
from workbench.saes.formats.loaded import LoadedSae, build

if TYPE_CHECKING:
    from torch import Tensor

NAME = "dictionary_learning"
FILES = ("ae.pt",)

Weights = dict[str, "Tensor"]
_LINEAR = {"encoder.weight", "decoder.weight"}
_PLAIN = {"W_enc", "b_enc", "W_dec", "b_dec"}


def read(folder: Path, device: str) -> LoadedSae:
    """The SAE of a folder.

    Raises:
        InputFileError: more than weights in the file, or weights of no known class.
    """
    stored = _weights(folder / "ae.pt")
    trainer = _trainer(folder / "config.json")
    made = _make(stored, str(trainer.get("dict_class", "")), folder)(stored, device)
    return LoadedSae(made, "dictionary_learning", _hook(trainer))


def _weights(path: Path) -> Weights:
    import torch

    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputFileError(
            f"{path} holds more than weights and was not read, since reading it could run code",
            "Save its state dict: torch.save(ae.state_dict(), 'ae.pt').",
        ) from error
    if not isinstance(stored, dict) or not all(isinstance(value, torch.Tensor) for value in stored.values()):
        raise InputFileError(f"{path} holds no state dict", "Save it: torch.save(ae.state_dict(), 'ae.pt').")
    return {str(name): value for name, value in stored.items()}


def _trainer(path: Path) -> dict[str, Any]:
    """The settings of the training, with those of its buffer; empty where there are none."""
    if not path.is_file():
        return {}
    config = json.loads(path.read_text("utf-8"))
    trainer = config.get("trainer") if isinstance(config, dict) else None
    if not isinstance(trainer, dict):
        raise InputFileError(f"{path} has no object `trainer`", "Remove it and give --site, or mend it.")
    buffer = config.get("buffer")
    return {**trainer, "io": buffer.get("io", "out") if isinstance(buffer, dict) else "out"}


def _hook(trainer: dict[str, Any]) -> str:
    """The site of the training: the residual stream after a layer; empty for every other module."""
    layer, module = trainer.get("layer"), str(trainer.get("submodule_name") or "resid_post")
    known = isinstance(layer, int) and module.startswith("resid_post") and trainer.get("io") == "out"
    return f"blocks.{layer}.hook_resid_post" if known else ""


def _make(stored: Weights, dict_class: str, folder: Path) -> Callable[[Weights, str], Any]:
    """What builds the class that wrote these weights, told from their names, and by config.json where those agree.

    Raises:
        InputFileError: no known class, or two that share their names and no config.json to say which.
    """
    keys = stored.keys() - {"k", "threshold", "group_sizes"}
    if keys == _LINEAR | {"encoder.bias", "bias"}:
        return _standard
    if keys == _LINEAR | {"encoder.bias", "decoder.bias"}:
        return _without_input_bias
    if keys == _LINEAR | {"decoder_bias", "r_mag", "gate_bias", "mag_bias"}:
        return _gated
    if keys == _PLAIN and "threshold" in stored:
        return _batch if "k" in stored else _jumprelu
    if keys == _LINEAR | {"encoder.bias", "b_dec"} and "k" in stored:
        if "threshold" not in stored or dict_class == "AutoEncoderTopK":
            return _topk
        if dict_class == "BatchTopKSAE":
            return _batch
        raise InputFileError(
            f"the weights in {folder} are of AutoEncoderTopK or of BatchTopKSAE, which share their names",
            "Put its config.json beside ae.pt; trainer.dict_class says which.",
        )
    raise InputFileError(
        f"cannot load the SAE in {folder} (weights of no known class: {', '.join(sorted(stored))})",
        "Known are AutoEncoder, AutoEncoderNew, GatedAutoEncoder, JumpReluAutoEncoder, AutoEncoderTopK, "
        "BatchTopKSAE and MatryoshkaBatchTopKSAE.",
    )


def _linear(stored: Weights) -> Weights:
    """nn.Linear keeps (out, in); SAELens keeps W_enc (units, latents) and W_dec (latents, units)."""
    if "W_enc" in stored:
        return {"W_enc": stored["W_enc"], "W_dec": stored["W_dec"]}
    return {"W_enc": stored["encoder.weight"].T, "W_dec": stored["decoder.weight"].T}


def _standard(stored: Weights, device: str) -> Any:
    """relu(encoder(x - bias)), decoder(f) + bias."""
    return build("standard", {}, {**_linear(stored), "b_enc": stored["encoder.bias"], "b_dec": stored["bias"]}, device)


def _without_input_bias(stored: Weights, device: str) -> Any:
    """relu(encoder(x)), decoder(f): its two biases stand apart."""
    biases = {"b_enc": stored["encoder.bias"], "b_dec": stored["decoder.bias"]}
    return build("standard", {"apply_b_dec_to_input": False}, {**_linear(stored), **biases}, device)


def _gated(stored: Weights, device: str) -> Any:
    """Latents are in units of the decoder's norms there, so these are folded in."""
    biases = {"b_gate": stored["gate_bias"], "b_mag": stored["mag_bias"], "b_dec": stored["decoder_bias"]}
    made = build("gated", {}, {**_linear(stored), **biases, "r_mag": stored["r_mag"]}, device)
    made.fold_W_dec_norm()
    return made


def _jumprelu(stored: Weights, device: str) -> Any:
    """No bias is taken from the input; latents are in units of the decoder's norms."""
    weights = {name: stored[name] for name in (*_PLAIN, "threshold")}
    made = build("jumprelu", {"apply_b_dec_to_input": False}, weights, device)
    made.fold_W_dec_norm()
    return made


def _topk(stored: Weights, device: str) -> Any:
    """The k largest of relu(encoder(x - b_dec))."""
    biases = {"b_enc": stored["encoder.bias"], "b_dec": stored["b_dec"]}
    return build("topk", {"k": int(stored["k"])}, {**_linear(stored), **biases}, device)


def _batch(stored: Weights, device: str) -> Any:
    """Batch top-k and matryoshka: at inference one threshold for all latents stands for the k of a batch."""
    b_enc = stored["b_enc"] if "b_enc" in stored else stored["encoder.bias"]
    threshold = stored["threshold"].float().clamp_min(0).expand(b_enc.shape)
    return build(
        "jumprelu", {}, {**_linear(stored), "b_enc": b_enc, "b_dec": stored["b_dec"], "threshold": threshold}, device
    )
