"""Quanta of multitask sparse parity, where the true quanta are known: one for each task (Michaud et al. 2023).

A one-hidden-layer ReLU network reads a one-hot task and random bits, and says the parity of the task's own k bits;
tasks come with p_i proportional to i^-(alpha+1). Gradients of all parameters are compared on samples that it solves.
Published, without a script, at 500 tasks and 200,000 steps: samples of one task are more alike on average, but the
slope of the rank-frequency envelope is about -1.1 where the truth is -1.4, so that the clusters do not show the quanta.

    python benchmarks/quanta_parity.py [--tasks 20] [--bits 16] [--steps 20000] [--json]
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
from torch import Tensor, nn

from workbench.geometry import adjusted_rand_index, angular_affinity, spectral_embedding
from workbench.quanta import envelope_slope, purity

EXPONENT = 1.4
SUBSET = 3
SOLVED = 0.1
PUBLISHED = (
    "published (500 tasks, 200,000 steps): slope about -1.1 for a true -1.4, same-task pairs more alike on average"
)


class Parity:
    """Samples of the tasks."""

    def __init__(self, tasks: int, bits: int, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        rng = np.random.default_rng(seed)
        self.subsets = torch.tensor(np.array([rng.permutation(bits)[:SUBSET] for _ in range(tasks)]))
        self.share = torch.arange(1, tasks + 1).double() ** -EXPONENT
        self.tasks, self.bits = tasks, bits

    def draw(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """(count, tasks + bits) inputs, (count,) parities, (count,) tasks."""
        task = torch.multinomial(self.share, count, replacement=True, generator=self.generator)
        bits = torch.randint(0, 2, (count, self.bits), generator=self.generator)
        label = bits.gather(1, self.subsets[task]).sum(dim=1) % 2
        return torch.cat([nn.functional.one_hot(task, self.tasks), bits], dim=1).float(), label, task


def train(data: Parity, width: int, steps: int, batch: int, seed: int) -> nn.Module:
    """The network after so many steps of Adam."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(data.tasks + data.bits, width), nn.ReLU(), nn.Linear(width, 2))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(steps):
        x, y, _ = data.draw(batch)
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    return model.eval()


def unit_gradients(model: nn.Module, x: Tensor, y: Tensor) -> np.ndarray:
    """(samples, numbers) gradients of all parameters, each of length 1."""
    parameters = {name: value.detach() for name, value in model.named_parameters()}

    def loss(values: dict[str, Tensor], one: Tensor, label: Tensor) -> Tensor:
        logits = torch.func.functional_call(model, values, (one[None],)).double()
        return nn.functional.cross_entropy(logits, label[None])

    found = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(parameters, x, y)
    flat = torch.cat([part.flatten(1) for part in found.values()], dim=1).double()
    return np.asarray(nn.functional.normalize(flat, dim=1).numpy())


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All rows and bars."""
    data = Parity(options.tasks, options.bits, options.seed)
    started = time.perf_counter()
    model = train(data, options.width, options.steps, options.batch, options.seed)
    seconds = time.perf_counter() - started
    x, y, task = data.draw(20_000)
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(x), y, reduction="none")
    solved = (loss < SOLVED).nonzero()[:, 0]
    chosen = solved[: options.samples]
    if len(chosen) < 8 * data.tasks:
        raise SystemExit(f"only {len(solved)} of 20,000 samples are solved: train longer with --steps")
    tasks = task[chosen].numpy()
    learned = [number for number in range(data.tasks) if float((loss[task == number] < SOLVED).float().mean()) > 0.9]
    gradients = unit_gradients(model, x[chosen], y[chosen])
    cosines = np.clip(gradients @ gradients.T, -1, 1)
    same, apart = tasks[:, None] == tasks[None, :], ~np.eye(len(tasks), dtype=bool)
    sweep = sorted({options.tasks // 2, options.tasks, 2 * options.tasks, 4 * options.tasks, 8 * options.tasks})
    rows = []
    for name, affinity in (("clipped", np.maximum(cosines, 0)), ("angular", angular_affinity(cosines))):
        embedding = spectral_embedding(affinity, sweep[-1])
        labels = {number: embedding.clusters(number) for number in sweep}
        slope = envelope_slope([np.bincount(one) for one in labels.values()], 3, options.tasks)
        rng = np.random.default_rng(0)
        for number, found in labels.items():
            rows.append(
                {
                    "name": name, "clusters": number, "purity": purity(found, tasks),
                    "purity_shuffled": purity(rng.permutation(found), tasks), "ari": adjusted_rand_index(found, tasks),
                    "slope": slope.slope, "interval": list(slope.interval),
                }
            )  # fmt: skip
    true = envelope_slope([np.bincount(tasks)], 3, options.tasks)
    within, across = float(cosines[same & apart].mean()), float(cosines[~same].mean())
    gap = round(within - across, 4)
    bars = [{"name": "mean cosine within a task less that between", "value": gap, "limit": 0.0, "holds": gap > 0}]
    about = {"training_seconds": seconds, "learned": len(learned), "tasks": data.tasks, "samples": len(tasks),
             "within": within, "across": across, "true_exponent": -EXPONENT, "sampled_slope": true.slope}  # fmt: skip
    return {"rows": rows, "bars": bars, **about}


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = [
        "# Quanta of multitask sparse parity", "",
        f"{report['machine']}, {report['date']}; trained in {report['training_seconds']:.0f} s, {report['learned']} of "
        f"{report['tasks']} tasks learned, {report['samples']} solved samples; mean cosine within a task "
        f"{report['within']:.3f}, between tasks {report['across']:.3f}; sizes of the true tasks among the samples fall "
        f"with slope {report['sampled_slope']:.2f} (p_i: {report['true_exponent']})",
        PUBLISHED, "", "```",
        f"{'affinity':10} {'k':>4} {'purity':>7} {'(dealt)':>8} {'ARI':>6}   envelope slope and interval",
    ]  # fmt: skip
    lines += [
        f"{row['name']:10} {row['clusters']:4} {row['purity']:7.3f} {row['purity_shuffled']:8.3f} {row['ari']:6.3f}   "
        f"{row['slope']:.2f} ({row['interval'][0]:.2f} to {row['interval'][1]:.2f})"
        for row in report["rows"]
    ]
    lines += [
        f"{'holds' if bar['holds'] else 'FAILS'}: {bar['name']}: {bar['value']} (limit {bar['limit']})"
        for bar in report["bars"]
    ]
    return "\n".join([*lines, "```"])


def main() -> int:
    """Train, measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for name, value in (("tasks", 20), ("bits", 16), ("width", 200), ("steps", 20_000), ("batch", 1024),
                        ("samples", 1000), ("seed", 0)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    stamp = {
        "machine": f"{platform.platform()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    report = {**stamp, **measure(options)}
    print(json.dumps(report) if options.json else table(report))
    return 0 if all(bar["holds"] for bar in report["bars"]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
