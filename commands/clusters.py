"""Verbs about clusters of features."""

from __future__ import annotations

from pydantic import Field

from workbench.verbs import Command, Query


class ClustersFind(Command):
    """Group features whose decoder directions point the same way (cosine graph components)."""

    dotted = "clusters.find"
    reads = ("model", "sae")

    k: int = Field(2, ge=1, le=50, description="Neighbours that each feature proposes")
    tau: float = Field(0.5, ge=-1, le=1, description="Only edges with a cosine above this")


class ClustersDemo(Command):
    """Show what the two indices of irreducibility say about clouds of points whose answer is known."""

    dotted = "clusters.demo"

    points: int = Field(1000, ge=100, le=20_000, description="Points of each cloud")
    bins: int = Field(10, ge=2, le=100, description="Parts of each coordinate's range, for the separability index")
    eps: float = Field(0.1, gt=0, lt=1, description="Half the width of the mixture index's band, in its own units")
    draws: int = Field(20, ge=1, le=1000, description="Clouds of each null distribution")
    seed: int = Field(0, ge=0, description="Seed of the clouds and their nulls")


class ClustersList(Query):
    """List the clusters found, largest first."""

    dotted = "clusters.list"
    reads = ("sae",)

    offset: int = Field(0, ge=0, description="First cluster to show")
    limit: int = Field(100, ge=1, le=500, description="How many clusters to show")


class ClustersShow(Query):
    """Show one cluster: its features, their labels and cosines."""

    dotted = "clusters.show"
    reads = ("sae",)
    positional = ("cluster",)

    cluster: int = Field(ge=0, description="Number of the cluster in the list")
