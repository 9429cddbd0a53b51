"""Verbs about clusters of features."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from workbench.verbs import Command, InputFile, OutputFile, Query

MADE_BY = ("clusters.find", "clusters.import")
"""Commands whose result is a set of clusters; the latest of them is in force."""


class ClustersFind(Command):
    """Group features whose decoder directions point the same way, or that fire on the same tokens.

    graph: components of the graph in which each feature proposes its k nearest, edges above tau; by decoder cosine.
    spectral: k-means on the leading eigenvectors of --affinity; one decomposition serves every --n-clusters.
    coactivation: by the Jaccard overlap of where features fire in the index. both: the larger of that and the cosine.
    These two are a graph too, and spectral where --n-clusters is given.
    activation: by the cosine of activations over tokens, with no threshold and no number to give: runs of k-means on
    halves of the documents vote, and the number of clusters is the one on which disjoint halves agree best (--consensus
    does the same for coactivation and both).
    """

    dotted = "clusters.find"
    reads = ("model", "sae", "index")

    k: int = Field(2, ge=1, le=50, description="Neighbours that each feature proposes, for a graph")
    tau: float = Field(0.5, ge=-1, le=1, description="Only edges with a similarity above this, for a graph")
    method: Literal["graph", "spectral", "coactivation", "both", "activation"] = Field(
        "graph", description="How features are joined"
    )
    affinity: Literal["angular", "positive", "squared", "knn"] = Field(
        "knn",
        description="For `spectral`: 1 - arccos(cos)/pi, max(cos, 0), cos^2, or max(cos, 0) of near ones",
    )
    neighbours: int = Field(10, ge=1, le=200, description="Neighbours of each feature in the affinity `knn`")
    n_clusters: tuple[int, ...] = Field(
        (), description="Numbers of clusters to try; the first is kept (default of spectral: one for 25 features)"
    )
    above: float = Field(
        0.0, ge=0, lt=1, description="A feature fires above this share of its largest activation, for coactivation"
    )
    consensus: int = Field(
        0,
        ge=0,
        le=1000,
        description="Runs that vote on the clusters and their number (activation: 100; others: no vote)",
    )
    seed: int = Field(0, ge=0, description="Seed of k-means and of the sample of tokens")


class ClustersImport(Command):
    """Take over published clusters: the GPT-2 and Mistral files, or any pickle of lists of feature numbers.

    Nothing in the file is executed. Clusters of one feature are left out and the rest count from 0, as in the paper.
    Days, months and years of the paper are known by name; their decoder cosines are checked where that SAE is loaded.
    """

    dotted = "clusters.import"
    reads = ("model", "sae")
    positional = ("file",)

    file: InputFile = Field(description="Pickle of a dict or list of lists of feature numbers")


class ClustersRank(Command):
    """Rank all clusters by how irreducible their principal planes are: the mean of (1 - M) S.

    S is the separability index in bits, M the mixture index; the best plane of the first clusters stands beside its
    null and intervals over documents and words. Beside it, the ring test: whether the mean points of different words
    leave the middle of a plane empty, against as many words spread evenly; --by ring ranks by it.
    """

    dotted = "clusters.rank"
    reads = ("model", "sae", "index", "clusters")
    heavy = True

    points: int = Field(2000, ge=100, le=50_000, description="Tokens of each cluster, a uniform sample")
    threshold: float = Field(0.0, ge=0, description="A token counts where some member is strictly above this")
    components: int = Field(5, ge=2, le=10, description="Principal components: planes 1-2, 2-3, up to the last")
    bins: int = Field(10, ge=2, le=100, description="Parts of each coordinate's range, for S")
    eps: float = Field(0.1, gt=0, lt=1, description="Half the width of the mixture index's band, in its own units")
    by: Literal["score", "ring"] = Field("score", description="Order: (1 - M) S, or the ring test of words")
    least: int = Field(5, ge=1, le=1000, description="A word counts in the ring test with this many points or more")
    null: Literal["permutation", "gaussian", "words"] = Field(
        "permutation",
        description="One coordinate shuffled against the other, Gaussians of the same covariance, or words elsewhere",
    )
    draws: int = Field(20, ge=1, le=1000, description="Clouds of each null distribution")
    tested: int = Field(10, ge=0, le=1000, description="Clusters from the top whose best plane gets its nulls")
    seed: int = Field(0, ge=0, description="Seed of the samples and nulls")


class ClustersDemo(Command):
    """Show what the two indices of irreducibility say about clouds of points whose answer is known."""

    dotted = "clusters.demo"

    points: int = Field(1000, ge=100, le=20_000, description="Points of each cloud")
    bins: int = Field(10, ge=2, le=100, description="Parts of each coordinate's range, for the separability index")
    eps: float = Field(0.1, gt=0, lt=1, description="Half the width of the mixture index's band, in its own units")
    draws: int = Field(20, ge=1, le=1000, description="Clouds of each null distribution")
    seed: int = Field(0, ge=0, description="Seed of the clouds and their nulls")


class ClustersList(Query):
    """List the latest clusters, largest first."""

    dotted = "clusters.list"
    reads = ("sae",)

    offset: int = Field(0, ge=0, description="First cluster to show")
    limit: int = Field(100, ge=1, le=500, description="How many clusters to show")
    sort: Literal["size", "cosine", "irreducibility", "ring", "label"] = Field(
        "size", description="Order: largest, nearest, most irreducible or ringlike (after `clusters rank`) or by label"
    )
    filter: str = Field(
        "", description="Only clusters whose name or labels, or those of members, contain this; or with this number"
    )


class ClustersShow(Query):
    """Show one cluster: its features, their labels and cosines."""

    dotted = "clusters.show"
    reads = ("sae",)
    positional = ("cluster",)

    cluster: int = Field(ge=0, description="Number of the cluster in the list")


class _Reconstruction(Query):
    """Fields of the verbs that look at what a cluster writes."""

    reads = ("sae", "index")
    positional = ("cluster",)

    cluster: int = Field(ge=0, description="Number of the cluster in the list")
    points: int = Field(800, ge=1, le=1000, description="Tokens at most, a uniform sample of those where it is active")
    threshold: float = Field(0.0, ge=0, description="A token counts where some member is strictly above this")
    components: int = Field(5, ge=2, le=10, description="Principal components: planes 1-2, 2-3, up to the last")
    bins: int = Field(10, ge=2, le=100, description="Parts of each coordinate's range, for the separability index")
    eps: float = Field(0.1, gt=0, lt=1, description="Half the width of the mixture index's band, in its own units")
    ring: tuple[str, ...] = Field((), description="Tokens in the order of their circle: R2 of a ring by their means")
    seed: int = Field(0, ge=0, description="Seed of the sample")

    def sample(self) -> dict[str, Any]:
        """What decides which tokens are looked at."""
        return {"threshold": self.threshold, "points": self.points, "seed": self.seed}


class ClustersPlanes(_Reconstruction):
    """Reconstruct one cluster on the corpus and show its principal planes, points and indices."""

    dotted = "clusters.planes"


class ClustersPoint(Query):
    """Show one point of a cluster's planes: its context, and every member's activation there."""

    dotted = "clusters.point"
    reads = ("sae", "index")
    positional = ("cluster", "at")

    cluster: int = Field(ge=0, description="Number of the cluster in the list")
    at: int = Field(ge=0, description="The token's place in the corpus, as `clusters planes` gives it")


class ClustersExport(_Reconstruction):
    """Write a cluster's planes as one offline HTML file to explore, or as an SVG figure of its planes."""

    dotted = "clusters.export"

    colour: Literal["current", "next"] = Field("current", description="Points are marked by this token")
    out: OutputFile = Field("", description="File to write, .html or .svg (default: cluster-N.html here)")
