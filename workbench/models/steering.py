"""What an intervention does to a model's predictions: numbers at every position, and continuations side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from workbench.errors import MismatchError, UsageError
from workbench.models.generation import continue_ids
from workbench.models.interventions import RandomMoves
from workbench.models.vocabulary import token_texts

if TYPE_CHECKING:
    from workbench.models.interventions import Intervention
    from workbench.models.loaded import LoadedModel
    from workbench.models.site import Site
    from workbench.models.tokens import TokenizedText

Ends = dict[str, "float | None"]
"""`raised`, `lowered` and `kl` of the prediction after a prompt."""


LOGITS_AT_ONCE = 1 << 26
"""Logits held at a time while random moves are compared: 256 MiB in float32."""


FAINT = 0.01
"""Share of chance (one over the vocabulary) below which a probability is as good as none."""


@dataclass(frozen=True)
class Watched:
    """A word whose probability is followed: its first token after a space, one of `pieces` tokens."""

    word: str
    token: int
    piece: str
    group: str
    pieces: int = 1


Words = Sequence[Watched]


@dataclass(frozen=True)
class RandomMove:
    """A control: a unit vector (units,), and the share of the intervention's norm that is gone along it."""

    strength: float
    direction: Tensor


def find_words(model: LoadedModel, words: Sequence[str], group: str) -> list[Watched]:
    """The token that stands for each word at the start of a continuation.

    Raises:
        UsageError: a word that is empty.
    """
    found = []
    for word in words:
        if not word.strip():
            raise UsageError("a watched word is empty", "Give words such as --raises proud.")
        anchor = model.tokenizer("a", add_special_tokens=False)["input_ids"]
        ids = model.tokenizer("a " + word.strip(), add_special_tokens=False)["input_ids"][len(anchor) :]
        first = model.tokenizer.decode(ids[:1])
        found.append(Watched(word.strip(), int(ids[0]), first.strip() or first, group, len(ids)))
    return found


@dataclass(frozen=True)
class Reading:
    """A prompt, and what the model predicts after each of its tokens when nothing is changed.

    Attributes:
        logits: (tokens, vocabulary).
        end: (vocabulary,) log probabilities of the next token, in double precision.
    """

    prompt: str
    text: TokenizedText
    logits: Tensor
    end: Tensor


@dataclass(frozen=True)
class Sampling:
    """How prompts are continued: see `generation.continue_ids`."""

    tokens: int
    temperature: float = 0.0
    top_k: int = 0
    seed: int = 0


def read_plain(model: LoadedModel, prompt: str, text: TokenizedText) -> Reading:
    """The unchanged predictions, made once for each prompt."""
    logits = model.logits(text.ids)
    return Reading(prompt, text, logits, _log_probabilities(logits[-1]))


def steered_logits(model: LoadedModel, reading: Reading, site: Site, change: Intervention) -> Tensor:
    """Logits (tokens, vocabulary) with the change made.

    Raises:
        MismatchError: the change did not run, or the model predicts NaN with it.
    """
    before = change.fired
    logits = model.logits(reading.text.ids, site, change)
    if change.fired == before:
        raise MismatchError(f"the hook at {site.name} did not run", "Nothing was changed; this is a fault.")
    _need_numbers(logits, reading)
    return logits


def moved_ends(
    model: LoadedModel, reading: Reading, site: Site, moves: Sequence[RandomMove], like: Intervention, watched: Words
) -> list[Ends]:
    """`at_end` of the prompt for each random move, in as few passes as fit into the memory set aside for logits.

    Raises:
        MismatchError: the hook did not run, or the model predicts NaN.
    """
    found: list[Ends] = []
    copies = max(1, LOGITS_AT_ONCE // reading.logits.numel())
    for start in range(0, len(moves), copies):
        some = moves[start : start + copies]
        change = RandomMoves(like, [move.strength for move in some], torch.stack([move.direction for move in some]))
        logits = model.logits_of_copies(reading.text.ids, len(some), site, change)  # (copies, tokens, vocabulary)
        _need_numbers(logits, reading)
        found += [at_end(reading, row, watched) for row in logits]
    return found


def _need_numbers(logits: Tensor, reading: Reading) -> None:
    if bool(torch.isnan(logits).any() | torch.isposinf(logits).any()):
        raise MismatchError(
            f"with this change the model predicts NaN or infinity after {reading.prompt[:60]!r}",
            "Lower --value or --strength, or load the model in float32.",
        )


def divergence(before: Tensor, after: Tensor) -> float:
    """KL divergence of the predictions `after` from those `before`, in nats: both log probabilities (vocabulary,)."""
    terms = before.exp() * (before - after)
    return float(torch.where(before.isneginf(), 0.0, terms).sum())


def at_end(reading: Reading, logits: Tensor, watched: Words) -> Ends:
    """Mean log ratio of the words of each group and the KL divergence, for the token after the prompt.

    Probabilities below `faint` count as that, so that a word that will not be said either way moves no mean.
    """
    after = _log_probabilities(logits[-1])
    least = math.log(faint(len(after)))
    found: Ends = {}
    for key, group in (("raised", "raise"), ("lowered", "lower")):
        tokens = [item.token for item in watched if item.group == group]
        moved = after[tokens].clamp(min=least) - reading.end[tokens].clamp(min=least)
        found[key] = float(moved.mean()) if tokens else None
    return {**found, "kl": divergence(reading.end, after)}


def faint(vocabulary: int) -> float:
    """The probability below which a word of that vocabulary will not be said either way."""
    return FAINT / vocabulary


def mean_of(ends: Sequence[Ends]) -> Ends:
    """Means over several `at_end`; None where there is nothing to take the mean of."""
    found: Ends = {}
    for key in ("raised", "lowered", "kl"):
        numbers = [value for end in ends if (value := end[key]) is not None]
        found[key] = sum(numbers) / len(numbers) if numbers else None
    return found


def describe(
    model: LoadedModel, reading: Reading, logits: Tensor, watched: Words, change: Intervention
) -> dict[str, Any]:
    """Everything about one prompt; see `prompts` of `steer.clamp` in docs/wire.md."""
    before, after = reading.end, _log_probabilities(logits[-1])
    moved, least = after.exp() - before.exp(), faint(len(after))
    shown = [place for place, keep in enumerate(reading.text.is_text) if keep]
    return {
        "prompt": reading.prompt,
        "identical": bool(torch.equal(reading.logits, logits)),
        "max_logit_change": float((logits - reading.logits).abs().max()),
        "kl": divergence(before, after),
        "relative_norm": change.relative_norm,
        "tokens": [reading.text.pieces[place] for place in shown],
        "changed": [bool(change.chosen[place]) for place in shown],
        "kl_by_position": [
            divergence(_log_probabilities(reading.logits[place]), _log_probabilities(logits[place])) for place in shown
        ],
        "words": [
            {
                "word": item.word,
                "token": item.piece,
                "group": item.group,
                "before": float(before[item.token].exp()),
                "after": float(after[item.token].exp()),
                "log_ratio": float(after[item.token] - before[item.token]),
                "pieces": item.pieces,
                "faint": max(float(before[item.token].exp()), float(after[item.token].exp())) < least,
            }
            for item in watched
        ],
        "up": _moved(model, moved, before, after, largest=True),
        "down": _moved(model, moved, before, after, largest=False),
    }


def _log_probabilities(logits: Tensor) -> Tensor:
    return logits.cpu().double().log_softmax(dim=-1)


def _moved(model: LoadedModel, moved: Tensor, before: Tensor, after: Tensor, *, largest: bool) -> list[list[Any]]:
    picked = [int(token) for token in moved.topk(min(8, len(moved)), largest=largest).indices]
    texts = token_texts(model.tokenizer, picked)
    return [
        [text, float(before[token].exp()), float(after[token].exp())] for text, token in zip(texts, picked, strict=True)
    ]


def continue_both(
    model: LoadedModel,
    ids: Sequence[int],
    sampling: Sampling,
    site: Site,
    change: Intervention,
    tick: Callable[[], None],
) -> dict[str, Any]:
    """A prompt continued without and with the change, by the same draws.

    Returns:
        `text_before`, `text_after`, and `agree`: how many tokens they have in common before they part.
    """

    def grown(change: Intervention | None) -> list[int]:
        return continue_ids(
            model,
            ids,
            sampling.tokens,
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            seed=sampling.seed,
            site=site,
            change=change,
            tick=lambda _: tick(),
        )

    before, after = grown(None), grown(change)
    pairs = list(zip(before, after, strict=False))
    agree = next((place for place, (one, other) in enumerate(pairs) if one != other), len(pairs))
    decode = model.tokenizer.decode
    return {"text_before": decode(before), "text_after": decode(after), "agree": agree}
