"""Two peers of the feature index on the tokens and weights of `index_race.py`: delphi and SAEDashboard.

`index_race.py --peers DIR` makes a virtual environment for each in DIR where there is none, with the PyTorch that runs
the race, and runs both beside the index on the same tokens, model and SAE, by their own documented calls:
delphi caches all latents and constructs their examples, SAEDashboard makes the data of 256 features (as many more
would take as much longer each).
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

LATENTS, DASHBOARD_FEATURES = 2_048, 256
PACKAGES = {
    # delphi asks for vllm, which its cache and its examples do not use
    "delphi": (
        [
            "numpy", "transformers", "datasets", "faiss-cpu", "sentence_transformers", "blobfile", "orjson", "aiofiles",
            "asyncer", "simple_parsing", "fire", "jaxtyping",
        ],
        ["eai-delphi==0.1.3", "eai-sparsify"],
    ),
    "dashboard": (["numpy<2", "pyarrow<20", "sae-dashboard==0.8.0"], []),
}  # fmt: skip

COMMON = """
import json, resource, sys, time
import numpy as np, torch
from pathlib import Path
from safetensors.torch import load_file
folder, latents, documents = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
torch.set_grad_enabled(False)
tokens = torch.from_numpy(np.load(folder / "tokens.npy")[:documents].astype(np.int64))
weights = load_file(folder / f"sae-{latents}" / "sae_weights.safetensors")
k = json.loads((folder / f"sae-{latents}" / "cfg.json").read_text())["k"]
def told(seconds, cpu_s, features, **more):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "features": features, "peak_bytes": peak, **more}))
"""

DELPHI = """
import tempfile
from transformers import AutoModel, PreTrainedTokenizerFast
from delphi.config import CacheConfig, ConstructorConfig, SamplerConfig
from delphi.latents import LatentCache, LatentDataset
model = AutoModel.from_pretrained(folder / "model").eval()
tokenizer = PreTrainedTokenizerFast(
    tokenizer_file=str(folder / "model" / "tokenizer.json"), pad_token="<|endoftext|>"
)
def encode(x):
    pre = x @ weights["W_enc"] + weights["b_enc"]
    values, places = pre.topk(k, dim=-1, sorted=False)
    return torch.zeros_like(pre).scatter_(-1, places, values.relu())
began, cpu = time.perf_counter(), time.process_time()
cache = LatentCache(model, {"h.1": encode}, batch_size=32)
cache.run(tokens.numel(), tokens)
cached = time.perf_counter() - began
with tempfile.TemporaryDirectory() as raw:
    raw = Path(raw)
    cache.save_splits(5, raw)
    config = CacheConfig(batch_size=32, cache_ctx_len=tokens.shape[1], n_tokens=tokens.numel())
    cache.save_config(raw, config, "tiny")
    disk = sum(path.stat().st_size for path in raw.rglob("*") if path.is_file())
    saved = time.perf_counter() - began - cached
    wanted = ConstructorConfig(min_examples=1)
    dataset = LatentDataset(raw, SamplerConfig(), wanted, tokenizer=tokenizer, modules=["h.1"])
    found = sum(1 for _ in dataset)
seconds = time.perf_counter() - began
told(
    seconds, time.process_time() - cpu, found, cache_s=cached, save_s=saved, construct_s=seconds - cached - saved,
    disk_bytes=disk,
)
"""

DASHBOARD = """
from transformers import AutoTokenizer, GPT2LMHeadModel
from transformer_lens import HookedTransformerConfig
from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights
from sae_lens import HookedSAETransformer
from sae_lens.saes.topk_sae import TopKSAE, TopKSAEConfig
from sae_dashboard.sae_vis_data import SaeVisConfig
from sae_dashboard.sae_vis_runner import SaeVisRunner
chosen = int(sys.argv[4])
plain = GPT2LMHeadModel.from_pretrained(folder / "model").eval()
own = plain.config
config = HookedTransformerConfig(
    n_layers=own.n_layer, d_model=own.n_embd, n_ctx=own.n_positions, d_head=own.n_embd // own.n_head,
    n_heads=own.n_head,
    d_mlp=4 * own.n_embd, d_vocab=own.vocab_size, act_fn="gelu_new", normalization_type="LN", device="cpu",
    default_prepend_bos=False,
)
tokenizer = AutoTokenizer.from_pretrained(folder / "model", pad_token="<|endoftext|>")
model = HookedSAETransformer(config, tokenizer=tokenizer)
model.load_and_process_state_dict(
    convert_gpt2_weights(plain, config), fold_ln=False, center_writing_weights=False, center_unembed=False,
    fold_value_biases=False,
)
# the runner folds the decoder's norms in any case, which this SAE class allows only with this setting; they are 1
about = TopKSAEConfig(
    d_in=own.n_embd, d_sae=latents, k=k, dtype="float32", device="cpu", apply_b_dec_to_input=False,
    normalize_activations="none", reshape_activations="none", rescale_acts_by_decoder_norm=True,
)
sae = TopKSAE(about)
sae.load_state_dict(weights, strict=False)
settings = SaeVisConfig(
    hook_point="blocks.1.hook_resid_post", features=list(range(chosen)), minibatch_size_features=128,
    minibatch_size_tokens=128, device="cpu",
)
began, cpu = time.perf_counter(), time.process_time()
SaeVisRunner(settings).run(encoder=sae, model=model, tokens=tokens)
told(time.perf_counter() - began, time.process_time() - cpu, chosen)
"""
SCRIPTS = {"delphi": DELPHI, "dashboard": DASHBOARD}
NAMES = {"delphi": "delphi 0.1.3, cache and construct", "dashboard": "SAEDashboard 0.8.0, 256 features"}


def install(folder: Path) -> None:
    """Make the environments that are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (packages, alone) in PACKAGES.items():
        if (folder / name / "installed").exists():
            continue
        subprocess.run([sys.executable, "-m", "venv", str(folder / name)], check=True)
        pip = [str(folder / name / "bin" / "python"), "-m", "pip"]
        torch = f"torch=={importlib.metadata.version('torch')}"
        subprocess.run([*pip, "install", "--quiet", torch, *packages], check=True)
        if alone:
            subprocess.run([*pip, "install", "--quiet", "--no-deps", *alone], check=True)
        # they come along and do not fit this torch
        subprocess.run([*pip, "uninstall", "--quiet", "-y", "torchvision", "torchaudio"], check=False)
        (folder / name / "installed").touch()


def run_peer(name: str, folder: Path, environments: Path, documents: int) -> dict[str, Any]:
    """One peer in its environment."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [
            str(environments / name / "bin" / "python"), "-c", COMMON + SCRIPTS[name], str(folder), str(LATENTS),
            str(documents), str(DASHBOARD_FEATURES),
        ],
        capture_output=True, text=True, check=False, env={**environment, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def peer_rows(
    folder: Path, environments: Path, documents: int, index: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows and bars of both peers.

    Args:
        folder: model, SAE and tokens of the race.
        index: the row of the index on the same tokens.
    """
    found = {name: run_peer(name, folder, environments, documents) for name in SCRIPTS}
    rows = [
        {"name": NAMES[name], "latents": LATENTS, **{key: round(value, 3) for key, value in item.items()}}
        for name, item in found.items()
    ]
    share = found["dashboard"]["features"] / LATENTS
    bars = []
    for key, how in (("seconds", ""), ("cpu_s", ", processor time")):
        whole = found["delphi"][key] / index[key]
        each = found["dashboard"][key] / share / index[key]
        bars += [
            {"name": f"delphi / index{how}", "value": round(whole, 2), "limit": 4, "holds": whole >= 4},
            {
                "name": f"SAEDashboard / index, per feature{how}",
                "value": round(each, 2),
                "limit": 20,
                "holds": each >= 20,
            },
        ]
    return rows, bars
