"""Training of an SAE on an activation set, with SAELens' trainer.

SAELens supplies the architectures, their losses, Adam, gradient clipping at norm 1 and the learning rate's schedule.
Here are the order of the activations, the K schedule, a count of dead latents in tokens, checkpoints that continue to
the same weights, and an end at the first loss that is no number.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from sae_lens import (
    BatchTopKTrainingSAE,
    BatchTopKTrainingSAEConfig,
    GatedTrainingSAE,
    GatedTrainingSAEConfig,
    JumpReLUTrainingSAE,
    JumpReLUTrainingSAEConfig,
    SAETrainer,
    StandardTrainingSAE,
    StandardTrainingSAEConfig,
    TopKTrainingSAE,
    TopKTrainingSAEConfig,
)
from sae_lens.config import SAETrainerConfig
from torch import Tensor

from workbench.errors import WorkbenchError
from workbench.models.memory import is_out_of_memory
from workbench.progress import numbers_text
from workbench.saes.activation_set import ActivationSet
from workbench.saes.checkpoint import optimizer_tensors, read_checkpoint, restore_optimizer, write_checkpoint
from workbench.saes.dead import DeadLatents
from workbench.saes.recipe import DECAY, DEVIATIONS, WARM_UP, WITH_K, Recipe
from workbench.saes.shuffled import Shuffled

Tick = Callable[[int, int, str], None]
SAMPLED = 65_536
"""Activations from which the scale, the mean and the bounds are taken."""
POINTS = 200
"""Points of the curve, at most."""
SMALLEST_BATCH = 64
PATIENCE = 120.0
"""Seconds after which a checkpoint is written even where none is due."""
_BARS = "▁▂▃▄▅▆▇█"
Bounds = tuple[float, float]


@dataclass(frozen=True)
class Point:
    """The state of a training at a step: numbers of that step's batch.

    `loss` is the whole loss, `fvu` the unexplained share of the batch's variance, `l0` the mean number of latents
    that fire for a token, `dead` the latents that have not fired for a window of tokens.
    """

    step: int
    tokens: int
    loss: float
    fvu: float
    l0: float
    dead: int
    k: int | None


@dataclass
class Trained:
    """A trained SAE in memory.

    Attributes:
        sae: SAELens' training SAE, its input scale folded into the weights.
        recipe: as it was carried out; the batch may have been halved.
        curve: the training's points.
        dead: latents dead at the end.
        scale: factor on the inputs in training, for losses in its units.
        bounds: to which inputs are clamped, or None.
        stopped: why and where it ended early, or "".
        warnings: what to tell.
    """

    sae: Any
    recipe: Recipe
    curve: list[Point]
    dead: int
    scale: float
    bounds: Bounds | None
    stopped: str = ""
    warnings: list[str] = field(default_factory=list)


def train(
    recipe: Recipe, source: ActivationSet, work: Path, tick: Tick, *, checkpoints: int = 10, device: str = "cpu"
) -> Trained:
    """Train to the recipe's end, from the last checkpoint of the same recipe if there is one.

    Args:
        work: folder of checkpoints, each recipe's in a folder of its own; the caller removes it in the end.
        checkpoints: how many are written, at even distances.

    Raises:
        UsageError: the activations are fewer than one batch, or k does not fit.
        WorkbenchError: no number came out before the first checkpoint, or memory does not suffice.
    """
    recipe.check()
    told: list[str] = []
    while True:
        try:
            found = _Run(recipe, source, work / recipe.key, checkpoints, device).finish(tick)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if recipe.batch < 2 * SMALLEST_BATCH:
                raise WorkbenchError(
                    f"out of memory even with a batch of {recipe.batch}", "Use fewer latents, or a larger machine."
                ) from error
            told.append(f"out of memory with a batch of {recipe.batch}: began again with {recipe.batch // 2}")
            recipe = replace(recipe, batch=recipe.batch // 2)
            continue
        found.warnings = [*told, *found.warnings]
        return found


class _Trainer(SAETrainer):  # type: ignore[misc]
    """SAELens' trainer, with the count of dead latents replaced by one in tokens."""

    dead: DeadLatents

    @property
    def dead_neurons(self) -> Tensor:
        """Which latents are dead, (latents,) bool; the auxiliary loss is about these."""
        return self.dead.mask


def build_sae(recipe: Recipe, device: str = "cpu") -> Any:
    """A new SAE with the recipe's architecture and seeded weights."""
    shape = {"d_in": recipe.width, "d_sae": recipe.latents, "normalize_activations": "expected_average_only_in"}
    warm_up = int(recipe.steps * WARM_UP)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        sae: Any
        if recipe.architecture == "topk":
            sae = TopKTrainingSAE(TopKTrainingSAEConfig(**shape, k=recipe.k, aux_loss_coefficient=recipe.aux))
        elif recipe.architecture == "batchtopk":
            config = BatchTopKTrainingSAEConfig(**shape, k=float(recipe.k), aux_loss_coefficient=recipe.aux)
            sae = BatchTopKTrainingSAE(config)
        elif recipe.architecture == "jumprelu":
            config = JumpReLUTrainingSAEConfig(**shape, l0_coefficient=recipe.sparsity, l0_warm_up_steps=warm_up)
            sae = JumpReLUTrainingSAE(config)
        else:
            penalty = {"l1_coefficient": recipe.sparsity, "l1_warm_up_steps": warm_up}
            if recipe.architecture == "standard":
                sae = StandardTrainingSAE(StandardTrainingSAEConfig(**shape, **penalty))
            else:
                sae = GatedTrainingSAE(GatedTrainingSAEConfig(**shape, **penalty))
    return sae.to(device)


def build_trainer(recipe: Recipe, device: str = "cpu") -> Any:
    """SAELens' trainer with a new SAE, about to make the first step."""
    settings = SAETrainerConfig(
        total_training_samples=recipe.steps * recipe.batch,
        train_batch_size_samples=recipe.batch,
        lr=recipe.rate,
        lr_end=recipe.rate,
        lr_decay_steps=int(recipe.steps * DECAY),
        device=device,
    )
    trainer = _Trainer(cfg=settings, sae=build_sae(recipe, device), data_provider=iter(()))
    trainer.dead = DeadLatents(recipe.latents, recipe.dead_window, device)
    return trainer


class _Run:
    """One training, from its start or its last checkpoint."""

    def __init__(self, recipe: Recipe, source: ActivationSet, folder: Path, checkpoints: int, device: str) -> None:
        self.recipe, self.folder = recipe, folder
        self.order = Shuffled(source, recipe.training, recipe.seed)
        self.every = -(-recipe.steps // POINTS)
        self.between = max(1, recipe.steps // (checkpoints + 1))
        self.device, self.step = device, 0
        self.curve: list[Point] = []
        self.trainer = build_trainer(recipe, device)
        self.sae = self.trainer.sae
        self.bounds = self._begin_at_the_mean()
        self.saved = time.monotonic()

    @torch.no_grad()
    def _begin_at_the_mean(self) -> Bounds | None:
        """Scale inputs to a mean norm of sqrt(width), and begin with the decoder's bias at their mean.

        With a bias of zero a long mean decides which latents fire first, and many never fire again.
        """
        found = self.order.sample(SAMPLED)  # (rows, width)
        bounds = None
        if self.recipe.winsorise:
            middle = float(found.mean(dtype=torch.float64))
            spread = math.sqrt(float((found - middle).pow_(2).mean(dtype=torch.float64)))
            bounds = (middle - DEVIATIONS * spread, middle + DEVIATIONS * spread)
            found = found.clamp(*bounds)
        norm = float(found.norm(dim=1).mean(dtype=torch.float64))
        if norm == 0:
            raise WorkbenchError("every activation is zero", "There is nothing to train on at this site.")
        self.scale = math.sqrt(self.recipe.width) / norm
        self.trainer.activation_scaler.scaling_factor = self.scale
        self.sae.b_dec.copy_(found.mean(0, dtype=torch.float64) * self.scale)
        return bounds

    def finish(self, tick: Tick) -> Trained:
        """Go on to the end."""
        told = []
        if self._restore():
            told.append(f"went on from the checkpoint at step {self.step} of {self.recipe.steps}")
        stopped = self._loop(tick)
        if stopped:
            told.append(stopped)
        with torch.no_grad():
            if self.recipe.architecture == "jumprelu":
                self.sae.threshold.clamp_(min=0.0)  # the trainer does so before each step, not after the last
            self.sae.fold_activation_norm_scaling_factor(self.scale)
        if stopped and self.recipe.architecture in WITH_K:
            self.sae.cfg.k = type(self.sae.cfg.k)(self.recipe.k_at(max(self.step - 1, 0)))
        dead = len(self.trainer.dead)
        return Trained(self.sae, self.recipe, self.curve, dead, self.scale, self.bounds, stopped, told)

    def _loop(self, tick: Tick) -> str:
        recipe, began, first = self.recipe, time.monotonic(), self.step
        batches = self.order.batches(recipe.batch, self.step)
        while self.step < recipe.steps:
            batch = next(batches)
            if self.bounds is not None:
                batch = batch.clamp(*self.bounds)
            k = recipe.k_at(self.step) if recipe.architecture in WITH_K else None
            if k is not None:
                self.sae.activation_fn.k = k
            output = self.trainer.step(batch)
            loss = float(output.loss.detach())
            if not math.isfinite(loss):
                return self._back_to_the_last_good(self.step)
            self.trainer.dead.see(output.feature_acts.detach())
            self.trainer.n_training_steps += 1
            if self.step % self.every == 0 or self.step == recipe.steps - 1:
                self.curve.append(self._point(output, loss, k))
            self.step += 1
            speed = (self.step - first) * recipe.batch / max(time.monotonic() - began, 1e-9)
            tick(self.step * recipe.batch, recipe.steps * recipe.batch, told_now(self.curve, speed))
            self._save_if_due()
        return ""

    @torch.no_grad()
    def _point(self, output: Any, loss: float, k: int | None) -> Point:
        given, made, acts = output.sae_in.detach(), output.sae_out.detach(), output.feature_acts.detach()
        unexplained = float((given - made).pow(2).sum() / (given - given.mean(0)).pow(2).sum().clamp(min=1e-30))
        l0 = float((acts != 0).sum()) / len(acts)
        tokens = (self.step + 1) * self.recipe.batch
        return Point(self.step, tokens, loss, unexplained, l0, len(self.trainer.dead), k)

    def _save_if_due(self) -> None:
        due = self.step % self.between == 0 or time.monotonic() - self.saved > PATIENCE
        if not due or self.step >= self.recipe.steps:
            return
        if not all(bool(torch.isfinite(weights).all()) for weights in self.sae.parameters()):
            return  # the next loss will be no number: the checkpoint before this one is the last good one
        tensors = {f"sae/{name}": value for name, value in self.sae.state_dict().items()}
        tensors |= optimizer_tensors(self.trainer.optimizer)
        tensors["dead/since"] = self.trainer.dead.since
        told = {
            "step": self.step,
            "rate": self.trainer.optimizer.param_groups[0]["lr"],
            "lr_scheduler": self.trainer.lr_scheduler.state_dict(),
            "coefficients": {n: s.state_dict() for n, s in self.trainer.coefficient_schedulers.items()},
            "curve": [asdict(point) for point in self.curve],
        }
        write_checkpoint(self.folder, tensors, told)
        self.saved = time.monotonic()

    def _restore(self) -> bool:
        found = read_checkpoint(self.folder)
        if found is None:
            return False
        tensors, told = found
        weights = {name.removeprefix("sae/"): value for name, value in tensors.items() if name.startswith("sae/")}
        self.sae.load_state_dict(weights)
        restore_optimizer(self.trainer.optimizer, tensors, float(told["rate"]))
        self.trainer.lr_scheduler.load_state_dict(told["lr_scheduler"])
        for name, state in told["coefficients"].items():
            self.trainer.coefficient_schedulers[name].load_state_dict(state)
        self.trainer.dead.since = tensors["dead/since"].to(self.device)
        self.step = int(told["step"])
        self.trainer.n_training_steps = self.step
        self.trainer.n_training_samples = self.step * self.recipe.batch
        self.curve = [Point(**point) for point in told["curve"]]
        return True

    def _back_to_the_last_good(self, step: int) -> str:
        """Take the last checkpoint's weights after a loss that is no number.

        Raises:
            WorkbenchError: there is none yet.
        """
        if not self._restore():
            raise WorkbenchError(
                f"the loss was no number (NaN) at step {step} of {self.recipe.steps}, before the first checkpoint",
                f"Lower --lr (it was {self.recipe.rate:g}), or write more --checkpoints.",
            )
        return f"stopped: the loss was no number (NaN) at step {step}; this is the SAE of step {self.step}"


def told_now(curve: list[Point], speed: float) -> str:
    """The running numbers in one line, with the loss so far as a row of bars."""
    if not curve:
        return "training"
    last = curve[-1]
    numbers: dict[str, float | int] = {"loss": last.loss, "L0": last.l0, "FVU": last.fvu, "dead": last.dead}
    if last.k is not None:
        numbers["k"] = last.k
    return f"{numbers_text({**numbers, 'tokens/s': round(speed)})}  {bars([point.loss for point in curve])}"


def bars(values: list[float], width: int = 16) -> str:
    """Values as a row of bars between their least and their largest, on a logarithmic scale."""
    count = min(width, len(values))
    picked = [math.log(max(values[at * len(values) // count], 1e-12)) for at in range(count)]
    low, high = min(picked), max(picked)
    span = max(high - low, 1e-12)
    return "".join(_BARS[min(7, int(8 * (value - low) / span))] for value in picked)
