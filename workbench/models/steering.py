"""Clamping a feature while the model reads, and what that does to its predictions.

The clamp keeps what the SAE does not explain: x' = x + strength * (value - f(x)) * d at every text token,
with d the feature's decoder direction and f(x) its activation. Strength 0 leaves x untouched bit by bit,
strength 1 moves the feature to `value`, more overshoots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace


@dataclass(frozen=True)
class Watched:
    """A word whose probability is followed: its first token after a space."""

    word: str
    token: int
    piece: str
    group: str


class Clamp:
    """The change made at a site; `fired` counts how often it ran.

    Args:
        space: the feature space.
        feature: index of the feature.
        value: activation to move to.
        strength: share of the way.
        is_text: (tokens,) which tokens are changed; tokens beyond it (generated ones) are changed too.
        direction: (units,) what to add instead of the feature's own decoder direction, for a control.
    """

    def __init__(
        self,
        space: FeatureSpace,
        feature: int,
        value: float,
        strength: float,
        is_text: Sequence[bool],
        direction: Tensor | None = None,
    ) -> None:
        self.space, self.feature, self.value, self.strength = space, feature, value, strength
        self.is_text = torch.tensor(list(is_text))
        self.direction = space.directions()[feature] if direction is None else direction
        self.fired = 0

    def __call__(self, acts: Tensor) -> Tensor:
        """Activations (1, tokens, units) -> the same with the feature moved."""
        self.fired += 1
        tokens = acts.shape[1]
        mask = torch.ones(tokens, dtype=torch.bool)
        # with a key-value cache only the newest token passes: it is a generated one, and is changed
        if tokens >= len(self.is_text):
            mask[: len(self.is_text)] = self.is_text
        active = self.space.encode(acts)[..., self.feature]  # (1, tokens)
        step = self.strength * (self.value - active) * mask.to(acts.device)
        return acts + (step[..., None] * self.direction.to(acts.device)).to(acts.dtype)


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
        found.append(Watched(word.strip(), int(ids[0]), model.tokenizer.decode(ids[:1]).strip(), group))
    return found


def measure(
    model: LoadedModel, space: FeatureSpace, text: TokenizedText, prompt: str, watched: Sequence[Watched], clamp: Clamp
) -> dict[str, Any]:
    """Next-token predictions after a prompt, without and with the clamp; see `steer.clamp` in docs/wire.md.

    `kl` is the Kullback-Leibler divergence of the steered from the plain prediction of the next token, in nats.
    """
    plain = model.logits(text.ids)
    steered = model.logits(text.ids, space.site, clamp)
    before, after = (logits[-1].double().log_softmax(dim=-1) for logits in (plain, steered))
    change = (after.exp() - before.exp()).cpu()
    names = model.tokenizer.convert_ids_to_tokens
    return {
        "prompt": prompt,
        "identical": bool(torch.equal(plain, steered)),
        "max_logit_change": float((steered - plain).abs().max()),
        "kl": float((before.exp() * (before - after)).sum()),
        "words": [
            {
                "word": item.word,
                "token": item.piece,
                "group": item.group,
                "before": float(before[item.token].exp()),
                "after": float(after[item.token].exp()),
                "log_ratio": float(after[item.token] - before[item.token]),
            }
            for item in watched
        ],
        "up": _moved(change, before, after, names, largest=True),
        "down": _moved(change, before, after, names, largest=False),
    }


def _moved(change: Tensor, before: Tensor, after: Tensor, names: Any, *, largest: bool) -> list[list[Any]]:
    picked = change.topk(min(8, len(change)), largest=largest).indices
    return [
        [
            str(names(int(token))).replace("▁", " ").replace("Ġ", " "),
            float(before[token].exp()),
            float(after[token].exp()),
        ]
        for token in picked
    ]


def mean_log_ratio(measured: Sequence[dict[str, Any]], group: str) -> float | None:
    """Mean change of log probability over the words of a group and all prompts; None without such words."""
    ratios = [word["log_ratio"] for item in measured for word in item["words"] if word["group"] == group]
    return sum(ratios) / len(ratios) if ratios else None


def random_direction(like: Tensor, seed: int) -> Tensor:
    """A random direction of the same norm as `like` (units,), for a control."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(like.shape, generator=generator)
    scaled: Tensor = drawn / drawn.norm() * like.norm()
    return scaled


def continue_text(model: LoadedModel, space: FeatureSpace, ids: Sequence[int], tokens: int, clamp: Clamp | None) -> str:
    """Continue a prompt greedily, with the clamp when given; greedy, so that both runs differ by it alone."""
    grown = list(ids)
    eos = model.tokenizer.eos_token_id
    for _ in range(min(tokens, model.context - len(grown))):
        logits = model.logits(grown) if clamp is None else model.logits(grown, space.site, clamp)
        token = int(logits[-1].argmax())
        if token == eos:
            break
        grown.append(token)
    text: str = model.tokenizer.decode(grown[len(ids) :])
    return text
