"""What the demo's card states of the model and its SAE, measured again from the files."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from workbench.demo.corpus import Document, document
from workbench.demo.interchange import with_name
from workbench.demo.site import NAME_POSITION, SITE_LAYER, logits_with_site, site_activations
from workbench.demo.tasks import Problem, month_problems, weekday_problems
from workbench.demo.tokens import BOUNDARY_ID, by_length, document_tokens, padded
from workbench.demo.train_model import summed_loss

HELD_OUT_SEED = 1_000_003
DOCUMENTS = 6000  # hold 200,000 tokens
CONCEPTS = (
    "weekday",
    "month",
    "achievement",
    "failure",
    "place",
    "food",
    "counting",
    "quote",
    "code",
    "repeated",
)
Array = NDArray[np.float64]
Edit = Callable[[torch.Tensor], torch.Tensor]


# --- calendar arithmetic ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Arithmetic:
    """How the model answers a set of problems, and where it keeps the name.

    Attributes:
        right: answers that are the most probable token of the whole vocabulary.
        problems: how many were asked.
        ring: share of the between-name variance at the site, by frequency 1, 2, ...
        patched: share of answers that follow when the name's vector is replaced by another name's.
    """

    right: int
    problems: int
    ring: tuple[float, ...]
    patched: float


@torch.no_grad()
def arithmetic(model: GPT2LMHeadModel, tokenizer: Tokenizer, problems: Sequence[Problem]) -> Arithmetic:
    """Ask every problem, look at the name's residual vector at the site, and exchange it between problems."""
    ids = torch.tensor([tokenizer.encode(problem.prompt).ids for problem in problems])
    wanted = torch.tensor([tokenizer.encode(f"is {problem.answer}").ids[-1] for problem in problems])
    run = model(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)
    right = run.logits[:, -1].argmax(-1) == wanted
    vectors = run.hidden_states[SITE_LAYER + 1][:, NAME_POSITION]  # (problems, width)
    return Arithmetic(
        right=int(right.sum()),
        problems=len(problems),
        ring=ring_shares(vectors, [problem.a for problem in problems]),
        patched=_patched_share(model, ids, wanted, vectors, problems),
    )


def ring_shares(vectors: torch.Tensor, labels: Sequence[int]) -> tuple[float, ...]:
    """Share of the variance between the labels' means in each frequency of the label.

    Args:
        vectors: (items, width).
        labels: 0 .. period - 1 for each item.

    Returns:
        One share for each frequency from 1 to period // 2; they sum to 1.
    """
    index = torch.tensor(labels)
    period = int(index.max()) + 1
    means = torch.stack([vectors[index == label].mean(0) for label in range(period)])  # (period, width)
    power = (torch.fft.rfft(means - means.mean(0), dim=0).abs() ** 2).sum(1)[1:]
    if period % 2 == 0:
        power[-1] /= 2  # the highest frequency has no mirror image
    return tuple((power / power.sum()).tolist())


def _patched_share(
    model: GPT2LMHeadModel,
    ids: torch.Tensor,
    wanted: torch.Tensor,
    vectors: torch.Tensor,
    problems: Sequence[Problem],
) -> float:
    """Share of answers that become the other name's answer, over all pairs of names with the same offset."""
    period = 1 + max(problem.a for problem in problems)
    place = {(problem.a, problem.b): at for at, problem in enumerate(problems)}
    follow = 0
    for shift in range(1, period):
        source = torch.tensor([place[(problem.a + shift) % period, problem.b] for problem in problems])
        logits = logits_with_site(model, ids, partial(with_name, vectors=vectors[source]))
        follow += int((logits[:, -1].argmax(-1) == wanted[source]).sum())
    return follow / (len(problems) * (period - 1))


# --- next-token loss ----------------------------------------------------------------------------------------
def held_out(count: int, start: int = 0) -> list[Document]:
    """Documents of a seed that neither the model nor the SAE was trained on."""
    return [document(HELD_OUT_SEED, index) for index in range(start, start + count)]


@torch.no_grad()
def loss_and_bound(model: GPT2LMHeadModel, tokenizer: Tokenizer, texts: Sequence[Document]) -> tuple[float, float]:
    """Mean next-token loss and the corpus' own mean -log probability, both in nats a token."""
    rows = document_tokens(tokenizer, (text.text for text in texts))
    loss, tokens = 0.0, 0
    for group in by_length(rows, 1 + len(rows) // 64):
        part, count = summed_loss(model, group)
        loss, tokens = loss + float(part), tokens + count
    return loss / tokens, sum(text.nats for text in texts) / tokens


# --- the SAE ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class SaeQuality:
    """How faithful and how sparse the SAE is on held-out documents, boundary tokens left out.

    Attributes:
        tokens: how many tokens were looked at.
        l0: mean number of active latents a token.
        fvu: squared error over the variance about the mean.
        ce_recovered: 1 with the site as it is, 0 with the site's mean in its place.
        dead: share of latents that never fired.
    """

    tokens: int
    l0: float
    fvu: float
    ce_recovered: float
    dead: float


@torch.no_grad()
def sae_quality(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, sae: Any, texts: Sequence[Document], spliced: int = 1500
) -> SaeQuality:
    """L0, FVU and dead latents on all the texts, CE loss recovered on the first `spliced` of them."""
    rows = document_tokens(tokenizer, (text.text for text in texts))
    acts = site_activations(model, rows)  # (tokens, width)
    mean = acts.mean(0)
    fired = torch.zeros(sae.cfg.d_sae)
    error = 0.0
    for at in range(0, len(acts), 8192):
        part = acts[at : at + 8192]
        latents = sae.encode(part)
        fired += (latents != 0).sum(0)
        error += float((sae.decode(latents) - part).pow(2).sum())
    return SaeQuality(
        tokens=len(acts),
        l0=float(fired.sum()) / len(acts),
        fvu=error / float((acts - mean).pow(2).sum()),
        ce_recovered=_ce_recovered(model, sae, mean, rows[:spliced]),
        dead=float((fired == 0).float().mean()),
    )


def _ce_recovered(model: GPT2LMHeadModel, sae: Any, mean: torch.Tensor, rows: Sequence[Sequence[int]]) -> float:
    edits: dict[str, Edit] = {
        "clean": lambda hidden: hidden,
        "sae": lambda hidden: sae.decode(sae.encode(hidden)),
        "mean": lambda hidden: mean.expand_as(hidden),
    }
    losses = {name: _spliced_loss(model, rows, edit) for name, edit in edits.items()}
    return (losses["mean"] - losses["sae"]) / (losses["mean"] - losses["clean"])


def _spliced_loss(model: GPT2LMHeadModel, rows: Sequence[Sequence[int]], edit: Edit) -> float:
    """Mean loss with the site edited everywhere but at the boundary tokens."""
    loss, tokens = 0.0, 0
    for group in by_length(rows, 1 + len(rows) // 64):
        ids, present = padded(group)
        text = (ids != BOUNDARY_ID)[..., None]
        logits = logits_with_site(model, ids, _where(text, edit))
        wanted = present[:, 1:]
        part = torch.nn.functional.cross_entropy(logits[:, :-1][wanted], ids[:, 1:][wanted], reduction="sum")
        loss, tokens = loss + float(part), tokens + int(wanted.sum())
    return loss / tokens


def _where(chosen: torch.Tensor, edit: Edit) -> Edit:
    """The edit at the chosen places, nothing elsewhere."""
    return lambda hidden: torch.where(chosen, edit(hidden), hidden)


# --- planted concepts ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ConceptLatent:
    """The latent that tells a concept's sentences best on one half of the sentences, and its AUC on the other."""

    latent: int
    pooling: str
    chosen_auc: float
    auc: float
    positives: int


def auc(values: Array, positive: NDArray[np.bool_]) -> Array:
    """Area under the ROC curve of every column, ties counted half.

    Args:
        values: (items, columns).
        positive: (items,).
    """
    ranks = rankdata(values, axis=0)
    many, few = int(positive.sum()), int((~positive).sum())
    return np.asarray((ranks[positive].sum(0) - many * (many + 1) / 2) / (many * few))


@torch.no_grad()
def pooled_sentences(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, sae: Any, texts: Sequence[Document], which: int
) -> tuple[dict[str, Array], list[str]]:
    """Latents of sentence `which` of every text that has one, pooled over the sentence's tokens.

    Returns:
        `mean` and `max`, each (sentences, latents), and the sentences' concepts. The model reads the sentence in
        its document; for the first one that is the sentence alone after the boundary token.
    """
    mean, largest, concepts = [], [], []
    for text in texts:
        sentence = text.sentences[which]
        encoding = tokenizer.encode(text.text[: sentence.end])
        hidden = model.transformer(input_ids=torch.tensor([encoding.ids]), output_hidden_states=True)
        inside = [at for at, (_, end) in enumerate(encoding.offsets) if end > sentence.start]
        latents = sae.encode(hidden.hidden_states[SITE_LAYER + 1][0, inside])  # (tokens, latents)
        mean.append(latents.mean(0).numpy())
        largest.append(latents.max(0).values.numpy())
        concepts.append(sentence.concept)
    return {"mean": np.stack(mean).astype(float), "max": np.stack(largest).astype(float)}, concepts


def concept_latents(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, sae: Any, texts: Sequence[Document]
) -> dict[str, ConceptLatent]:
    """For each planted concept a latent chosen on the even sentences, with its AUC on the odd ones.

    A concept's sentences are told from the sentences of all other kinds. Repeated names are looked for among the
    second sentences of the documents, everything else among the first.
    """
    first = pooled_sentences(model, tokenizer, sae, texts, 0)
    second = pooled_sentences(model, tokenizer, sae, texts, 1)
    return {concept: _best_latent(*(second if concept == "repeated" else first), concept) for concept in CONCEPTS}


def _best_latent(pooled: dict[str, Array], concepts: Sequence[str], concept: str) -> ConceptLatent:
    positive = np.array([name == concept for name in concepts])
    chosen = {name: auc(values[::2], positive[::2]) for name, values in pooled.items()}
    pooling = max(chosen, key=lambda name: float(chosen[name].max()))
    latent = int(chosen[pooling].argmax())
    kept = auc(pooled[pooling][1::2, [latent]], positive[1::2])
    return ConceptLatent(latent, pooling, float(chosen[pooling][latent]), float(kept[0]), int(positive.sum()))


# --- the main job -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class OutcomeContrast:
    """Fifty achievements against fifty failures, mean-pooled, and what the best latents do when turned up.

    Attributes:
        length_auc: how well the length in characters tells the two apart; 0.5 is not at all.
        achievement, failure: the latent whose mean differs most in favour of each side, and its AUC.
        strong: latents with AUC above 0.95 for either side.
        raised, lowered: mean change of the log probability of the positive and of the negative words after the
            neutral prompts, when the achievement latent is set to its largest value on the stimuli.
    """

    length_auc: float
    achievement: tuple[int, float]
    failure: tuple[int, float]
    strong: int
    raised: float
    lowered: float


@torch.no_grad()
def contrast(model: GPT2LMHeadModel, tokenizer: Tokenizer, sae: Any, stimuli: Path) -> OutcomeContrast:
    """The main job's contrast on the shipped stimuli, in the barest form."""
    content = json.loads(stimuli.read_text(encoding="utf-8"))
    texts = [text for category in ("achievement", "failure") for text in content["categories"][category]]
    positive = np.arange(len(texts)) < len(content["categories"]["achievement"])
    latents = [_latents(model, tokenizer, sae, text) for text in texts]
    pooled = np.stack([each.mean(0).numpy() for each in latents]).astype(float)
    scores, difference = auc(pooled, positive), pooled[positive].mean(0) - pooled[~positive].mean(0)
    best, worst = int(difference.argmax()), int(difference.argmin())
    height = max(float(each[:, best].max()) for each in latents)
    raised, lowered = _steered(model, tokenizer, sae, content["steering"], best, height)
    return OutcomeContrast(
        length_auc=float(auc(np.array([[len(text)] for text in texts], dtype=float), positive)[0]),
        achievement=(best, float(scores[best])),
        failure=(worst, float(1 - scores[worst])),
        strong=int((np.abs(scores - 0.5) > 0.45).sum()),
        raised=raised,
        lowered=lowered,
    )


def _latents(model: GPT2LMHeadModel, tokenizer: Tokenizer, sae: Any, text: str) -> torch.Tensor:
    """Latents (tokens, latents) of a text read after the boundary token, that token left out."""
    ids = torch.tensor([tokenizer.encode(text).ids])
    hidden = model.transformer(input_ids=ids, output_hidden_states=True).hidden_states[SITE_LAYER + 1]
    latents: torch.Tensor = sae.encode(hidden[0, 1:])
    return latents


def _steered(
    model: GPT2LMHeadModel,
    tokenizer: Tokenizer,
    sae: Any,
    steering: dict[str, list[str]],
    latent: int,
    height: float,
) -> tuple[float, float]:
    """Mean change of log probability of the words to raise and to lower, with the latent clamped at `height`."""

    def clamp(hidden: torch.Tensor) -> torch.Tensor:
        now = sae.encode(hidden)[..., latent]
        steered: torch.Tensor = hidden + (height - now)[..., None] * sae.W_dec[latent]
        return steered

    change = []
    for prompt in steering["prompts"]:
        ids = torch.tensor([tokenizer.encode(prompt).ids])
        before, after = (logits_with_site(model, ids, edit)[0, -1].log_softmax(-1) for edit in (lambda h: h, clamp))
        change.append(after - before)
    mean = torch.stack(change).mean(0)
    raised, lowered = (
        float(mean[[tokenizer.encode(f"felt {word}").ids[-1] for word in steering[side]]].mean())
        for side in ("raise", "lower")
    )
    return raised, lowered


# --- everything ---------------------------------------------------------------------------------------------
def measured(model: GPT2LMHeadModel, tokenizer: Tokenizer, sae_folder: Path, stimuli: Path) -> dict[str, Any]:
    """Every number that the card states."""
    sae = load_sae(sae_folder)
    texts = held_out(DOCUMENTS)
    loss, bound = loss_and_bound(model, tokenizer, texts[:3000])
    concepts = concept_latents(model, tokenizer, sae, texts[:3000])
    return {
        "vocabulary": tokenizer.get_vocab_size(),
        "weekday": asdict(arithmetic(model, tokenizer, weekday_problems())),
        "month": asdict(arithmetic(model, tokenizer, month_problems())),
        "loss": loss,
        "bound": bound,
        "sae": asdict(sae_quality(model, tokenizer, sae, texts)),
        "concepts": {name: asdict(found) for name, found in concepts.items()},
        "contrast": asdict(contrast(model, tokenizer, sae, stimuli / "achievement.json")),
    }


def load_sae(folder: Path) -> Any:
    """The SAE, through SAELens' own loader."""
    from sae_lens import SAE

    return SAE.load_from_disk(str(folder), device="cpu")
