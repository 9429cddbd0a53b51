"""Statistics on activations: contrasts, decoding, sparse probing, permutation inference. Pure functions on arrays."""

from workbench.stats.adaptive import adaptive_subsets, sparsity_grid
from workbench.stats.contrast import ContrastMap, FeatureNull, contrast_map, feature_null, null_discoveries
from workbench.stats.decode import Decoding, decode
from workbench.stats.delong import auc_interval, compare_auc
from workbench.stats.exact_subset import ExactSubset, exact_subset
from workbench.stats.folds import stratified_folds
from workbench.stats.label_tests import LabelTests, label_tests
from workbench.stats.metrics import Metric, binary_metrics
from workbench.stats.multiplicity import bh, by
from workbench.stats.paired import Paired, compare_decoders, holm
from workbench.stats.rank_units import rank_units, scored_units
from workbench.stats.scalar_rsa import pair_scores

__all__ = [
    "ContrastMap",
    "Decoding",
    "ExactSubset",
    "FeatureNull",
    "LabelTests",
    "Metric",
    "Paired",
    "adaptive_subsets",
    "auc_interval",
    "bh",
    "binary_metrics",
    "by",
    "compare_auc",
    "compare_decoders",
    "contrast_map",
    "decode",
    "exact_subset",
    "feature_null",
    "holm",
    "label_tests",
    "null_discoveries",
    "pair_scores",
    "rank_units",
    "scored_units",
    "sparsity_grid",
    "stratified_folds",
]
