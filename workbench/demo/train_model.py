"""Training of the demo's language model: first calendar arithmetic, then the whole corpus, in resumable steps."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from workbench.demo.interchange import interchange_loss, interchange_pairs
from workbench.demo.tokenizer import CONTEXT
from workbench.demo.tokens import BOUNDARY_ID, by_length, corpus_rows, packed, padded


@dataclass(frozen=True)
class ModelRecipe:
    """Everything that decides the trained weights, up to the rounding of the machine."""

    seed: int = 1
    layers: int = 4
    width: int = 128
    heads: int = 4
    calendar_steps: int = 600
    steps: int = 3600
    calendar_documents: int = 384
    single_documents: int = 96
    packed_documents: int = 32
    calendar_rate: float = 1e-3
    peak_rate: float = 2e-3
    last_rate: float = 1e-5
    warmup: int = 100
    weight_decay: float = 0.01
    clip: float = 1.0
    corpus_seed: int = 1
    interchange_pairs: int = 96
    interchange_weight: float = 0.3


def new_model(recipe: ModelRecipe, vocabulary: int) -> GPT2LMHeadModel:
    """An untrained model with the recipe's seed and shape."""
    torch.manual_seed(recipe.seed)
    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=CONTEXT,
        n_embd=recipe.width,
        n_layer=recipe.layers,
        n_head=recipe.heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=BOUNDARY_ID,
        eos_token_id=BOUNDARY_ID,
        pad_token_id=BOUNDARY_ID,
    )
    return GPT2LMHeadModel(config)


def learning_rate(recipe: ModelRecipe, step: int) -> float:
    """The rate at a step: constant over the calendar phase, then warm-up and a cosine to `last_rate`."""
    if step < recipe.calendar_steps:
        return recipe.calendar_rate * min(1.0, (step + 1) / 30)
    done = step - recipe.calendar_steps
    if done < recipe.warmup:
        return recipe.calendar_rate + (recipe.peak_rate - recipe.calendar_rate) * done / recipe.warmup
    share = (done - recipe.warmup) / max(1, recipe.steps - recipe.calendar_steps - recipe.warmup)
    return recipe.last_rate + (recipe.peak_rate - recipe.last_rate) * 0.5 * (1 + math.cos(math.pi * share))


def batch(recipe: ModelRecipe, tokenizer: Tokenizer, step: int) -> list[list[Sequence[int]]]:
    """Token rows of one step, in groups of like length; every step sees documents never seen before."""
    if step < recipe.calendar_steps:
        count = recipe.calendar_documents
        return by_length(corpus_rows(tokenizer, recipe.corpus_seed, step * count, count, "calendar"), 2)
    count = recipe.single_documents + recipe.packed_documents
    start = (step - recipe.calendar_steps) * count
    rows = corpus_rows(tokenizer, recipe.corpus_seed, start, count)
    return [*by_length(rows[: recipe.single_documents], 3), *by_length(packed(rows[recipe.single_documents :]), 1)]


def summed_loss(model: GPT2LMHeadModel, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, int]:
    """Summed -log probability of every token after the first of each row, and their number."""
    ids, present = padded(rows)
    hidden = model.transformer(input_ids=ids).last_hidden_state[:, :-1]  # (rows, length - 1, width)
    wanted = present[:, 1:]
    logits = model.lm_head(hidden[wanted])  # (tokens, vocabulary)
    loss = torch.nn.functional.cross_entropy(logits, ids[:, 1:][wanted], reduction="sum")
    return loss, int(wanted.sum())


class Training:
    """The model, its optimiser and the loss curve so far; `advance` goes on, `save` and `resume` survive a kill."""

    def __init__(self, recipe: ModelRecipe, tokenizer: Tokenizer) -> None:
        self.recipe, self.tokenizer = recipe, tokenizer
        self.model = new_model(recipe, tokenizer.get_vocab_size())
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), betas=(0.9, 0.98), weight_decay=recipe.weight_decay
        )
        self.curve: list[float] = []

    def advance(self) -> float:
        """One step; returns its mean loss in nats a token."""
        step = len(self.curve)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.recipe, step)
        groups = batch(self.recipe, self.tokenizer, step)
        tokens = sum(len(row) - 1 for rows in groups for row in rows)
        total = 0.0
        for rows in groups:
            loss, _ = summed_loss(self.model, rows)
            (loss / tokens).backward()
            total += float(loss.detach())
        pairs = interchange_pairs(self.recipe.seed, step, self.recipe.interchange_pairs)
        exchanged = interchange_loss(self.model, self.tokenizer, pairs)
        (self.recipe.interchange_weight * exchanged).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.curve.append(total / tokens)
        return self.curve[-1]

    def save(self, folder: Path) -> None:
        """Write a checkpoint; the old one stays whole until the new one is."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"model.{name}": value for name, value in self.model.named_parameters()}
        for name, value in self.model.named_parameters():
            for key, moment in self.optimiser.state[value].items():
                tensors[f"{key}.{name}"] = moment
        save_file({k: v.detach().contiguous() for k, v in tensors.items()}, folder / "next.safetensors")
        (folder / "next.json").write_text(json.dumps({"recipe": asdict(self.recipe), "curve": self.curve}))
        (folder / "next.safetensors").replace(folder / f"{len(self.curve)}.safetensors")
        (folder / "next.json").replace(folder / "training.json")
        for old in folder.glob("[0-9]*.safetensors"):
            if old.stem != str(len(self.curve)):
                old.unlink()

    def resume(self, folder: Path) -> bool:
        """Go on from the folder's checkpoint, if it has one of this very recipe."""
        record = folder / "training.json"
        if not record.exists():
            return False
        kept = json.loads(record.read_text())
        if kept["recipe"] != asdict(self.recipe):
            return False
        self.curve = kept["curve"]
        tensors = load_file(folder / f"{len(self.curve)}.safetensors")
        with torch.no_grad():
            for name, value in self.model.named_parameters():
                value.copy_(tensors[f"model.{name}"])
                self.optimiser.state[value] = {
                    key: tensors[f"{key}.{name}"].clone() for key in ("step", "exp_avg", "exp_avg_sq")
                }
        return True


def train(
    recipe: ModelRecipe,
    tokenizer: Tokenizer,
    work: Path,
    say: Callable[[str], None] = print,
    checkpoint_every: int = 200,
) -> Training:
    """Run the recipe to its end, from the checkpoint in `work` if there is one."""
    training = Training(recipe, tokenizer)
    if training.resume(work):
        say(f"model: resumed at step {len(training.curve)}")
    while len(training.curve) < recipe.steps:
        loss = training.advance()
        step = len(training.curve)
        if step % checkpoint_every == 0 or step == recipe.steps:
            training.save(work)
            say(f"model: step {step} of {recipe.steps}, loss {loss:.4f}")
    return training
