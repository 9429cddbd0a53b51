"""Training of the demo's sparse autoencoder on the model's residual stream, with SAELens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from workbench.demo.site import SITE, site_activations
from workbench.demo.tokenizer import CONTEXT
from workbench.demo.tokens import corpus_rows, packed


@dataclass(frozen=True)
class SaeRecipe:
    """Everything that decides the trained SAE, given the model."""

    seed: int = 1
    latents: int = 512
    k: int = 16
    samples: int = 1_000_000
    batch_samples: int = 1024
    dead_window_batches: int = 30
    rate: float = 4e-3
    last_rate: float = 1e-4
    warmup_batches: int = 30
    corpus_seed: int = 2
    documents_a_block: int = 4000
    checkpoints: int = 5


def activation_block(recipe: SaeRecipe, model: GPT2LMHeadModel, tokenizer: Tokenizer, block: int) -> torch.Tensor:
    """Activations of the corpus' documents of one block, a quarter of them read packed; shuffled."""
    count = recipe.documents_a_block
    rows = corpus_rows(tokenizer, recipe.corpus_seed, block * count, count)
    single, together = rows[: 3 * count // 4], packed(rows[3 * count // 4 :])
    found = torch.cat([site_activations(model, single), site_activations(model, together)])
    order = torch.randperm(len(found), generator=torch.Generator().manual_seed(recipe.seed * 1000 + block))
    return found[order]


def activation_batches(
    recipe: SaeRecipe, model: GPT2LMHeadModel, tokenizer: Tokenizer, start: int = 0
) -> Iterator[torch.Tensor]:
    """Batches (batch_samples, width) from batch `start` on, without end; a block's remainder is dropped."""
    block, seen = 0, 0
    while True:
        found, size = activation_block(recipe, model, tokenizer, block), recipe.batch_samples
        for at in range(0, len(found) - size + 1, size):
            if seen >= start:
                yield found[at : at + size]
            seen += 1
        block += 1


def train_sae(
    recipe: SaeRecipe,
    model: GPT2LMHeadModel,
    tokenizer: Tokenizer,
    work: Path,
    out: Path,
    say: Callable[[str], None] = print,
) -> None:
    """Train to the recipe's end, from the last checkpoint in `work` if there is one, and write `out`."""
    trainer = _trainer(recipe, model, tokenizer, work)
    last = max((int(path.name) for path in work.glob("[0-9]*")), default=0)
    if last:
        say(f"sae: resumed at sample {last}")
        trainer.load_trainer_state(work / str(last))
        _load_weights(trainer.sae, work / str(last))
        # The step of the batch that came before the checkpoint is not counted in it yet.
        trainer.data_provider = activation_batches(recipe, model, tokenizer, trainer.n_training_steps + 1)
    sae = trainer.fit()
    metadata = sae.cfg.metadata
    metadata.model_name, metadata.hook_name = "demo", SITE
    metadata.prepend_bos, metadata.context_size = True, CONTEXT
    metadata.dataset_path = "workbench.demo.corpus"
    sae.save_inference_model(str(out))
    (out / "sae_weights.safetensors").chmod(0o644)
    say(f"sae: {recipe.latents} latents trained on {trainer.n_training_samples} tokens")


def _trainer(recipe: SaeRecipe, model: GPT2LMHeadModel, tokenizer: Tokenizer, work: Path):  # type: ignore[no-untyped-def]
    from sae_lens import SAETrainer, TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.config import SAETrainerConfig

    torch.manual_seed(recipe.seed)
    width = model.config.n_embd
    sae = TopKTrainingSAE(
        TopKTrainingSAEConfig(
            d_in=width, d_sae=recipe.latents, k=recipe.k, normalize_activations="expected_average_only_in"
        )
    )
    settings = SAETrainerConfig(
        total_training_samples=recipe.samples,
        train_batch_size_samples=recipe.batch_samples,
        lr=recipe.rate,
        lr_end=recipe.last_rate,
        lr_scheduler_name="cosineannealing",
        lr_warm_up_steps=recipe.warmup_batches,
        dead_feature_window=recipe.dead_window_batches,
        feature_sampling_window=200,
        n_checkpoints=recipe.checkpoints,
        checkpoint_path=str(work),
    )
    work.mkdir(parents=True, exist_ok=True)
    trainer = SAETrainer(cfg=settings, sae=sae, data_provider=activation_batches(recipe, model, tokenizer))
    _start_at_the_mean(trainer, activation_block(recipe, model, tokenizer, 0))
    return trainer


@torch.no_grad()
def _start_at_the_mean(trainer, found: torch.Tensor) -> None:  # type: ignore[no-untyped-def]
    """Scale vectors to a mean norm of sqrt(width), as SAELens does, and begin with the decoder's bias at their mean.

    With a bias of zero the mean, which is long at this site, decides which latents fire first, and a third of them
    never fire again.
    """
    factor = found.shape[1] ** 0.5 / float(found.norm(dim=1).mean())
    trainer.activation_scaler.scaling_factor = factor
    trainer.sae.b_dec.copy_(found.mean(0) * factor)


def _load_weights(sae, folder: Path) -> None:  # type: ignore[no-untyped-def]
    from safetensors.torch import load_file

    sae.load_state_dict(load_file(folder / "sae_weights.safetensors"))
