"""Geometry of features: clusters, irreducibility, circles, regressions and energy. Pure functions on arrays."""

from workbench.geometry.affinities import (
    activation_affinity,
    affinity,
    angular_affinity,
    clipped_affinity,
    coactivation_affinity,
    nearest_neighbour_affinity,
)
from workbench.geometry.circle_probe import CircleProbe, circle_points
from workbench.geometry.closed_forms import (
    cross_polytope_energy,
    cross_polytope_vectors,
    identity_to_simplex,
    orthonormal_energy,
    polygon_energy,
    polygon_vectors,
    simplex_energy,
    simplex_vectors,
    welch_bound,
)
from workbench.geometry.clusters import cosine_graph_clusters, cosine_graph_sweep, similarity_graph_sweep
from workbench.geometry.consensus import (
    Consensus,
    Replicated,
    consensus_clusters,
    consensus_range,
    number_curve,
    recurrence,
    replicated_clusters,
    steadiest_number,
)
from workbench.geometry.gram_fits import GramFit, PerturbationCurve, fit_gram, perturbation_curve
from workbench.geometry.gram_nulls import coordinate_shuffle_grams, label_shuffle_grams, probe_directions
from workbench.geometry.irreducibility import (
    IndexNull,
    Irreducibility,
    index_null,
    irreducibility,
    irreducibility_score,
    rank_by_irreducibility,
)
from workbench.geometry.jackknife import GroupedInterval, grouped_interval
from workbench.geometry.matching import GramMatch, match_gram
from workbench.geometry.mixture import MixtureIndex, mixture_index
from workbench.geometry.optimum import Optimum, minimum_energy, settled
from workbench.geometry.pair_energy import energy, energy_gradient, softmax_weights
from workbench.geometry.principal_planes import PrincipalPlanes, principal_planes, reconstruction_planes
from workbench.geometry.regression import Explanation, Suggestion, explain_by_regression, suggest_groups
from workbench.geometry.regressors import circles, constant, one_hot, parity
from workbench.geometry.residual_map import ResidualMap, residual_map
from workbench.geometry.separability import separability_index
from workbench.geometry.similarity import cosine_gram, mean_cosine, rbf_gram
from workbench.geometry.spectral import SpectralEmbedding, spectral_clusters, spectral_embedding
from workbench.geometry.stability import (
    Stability,
    adjusted_rand_index,
    best_jaccard,
    graph_stability,
    neighbouring_settings,
    partition,
    spectral_stability,
    sweep_stability,
)
from workbench.geometry.word_rings import RingTest, ring_kurtosis, ring_test, word_means

__all__ = [
    "CircleProbe",
    "Consensus",
    "Explanation",
    "GramFit",
    "GramMatch",
    "GroupedInterval",
    "IndexNull",
    "Irreducibility",
    "MixtureIndex",
    "Optimum",
    "PerturbationCurve",
    "PrincipalPlanes",
    "Replicated",
    "ResidualMap",
    "RingTest",
    "SpectralEmbedding",
    "Stability",
    "Suggestion",
    "activation_affinity",
    "adjusted_rand_index",
    "affinity",
    "angular_affinity",
    "best_jaccard",
    "circle_points",
    "circles",
    "clipped_affinity",
    "coactivation_affinity",
    "consensus_clusters",
    "consensus_range",
    "constant",
    "coordinate_shuffle_grams",
    "cosine_gram",
    "cosine_graph_clusters",
    "cosine_graph_sweep",
    "cross_polytope_energy",
    "cross_polytope_vectors",
    "energy",
    "energy_gradient",
    "explain_by_regression",
    "fit_gram",
    "graph_stability",
    "grouped_interval",
    "identity_to_simplex",
    "index_null",
    "irreducibility",
    "irreducibility_score",
    "label_shuffle_grams",
    "match_gram",
    "mean_cosine",
    "minimum_energy",
    "mixture_index",
    "nearest_neighbour_affinity",
    "neighbouring_settings",
    "number_curve",
    "one_hot",
    "orthonormal_energy",
    "parity",
    "partition",
    "perturbation_curve",
    "polygon_energy",
    "polygon_vectors",
    "principal_planes",
    "probe_directions",
    "rank_by_irreducibility",
    "rbf_gram",
    "reconstruction_planes",
    "recurrence",
    "replicated_clusters",
    "residual_map",
    "ring_kurtosis",
    "ring_test",
    "separability_index",
    "settled",
    "similarity_graph_sweep",
    "simplex_energy",
    "simplex_vectors",
    "softmax_weights",
    "spectral_clusters",
    "spectral_embedding",
    "spectral_stability",
    "steadiest_number",
    "suggest_groups",
    "sweep_stability",
    "welch_bound",
    "word_means",
]
