"""The verb that compares features with a model of the stimuli's dissimilarities."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.verbs import Command, InputFile

MODELS = (
    "categorical", "one-vs-rest", "discriminative", "consistency", "graded", "cyclic", "two-by-two", "custom",
)  # fmt: skip


class FeaturesRsa(Command):
    """Rank features, or sets of them, by how the distances they see between sentences follow a model RDM."""

    dotted = "features.rsa"
    reads = ("model", "sae", "stimuli", "clusters")
    positional = ("stimuli",)
    # a permutation at the edge of a tie may count or not, by the last bit of a sum
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        "score": (1e-3, 1e-4),
        "effect": (1e-3, 1e-6),
        "t": (1e-3, 1e-4),
        "p": (0.02, 0.002),
        "p_fwer": (0.02, 0.002),
        "q": (0.05, 1e-4),
    }
    loose_arrays: ClassVar[tuple[str, ...]] = ("tokens", "pooled")

    stimuli: str = Field(description="Name of the stimulus set")
    model: Literal[
        "categorical", "one-vs-rest", "discriminative", "consistency", "graded", "cyclic", "two-by-two", "custom"
    ] = Field("categorical", description="The model RDM: what the distances between sentences should be")
    matrix: InputFile = Field("", description="CSV or JSON file of a custom model RDM, rows as `stimuli show` lists them")
    positive: str = Field("", description="The category of one-vs-rest, discriminative, consistency and roi")
    order: tuple[str, ...] = Field((), description="Categories of graded and cyclic in order (default: as listed)")
    factor: str = Field("interaction", description="Of two-by-two: a factor's name, or `interaction`")
    comparison: Literal["corr", "cosine", "spearman", "rho-a", "tau-a", "cosine_cov", "corr_cov"] = Field(
        "corr", description="How a feature's RDM is compared with the model's (_cov: whitened)"
    )
    nuisance: tuple[str, ...] = Field(
        (), description="What to leave out of both: `length`, `lexical` (shared words), or a nuisance column of the set"
    )
    over: Literal["features", "neighbourhood", "inputs", "cluster", "layer", "position", "roi"] = Field(
        "features", description="What is compared: single features, or sets of units as one"
    )
    neighbours: int = Field(10, ge=2, le=200, description="Features of a neighbourhood, by decoder cosine, itself counted")
    inputs: int = Field(50, ge=2, le=1000, description="Of `inputs`: a latent's units of largest decoder weight")
    members: int = Field(20, ge=2, le=500, description="Of `roi`: features chosen by a contrast on the other half")
    sae: Literal["", "raw"] = Field("", description="`raw` takes a site's own units instead of the loaded features")
    site: str = Field("", description="Site of `raw` units (default: that of the loaded features, else the middle one)")
    window: Literal["whole", "last", "first", "centre", "span", "peak"] = Field(
        "whole", description="Which tokens of a sentence count"
    )
    width: int = Field(0, ge=0, le=1000, description="Tokens of a sized window (default: 1 of last, else 5)")
    pool: Literal["mean", "max", "last"] = Field("mean", description="How a window's tokens become one number")
    pairs: bool = Field(False, description="Stimuli move only between sentences of one item")
    permutations: int = Field(1000, ge=20, le=1_000_000, description="Permutations of the stimuli")
    alpha: float = Field(0.05, gt=0, lt=1, description="False discovery rate")
    top: int = Field(50, ge=1, le=500, description="Rows to give back; all features are stored")
    seed: int = Field(0, ge=0, description="Seed of the permutations")

    @property
    def ranks_features(self) -> bool:
        """Whether the result is a ranking of features, as `features.list` pages it."""
        return self.over in RANKING_OVER


RANKING_OVER = ("features", "neighbourhood", "inputs")
