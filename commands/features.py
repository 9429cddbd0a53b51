"""Verbs about features: ranking them by a concept, and looking at one."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.verbs import Command, InputFile, NameOrFile, NameOrFolder, Query


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
    matrix: InputFile = Field("", description="CSV or JSON file of a custom model RDM, in the order of `stimuli show`")
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
    neighbours: int = Field(10, ge=2, le=200, description="Features of a neighbourhood, by decoder cosine")
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
        return self.over in ("features", "neighbourhood", "inputs")


class FeaturesRdm(Query):
    """Show the distances that a feature sees between the categories, beside the model RDM of a ranking by RSA."""

    dotted = "features.rdm"
    reads = ("sae",)
    positional = ("feature",)

    feature: str = Field(description="Feature id, or its number in the ranking's features")
    ranking: int | None = Field(None, ge=1, description="Log line of the ranking (default: the latest by features.rsa)")


class FeaturesMaxact(Command):
    """Rank all features by the largest activation any sentence gives them, which no label enters."""

    dotted = "features.maxact"
    reads = ("model", "sae", "stimuli")
    positional = ("stimuli",)
    loose_arrays: ClassVar[tuple[str, ...]] = ("tokens", "pooled")

    stimuli: str = Field(description="Name of the stimulus set")
    sae: Literal["", "raw"] = Field("", description="`raw` takes a site's own units instead of the loaded features")
    site: str = Field("", description="Site of `raw` units (default: that of the loaded features, else the middle one)")
    positive: str = Field("", description="The category whose difference is shown beside (default: the set's own)")
    against: str = Field("", description="Compare with this one category (default: all the others)")
    window: Literal["whole", "last", "first", "centre", "span", "peak"] = Field(
        "whole", description="Which tokens of a sentence count"
    )
    width: int = Field(0, ge=0, le=1000, description="Tokens of last, first, centre and peak")
    pool: Literal["mean", "max", "last"] = Field("max", description="How a sentence's tokens become one number")
    top: int = Field(50, ge=1, le=500, description="Rows to give back; all features are stored")


class FeaturesProbe(Command):
    """Find the few features that decode a label: rankings, held-out k sweep, exact best subset, one unit's case."""

    dotted = "features.probe"
    heavy = True
    reads = ("model", "sae", "stimuli")
    positional = ("stimuli",)
    reuse = False  # the corpus may be a file
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        "score": (1e-3, 1e-4),
        "p": (0.02, 0.002),
        "p_fwer": (0.02, 0.002),
        "q": (0.05, 1e-4),
        "gap": (0.05, 1e-6),
    }
    loose_arrays: ClassVar[tuple[str, ...]] = ("tokens", "pooled")

    stimuli: str = Field("", description="Name of the stimulus set; or label tokens with --predicate or --spans")
    predicate: str = Field("", description="Regular expression: tokens of the corpus that share a letter with a match")
    spans: InputFile = Field("", description='JSONL file of documents, {"text": ..., "spans": [[first, end], ...]}')
    corpus: NameOrFile = Field("demo", description="Where --predicate looks: `demo`, or a .txt or .jsonl file")
    tokens: int = Field(2000, ge=100, le=20_000, description="Tokens to draw, half of them positive where there are")
    skip: int = Field(0, ge=0, le=1000, description="Leave out so many tokens at the beginning of each document")
    sae: Literal["", "raw"] = Field("", description="`raw` takes a site's own units instead of the loaded features")
    site: str = Field("", description="Site of `raw` units (default: that of the loaded features, else the middle one)")
    positive: str = Field("", description="The category that carries the concept (default: the set's own)")
    against: str = Field("", description="Compare with this one category (default: all the others)")
    window: Literal["whole", "last", "first", "centre", "span", "peak"] = Field(
        "whole", description="Which tokens of a sentence count"
    )
    width: int = Field(0, ge=0, le=1000, description="Tokens of last, first, centre and peak")
    pool: Literal["mean", "max", "last"] = Field("mean", description="How a sentence's tokens become one number")
    pairs: bool = Field(False, description="Sentences of one item share a fold, and labels move only within items")
    method: Literal["mean_difference", "f_stat", "mutual_info", "l1_logistic", "svm", "random"] = Field(
        "mean_difference", description="How features are ranked"
    )
    sweep: tuple[
        Literal["mean_difference", "f_stat", "mutual_info", "l1_logistic", "svm", "random", "adaptive"], ...
    ] = Field(
        (), description="Also sweep k with these; adaptive: thresholding step by step (default: all but the slow)"
    )
    most: int = Field(16, ge=1, le=256, description="Largest k of the sweep")
    folds: int = Field(5, ge=2, le=20, description="Folds; matched sentences and documents are never torn")
    exact: int = Field(3, ge=0, le=12, description="Size of the exact best subset; 0 for none")
    prefilter: int = Field(50, ge=2, le=500, description="Features the exact search chooses among, the largest F")
    ridge: float = Field(0.0, ge=0, description="Ridge penalty of the exact search (default: root of the items)")
    time_limit: float = Field(60.0, gt=0, le=3600, description="Seconds for the exact search, all folds together")
    unit: int | None = Field(None, ge=0, description="Feature of the case study (default: the first of the ranking)")
    case: bool = Field(True, description="Study that one feature: classes, held-out metrics, zero-ablation by class")
    permutations: int = Field(1000, ge=20, le=1_000_000, description="Label permutations, where a method has p")
    alpha: float = Field(0.05, gt=0, lt=1, description="False discovery rate")
    top: int = Field(50, ge=1, le=500, description="Rows to give back; all features are stored")
    seed: int = Field(0, ge=0, description="Seed of folds, permutations, bootstrap and draws")


class FeaturesCompare(Command):
    """Compare ways to select features, SAE and raw, by what a decoder on the chosen few gets right."""

    dotted = "features.compare"
    heavy = True
    reads = ("model", "sae", "stimuli")
    positional = ("stimuli",)
    reuse = False  # the corpus may be a file
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        # an item at the boundary may fall on either side, by the last bit of an activation
        **dict.fromkeys(("accuracy", "leaky_accuracy", "null_accuracy", "null_leaky", "difference"), (0.0, 0.02)),
        **dict.fromkeys(("t", "p", "p_holm", "p_items", "p_null"), (0.1, 0.02)),
    }

    stimuli: str = Field(description="Name of the stimulus set")
    site: str = Field(
        "", description="Site of the raw units (default: that of the loaded features, else the middle one)"
    )
    positive: str = Field("", description="The category that carries the concept (default: the set's own)")
    against: str = Field("", description="Compare with this one category (default: all the others)")
    pool: Literal["mean", "max", "last"] = Field("mean", description="How a sentence's tokens become one number")
    pairs: bool = Field(False, description="Sentences of one item share a fold, and labels move only within items")
    methods: tuple[
        Literal[
            "maxact", "rsa_discriminative", "rsa_categorical", "contrast", "random", "mean_difference", "f_stat",
            "mutual_info", "l1_logistic", "svm",
        ], ...,
    ] = Field(
        ("maxact", "rsa_discriminative", "rsa_categorical", "contrast", "random"),
        min_length=1,
        description="Ways to select; random is the floor that any selection must beat",
    )  # fmt: skip
    k: int = Field(8, ge=1, le=256, description="Features in each ensemble")
    folds: int = Field(5, ge=2, le=20, description="Folds")
    repeats: int = Field(10, ge=1, le=100, description="How often the folds are made anew")
    shuffles: int = Field(20, ge=0, le=1000, description="Label shuffles that say what each method gets by chance")
    corpus: NameOrFile = Field(
        "demo", description="Whose sentences the ensembles rank: `demo`, or a .txt or .jsonl file"
    )
    sentences: int = Field(2000, ge=0, le=100_000, description="How many of them; 0 for none")
    words: tuple[str, ...] = Field(
        (), description="Known words of the concept, by which found sentences are scored (default: those of the set)"
    )
    windows: int = Field(15, ge=1, le=50, description="Sentences to show and score for each ensemble")
    alpha: float = Field(0.05, gt=0, lt=1, description="Family-wise level of the tests between methods")
    seed: int = Field(0, ge=0, description="Seed of folds, shuffles and the corpus")


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


class FeaturesNeighbours(Query):
    """Show the features nearest to one: by decoder direction, and by firing on the same tokens of the corpus."""

    dotted = "features.neighbours"
    reads = ("sae",)
    positional = ("feature",)

    feature: str = Field(description="Feature id, or its number in the loaded SAE")
    limit: int = Field(20, ge=1, le=200, description="How many of each kind")
    tokens: int = Field(10_000, ge=1, le=10_000, description="At most this many of the feature's tokens are looked at")
