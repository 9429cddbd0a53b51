"""Small random SAEs of every kind, written as their tools write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests import tiny

UNITS, LATENTS, ACTIVE = tiny.WIDTH, 40, 6
INFERENCE = ("standard", "gated", "topk", "jumprelu", "transcoder", "skip_transcoder", "jumprelu_transcoder")


def numbers(*shape: int, seed: int = 0, size: float = 1.0) -> Any:
    """Normal numbers from a seed of their own."""
    import torch

    return size * torch.randn(*shape, generator=torch.Generator().manual_seed(seed + 7 * len(shape) + sum(shape)))


def weights() -> dict[str, Any]:
    """The parts that all kinds share, decoder rows of unequal length."""
    return {
        "W_enc": numbers(UNITS, LATENTS, seed=1),
        "b_enc": numbers(LATENTS, seed=2, size=0.2),
        "W_dec": numbers(LATENTS, UNITS, seed=3, size=0.4),
        "b_dec": numbers(UNITS, seed=4, size=0.2),
    }


def more(architecture: str) -> dict[str, Any]:
    """The parts that an architecture has besides, without `b_enc` where it has none."""
    extra: dict[str, Any] = {}
    if "jumprelu" in architecture:
        extra["threshold"] = numbers(LATENTS, seed=5).abs()
    if "skip" in architecture:
        extra["W_skip"] = numbers(UNITS, UNITS, seed=6, size=0.1)
    if architecture == "gated":
        extra = {
            name: numbers(LATENTS, seed=seed, size=0.3) for seed, name in ((7, "b_gate"), (8, "b_mag"), (9, "r_mag"))
        }
    return extra


def saelens(folder: Path, architecture: str, *, hook: str = tiny.SITE, **settings: Any) -> Path:
    """A folder that SAELens itself saved."""
    from sae_lens.registry import get_sae_class

    kind, config = get_sae_class(architecture)
    if "transcoder" in architecture:
        settings = {"d_out": UNITS, "apply_b_dec_to_input": False, **settings}
    if architecture == "topk":
        settings = {"k": ACTIVE, **settings}
    made = kind(config(d_in=UNITS, d_sae=LATENTS, **settings))
    parts = {**weights(), **more(architecture)}
    made.load_state_dict({name: parts[name] for name in made.state_dict()})
    made.cfg.metadata.hook_name, made.cfg.metadata.prepend_bos = hook, True
    if "transcoder" in architecture:
        made.cfg.metadata.hook_name_out = "blocks.2.hook_resid_post"
    made.save_model(folder)
    return folder


def sparsify(folder: Path, *, config: dict[str, Any] | None = None, skip: bool = False) -> Path:
    """A folder as EleutherAI's sparsify saves it: nn.Linear encoder, W_dec (latents, units)."""
    from safetensors.torch import save_file

    parts = weights()
    stored = {
        "encoder.weight": parts["W_enc"].T.contiguous(),
        "encoder.bias": parts["b_enc"],
        "W_dec": parts["W_dec"],
        "b_dec": parts["b_dec"],
    }
    if skip:
        stored["W_skip"] = numbers(UNITS, UNITS, seed=6, size=0.1)
    folder.mkdir(parents=True)
    save_file(stored, folder / "sae.safetensors")
    settings = {
        "activation": "topk", "expansion_factor": 32, "normalize_decoder": True, "num_latents": LATENTS, "k": ACTIVE,
        "multi_topk": False, "skip_connection": skip, "transcode": False, "d_in": UNITS, **(config or {}),
    }  # fmt: skip
    (folder / "cfg.json").write_text(json.dumps(settings))
    return folder


def dictionary_learning(folder: Path, kind: str, *, config: bool = True, **changes: Any) -> Path:
    """A folder as dictionary_learning saves it: a state dict in `ae.pt`, `config.json` beside it."""
    import torch

    folder.mkdir(parents=True)
    torch.save(_state(kind), folder / "ae.pt")
    if config:
        trainer = {"dict_class": kind, "layer": 1, "lm_name": "tiny", "activation_dim": UNITS, **changes}
        (folder / "config.json").write_text(json.dumps({"trainer": trainer, "buffer": {"io": "out", "ctx_len": 32}}))
    return folder


def _state(kind: str) -> dict[str, Any]:
    import torch

    parts = weights()
    linear = {"encoder.weight": parts["W_enc"].T.contiguous(), "decoder.weight": parts["W_dec"].T.contiguous()}
    biased = {**linear, "encoder.bias": parts["b_enc"]}
    k, threshold = torch.tensor(ACTIVE, dtype=torch.int), torch.tensor(1.5)
    gates = more("gated")
    return {
        "AutoEncoder": {**biased, "bias": parts["b_dec"]},
        "AutoEncoderNew": {**biased, "decoder.bias": parts["b_dec"]},
        "GatedAutoEncoder": {
            **linear,
            "decoder_bias": parts["b_dec"],
            "r_mag": gates["r_mag"],
            "gate_bias": gates["b_gate"],
            "mag_bias": gates["b_mag"],
        },
        "JumpReluAutoEncoder": {**parts, "threshold": more("jumprelu")["threshold"]},
        "AutoEncoderTopK": {**biased, "b_dec": parts["b_dec"], "k": k, "threshold": torch.tensor(-1.0)},
        "BatchTopKSAE": {**biased, "b_dec": parts["b_dec"], "k": k, "threshold": threshold},
        "MatryoshkaBatchTopKSAE": {
            **parts,
            "k": k,
            "threshold": threshold,
            "group_sizes": torch.tensor([8, LATENTS - 8]),
        },
    }[kind]


def formula(x: Any, kind: str) -> tuple[Any, Any]:
    """Latents and reconstruction of x (tokens, units), by the arithmetic of each kind's definition."""
    import torch

    w = weights()
    extra = more("gated" if "gated" in kind.lower() else kind.lower())
    norms = w["W_dec"].norm(dim=1)
    centred = x - w["b_dec"]
    plain = {
        "transcoder",
        "skip_transcoder",
        "jumprelu_transcoder",
        "AutoEncoderNew",
        "JumpReluAutoEncoder",
        "transcode",
    }
    pre = (x if kind in plain else centred) @ w["W_enc"]
    if kind in ("gated", "GatedAutoEncoder"):
        f = (pre + extra["b_gate"] > 0) * (pre * extra["r_mag"].exp() + extra["b_mag"]).clamp(min=0)
    elif kind in ("topk", "AutoEncoderTopK", "transcode"):
        scores = pre + w["b_enc"]
        smallest = scores.sort(dim=1).values[:, -ACTIVE, None]
        f = torch.where(scores >= smallest, scores, 0.0).clamp(min=0)
    elif kind in ("BatchTopKSAE", "MatryoshkaBatchTopKSAE"):
        f = torch.where(pre + w["b_enc"] > 1.5, pre + w["b_enc"], 0.0)
    elif "jumprelu" in kind.lower():
        f = torch.where(pre + w["b_enc"] > extra["threshold"], pre + w["b_enc"], 0.0).clamp(min=0)
    else:
        f = (pre + w["b_enc"]).clamp(min=0)
    made = f @ w["W_dec"] + w["b_dec"]
    if kind in ("skip_transcoder", "transcode"):
        made = made + x @ numbers(UNITS, UNITS, seed=6, size=0.1).T
    return (f * norms if kind in ("GatedAutoEncoder", "JumpReluAutoEncoder") else f), made
