"""Statistics on activations: contrast maps, RSA, permutation inference, multiplicity. Pure functions on arrays."""

from workbench.stats.category_rsa import categorical_rsa, discriminative_rsa
from workbench.stats.contrast import ContrastMap, FeatureNull, contrast_map, feature_null, null_discoveries
from workbench.stats.crossnobis import crossnobis
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
from workbench.stats.rdm_compare import ModelComparison, compare_models, compare_rdms
from workbench.stats.rsa import RsaMap, rsa_draws, rsa_map, rsa_null_discoveries

__all__ = [
    "ContrastMap",
    "FactorialRdms",
    "FeatureNull",
    "ModelComparison",
    "NoiseCeiling",
    "RsaMap",
    "bh",
    "by",
    "categorical_rdm",
    "categorical_rsa",
    "compare_models",
    "compare_rdms",
    "consistency_rdm",
    "contrast_map",
    "crossnobis",
    "cyclic_rdm",
    "discriminative_rdm",
    "discriminative_rsa",
    "factorial_rdms",
    "feature_null",
    "graded_rdm",
    "length_rdm",
    "noise_ceiling",
    "null_discoveries",
    "overlap_rdm",
    "rsa_draws",
    "rsa_map",
    "rsa_null_discoveries",
]
