"""What a training will cost, said before it starts: a few batches are tried in memory, nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import torch

from workbench import memory
from workbench.corpus.source import Corpus
from workbench.errors import InputFileError
from workbench.models.site import Site
from workbench.saes.activation_set import SetRecipe, read_rows
from workbench.saes.recipe import Recipe
from workbench.saes.shuffled import GROUP_BYTES
from workbench.saes.training import SAMPLED, build_trainer

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel

TRIED = 4
"""Batches of texts read, and steps made, to see what one costs."""
SETTLED = 1
"""The first of them are not timed."""


@dataclass(frozen=True)
class Estimate:
    """Cost of recording a set and training on it.

    Attributes:
        seconds: of the recording and of one training.
        recording: the part of it that the recording takes.
        memory: most bytes that the process will hold.
        disk: bytes of activations and checkpoints.
    """

    seconds: float
    recording: float
    memory: int
    disk: int


def estimate(
    model: LoadedModel, site: Site, corpus: Corpus, recipe: SetRecipe, training: Recipe, recorded: bool, device: str
) -> Estimate:
    """Try a few batches and add up.

    Args:
        recorded: whether the activations are on disk already.

    Raises:
        UsageError: the recipe cannot be trained.
        InputFileError: the corpus has no text.
    """
    training.check()
    base = memory.resident()
    tokens_a_second, reading = _try_reading(model, site, corpus, recipe)
    seconds_a_step, stepping = _try_steps(training, device)
    recording = 0.0 if recorded else recipe.tokens / tokens_a_second
    shard = min(recipe.bytes, recipe.shard_rows * recipe.row_bytes)
    group = min(recipe.bytes, max(GROUP_BYTES, shard))
    weights = 4 * training.latents * (2 * training.width + 2)
    # a shard is held in pieces, joined, and once more as the bytes that are written
    first = 0 if recorded else reading + 3 * shard
    sample = 2 * 4 * min(SAMPLED, training.training) * training.width
    # a checkpoint holds weights and two moments, once more as the bytes that are written
    # and of the recording the allocator gives not all back
    second = (0 if recorded else shard) + group + max(shard + sample, stepping + 2 * 3 * weights)
    return Estimate(
        recording + seconds_a_step * training.steps,
        recording,
        base + max(first, second),
        (0 if recorded else recipe.bytes) + 4 * weights,
    )


def _try_reading(model: LoadedModel, site: Site, corpus: Corpus, recipe: SetRecipe) -> tuple[float, int]:
    """Kept tokens a second, and the bytes that reading takes."""
    before, seen, began = memory.resident(), 0, time.perf_counter()
    memory.forget_peak()
    for number, rows in enumerate(islice(read_rows(model, site, corpus, recipe), TRIED)):
        if number == SETTLED:
            began, seen = time.perf_counter(), 0
        seen += len(rows)
    if not seen:
        raise InputFileError(f"the corpus {corpus.name!r} has no token", "Give a corpus with text.")
    return seen / max(time.perf_counter() - began, 1e-9), max(0, memory.peak() - before)


def _try_steps(recipe: Recipe, device: str) -> tuple[float, int]:
    """Seconds a step, and the bytes that training takes."""
    before = memory.resident()
    memory.forget_peak()
    trainer = build_trainer(recipe, device)
    # Activations without structure: what a step costs does not depend on them. With k at its largest.
    rows = torch.randn(recipe.batch, recipe.width, generator=torch.Generator().manual_seed(0))
    if hasattr(trainer.sae.activation_fn, "k"):
        trainer.sae.activation_fn.k = max(recipe.k, recipe.k_start)
    began = time.perf_counter()
    for number in range(TRIED + SETTLED):
        if number == SETTLED:
            began = time.perf_counter()
        output = trainer.step(rows)
        trainer.dead.see(output.feature_acts.detach())
    seconds = (time.perf_counter() - began) / TRIED
    return seconds, max(0, memory.peak() - before)
