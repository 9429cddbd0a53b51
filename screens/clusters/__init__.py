"""Clusters: lists of them, the cosines inside one, its principal planes."""
