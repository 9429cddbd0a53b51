"""Quanta of multitask sparse parity, where the true quanta are known: one for each task (Michaud et al. 2023).

A one-hidden-layer ReLU network reads a one-hot task and random bits, and says the parity of the task's own k bits;
tasks come with p_i proportional to i^-(alpha+1). Gradients of all parameters are compared on samples that it solves.
Published, without a script, at 500 tasks and 200,000 steps: samples of one task are more alike on average, but the
slope of the rank-frequency envelope is about -1.1 where the truth is -1.4, so that the clusters do not show the quanta.

    python benchmarks/quanta_parity.py [--tasks 50] [--bits 24] [--steps 200000] [--checkpoint FILE] [--json]

One core trains the default in about ten minutes. A run with a checkpoint that was stopped goes on where it was, and
ends with the same weights.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from benchmarks.report import bar_lines, stamp, tell
from workbench.files import write_atomic
from workbench.geometry import adjusted_rand_index, angular_affinity, spectral_embedding
from workbench.quanta import envelope_slope, purity

EXPONENT = 1.4
SUBSET = 3
SOLVED = 0.1
DRAWN = 20_000
"""Samples drawn after the training, of which those with a loss below SOLVED are taken."""
KEPT_EVERY = 2000
"""Steps between two checkpoints."""
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


class Training:
    """The network, its Adam, and all that is needed to go on from a file as if it had never been left."""

    def __init__(self, data: Parity, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        self.data, self.options, self.done, self.seconds = data, options, 0, 0.0
        self.model = nn.Sequential(nn.Linear(data.tasks + data.bits, options.width), nn.ReLU(),
                                   nn.Linear(options.width, 2))  # fmt: skip
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=options.rate)
        self.file = Path(options.checkpoint) if options.checkpoint else None
        if self.file and self.file.exists():
            self._take_up(load_file(self.file))

    def run(self) -> nn.Module:
        """The network after all steps."""
        started, before = time.perf_counter(), self.seconds
        while self.done < self.options.steps:
            x, y, _ = self.data.draw(self.options.batch)
            self.optimiser.zero_grad()
            nn.functional.cross_entropy(self.model(x), y).backward()
            self.optimiser.step()
            self.done += 1
            self.seconds = before + time.perf_counter() - started
            if self.file and (self.done % KEPT_EVERY == 0 or self.done == self.options.steps):
                write_atomic(self.file, save(self._arrays()))
        return self.model.eval()

    def _settings(self) -> Tensor:
        names = ("tasks", "bits", "width", "batch", "seed", "rate")
        return torch.tensor([float(getattr(self.options, name)) for name in names], dtype=torch.float64)

    def _arrays(self) -> dict[str, Tensor]:
        found = {"settings": self._settings(), "random": self.data.generator.get_state(),
                 "done": torch.tensor([self.done, self.seconds], dtype=torch.float64)}  # fmt: skip
        for number, parameter in enumerate(self.model.parameters()):
            moments = {name: value.clone() for name, value in self.optimiser.state[parameter].items()}
            found |= {f"{number}.{name}": value for name, value in {**moments, "value": parameter.detach()}.items()}
        return found

    def _take_up(self, arrays: dict[str, Tensor]) -> None:
        if not torch.equal(arrays["settings"], self._settings()):
            raise SystemExit(f"{self.file} is of other settings: name another file, or remove it")
        self.done, self.seconds = int(arrays["done"][0]), float(arrays["done"][1])
        self.data.generator.set_state(arrays["random"])
        for number, parameter in enumerate(self.model.parameters()):
            parameter.data.copy_(arrays[f"{number}.value"])
            names = ("step", "exp_avg", "exp_avg_sq")
            self.optimiser.state[parameter] = {name: arrays[f"{number}.{name}"] for name in names}


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
    training = Training(data, options)
    model, seconds = training.run(), training.seconds
    x, y, task = data.draw(DRAWN)
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(x), y, reduction="none")
    solved = (loss < SOLVED).nonzero()[:, 0]
    chosen = solved[: options.samples]
    if len(chosen) < 8 * data.tasks:
        raise SystemExit(f"only {len(solved)} of {DRAWN:,} samples are solved: train longer with --steps")
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
    lines += bar_lines(report["bars"])
    return "\n".join([*lines, "```"])


def main() -> int:
    """Train, measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for name, value in (("tasks", 50), ("bits", 24), ("width", 256), ("steps", 200_000), ("batch", 1024),
                        ("samples", 3000), ("seed", 0)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--rate", type=float, default=1e-3, help="of Adam")
    parser.add_argument("--checkpoint", help="file to keep the training in, and to go on from")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = {**stamp(), **measure(options)}
    return tell(report, table, as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
