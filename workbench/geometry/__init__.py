"""Geometry of decoder directions. Pure functions on arrays."""

from workbench.geometry.clusters import cosine_graph_clusters, cosine_graph_sweep

__all__ = ["cosine_graph_clusters", "cosine_graph_sweep"]
