"""Verbs about features: ranking them by a concept, and looking at one."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.verbs import Command, InputFile, NameOrFile, NameOrFolder, OutputFile, Place, Query, SentFile


class OfStimuli(Command):
    """Which sentences; a part of verbs, as are the next three classes."""

    stimuli: str = Field(description="Name of the stimulus set")


class OfUnits(OfStimuli):
    """Which features read them."""

    sae: Literal["", "raw"] = Field("", description="`raw` takes a site's own units instead of the loaded features")
    site: str = Field("", description="Site of `raw` units (default: that of the loaded features, else the middle one)")


class OfClasses(Command):
    """Which sentences are set against which."""

    positive: str = Field("", description="The category that carries the concept (default: the set's own)")
    against: str = Field("", description="Compare with this one category (default: all the others)")


class OfWindow(Command):
    """How a sentence becomes one number for each feature."""

    zero_is_unset: ClassVar[tuple[str, ...]] = ("width",)
    loose_arrays: ClassVar[tuple[str, ...]] = ("tokens", "pooled")

    window: Literal["whole", "last", "first", "centre", "span", "peak"] = Field(
        "whole", description="Which tokens of a sentence count; peak: those around each feature's largest one"
    )
    width: int = Field(
        0, ge=0, le=1000, description="Tokens of last, first, centre and peak (default: 1 of last, else 5)"
    )
    pool: Literal["mean", "max", "last"] = Field("mean", description="How a window's tokens become one number")


# the fields of a verb come in the order of its bases from the right, then its own


class FeaturesContrast(OfWindow, OfClasses, OfUnits):
    """Rank all features by how they tell a concept's sentences from the others, with permutation tests."""

    dotted = "features.contrast"
    result_revision = 2
    reads = ("model", "sae", "stimuli")
    positional = ("stimuli",)
    # a permutation at the edge of a tie may count or not, by the last bit of a sum
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        "score": (1e-3, 1e-4),
        "p": (0.02, 0.002),
        "p_fwer": (0.02, 0.002),
        "q": (0.05, 1e-4),
    }

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


class FeaturesRsa(OfWindow, OfUnits):
    """Rank features, or sets of them, by how the distances they see between sentences follow a model RDM."""

    dotted = "features.rsa"
    result_revision = 3
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
    """Show the distances that a feature sees between the categories, beside the model RDM of a ranking by RSA.

    With --also, several features are looked at as one set. A set whose sentences have folds (`stimuli edit --fold`)
    has a noise ceiling: how well the true model could do, judged by how far the folds agree. --against sets other
    models beside the ranking's own, with bootstrap intervals over sentences.
    """

    dotted = "features.rdm"
    reads = ("sae",)
    positional = ("feature", "also")

    feature: str = Field(description="Feature id, or its number in the ranking's features")
    also: tuple[str, ...] = Field((), description="Further features, taken with it as one set; repeat for several")
    ranking: int | None = Field(None, ge=1, description="Log line of the ranking (default: the latest by features.rsa)")
    distance: Literal["squared", "crossnobis"] = Field(
        "squared", description="crossnobis: across the folds of the sentences, so that noise adds nothing"
    )
    against: tuple[str, ...] = Field(
        (),
        description="Other models to compare: `categorical`, `graded`, `cyclic`, `length`, `lexical`, or the log line "
        "of another ranking by RSA on the same sentences; repeat for several",
    )
    bootstraps: int = Field(1000, ge=100, le=10_000, description="Draws of the sentences for --against")
    seed: int = Field(0, ge=0, description="Seed of the draws")


class FeaturesMaxact(OfWindow, OfClasses, OfUnits):
    """Rank all features by the largest activation any sentence gives them, which no label enters."""

    dotted = "features.maxact"
    reads = ("model", "sae", "stimuli")
    positional = ("stimuli",)

    positive: str = Field("", description="The category whose difference is shown beside (default: the set's own)")
    pool: Literal["mean", "max", "last"] = Field("max", description="How a sentence's tokens become one number")
    top: int = Field(50, ge=1, le=500, description="Rows to give back; all features are stored")


class FeaturesProbe(OfWindow, OfClasses, OfUnits):
    """Find the few features that decode a label: rankings, held-out k sweep, exact best subset, one unit's case."""

    dotted = "features.probe"
    heavy = True
    reads = ("model", "sae", "stimuli")
    positional = ("stimuli",)
    reuse = False  # the corpus may be a file
    result_revision = 2
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        "score": (1e-3, 1e-4),
        "p": (0.02, 0.002),
        "p_fwer": (0.02, 0.002),
        "q": (0.05, 1e-4),
        "gap": (0.05, 1e-6),
        # of a rise in loss, in per cent: the difference of two sums that the model's float32 rounds
        **dict.fromkeys(("increase_percent", "control_percent", "interval"), (1e-3, 1e-4)),
    }
    zero_is_unset: ClassVar[tuple[str, ...]] = ("width", "ridge")

    stimuli: str = Field(
        "", description="Name of the stimulus set; or label tokens with --predicate, --spans or --quanta"
    )
    predicate: str = Field("", description="Regular expression: tokens of the corpus that share a letter with a match")
    spans: InputFile = Field("", description='JSONL file of documents, {"text": ..., "spans": [[first, end], ...]}')
    quanta: tuple[int, ...] = Field(
        (),
        description="Clusters of predictions: the tokens before their answers, against those of the other samples, or "
        "of the one cluster that --against names",
    )
    corpus: NameOrFile = Field("demo", description="Where --predicate looks: `demo`, or a .txt or .jsonl file")
    tokens: int = Field(2000, ge=100, le=20_000, description="Tokens to draw, half of them positive where there are")
    skip: int = Field(0, ge=0, le=1000, description="Leave out so many tokens at the beginning of each document")
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


class FeaturesCompare(OfClasses, OfStimuli):
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

    site: str = Field(
        "", description="Site of the raw units (default: that of the loaded features, else the middle one)"
    )
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
    tag: str = Field("", description="Only features with this tag")
    effect: str = Field("", description="Of a factorial ranking: a factor, or `interaction` (default: its own)")


class FeaturesShow(Query):
    """Show one feature: its tokens on the stimuli and the corpus, histogram, logits, test and label."""

    dotted = "features.show"
    reads = ("sae",)
    positional = ("feature",)

    feature: str = Field(description="Feature id, or its number in the loaded SAE")
    stimuli: str = Field("", description="Stimulus set to show it on (default: that of the latest ranking)")
    ranking: int | None = Field(None, ge=1, description="Log line of the ranking (default: the latest)")
    lines: int = Field(200, ge=1, le=500, description="At most this many stimulus sentences, strongest first")
    effect: str = Field("", description="Of a factorial ranking: a factor, or `interaction` (default: its own)")


class FeaturesWhy(Query):
    """Say where one feature's numbers come from: definition, n, its null's histogram, provenance, the line."""

    dotted = "features.why"
    reads = ("sae",)
    positional = ("feature",)

    feature: str = Field(description="Feature id, or its number in the ranking's features")
    ranking: int | None = Field(None, ge=1, description="Log line of the ranking (default: the latest)")
    bins: int = Field(40, ge=5, le=200, description="Bars of the histogram")
    effect: str = Field("", description="Of a factorial ranking: a factor, or `interaction` (default: its own)")


class FeaturesReplicate(Command):
    """Repeat a contrast on other sentences, another seed, layer or SAE, and say what held and what did not."""

    dotted = "features.replicate"
    result_revision = 2
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

    @property
    def rests_on_features(self) -> bool:
        """Those of the first ranking, whatever the second is of."""
        return True


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


class FeaturesActivate(Query):
    """Show every feature on a sentence of your own: the strongest of the whole, and of each token.

    Surprise says how unlikely so strong an activation is on a token of the corpus, in bits; it needs the index.
    """

    dotted = "features.activate"
    place = "child"
    reads = ("model", "sae")
    positional = ("text",)

    text: str = Field(description="The sentence")
    features: tuple[str, ...] = Field((), description="Only these feature ids or numbers, silent ones too; repeat it")
    top: int = Field(20, ge=1, le=200, description="How many features of the whole sentence")
    each: int = Field(5, ge=1, le=10, description="How many features of each token")
    sort: Literal["maximum", "mean", "surprise"] = Field("maximum", description="What is strongest")
    sae: NameOrFolder = Field("", description="Another SAE, or `raw` for a site's own units")
    site: str = Field("", description="Site of raw units, or of an SAE whose files do not say theirs")


class FeaturesDiff(Query):
    """Align two sentences token by token and show which features differ, strongest first.

    Tokens are aligned by Needleman-Wunsch on their ids; a token that only one sentence has is compared with silence.
    """

    dotted = "features.diff"
    place = "child"
    reads = ("model", "sae")
    positional = ("text_a", "text_b")

    text_a: str = Field(description="The first sentence")
    text_b: str = Field(description="The second sentence")
    top: int = Field(20, ge=1, le=200, description="How many features")
    least: float = Field(0.001, ge=0, le=1, description="Differences below this share of the largest activation are 0")
    sae: NameOrFolder = Field("", description="Another SAE, or `raw` for a site's own units")
    site: str = Field("", description="Site of raw units, or of an SAE whose files do not say theirs")


class FeaturesCommon(Query):
    """Find the features that a set of sentences has in common and control sentences have not.

    A feature counts as active in a sentence where one of its tokens is above the threshold.
    """

    dotted = "features.common"
    place = "child"
    reads = ("model", "sae", "stimuli")
    positional = ("stimuli",)

    stimuli: str = Field("", description="Sentences of a stimulus set: SET or SET:CLASS (default: its positive class)")
    text: tuple[str, ...] = Field((), description="A sentence; repeat it for several")
    file: SentFile = Field("", description="A .txt file with one sentence a line, or .jsonl with a field `text`")
    control: tuple[str, ...] = Field((), description="A control sentence; repeat it for several")
    control_file: SentFile = Field("", description="A file of control sentences")
    undecodable: Literal["refuse", "replace"] = Field(
        "refuse", description="What to do with bytes of a file that are not UTF-8"
    )
    against: str = Field("", description="Class of the set that is the control (default: all others; `none`: no one)")
    threshold: float = Field(0.0, ge=0, le=1e6, description="Activation above which a feature counts as active")
    share: float = Field(0.8, gt=0, le=1, description="Active in at least this share of the sentences")
    control_share: float = Field(0.0, ge=0, lt=1, description="Active in at most this share of the control sentences")
    limit: int = Field(50, ge=1, le=500, description="How many features to show")
    sae: NameOrFolder = Field("", description="Another SAE, or `raw` for a site's own units")
    site: str = Field("", description="Site of raw units, or of an SAE whose files do not say theirs")


class FeaturesSearch(Query):
    """Search features by their labels, notes, tags, tokens, logits and the text of their windows.

    Exact hits come before like ones, a label before a note, a tag, a token, a logit and a window. With --by-sentence
    features are ranked by how unlikely so strong an activation is on a token of the corpus.
    """

    dotted = "features.search"
    reads = ("sae",)
    positional = ("query",)

    query: str = Field("", max_length=500, description="Words to look for")
    by_sentence: str = Field("", description="Search by the features of this example sentence instead")
    where: tuple[Literal["label", "note", "tag", "token", "logit", "window"], ...] = Field(
        ("label", "note", "tag", "token", "logit", "window"), min_length=1, description="Where to look"
    )
    exact: bool = Field(False, description="Only what contains the words themselves, nothing like them")
    offset: int = Field(0, ge=0, description="First hit to show")
    limit: int = Field(20, ge=1, le=100, description="How many hits to show")

    @property
    def carried_out_in(self) -> Place:
        """The model is needed for a sentence only."""
        return "child" if self.by_sentence else "broker"


TAG = r"^[\w][\w .+-]{0,63}$"
"""What a tag may be: a name without `/`, by which the session's entries are told apart."""


class FeaturesTag(Command):
    """Put a tag on features, or take it off; the features of one tag are a list."""

    dotted = "features.tag"
    place = "broker"
    positional = ("feature", "tag")
    reuse = False

    feature: str = Field(description="Feature ids or numbers, with commas: 417,459")
    tag: str = Field(
        pattern=TAG,
        description="The tag: a letter or digit, then also spaces, dots, plus signs and dashes; 64 signs at most",
    )
    remove: bool = Field(False, description="Take it off")


class FeaturesNote(Command):
    """Keep a note on a feature; an empty text removes it."""

    dotted = "features.note"
    place = "broker"
    positional = ("feature", "text")
    reuse = False

    feature: str = Field(description="Feature id, or its number in the loaded SAE")
    text: str = Field(max_length=5000, description="The note")


class FeaturesTags(Query):
    """List the tags with their features, and the notes."""

    dotted = "features.tags"
    reads = ("sae",)
    positional = ("tag",)

    tag: str = Field("", description="Only features with this tag")
    offset: int = Field(0, ge=0, description="First feature to show")
    limit: int = Field(100, ge=1, le=200, description="How many features to show")

    @property
    def rests_on_features(self) -> bool:
        """Never: they are the investigator's own words."""
        return False


class FeaturesExport(Query):
    """Write features to a file: CSV, Parquet, JSONL, or JSON as Neuronpedia shows them.

    A table has a row for each feature: label, tags, note, density, moments, the latest ranking's test. JSONL and
    Neuronpedia's form add windows, histogram and logits. A name that ends in .gz is packed.
    """

    dotted = "features.export"
    heavy = True
    reads = ("sae",)
    positional = ("out",)

    out: OutputFile = Field(description="File to write; .csv, .parquet, .jsonl, .json, the first and last two also .gz")
    format: Literal["", "csv", "parquet", "jsonl", "neuronpedia"] = Field(
        "", description="Default: by the ending of the file, .json is Neuronpedia's form"
    )
    features: tuple[str, ...] = Field((), description="Only these feature ids or numbers; repeat it")
    tag: str = Field("", description="Only features with this tag")
    labelled: bool = Field(False, description="Only features with a label")
    windows: int = Field(20, ge=0, le=100, description="Strongest windows of a feature, at most those of the index")
