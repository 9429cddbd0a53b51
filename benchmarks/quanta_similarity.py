"""Gradient similarity against the published algorithm written plainly: same model, same samples, one run.

The published algorithm cuts the samples into blocks and, for every pair of blocks, computes the gradients of the
second one again, each over the whole document, one at a time. Here its loss and its products are taken in float64:
in float32, as published, its cosines are off by more than the bars below.

    python benchmarks/quanta_similarity.py [--samples 400] [--blocks 40] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
from torch import nn

from workbench import demo
from workbench.demo import corpus
from workbench.quanta import gradient_similarity
from workbench.quanta.roles import chosen_parameters

PROJECTED = 10_000


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


def _most(name: str, value: float, limit: float) -> dict[str, Any]:
    return {"name": name, "value": float(f"{value:.4g}"), "limit": limit, "holds": value <= limit}


def _least(name: str, value: float, limit: float) -> dict[str, Any]:
    return {"name": name, "value": float(f"{value:.4g}"), "limit": limit, "holds": value >= limit}


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = ["# Gradient similarity", "", f"{report['machine']}, {report['date']}; {report['note']}", "", "```"]
    lines += [
        f"{row['name']:20} {row['seconds']:8.2f} s  {row['passes']:6} passes  {row['tokens']:9,} tokens"
        f"  difference {row['error']:.1e}"
        for row in report["rows"]
    ]
    lines += [
        f"{'holds' if bar['holds'] else 'FAILS'}: {bar['name']}: {bar['value']} (limit {bar['limit']})"
        for bar in report["bars"]
    ]
    return "\n".join([*lines, "```"])


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--blocks", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    load = round(os.getloadavg()[0], 2)
    stamp = {
        "machine": f"{platform.platform()}, {os.cpu_count()} cores, load {load}",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    report = {**stamp, **measure(options.samples, options.blocks)}
    print(json.dumps(report) if options.json else table(report))
    return 0 if all(bar["holds"] for bar in report["bars"]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
