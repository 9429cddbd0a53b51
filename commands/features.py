"""Verbs about features: ranking them by a concept, and looking at one."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.verbs import Command, NameOrFolder, Query


class FeaturesContrast(Command):
    """Rank all features by how they tell a concept's sentences from the others, with permutation tests."""

    dotted = "features.contrast"
    reads = ("model", "sae", "stimuli")
    positional = ("stimuli",)
    # a permutation at the edge of a tie may count or not, by the last bit of a sum
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        "score": (1e-3, 1e-4),
        "p": (0.02, 0.002),
        "p_fwer": (0.02, 0.002),
        "q": (0.05, 1e-4),
    }
    loose_arrays: ClassVar[tuple[str, ...]] = ("tokens", "pooled")

    stimuli: str = Field(description="Name of the stimulus set")
    sae: Literal["", "raw"] = Field("", description="`raw` takes a site's own units instead of the loaded features")
    site: str = Field("", description="Site of `raw` units (default: that of the loaded features, else the middle one)")
    positive: str = Field("", description="The category that carries the concept (default: the set's own)")
    against: str = Field("", description="Compare with this one category (default: all the others)")
    window: Literal["whole", "last", "first", "centre", "span", "peak"] = Field(
        "whole", description="Which tokens of a sentence count; peak: those around each feature's largest one"
    )
    width: int = Field(
        0, ge=0, le=1000, description="Tokens of last, first, centre and peak (default: 1 of last, else 5)"
    )
    pool: Literal["mean", "max", "last"] = Field("mean", description="How a window's tokens become one number")
    statistic: Literal["welch", "paired", "mann_whitney", "rate"] = Field("welch", description="The test statistic")
    pairs: bool = Field(False, description="Labels move only between sentences of one item; paired always does so")
    design: Literal["groups", "factorial"] = Field("groups", description="Two classes, or two crossed factors")
    factors: tuple[str, ...] = Field((), description="The two factors of a factorial design (default: the set's own)")
    factor: str = Field("", description="Rank by this factor's main effect, or by `interaction` (the default)")
    map: Literal["", "position", "layer"] = Field(
        "", description="Also test every feature at each place of the window, or at each layer"
    )
    shown: int = Field(12, ge=1, le=100, description="Features drawn in the map, those with its strongest cells")
    fdr: Literal["bh", "by"] = Field("bh", description="Benjamini-Hochberg, or -Yekutieli for any dependence")
    permutations: int = Field(1000, ge=20, le=1_000_000, description="Label permutations")
    alpha: float = Field(0.05, gt=0, lt=1, description="False discovery rate")
    top: int = Field(50, ge=1, le=500, description="Rows to give back; all features are stored")
    seed: int = Field(0, ge=0, description="Seed of the permutations")


class FeaturesList(Query):
    """Show a page of a ranking."""

    dotted = "features.list"
    reads = ("sae",)

    ranking: int | None = Field(None, ge=1, description="Log line of the ranking (default: the latest)")
    offset: int = Field(0, ge=0, description="First row to show")
    limit: int = Field(50, ge=1, le=500, description="How many rows to show")
    sort: Literal["score", "effect", "q", "index"] = Field("score", description="Order of the rows")
    direction: Literal["both", "positive", "negative"] = Field("both", description="Only one sign of the effect")
    filter: str = Field("", description="Only features whose id or label contains this")


class FeaturesShow(Query):
    """Show one feature: its tokens on the stimuli and the corpus, histogram, logits, test and label."""

    dotted = "features.show"
    reads = ("sae",)
    positional = ("feature",)

    feature: str = Field(description="Feature id, or its number in the loaded SAE")
    stimuli: str = Field("", description="Stimulus set to show it on (default: that of the latest ranking)")
    ranking: int | None = Field(None, ge=1, description="Log line of the ranking (default: the latest)")
    lines: int = Field(200, ge=1, le=500, description="At most this many stimulus sentences, strongest first")


class FeaturesWhy(Query):
    """Say where one feature's numbers come from: definition, n, its null's histogram, provenance, the line."""

    dotted = "features.why"
    reads = ("sae",)
    positional = ("feature",)

    feature: str = Field(description="Feature id, or its number in the ranking's features")
    ranking: int | None = Field(None, ge=1, description="Log line of the ranking (default: the latest)")
    bins: int = Field(40, ge=5, le=200, description="Bars of the histogram")


class FeaturesReplicate(Command):
    """Repeat a contrast on other sentences, another seed, layer or SAE, and say what held and what did not."""

    dotted = "features.replicate"
    reads = ("model", "sae", "stimuli", "ranking")
    positional = ("stimuli",)
    tolerance: ClassVar[dict[str, tuple[float, float]]] = FeaturesContrast.tolerance

    stimuli: str = Field("", description="The second stimulus set (default: the first ranking's own)")
    ranking: int | None = Field(None, ge=1, description="Log line of the first ranking (default: the latest)")
    positive: str = Field("", description="Positive category of the second set (default: the first's, if it has it)")
    against: str = Field("", description="What it is compared with there (default: the first's, if it has it)")
    sae: NameOrFolder = Field("", description="Another SAE, or `raw`; its features are matched with the first ones")
    site: str = Field("", description="Site of raw units, or of an SAE whose files do not say theirs")
    seed: int | None = Field(None, ge=0, description="Another seed of the permutations (default: the first's)")
    top: int = Field(50, ge=1, le=500, description="Discoveries of the first ranking to list")


class FeaturesMap(Query):
    """Show a stored contrast map, place by place: the strongest features, or those that are named."""

    dotted = "features.map"
    reads = ("sae",)
    positional = ("features",)

    features: tuple[str, ...] = Field(
        (), description="Feature ids or numbers (default: those with the strongest cells)"
    )
    ranking: int | None = Field(None, ge=1, description="Log line of a ranking with a map (default: the latest)")
    shown: int = Field(12, ge=1, le=100, description="How many features to show where none is named")
