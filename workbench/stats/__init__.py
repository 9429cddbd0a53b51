"""Statistics on activations: contrast maps, permutation inference, multiplicity. Pure functions on arrays."""

from workbench.stats.contrast import ContrastMap, FeatureNull, contrast_map, feature_null, null_discoveries
from workbench.stats.multiplicity import bh, by

__all__ = ["ContrastMap", "FeatureNull", "bh", "by", "contrast_map", "feature_null", "null_discoveries"]
