"""EleutherAI sparsify folders: `cfg.json` and `sae.safetensors`, the folder named after the module it was trained on.

Latents are relu(encoder(x - b_dec)), all but the k largest zeroed; transcoders do not subtract b_dec. W_dec is
(latents, units), as the tool itself decodes it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from workbench.errors import InputFileError
from workbench.saes.formats.loaded import LoadedSae, build

NAME = "sparsify"
FILES = ("cfg.json", "sae.safetensors")

_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks|block)\.(\d+)(?:\.(\w+))?$")
_STREAMS = {
    None: "hook_resid_post",
    "mlp": "hook_mlp_out",
    "attn": "hook_attn_out",
    "self_attn": "hook_attn_out",
    "attention": "hook_attn_out",
}
_WEIGHTS = {"encoder.weight", "encoder.bias", "W_dec", "b_dec"}
_KEYS = {
    "activation", "expansion_factor", "normalize_decoder", "num_latents", "k", "multi_topk", "skip_connection",
    "transcode", "d_in", "signed", "jumprelu_init_threshold",
}  # fmt: skip


def read(folder: Path, device: str) -> LoadedSae:
    """The SAE of a folder.

    Raises:
        InputFileError: settings this version cannot follow, or weights that are not the tool's.
    """
    from safetensors.torch import load_file

    config = json.loads((folder / "cfg.json").read_text("utf-8"))
    _check(config, folder)
    stored = load_file(folder / "sae.safetensors")
    if missing := sorted(_WEIGHTS - stored.keys()):
        raise InputFileError(f"{folder / 'sae.safetensors'} has no {', '.join(missing)}", "Get a whole copy of it.")
    if unknown := sorted(stored.keys() - _WEIGHTS - {"W_skip"}):
        raise InputFileError(
            f"{folder / 'sae.safetensors'} has unknown weights: {', '.join(unknown)}", "It may be of a newer sparsify."
        )
    weights = {
        "W_enc": stored["encoder.weight"].T,  # (units, latents)
        "b_enc": stored["encoder.bias"],
        "W_dec": stored["W_dec"],  # (latents, units)
        "b_dec": stored["b_dec"],
    }
    transcodes = bool(config.get("transcode", False))
    settings = {"k": int(config["k"]), "apply_b_dec_to_input": not transcodes}
    sae = build("topk", settings, weights, device)
    skip = stored.get("W_skip")
    hook, hook_out = _hooks(folder.name, transcodes)
    return LoadedSae(sae, "sparsify", hook, hook_out, None if skip is None else skip.float().to(device))


def _check(config: Any, folder: Path) -> None:
    if not isinstance(config, dict) or not {"d_in", "k"} <= config.keys():
        raise InputFileError(f"{folder / 'cfg.json'} is no sparsify config (no d_in or no k)", "Check cfg.json.")
    if unknown := sorted(config.keys() - _KEYS):
        raise InputFileError(
            f"cannot load the SAE in {folder} (cfg.json has unknown keys: {', '.join(map(repr, unknown))})",
            "They may change what it computes; it may be of a newer sparsify.",
        )
    activation = config.get("activation", "topk")
    if activation != "topk" or config.get("signed"):
        kind = "signed" if config.get("signed") else activation
        raise InputFileError(
            f"cannot load the SAE in {folder} (activation {kind!r} is not supported)", "Only plain topk is read."
        )


def _hooks(name: str, transcodes: bool) -> tuple[str, str]:
    """The sites that a folder's name means: read and, for a transcoder, written; empty where there is none."""
    found = _LAYER.search(name)
    if found is None or found[2] not in _STREAMS:
        return "", ""
    layer, stream = found[1], _STREAMS[found[2]]
    if not transcodes:
        return f"blocks.{layer}.{stream}", ""
    # a transcoder of a whole block reads the stream before it; what a part of a block reads is no site
    return (f"blocks.{layer}.hook_resid_pre" if found[2] is None else ""), f"blocks.{layer}.{stream}"
