"""Verbs about sparse autoencoders and feature spaces."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.verbs import Command, NameOrFile, NameOrFolder

_NAME = r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$"
_LOOSE = (0.1, 0.02)
_TRAINED = dict.fromkeys(("loss", "fvu", "l0", "dead", "silent"), _LOOSE)
"""Training amplifies the last bits in which machines differ."""
_GATE = dict.fromkeys(
    ("fvu", "fvu_other", "l0", "dead", "share", "shrinkage", "input_norm", "self_gain", "norm_ratio", "recovered",
     "clean", "sae", "mean", "ce", "best", "min", "median", "max", "quartiles[0]", "quartiles[1]", "quartiles[2]"),
    (1e-2, 1e-3),
)  # fmt: skip
"""A latent at the edge of firing may come or go with the last bit of a sum."""


class SaeLoad(Command):
    """Choose the features: an SAE, or the raw units of a site; an SAE goes through the sanity gate."""

    dotted = "sae.load"
    positional = ("ref",)
    reads = ("model",)
    reuse = False  # the files may have changed
    result_revision = 2
    tolerance = _GATE

    ref: NameOrFolder = Field(
        description="`demo`, RELEASE/SAE_ID of SAELens, a folder (SAELens, sparsify, dictionary_learning), the name of "
        "one trained here, or `raw`"
    )
    site: str = Field(
        "", description="Site of `raw` units or of an SAE that does not say its own, such as blocks.1.hook_resid_post"
    )
    tokens: int = Field(4000, ge=0, le=1_000_000, description="Tokens the sanity gate reads; 0 leaves it out")


class SaeCheck(Command):
    """Check whether the loaded SAE is faithful, sparse and used as it was trained."""

    dotted = "sae.check"
    positional = ("corpus",)
    heavy = True
    reads = ("model", "sae", "stimuli")
    reuse = False  # the corpus may be a file
    tolerance = _GATE

    corpus: NameOrFile = Field(
        "", description="`demo`, an imported corpus, or a .txt or .jsonl file; else what the session has"
    )
    tokens: int = Field(20_000, ge=100, le=5_000_000, description="How many tokens to read")


class _Training(Command):
    """What `train` and `sweep` have in common: the activations, the architecture and the optimiser."""

    heavy = True
    reads = ("model",)
    reuse = False  # the corpus may be a file; an SAE of the same recipe is found by what it rests on

    architecture: Literal["topk", "batchtopk", "standard", "gated", "jumprelu"] = Field(
        "topk", description="Kind of SAE"
    )
    site: str = Field("", description="Where activations are read; without it the residual stream in the middle")
    corpus: NameOrFile = Field(
        "demo", description="`demo`, an imported corpus, or a .txt or .jsonl file (docs/training.md)"
    )
    corpus_seed: int = Field(0, ge=0, description="Seed of the made corpus `demo`")
    tokens: int = Field(500_000, ge=100, le=10**9, description="Activations to record; the last of them validate")
    dtype: Literal["float32", "bfloat16", "float16"] = Field("float32", description="Number format on disk")
    latents: int = Field(0, ge=0, le=10**7, description="Latents of the SAE; 0 means expansion times the site's width")
    expansion: int = Field(4, ge=1, le=1024, description="Latents for each unit of the site")
    k_fraction: float = Field(0.5, ge=0, le=1, description="Share of the training over which k goes to its end")
    l0: float = Field(1.0, ge=0, description="Weight of the L0 penalty of jumprelu")
    aux: float = Field(1.0, ge=0, description="Weight of the loss that revives dead latents (topk, batchtopk)")
    lr: float = Field(1e-3, gt=0, le=1, description="Learning rate; it falls to 0 over the last fifth")
    batch: int = Field(1024, ge=2, le=1_000_000, description="Activations a step")
    epochs: int = Field(1, ge=1, le=1000, description="How often each activation is seen")
    dead_window: int = Field(50_000, ge=1, description="Tokens without firing after which a latent is dead")
    winsorise: bool = Field(False, description="Clamp inputs to mean +- 6 sd, in training and ever after")
    seed: int = Field(0, ge=0, description="Seed of the weights' start and of the order of the activations")
    checkpoints: int = Field(10, ge=0, le=1000, description="Checkpoints to write; a killed training goes on from one")
    dry_run: bool = Field(False, description="Say time, memory and disk, and do nothing")


class SaeTrain(_Training):
    """Record the activations of a corpus at a site and train an SAE on them."""

    dotted = "sae.train"
    tolerance = _TRAINED

    name: str = Field("", pattern=_NAME, description="Name of the SAE; without it one is made from the recipe")
    k: int = Field(16, ge=1, description="Latents a token may use in the end (topk, batchtopk)")
    k_start: int | None = Field(None, ge=1, description="The same at the first step; without it k all along")
    l1: float = Field(5.0, ge=0, description="Weight of the L1 penalty (standard, gated)")


class SaeSweep(_Training):
    """Train SAEs over a range of k, with and without the K schedule, or of L1 weights, and compare them."""

    dotted = "sae.sweep"
    tolerance = _TRAINED

    k: tuple[int, ...] = Field((), description="Values of k to compare (topk, batchtopk); without any 8 16 32 64")
    k_start: int = Field(128, ge=1, description="Where the K schedule starts")
    l1: tuple[float, ...] = Field((), description="Weights of L1 to compare (standard, gated); without any 2 5 10")
