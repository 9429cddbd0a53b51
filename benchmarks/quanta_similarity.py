"""Gradient similarity against the published algorithm written plainly: same model, same samples, one run.

The published algorithm cuts the samples into blocks and, for every pair of blocks, computes the gradients of the
second one again, each over the whole document, one at a time. Here its loss and its products are taken in float64:
in float32, as published, its cosines are off by more than the bars below.

    python benchmarks/quanta_similarity.py [--samples 400] [--blocks 40] [--json]
    python benchmarks/quanta_similarity.py --gpu [--samples 10000] [--tokens 1024] [--device cuda] [--json]

The second is `exact` in bfloat16 on the shape of a 70M-parameter model with random weights, warm-up and spot-check
included; where there is no such device it measures nothing and says so.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.report import bar_lines, machine_load, stamp, tell
from workbench import demo
from workbench.demo import corpus
from workbench.quanta import gradient_similarity
from workbench.quanta.roles import chosen_parameters

PROJECTED = 10_000
VOCABULARY = 50_304
SOURCE = '"a couple hours on an A100" (the published README, 10,000 samples of a 70M-parameter model)'


def documents(tokenizer: Any, count: int, length: int) -> list[list[int]]:
    """The demo corpus as documents of exactly `length` tokens, joined where one is shorter."""
    found: list[list[int]] = []
    joined: list[int] = []
    for document in corpus.documents(7):
        joined += tokenizer(document.text)["input_ids"]
        while len(joined) >= length and len(found) < count:
            found.append(joined[:length])
            joined = joined[length:]
        if len(found) == count:
            break
    return found


def published(model: nn.Module, samples: list[tuple[list[int], int]], blocks: int) -> tuple[np.ndarray, int, int]:
    """Cosines by the published algorithm; also the backward passes and the tokens they read."""
    parameters = list(chosen_parameters(model).values())
    count = len(samples)
    edges = np.linspace(0, count, blocks + 1).astype(int)
    matrix = torch.zeros((count, count), dtype=torch.float64)
    passes = tokens = 0

    def rows(first: int, last: int) -> torch.Tensor:
        nonlocal passes, tokens
        made = []
        for ids, position in samples[first:last]:
            logits = model(torch.tensor([ids])).logits[0].double()
            loss = nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="none")[position - 1]
            made.append(torch.cat([part.reshape(-1) for part in torch.autograd.grad(loss, parameters)]))
            passes, tokens = passes + 1, tokens + len(ids)
        return nn.functional.normalize(torch.stack(made).double(), dim=1)

    for outer in range(blocks):
        first, last = edges[outer], edges[outer + 1]
        left = rows(first, last)
        for inner in range(outer, blocks):
            start, end = edges[inner], edges[inner + 1]
            found = left @ rows(start, end).T
            matrix[first:last, start:end] = found
            matrix[start:end, first:last] = found.T
    return matrix.numpy(), passes, tokens


def projected_passes(samples: int, blocks: int, held: int) -> tuple[int, int]:
    """Backward passes of the published algorithm and of `exact` with `held` rows in memory."""
    ours = samples if held >= samples else sum(range(samples, 0, -(held - held // 8)))
    return samples + samples // blocks * blocks * (blocks + 1) // 2, ours


def measure(count: int, blocks: int) -> dict[str, Any]:
    """All rows and bars."""
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()

    folder = demo.model_dir()
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    length = int(model.config.max_position_embeddings)
    rng = np.random.default_rng(0)
    texts = documents(AutoTokenizer.from_pretrained(folder), count, length)
    samples = [(ids, int(rng.integers(1, length))) for ids in texts]
    cut = [ids[: position + 1] for ids, position in samples]
    gradient_similarity(model, cut[:8])  # warms both up

    started = time.perf_counter()
    reference, passes, tokens = published(model, samples, blocks)
    published_s = time.perf_counter() - started
    rows = [{"name": "published algorithm", "seconds": published_s, "passes": passes, "tokens": tokens, "error": 0.0}]
    found = {}
    for mode in ("exact", "factored", "sketch"):
        started = time.perf_counter()
        made = gradient_similarity(model, cut, mode=mode)  # type: ignore[arg-type]
        seconds = time.perf_counter() - started
        error = np.abs(made.matrix - reference)
        found[mode] = {"seconds": seconds, "error": float(error.max()), "inside": bool((error <= made.bound).all())}
        read = sum(len(ids) - 1 for ids in cut)
        rows.append({"name": mode, "seconds": seconds, "passes": made.passes, "tokens": read, "error": error.max()})
    fits, ours = projected_passes(PROJECTED, 40, PROJECTED)
    size = sum(p.numel() for p in chosen_parameters(model).values())
    held = 4 * 2**30 // (4 * size)
    budget = projected_passes(PROJECTED, 40, held)[1]
    share = sum(len(ids) - 1 for ids in cut) / (count * length)
    bars = [
        _least("exact, times faster", published_s / found["exact"]["seconds"], 20),
        _most("exact, largest difference", found["exact"]["error"], 1e-5),
        _most("factored, largest difference", found["factored"]["error"], 5e-4),
        _most("differences beyond their bound", sum(not row["inside"] for row in found.values()), 0),
        _least(f"token-passes at {PROJECTED:,}, all rows held, times fewer", fits / (ours * share), 30),
    ]
    note = (
        f"{size:,} numbers a gradient; at {PROJECTED:,} samples in 4 GiB of float32 rows ({held} held): "
        f"{fits / (budget * share):.1f} x fewer token-passes"
    )
    for row in rows:
        row["seconds"], row["error"] = round(row["seconds"], 2), float(row["error"])
    return {"rows": rows, "bars": bars, "note": note}


def measure_gpu(count: int, length: int, device: str) -> dict[str, Any]:
    """`exact` with bfloat16 rows on a 70M-parameter shape; fewer samples than 10,000 are projected by their passes."""
    from workbench.quanta.checking import check_pairs, drawn_pairs
    from workbench.quanta.gradients import exact_passes, rows_held

    if device.startswith("cuda") and not torch.cuda.is_available():
        return {"rows": [{"name": "70M shape", "skipped": "there is no CUDA device on this machine"}], "bars": [],
                "note": SOURCE}  # fmt: skip
    rng = np.random.default_rng(0)
    model = _shape_of_70m(length).to(device)
    size = sum(p.numel() for p in chosen_parameters(model).values())
    contexts = rng.integers(0, VOCABULARY, (count, length + 1)).tolist()
    memory = int(0.85 * torch.cuda.mem_get_info()[0]) if device.startswith("cuda") else 4 * 2**30
    started = time.perf_counter()
    made = gradient_similarity(model, contexts, dtype="bfloat16", memory=memory)
    check = check_pairs(model, contexts, made.matrix, drawn_pairs(made.matrix, 200, 0))
    seconds = time.perf_counter() - started
    planned = exact_passes(PROJECTED, rows_held(PROJECTED, size, 2, memory)[0])
    products = (PROJECTED / count) ** 2
    # passes cost alike, products grow with the square: the larger of both factors, so that nothing is flattered
    projected = seconds if count >= PROJECTED else seconds * max(planned / made.passes, products)
    name = torch.cuda.get_device_name() if device.startswith("cuda") else device
    row = {"name": f"70M shape on {name}", "seconds": round(seconds, 2), "passes": made.passes,
           "tokens": made.passes * length, "error": check.largest}  # fmt: skip
    note = f"{count:,} samples of {length:,} tokens, {size:,} numbers a gradient, random weights; source: {SOURCE}"
    bars = [
        _most(f"minutes for {PROJECTED:,} samples{'' if count >= PROJECTED else ', projected'}", projected / 60, 10),
        _most("200 pairs, largest difference", check.largest, 1e-4),
    ]
    return {"rows": [row], "bars": bars, "note": note}


def _shape_of_70m(length: int) -> nn.Module:
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 512, "num_hidden_layers": 6, "num_attention_heads": 8, "intermediate_size": 2048}
    return GPTNeoXForCausalLM(
        GPTNeoXConfig(vocab_size=50304, max_position_embeddings=max(2048, length), **sizes)
    ).eval()


def _most(name: str, value: float, limit: float) -> dict[str, Any]:
    return {"name": name, "value": float(f"{value:.4g}"), "limit": limit, "holds": value <= limit}


def _least(name: str, value: float, limit: float) -> dict[str, Any]:
    return {"name": name, "value": float(f"{value:.4g}"), "limit": limit, "holds": value >= limit}


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = ["# Gradient similarity", "", f"{report['machine']}, {report['date']}; {report['note']}", "", "```"]
    lines += [
        f"{row['name']:20} skipped: {row['skipped']}"
        if "skipped" in row
        else f"{row['name']:20} {row['seconds']:8.2f} s  {row['passes']:6} passes  {row['tokens']:9,} tokens"
        f"  difference {row['error']:.1e}"
        for row in report["rows"]
    ]
    lines += bar_lines(report["bars"])
    return "\n".join([*lines, "```"])


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--samples", type=int, help="default: 400, of --gpu 10,000")
    parser.add_argument("--gpu", action="store_true", help="a 70M-parameter shape on a CUDA device, instead")
    parser.add_argument("--tokens", type=int, default=1024, help="read for each sample of --gpu")
    parser.add_argument("--device", default="cuda", help="of --gpu; another one shows that it runs")
    parser.add_argument("--blocks", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    head = stamp(machine_load())
    if options.gpu:
        measured = measure_gpu(options.samples or PROJECTED, options.tokens, options.device)
    else:
        measured = measure(options.samples or 400, options.blocks)
    report = {**head, **measured}
    return tell(report, table, as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
