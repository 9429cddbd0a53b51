"""The recipe of a training: all that decides the SAE, given the activations. Neither numpy nor torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from workbench.digests import value_digest
from workbench.errors import UsageError
from workbench.saes.schedule import k_schedule

Architecture = Literal["topk", "batchtopk", "standard", "gated", "jumprelu"]
WITH_K = ("topk", "batchtopk")
WITH_L1 = ("standard", "gated")
REVISION = 1
"""Raised when the same recipe gives another SAE on purpose."""
WARM_UP = 0.05
"""Share of the steps over which the sparsity penalty grows linearly from 0 to its value."""
DECAY = 0.2
"""Share of the steps, at the end, over which the learning rate falls linearly to 0."""
VALIDATION = 0.05
MOST_VALIDATION = 16_384
"""The last rows of a set are kept for validation: this share of them, at most so many."""
DEVIATIONS = 6.0
"""Winsorised inputs are clamped to their mean plus or minus so many standard deviations, over all values."""


@dataclass(frozen=True)
class Recipe:
    """How to train one SAE.

    Attributes:
        activations: name (digest) of the activation set.
        rows: how many activations the set holds.
        width: units of the site.
        architecture: kind of SAE.
        latents: how many it gets.
        k: latents a token may use in the end (`topk`), or uses on the average (`batchtopk`).
        k_start: the same at the first step.
        k_fraction: share of the training over which k goes from `k_start` to `k`.
        sparsity: weight of the L1 penalty (`standard`, `gated`) or of the L0 penalty (`jumprelu`).
        aux: weight of the loss that lets dead latents explain what the others leave (`topk`, `batchtopk`).
        rate: learning rate of Adam.
        batch: activations a step.
        epochs: how often each activation is seen.
        dead_window: tokens without firing after which a latent is dead.
        winsorise: whether inputs are clamped, in training and ever after.
        seed: of the weights' start and the order of the activations.
    """

    activations: str
    rows: int
    width: int
    architecture: Architecture = "topk"
    latents: int = 512
    k: int = 16
    k_start: int = 16
    k_fraction: float = 0.5
    sparsity: float = 5.0
    aux: float = 1.0
    rate: float = 1e-3
    batch: int = 1024
    epochs: int = 1
    dead_window: int = 50_000
    winsorise: bool = False
    seed: int = 0

    @property
    def key(self) -> str:
        """A name for the recipe."""
        return value_digest({"revision": REVISION, **asdict(self)}).removeprefix("sha256:")[:32]

    @property
    def validation(self) -> int:
        """Rows kept for validation."""
        return min(int(self.rows * VALIDATION), MOST_VALIDATION)

    @property
    def training(self) -> int:
        """Rows trained on."""
        return self.rows - self.validation

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.training * self.epochs // self.batch

    def k_at(self, step: int) -> int:
        """The k of a step."""
        return k_schedule(step, self.steps, self.k_start, self.k, self.k_fraction)

    def check(self) -> None:
        """Refuse what cannot be trained.

        Raises:
            UsageError: fewer activations than one batch, or more latents a token than there are.
        """
        self.check_k()
        if self.rows - self.validation < self.batch:
            raise UsageError(
                f"the corpus gives {self.rows:,} activations, {self.validation:,} of them for validation: "
                f"less than one batch of {self.batch:,}",
                "Give a longer corpus, more --tokens, or a smaller --batch.",
            )

    def check_k(self) -> None:
        """Refuse a k that does not fit, which is known before any activation is.

        Raises:
            UsageError: more latents a token than there are.
        """
        if self.architecture in WITH_K:
            for name, value in (("k", self.k), ("k_start", self.k_start)):
                if not 1 <= value <= self.latents:
                    raise UsageError(
                        f"{name} is {value}, the SAE has {self.latents} latents", f"Choose 1 to {self.latents}."
                    )
