"""`python -m workbench.demo.build`: make the demo's tokenizer, model, SAE, stimulus sets and card again from seeds.

What it makes goes to `--out`; to ship it, copy `model`, `sae`, `stimuli` and `manifest.json` beside this file and
`demo-model.md` into `docs`.

Each step leaves a mark in the working folder when it is done and training checkpoints every few minutes, so that a
build that was killed goes on where it was when it is started again.
"""

import argparse
import ctypes
import json
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from workbench.demo.card import card
from workbench.demo.corpus import document
from workbench.demo.measure import measured
from workbench.demo.stimulus_sets import stimulus_sets, write_stimuli
from workbench.demo.tokenizer import build_tokenizer, corpus_pieces, save_tokenizer
from workbench.demo.train_model import ModelRecipe, Training, mix_of, train
from workbench.demo.train_sae import SaeRecipe, train_sae

PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "sae-lens", "numpy")
FULL_CURVE_STEPS = 50
CURVE_STRIDE = 50


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the demo, up to the rounding of the machine."""

    tokenizer_seed: int = 7
    tokenizer_documents: int = 40_000
    stimulus_seed: int = 5
    model: ModelRecipe = field(default_factory=ModelRecipe)
    sae: SaeRecipe = field(default_factory=SaeRecipe)


class Build:
    """One build: an output folder, a working folder, and the steps in order."""

    def __init__(self, recipe: Recipe, out: Path, work: Path, say: Callable[[str], None] = print) -> None:
        self.recipe, self.out, self.work, self.say = recipe, out, work, say
        self.steps: dict[str, Callable[[], None]] = {
            "tokenizer": self.make_tokenizer,
            "model": self.make_model,
            "sae": self.make_sae,
            "stimuli": self.make_stimuli,
            "card": self.make_card,
        }

    def run(self) -> None:
        """Every step that is not done yet."""
        marks = self.work / "done.json"
        self.work.mkdir(parents=True, exist_ok=True)
        done = json.loads(marks.read_text()) if marks.exists() else {}
        wanted = json.loads(json.dumps(asdict(self.recipe)))
        if done.get("recipe") != wanted:
            done = {"recipe": wanted, "seconds": {}}
        for name, step in self.steps.items():
            if name in done["seconds"]:
                self.say(f"{name}: done before")
                continue
            start = time.monotonic()
            step()
            done["seconds"][name] = round(time.monotonic() - start, 1)
            marks.write_text(json.dumps(done))

    def make_tokenizer(self) -> None:
        """The vocabulary from a seeded sample of the corpus."""
        pieces = corpus_pieces(self.recipe.tokenizer_seed, self.recipe.tokenizer_documents)
        save_tokenizer(build_tokenizer(pieces), self.out / "model")

    def make_model(self) -> None:
        """The language model, trained to the end of its recipe."""
        training = train(self.recipe.model, self.tokenizer(), self.work / "model", self.say)
        save_model(training.model, self.out / "model")

    def make_sae(self) -> None:
        """The SAE on the model's activations."""
        train_sae(self.recipe.sae, self.model(), self.tokenizer(), self.work / "sae", self.out / "sae", self.say)

    def make_stimuli(self) -> None:
        """The stimulus sets, kept apart from the sentences that the model was trained on."""
        trained = trained_sentences(self.recipe.model)
        write_stimuli(stimulus_sets(self.recipe.stimulus_seed, trained), self.out / "stimuli")

    def make_card(self) -> None:
        """Measure everything, and write the manifest and the card."""
        manifest = self.manifest()
        (self.out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
        (self.out / "demo-model.md").write_text(card(manifest))

    def tokenizer(self) -> Tokenizer:
        """The tokenizer that this build wrote."""
        return Tokenizer.from_file(str(self.out / "model" / "tokenizer.json"))

    def model(self) -> GPT2LMHeadModel:
        """The model that this build wrote."""
        return load_model(self.out / "model")

    def manifest(self) -> dict[str, Any]:
        """Digests, recipe, versions, loss curve and measurements of what this build wrote."""
        training = json.loads((self.work / "model" / "training.json").read_text())
        seconds = json.loads((self.work / "done.json").read_text())["seconds"]
        # What went before a kill counts as well.
        seconds["model"] = round(training["seconds"], 1)
        return {
            "recipe": asdict(self.recipe),
            "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
            "files": digests(self.out),
            "seconds": seconds,
            "loss_curve": sparse_curve(training["curve"]),
            "measured": measured(self.model(), self.tokenizer(), self.out / "sae", self.out / "stimuli"),
        }


def load_model(folder: Path) -> GPT2LMHeadModel:
    """The model in float32, ready to read."""
    return GPT2LMHeadModel.from_pretrained(str(folder), dtype=torch.float32).eval()


def save_model(model: GPT2LMHeadModel, folder: Path) -> None:
    """Write `config.json` and `model.safetensors`."""
    model.save_pretrained(str(folder))
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "model.safetensors").chmod(0o644)


def trained_sentences(recipe: ModelRecipe) -> set[str]:
    """Every sentence that the model was trained on after its first drill."""
    count = recipe.single_documents + recipe.packed_documents
    found: set[str] = set()
    for step in range(recipe.drill_steps, recipe.steps):
        start = (step - recipe.drill_steps) * count
        for index in range(start, start + count):
            text = document(recipe.corpus_seed, index, mix_of(recipe, step))
            found.update(text.text[sentence.start : sentence.end] for sentence in text.sentences)
    return found


def sparse_curve(curve: list[float]) -> list[tuple[int, float]]:
    """(step, loss) for each of the first steps, then for every fiftieth."""
    return [
        (step, round(loss, 6))
        for step, loss in enumerate(curve)
        if step < FULL_CURVE_STEPS or (step + 1) % CURVE_STRIDE == 0
    ]


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every shipped file, by its path inside the folder."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for part in ("model", "sae", "stimuli")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


def first_steps(recipe: ModelRecipe, tokenizer: Tokenizer, count: int) -> list[float]:
    """The losses of the recipe's first steps, computed again."""
    training = Training(recipe, tokenizer)
    return [training.advance() for _ in range(count)]


def keep_freed_memory() -> None:
    """Let glibc keep what a step frees: returning it to the system and faulting it in again costs half the time."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        trim_threshold, mmap_threshold = -1, -3  # the names of mallopt's parameters in malloc.h
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(mmap_threshold, 2**30)


def main() -> None:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(prog="python -m workbench.demo.build", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo-build"), help="folder of the result")
    parser.add_argument("--work", type=Path, default=Path("demo-build.work"), help="folder of checkpoints")
    parser.add_argument("--fresh", action="store_true", help="forget the working folder first")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(options.work, ignore_errors=True)
    torch.set_num_threads(2)
    keep_freed_memory()
    Build(Recipe(), options.out, options.work, lambda text: print(text, flush=True)).run()


if __name__ == "__main__":
    main()
