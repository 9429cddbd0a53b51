"""Verbs about quanta: clusters of predictions by what the model uses to make them."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.verbs import Command, NamesOrFolders, OutputFile, Query

Filter = Literal["present-trigram", "present-bigram", "none"]
Unit = Literal["nats", "bits"]
Role = Literal["final_norm", "norm", "unembedding", "embedding"]
Sort = Literal["size", "cohesion", "separation", "entropy", "number"]


class QuantaLosses(Command):
    """Take the loss of every token of a corpus, for the loaded model and others beside it."""

    dotted = "quanta.losses"
    heavy = True
    reads = ("model",)
    reuse = False  # the losses live in the cache, not in the session: they may be gone, and are found there if not
    positional = ("corpus",)
    tolerance: ClassVar[dict[str, tuple[float, float]]] = dict.fromkeys(
        ("mean", "median", "mean_bits", "median_bits"), (1e-4, 1e-6)
    )

    corpus: str = Field("demo", description="Name of an imported corpus, or `demo`, which is made on demand")
    models: NamesOrFolders = Field(
        (), description="Other models to take beside the loaded one: REF or REF@REVISION; all must read the same tokens"
    )
    tokens: int = Field(200_000, ge=2, le=4_000_000_000, description="How many tokens of the corpus to read")
    context: int = Field(
        0, ge=0, le=10**7, description="Tokens of a document that count (default: what all models read)"
    )
    seed: int = Field(0, ge=0, description="Seed of the made corpus")


class QuantaSelect(Command):
    """Take predictions of low loss as samples, those left out that copying explains."""

    dotted = "quanta.select"
    reads = ("quanta/losses",)
    reuse = False  # its losses are in the cache

    threshold: float = Field(0.1, gt=0, le=100, description="The loss must be below this, in the unit")
    unit: Unit = Field("nats", description="Unit of the thresholds; the published 0.1443 bits are 0.1 nats")
    filter: Filter = Field("present-trigram", description="Leave out predictions that end a repeated bigram or trigram")
    model: str = Field("", description="Whose losses, where several were taken (default: the first)")
    high: str = Field("", description="Another model whose loss must be above --high-threshold: low here, high there")
    high_threshold: float = Field(2.0, ge=0, le=100, description="Of the other model, in the unit")
    skip: int = Field(1, ge=1, le=10**6, description="Take one in so many, in the order of the corpus")
    n: int = Field(1000, ge=2, le=100_000, description="How many samples to take")


class QuantaCounts(Query):
    """Count what thresholds and filters would leave, with a histogram of the losses; takes nothing."""

    dotted = "quanta.counts"

    threshold: float = Field(0.1, gt=0, le=100, description="The loss must be below this, in the unit")
    unit: Unit = Field("nats", description="Unit of the thresholds")
    filter: Filter = Field("present-trigram", description="Leave out predictions that end a repeated bigram or trigram")
    model: str = Field("", description="Whose losses, where several were taken (default: the first)")
    high: str = Field("", description="Another model whose loss must be above --high-threshold")
    high_threshold: float = Field(2.0, ge=0, le=100, description="Of the other model, in the unit")
    skip: int = Field(1, ge=1, le=10**6, description="Take one in so many, in the order of the corpus")
    n: int = Field(1000, ge=2, le=100_000, description="How many samples are wanted")


class QuantaSimilarity(Command):
    """Compare the samples by the gradients of their losses or logits, or by activations as a baseline."""

    dotted = "quanta.similarity"
    heavy = True
    reads = ("model", "quanta/samples")
    reuse = False  # the matrix lives in the cache
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        **dict.fromkeys(("mean", "q05", "median", "q95", "largest"), (1e-3, 1e-4)),
        **dict.fromkeys(("difference", "mean_difference", "bound"), (1.0, 1e-4)),
    }

    mode: Literal["exact", "factored", "sketch"] = Field("exact", description="How gradients are kept and multiplied")
    of: Literal["gradients", "logits", "activations"] = Field(
        "gradients",
        description="gradients: of losses, as published; logits: gradients of the answers' logits, which keep what the "
        "answers of one task share; activations: of all neurons before the answer, the baseline that knows no gradient",
    )
    equal: bool = Field(False, description="Give every weight matrix one vote, however large its gradient is")
    include: tuple[Role, ...] = Field((), description="Roles of parameters to add to the inner ones")
    absolute: bool = Field(False, description="Of |gradients|, entry by entry (mode exact)")
    dtype: Literal["float32", "bfloat16", "float16"] = Field("float32", description="Number format of rows of exact")
    rank: int = Field(32, ge=1, le=4096, description="Directions kept of each matrix in factored")
    dimension: int = Field(0, ge=0, le=10**7, description="Numbers of a sketch (default: four times the samples)")
    memory: float = Field(4.0, gt=0, le=4096, description="GiB that rows and matrices may take")
    minutes: float = Field(240.0, gt=0, le=10**6, description="Refuse work that would take longer")
    pairs: int = Field(200, ge=0, le=210, description="Pairs that are checked exactly afterwards")
    seed: int = Field(0, ge=0, description="Seed of random directions and of the pairs to check")
    dry_run: bool = Field(False, description="Say time, memory and disk, and do nothing")


class QuantaCluster(Command):
    """Cluster the samples by their similarity: seeded spectral clustering, one decomposition for a whole sweep."""

    dotted = "quanta.cluster"
    reads = ("quanta/similarity",)
    reuse = False  # its similarity is in the cache
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        **dict.fromkeys(("cohesion", "separation", "eigenvalues"), (1e-3, 1e-4)),
        **dict.fromkeys(("ari", "slope", "sampling", "interval"), (0.05, 0.05)),
    }

    n_clusters: int = Field(20, ge=2, le=10_000, description="How many clusters; the published page has 400 of 10,000")
    affinity: Literal["angular", "clipped", "squared"] = Field(
        "clipped", description="angular: as published, orthogonal is 1/2; clipped and squared keep the contrast"
    )
    sweep: tuple[int, ...] = Field((), description="Other numbers of clusters, for the rank-frequency envelope")
    first_rank: int = Field(0, ge=0, le=10**6, description="First rank of the slope (default: a tenth of the clusters)")
    last_rank: int = Field(0, ge=0, le=10**6, description="Last rank of the slope (default: as many as n_clusters)")
    seeds: int = Field(3, ge=0, le=20, description="Other seeds whose agreement is told")
    seed: int = Field(0, ge=0, description="Seed of k-means")


class QuantaSplit(Command):
    """Divide one cluster into smaller ones; `session undo` takes it back."""

    dotted = "quanta.split"
    reads = ("quanta/clusters",)
    reuse = False
    positional = ("cluster",)

    cluster: int = Field(ge=0, description="Number of the cluster")
    into: int = Field(2, ge=2, le=100, description="How many parts")
    seed: int = Field(0, ge=0, description="Seed of k-means")


class QuantaMerge(Command):
    """Put clusters together; `session undo` takes it back."""

    dotted = "quanta.merge"
    reads = ("quanta/clusters",)
    reuse = False
    positional = ("clusters",)

    clusters: tuple[int, ...] = Field((), description="Numbers of the clusters, two or more")


class QuantaLabel(Command):
    """Name a cluster and say what it is about."""

    dotted = "quanta.label"
    place = "broker"
    reads = ("quanta/clusters",)
    reuse = False
    positional = ("cluster", "text")

    cluster: int = Field(ge=0, description="Number of the cluster")
    text: str = Field(max_length=200, description="The label; empty takes it away")
    note: str = Field("", max_length=20_000, description="What else there is to say (default: the note stays)")


class QuantaStimuli(Command):
    """Make the contexts of clusters a stimulus set, for `features contrast` and `features probe`."""

    dotted = "quanta.stimuli"
    reads = ("quanta/clusters", "stimuli")
    reuse = False
    positional = ("name",)

    name: str = Field(description="Name of the new stimulus set")
    cluster: int = Field(ge=0, description="Number of the cluster that is the positive category")
    against: int | None = Field(None, ge=0, description="Number of the other cluster (default: samples of all others)")
    before: int = Field(40, ge=1, le=10_000, description="Tokens of each context to keep")
    answer: bool = Field(False, description="Keep the answer token too: its identity is then what is easiest to find")
    most: int = Field(200, ge=2, le=5000, description="Sentences of each category, at most")
    seed: int = Field(0, ge=0, description="Seed of the draw where there are more")


class QuantaList(Query):
    """List the clusters of predictions."""

    dotted = "quanta.list"

    sort: Sort = Field("size", description="Order: size, cohesion, separation, entropy of the answers, or number")
    offset: int = Field(0, ge=0, description="First cluster to show")
    limit: int = Field(100, ge=1, le=500, description="How many clusters to show")
    filter: str = Field("", description="Only clusters whose label or answers contain this")


class QuantaShow(Query):
    """Show one cluster: its samples in context, answers, similarities inside it, nearest clusters."""

    dotted = "quanta.show"
    positional = ("cluster",)

    cluster: int = Field(ge=0, description="Number of the cluster")
    before: int = Field(60, ge=0, le=5000, description="Tokens before the answer")
    after: int = Field(8, ge=0, le=5000, description="Tokens after the answer")
    offset: int = Field(0, ge=0, description="First sample to show")
    limit: int = Field(20, ge=1, le=200, description="How many samples to show")


class QuantaExport(Query):
    """Write all clusters to one file: an offline page, JSON lines, or spans for `features probe`."""

    dotted = "quanta.export"
    positional = ("out",)

    out: OutputFile = Field(description="File to write")
    format: Literal["html", "jsonl", "spans"] = Field(
        "html", description="spans: documents with the answers of --cluster marked, for `features probe --spans`"
    )
    cluster: int | None = Field(None, ge=0, description="Only this cluster (needed for spans)")
    before: int = Field(300, ge=0, le=100_000, description="Tokens before the answer")
    after: int = Field(0, ge=0, le=100_000, description="Tokens after the answer")
    samples: int = Field(-1, ge=-1, le=100_000, description="Samples of each cluster, at most (-1: all)")
