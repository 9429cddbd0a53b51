"""Quanta: clusters of predictions by what the model uses to make them; pure functions on arrays and torch models.

Method: Michaud, Liu, Girit & Tegmark (2023), "The Quantization Model of Neural Scaling", section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.quanta.cohesion import Cohesion, answer_entropy, cluster_cohesion, purity, size_ranks
from workbench.quanta.envelope import EnvelopeSlope, envelope_slope, rank_envelope
from workbench.quanta.filters import present_bigram, present_trigram
from workbench.quanta.indexing import TokenIndex
from workbench.quanta.selection import NATS_PER_BIT, select_predictions
from workbench.quanta.similarity import angular_similarity

if TYPE_CHECKING:
    from workbench.quanta.gradients import GradientSimilarity, gradient_similarity

__all__ = [
    "NATS_PER_BIT",
    "Cohesion",
    "EnvelopeSlope",
    "GradientSimilarity",
    "TokenIndex",
    "angular_similarity",
    "answer_entropy",
    "cluster_cohesion",
    "envelope_slope",
    "gradient_similarity",
    "present_bigram",
    "present_trigram",
    "purity",
    "rank_envelope",
    "select_predictions",
    "size_ranks",
]


def __getattr__(name: str) -> Any:
    """Import what needs torch only when it is asked for."""
    if name in ("GradientSimilarity", "gradient_similarity"):
        from workbench.quanta import gradients

        return getattr(gradients, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
