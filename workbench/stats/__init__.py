"""Statistics on activations: contrasts, RSA, decoding, probing, permutation inference. Pure functions on arrays."""

from workbench.stats.adaptive import adaptive_subsets, sparsity_grid
from workbench.stats.category_rsa import categorical_rsa, discriminative_rsa
from workbench.stats.contrast import ContrastMap, contrast_map, null_discoveries
from workbench.stats.crossnobis import crossnobis
from workbench.stats.decode import Decoding, decode
from workbench.stats.delong import auc_interval, compare_auc
from workbench.stats.effect_interval import effect_interval
from workbench.stats.exact_subset import ExactSubset, exact_subset
from workbench.stats.feature_null import FeatureNull, feature_null
from workbench.stats.folds import stratified_folds
from workbench.stats.label_tests import LabelTests, label_tests
from workbench.stats.metrics import Metric, binary_metrics
from workbench.stats.model_rdms import (
    FactorialRdms,
    categorical_rdm,
    consistency_rdm,
    cyclic_rdm,
    discriminative_rdm,
    factorial_rdms,
    graded_rdm,
    length_rdm,
    overlap_rdm,
)
from workbench.stats.multiplicity import bh, by
from workbench.stats.noise_ceiling import NoiseCeiling, noise_ceiling
from workbench.stats.paired import Paired, compare_decoders, holm
from workbench.stats.rank_units import rank_units, scored_units
from workbench.stats.rdm_compare import ModelComparison, compare_models, compare_rdms
from workbench.stats.rsa import RsaMap, rsa_draws, rsa_map, rsa_null_discoveries
from workbench.stats.scalar_rsa import pair_scores

__all__ = [
    "ContrastMap",
    "Decoding",
    "ExactSubset",
    "FactorialRdms",
    "FeatureNull",
    "LabelTests",
    "Metric",
    "ModelComparison",
    "NoiseCeiling",
    "Paired",
    "RsaMap",
    "adaptive_subsets",
    "auc_interval",
    "bh",
    "binary_metrics",
    "by",
    "categorical_rdm",
    "categorical_rsa",
    "compare_auc",
    "compare_decoders",
    "compare_models",
    "compare_rdms",
    "consistency_rdm",
    "contrast_map",
    "crossnobis",
    "cyclic_rdm",
    "decode",
    "discriminative_rdm",
    "discriminative_rsa",
    "effect_interval",
    "exact_subset",
    "factorial_rdms",
    "feature_null",
    "graded_rdm",
    "holm",
    "label_tests",
    "length_rdm",
    "noise_ceiling",
    "null_discoveries",
    "overlap_rdm",
    "pair_scores",
    "rank_units",
    "rsa_draws",
    "rsa_map",
    "rsa_null_discoveries",
    "scored_units",
    "sparsity_grid",
    "stratified_folds",
]
