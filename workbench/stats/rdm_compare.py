"""Comparing RDMs that are at hand: models with one another, and several models on one set of units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.rdm import checked_rdm, double_centred, pair_ranks, pair_vector, square, squared_distances
from workbench.stats.rsa_models import COMPARISONS, Comparison

Floats = NDArray[np.float64]
WHITENED = ("cosine_cov", "corr_cov")
"""Comparisons that need whole matrices of different stimuli."""


def compare_rdms(first: ArrayLike, second: ArrayLike, comparison: Comparison = "corr") -> float:
    """Compare two RDMs.

    Args:
        first: (pairs,) or (stimuli, stimuli).
        second: the same.
        comparison: as in `rsa_map`; values within 1e-10 of an RDM's range are ties.

    Returns:
        The comparison, between -1 and 1; NaN where one of them does not vary.

    Raises:
        ValueError: shapes that do not fit, values that are not finite, an unknown comparison.
    """
    if comparison not in COMPARISONS:
        raise ValueError(f"unknown comparison {comparison!r}; choose one of {', '.join(COMPARISONS)}")
    a, b = _pairs(first, "first"), _pairs(second, "second")
    if a.shape != b.shape:
        raise ValueError(f"the RDMs have {a.size} and {b.size} pairs")
    return _score(a, b, comparison)


@dataclass(frozen=True)
class ModelComparison:
    """How several models describe one set of units.

    Attributes:
        scores: (models,).
        low: (models,) lower end of the bootstrap interval.
        high: (models,) upper end.
        difference: (models, models) score of the row's model less that of the column's.
        p: (models, models) two-sided bootstrap p of that difference; 1 on the diagonal.
    """

    scores: Floats
    low: Floats
    high: Floats
    difference: Floats
    p: Floats


def compare_models(
    x: ArrayLike,
    models: Sequence[ArrayLike],
    *,
    comparison: Comparison = "corr",
    bootstraps: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> ModelComparison:
    """Which of several model RDMs describes a set of units best, and is the difference more than the choice of stimuli?

    Stimuli are drawn with replacement; pairs of a stimulus with itself are left out, because their distance of zero
    says nothing (Schütt et al. 2023, eLife 12, e82566). Whitened comparisons need whole matrices, in which no stimulus
    stands twice: for them each draw is half of the stimuli, whose scores vary as those of all would over other stimuli
    (Politis & Romano 1994, Ann. Stat. 22, 2031; the different stimuli of a bootstrap, 63 %, vary too little). A
    permutation test cannot answer this: it would ask whether *neither* model says anything.

    Args:
        x: (stimuli, channels) of one feature (one channel) or set.
        models: RDMs (stimuli, stimuli).
        comparison: as in `rsa_map`.
        bootstraps: how many draws of the stimuli.
        level: of the intervals.
        seed: of the draws.

    Returns:
        A `ModelComparison`. p is 2 min(share of draws with a difference <= 0, >= 0), at least 2 / (draws + 1).

    Raises:
        ValueError: activations that are not a finite matrix, models as in `rsa_map`, fewer than one bootstrap.
    """
    acts = np.asarray(x, dtype=np.float64)
    if acts.ndim != 2 or not np.isfinite(acts).all():
        raise ValueError(f"x must be a finite (stimuli, channels) matrix, got shape {acts.shape}")
    if bootstraps < 1:
        raise ValueError(f"bootstraps must be at least 1, got {bootstraps}")
    known = [checked_rdm(model, acts.shape[0], f"models[{place}]") for place, model in enumerate(models)]
    rdm = square(squared_distances(acts[:, None, :])[0])  # (stimuli, 1 set, channels) -> (1, pairs)
    scores = np.array([_score(pair_vector(rdm), pair_vector(model), comparison) for model in known])
    rng = np.random.default_rng(seed)
    drawn = np.array([_drawn(rdm, known, comparison, rng) for _ in range(bootstraps)])  # (draws, models)
    drawn = drawn[np.isfinite(drawn).all(axis=1)]  # a draw of too few different stimuli has no score
    if (
        comparison in WHITENED and drawn.size
    ):  # few stimuli score otherwise than many; their spread is what is asked for
        drawn += scores - drawn.mean(axis=0)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail], axis=0) if drawn.size else np.full((2, len(known)), np.nan)
    apart = drawn[:, :, None] - drawn[:, None, :]  # (draws, models, models)
    fewer = np.minimum((apart <= 0).sum(axis=0), (apart >= 0).sum(axis=0))
    p = np.minimum(2 * (fewer + 1) / (drawn.shape[0] + 1), 1.0)
    return ModelComparison(scores, low, high, scores[:, None] - scores, p)


def _drawn(rdm: Floats, models: list[Floats], comparison: Comparison, rng: np.random.Generator) -> list[float]:
    if comparison in WHITENED:
        kept = np.sort(rng.permutation(rdm.shape[0])[: rdm.shape[0] // 2])
        return [
            _score(pair_vector(rdm[np.ix_(kept, kept)]), pair_vector(m[np.ix_(kept, kept)]), comparison) for m in models
        ]
    chosen = np.sort(rng.integers(0, rdm.shape[0], rdm.shape[0]))
    rows, columns = np.triu_indices(chosen.size, 1)
    rows, columns = chosen[rows], chosen[columns]
    apart = rows != columns
    rows, columns = rows[apart], columns[apart]
    return [_score(rdm[rows, columns], model[rows, columns], comparison) for model in models]


def _score(a: Floats, b: Floats, comparison: Comparison) -> float:
    if comparison == "tau-a":
        return _tau_a(_ranks(a), _ranks(b))
    if comparison in ("spearman", "rho-a"):
        a, b = (_ranks(v) - (v.size + 1) / 2 for v in (a, b))
        if comparison == "rho-a":
            return float(12 * (a @ b) / (a.size**3 - a.size)) if a.any() and b.any() else float("nan")
    elif comparison in ("corr", "corr_cov"):
        a, b = a - a.mean(), b - b.mean()
    if comparison in WHITENED:
        a, b = (double_centred(square(v)).ravel() for v in (a, b))
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.clip((a @ b) / length, -1, 1)) if length > 0 else float("nan")


def _ranks(pairs: Floats) -> Floats:
    return np.asarray(pair_ranks((pairs - pairs.min())[None])[0], dtype=np.float64)


def _tau_a(a: Floats, b: Floats) -> float:
    """Concordant less discordant pairs of pairs, over all of them, a thousand rows at a time."""
    if not np.ptp(a) or not np.ptp(b):
        return float("nan")
    total = 0.0
    for start in range(0, a.size, 1000):
        part = slice(start, start + 1000)
        total += float((np.sign(a[part, None] - a) * np.sign(b[part, None] - b)).sum())
    return total / (a.size * (a.size - 1))


def _pairs(rdm: ArrayLike, name: str) -> Floats:
    found = np.asarray(rdm, dtype=np.float64)
    if found.ndim == 2:
        return pair_vector(checked_rdm(found, found.shape[0], name))
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError(f"{name} must be finite pairs or a square matrix, got shape {found.shape}")
    return found
