"""Statistics on activations: contrast maps, permutation inference, multiplicity. Pure functions on arrays."""

from workbench.stats.contrast import ContrastMap, contrast_map, null_discoveries
from workbench.stats.multiplicity import bh, by

__all__ = ["ContrastMap", "bh", "by", "contrast_map", "null_discoveries"]
