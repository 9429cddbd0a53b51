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
