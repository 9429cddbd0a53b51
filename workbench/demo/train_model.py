"""Training of the demo's language model: first a drill, then the whole corpus, in resumable steps."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from workbench.demo.interchange import interchange_loss, interchange_pairs
from workbench.demo.tokenizer import CONTEXT
from workbench.demo.tokens import BOUNDARY_ID, Layout, corpus_rows, laid_out, packed, padded


@dataclass(frozen=True)
class ModelRecipe:
    """Everything that decides the trained weights, up to the rounding of the machine."""

    seed: int = 1
    layers: int = 4
    width: int = 128
    heads: int = 4
    initial_scale: float = 0.05
    drill_steps: int = 600
    steps: int = 3200
    drill_documents: int = 320
    single_documents: int = 104
    packed_documents: int = 24
    drill_rate: float = 1e-3
    peak_rate: float = 1.5e-3
    last_rate: float = 1e-5
    warmup: int = 100
    weight_decay: float = 0.01
    clip: float = 1.0
    corpus_seed: int = 1
    interchange_every: int = 3
    interchange_pairs: int = 128
    interchange_weight: float = 0.6


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
        # The usual 0.02 suits wider models; at this width it only delays what the first blocks have to learn.
        initializer_range=recipe.initial_scale,
    )
    return GPT2LMHeadModel(config)


def learning_rate(recipe: ModelRecipe, step: int) -> float:
    """The rate at a step: constant over the drill, then warm-up and a cosine to `last_rate`."""
    if step < recipe.drill_steps:
        return recipe.drill_rate * min(1.0, (step + 1) / 30)
    done = step - recipe.drill_steps
    if done < recipe.warmup:
        return recipe.drill_rate + (recipe.peak_rate - recipe.drill_rate) * done / recipe.warmup
    share = (done - recipe.warmup) / max(1, recipe.steps - recipe.drill_steps - recipe.warmup)
    return recipe.last_rate + (recipe.peak_rate - recipe.last_rate) * 0.5 * (1 + math.cos(math.pi * share))


def batch(recipe: ModelRecipe, tokenizer: Tokenizer, step: int) -> Layout:
    """The texts of one step; every step sees documents never seen before."""
    if step < recipe.drill_steps:
        count = recipe.drill_documents
        texts = corpus_rows(tokenizer, recipe.corpus_seed, step * count, count, "drill")
    else:
        count = recipe.single_documents + recipe.packed_documents
        rows = corpus_rows(tokenizer, recipe.corpus_seed, (step - recipe.drill_steps) * count, count)
        texts = [*rows[: recipe.single_documents], *packed(rows[recipe.single_documents :])]
    random = Random(f"starts {recipe.seed} {step}")
    return laid_out(texts, [_start(random, CONTEXT - len(text)) for text in texts])


def _start(random: Random, room: int) -> int:
    """The position of a text's first token: 0 for half of them, else anywhere that the context leaves room for.

    Positions are learned one by one; a text that begins late teaches the later ones what the first ones know.
    """
    return random.choice((0, random.randint(0, room)))


def layout_loss(model: GPT2LMHeadModel, layout: Layout) -> torch.Tensor:
    """Mean -log probability of every token after the first of its text, each text read by itself."""
    hidden = model.transformer(
        input_ids=layout.ids, position_ids=layout.places, attention_mask=layout.visible
    ).last_hidden_state
    logits = model.lm_head(hidden[:, :-1][layout.predicted])  # (tokens, vocabulary)
    return torch.nn.functional.cross_entropy(logits, layout.ids[:, 1:][layout.predicted])


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
        self.optimiser = torch.optim.AdamW(self.model.parameters(), betas=(0.9, 0.98), weight_decay=recipe.weight_decay)
        self.curve: list[float] = []

    def advance(self) -> float:
        """One step; returns its mean loss in nats a token."""
        step = len(self.curve)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.recipe, step)
        loss = layout_loss(self.model, batch(self.recipe, self.tokenizer, step))
        torch.autograd.backward(loss)
        if step % self.recipe.interchange_every == 0:
            pairs = interchange_pairs(self.recipe.seed, step, self.recipe.interchange_pairs)
            exchanged = interchange_loss(self.model, self.tokenizer, pairs)
            torch.autograd.backward(self.recipe.interchange_weight * exchanged)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.curve.append(float(loss.detach()))
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
