"""Training of the demo's language model: first a drill, then the whole corpus, in resumable steps."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from workbench.demo.corpus import CONCEPTS, document
from workbench.demo.interchange import interchange_loss, interchange_pairs
from workbench.demo.lexicon import DAYS, MONTHS
from workbench.demo.site import SITE_LAYER
from workbench.demo.tokenizer import CONTEXT
from workbench.demo.tokens import (
    BOUNDARY_ID,
    NO_CONCEPT,
    Layout,
    concept_labels,
    corpus_rows,
    document_tokens,
    laid_out,
    packed,
    padded,
)


@dataclass(frozen=True)
class ModelRecipe:
    """Everything that decides the trained weights, up to the rounding of the machine."""

    seed: int = 1
    layers: int = 4
    width: int = 128
    heads: int = 4
    block_scale: float = 0.06
    word_scale: float = 0.1
    drill_steps: int = 1000
    people_from: int = 2200
    people_steps: int = 500
    steps: int = 5500
    drill_documents: int = 256
    single_documents: int = 72
    packed_documents: int = 16
    drill_rate: float = 1e-3
    peak_rate: float = 2e-3
    last_rate: float = 1e-5
    warmup: int = 100
    weight_decay: float = 0.01
    clip: float = 1.0
    corpus_seed: int = 1
    concept_weight: float = 0.3
    interchange_every: int = 2
    interchange_pairs: int = 64
    interchange_weight: float = 0.5


def new_model(recipe: ModelRecipe, tokenizer: Tokenizer) -> GPT2LMHeadModel:
    """An untrained model with the recipe's seed and shape."""
    torch.manual_seed(recipe.seed)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
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
    model = GPT2LMHeadModel(config)
    _rescale(model, tokenizer, recipe)
    return model


@torch.no_grad()
def _rescale(model: GPT2LMHeadModel, tokenizer: Tokenizer, recipe: ModelRecipe) -> None:
    """Widen the initial weights of the blocks, and the embeddings of all words but the names of days and months.

    The usual scale suits wider models; at this width it keeps the blocks from learning to repeat a name for
    thousands of steps. People's names all stand in the same places, so that only what sets their vectors apart from
    the beginning tells one from another. Days and months begin close together: their ring is to be learned, not
    drawn.
    """
    usual = model.config.initializer_range
    calendar = {form for name in (*DAYS, *MONTHS) for form in (name, f"Ġ{name}")}
    words = [at for token, at in tokenizer.get_vocab().items() if token not in calendar]
    model.transformer.wte.weight[words] *= recipe.word_scale / usual
    for name, weight in model.transformer.h.named_parameters():
        if name.endswith("weight") and weight.ndim == 2:
            weight *= recipe.block_scale / usual


def learning_rate(recipe: ModelRecipe, step: int) -> float:
    """The rate at a step: constant over the drill, then warm-up and a cosine to `last_rate`."""
    if step < recipe.drill_steps:
        return recipe.drill_rate * min(1.0, (step + 1) / 30)
    done = step - recipe.drill_steps
    if done < recipe.warmup:
        return recipe.drill_rate + (recipe.peak_rate - recipe.drill_rate) * done / recipe.warmup
    share = (done - recipe.warmup) / max(1, recipe.steps - recipe.drill_steps - recipe.warmup)
    return recipe.last_rate + (recipe.peak_rate - recipe.last_rate) * 0.5 * (1 + math.cos(math.pi * share))


def mix_of(recipe: ModelRecipe, step: int) -> str:
    """Which mix of documents a step reads."""
    if step < recipe.drill_steps:
        return "drill"
    return "people" if 0 <= step - recipe.people_from < recipe.people_steps else "full"


def batch(recipe: ModelRecipe, tokenizer: Tokenizer, step: int) -> Layout:
    """The texts of one step; every step sees documents never seen before."""
    random = Random(f"starts {recipe.seed} {step}")
    if mix_of(recipe, step) == "drill":
        count = recipe.drill_documents
        drill = corpus_rows(tokenizer, recipe.corpus_seed, step * count, count, "drill")
        return laid_out(drill, [_start(random, text) for text in drill])
    single, count = recipe.single_documents, recipe.single_documents + recipe.packed_documents
    start = (step - recipe.drill_steps) * count
    found = [document(recipe.corpus_seed, index, mix_of(recipe, step)) for index in range(start, start + count)]
    rows = document_tokens(tokenizer, [text.text for text in found])
    labels = concept_labels(tokenizer, found)
    texts = [*rows[:single], *packed(rows[single:])]
    concepts = [*labels[:single], *packed(labels[single:], NO_CONCEPT)]
    return laid_out(texts, [_start(random, text) for text in texts], concepts)


def _start(random: Random, text: Sequence[int]) -> int:
    """The position of a text's first token: 0 for half of them, else anywhere that the context leaves room for.

    Positions are learned one by one; a text that begins late teaches the later ones what the first ones know.
    """
    return random.choice((0, random.randint(0, CONTEXT - len(text))))


def read_layout(model: GPT2LMHeadModel, layout: Layout) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean -log probability of every token after the first of its text, each text read by itself; and the site.

    Returns:
        the loss, and the residual stream at the SAE's site, (rows, CONTEXT, width).
    """
    run = model.transformer(
        input_ids=layout.ids,
        position_ids=layout.places,
        attention_mask=layout.visible,
        output_hidden_states=True,
    )
    logits = model.lm_head(run.last_hidden_state[:, :-1][layout.predicted])  # (tokens, vocabulary)
    loss = torch.nn.functional.cross_entropy(logits, layout.ids[:, 1:][layout.predicted])
    return loss, run.hidden_states[SITE_LAYER + 1]


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
        self.model = new_model(recipe, tokenizer)
        self.concept_head = torch.nn.Linear(recipe.width, len(CONCEPTS))
        torch.nn.init.zeros_(self.concept_head.weight)
        torch.nn.init.zeros_(self.concept_head.bias)
        trained = [parameter for _, parameter in self._parameters()]
        self.optimiser = torch.optim.AdamW(trained, betas=(0.9, 0.98), weight_decay=recipe.weight_decay)
        self.curve: list[float] = []
        self.seconds = 0.0

    def advance(self) -> float:
        """One step; returns its mean loss in nats a token."""
        start, step = time.monotonic(), len(self.curve)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.recipe, step)
        layout = batch(self.recipe, self.tokenizer, step)
        loss, site = read_layout(self.model, layout)
        torch.autograd.backward(loss + self.recipe.concept_weight * self._concept_loss(layout, site))
        if step % self.recipe.interchange_every == 0:
            pairs = interchange_pairs(self.recipe.seed, step, self.recipe.interchange_pairs)
            exchanged = interchange_loss(self.model, self.tokenizer, pairs)
            torch.autograd.backward(self.recipe.interchange_weight * exchanged)
        torch.nn.utils.clip_grad_norm_([p for _, p in self._parameters()], self.recipe.clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.curve.append(float(loss.detach()))
        self.seconds += time.monotonic() - start
        return self.curve[-1]

    def _parameters(self) -> list[tuple[str, torch.nn.Parameter]]:
        return [*self.model.named_parameters(), *self.concept_head.named_parameters("concept_head")]

    def _concept_loss(self, layout: Layout, site: torch.Tensor) -> torch.Tensor:
        """Mean -log probability of the sentence's concept, read linearly from each of its tokens at the site."""
        labelled = layout.concepts != NO_CONCEPT
        if not labelled.any():
            return site.new_zeros(())
        return torch.nn.functional.cross_entropy(self.concept_head(site[labelled]), layout.concepts[labelled])

    def save(self, folder: Path) -> None:
        """Write a checkpoint; the old one stays whole until the new one is."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"model.{name}": value for name, value in self._parameters()}
        for name, value in self._parameters():
            for key, moment in self.optimiser.state[value].items():
                tensors[f"{key}.{name}"] = moment
        save_file({k: v.detach().contiguous() for k, v in tensors.items()}, folder / "next.safetensors")
        record = {"recipe": asdict(self.recipe), "seconds": self.seconds, "curve": self.curve}
        (folder / "next.json").write_text(json.dumps(record))
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
        self.curve, self.seconds = kept["curve"], kept["seconds"]
        tensors = load_file(folder / f"{len(self.curve)}.safetensors")
        with torch.no_grad():
            for name, value in self._parameters():
                value.copy_(tensors[f"model.{name}"])
                moments = {key: f"{key}.{name}" for key in ("step", "exp_avg", "exp_avg_sq")}
                if moments["step"] in tensors:  # the concept head has none before the full mix
                    self.optimiser.state[value] = {k: tensors[moment].clone() for k, moment in moments.items()}
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
