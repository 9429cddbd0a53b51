"""A model RDM made ready: the weights of pairs that turn a feature's distances, or their ranks, into a score."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.stats.rdm import double_centred, pair_ranks, pair_vector, square

Floats = NDArray[np.float64]
Comparison = Literal["corr", "cosine", "spearman", "rho-a", "tau-a", "cosine_cov", "corr_cov"]
COMPARISONS: tuple[Comparison, ...] = get_args(Comparison)
RANKED = ("spearman", "rho-a", "tau-a")
PARTIAL = ("corr", "cosine", "spearman")
"""Comparisons that can leave nuisance RDMs out."""

# A residual whose length is a smaller share than this is what rounding leaves of nothing.
NOTHING = 1e-7


@dataclass(frozen=True)
class PreparedModel:
    """Weights w of pairs, so that a feature's score is sum w t / norm, t being its distances or their ranks.

    Attributes:
        comparison: as asked.
        weights: (stimuli, stimuli) symmetric. Permuting the model's stimuli permutes rows and columns. The diagonal
            plays no part; it is the one that leaves the centred matrix fewest eigenvalues.
        basis: (k, pairs) orthonormal vectors that span the nuisance RDMs, treated like the model; k = 0 without.
        levels: (stimuli, stimuli) integer levels of the model where tau-a has to count, else None.
    """

    comparison: Comparison
    weights: Floats
    basis: Floats
    levels: NDArray[np.int32] | None = None

    @property
    def stimuli(self) -> int:
        """How many stimuli the model is about."""
        return int(self.weights.shape[0])

    @property
    def vector(self) -> Floats:
        """(pairs,) the weights as a vector."""
        return pair_vector(self.weights)

    @property
    def left(self) -> float:
        """Length of what the nuisances leave of the weights."""
        w = self.vector
        return float(np.linalg.norm(w - self.basis.T @ (self.basis @ w)))


def prepare(model: Floats, nuisance: tuple[Floats, ...], comparison: Comparison) -> PreparedModel | None:
    """Make a model ready for one comparison.

    Args:
        model: (stimuli, stimuli), checked.
        nuisance: matrices like it, to be left out of model and feature both.
        comparison: one of `COMPARISONS`.

    Returns:
        The weights, or None where the model does not vary (or is nothing but nuisance), so that there is no score.
    """
    m = pair_vector(model)
    scale = float(np.abs(m).max(initial=0.0))
    flat = m.size < 1 or scale == 0 or (comparison != "cosine" and float(np.ptp(m)) <= 1e-10 * scale)
    if flat:
        return None
    basis = _basis([_treated(pair_vector(z), comparison) for z in nuisance], m.size)
    if comparison in ("cosine_cov", "corr_cov"):
        return PreparedModel(comparison, _whitened(model / scale, comparison), basis)
    if comparison == "tau-a":
        return _counting(m, basis)
    w = _treated(m, comparison)
    length = float(np.linalg.norm(w))
    if length == 0 or np.linalg.norm(w - basis.T @ (basis @ w)) <= NOTHING * length:
        return None
    if comparison == "rho-a":
        return PreparedModel(comparison, square(w * (12 / (m.size**3 - m.size))), basis)
    if comparison == "spearman":
        return PreparedModel(comparison, square(w / length), basis)
    shift = 0.0 if comparison == "cosine" else float(m.mean() / scale)
    return PreparedModel(comparison, (model / scale - shift) / length, basis)


def _treated(pairs: Floats, comparison: Comparison) -> Floats:
    """Ranked and centred, as the comparison has it; (pairs,) both ways."""
    if comparison in RANKED:
        return np.asarray(pair_ranks((pairs - pairs.min())[None])[0] - (pairs.size + 1) / 2, dtype=np.float64)
    scaled = pairs / max(float(np.abs(pairs).max()), np.finfo(float).tiny)
    return np.asarray(scaled if comparison == "cosine" else scaled - scaled.mean(), dtype=np.float64)


def _basis(vectors: list[Floats], pairs: int) -> Floats:
    """(k, pairs) an orthonormal basis of the span; vectors that do not vary or depend on others add nothing."""
    if not vectors:
        return np.zeros((0, pairs))
    lengths = [float(np.linalg.norm(vector)) for vector in vectors]
    units = np.array([v / length for v, length in zip(vectors, lengths, strict=True) if length > 0])
    if not units.size:
        return np.zeros((0, pairs))
    _, sizes, directions = np.linalg.svd(units, full_matrices=False)
    return np.asarray(directions[sizes > NOTHING], dtype=np.float64)


def _whitened(model: Floats, comparison: Comparison) -> Floats:
    """Weights of the comparison whitened by the covariance that squared distances have under independent noise.

    That inner product is the one of the double-centred matrices (Diedrichsen et al. 2021, Neurons, Behavior, Data
    analysis, and Theory 5:3, section 3); <K, G> = -sum over pairs of K_ij d_ij, as the rows of K sum to zero.
    """
    kernel = double_centred(model)
    if comparison == "corr_cov":  # the kernel of m - mean(m): a constant RDM c has the kernel c J / 2
        stimuli = model.shape[0]
        mean = float(model.sum()) / (stimuli * (stimuli - 1))
        kernel = kernel - mean / 2 * (np.eye(stimuli) - 1 / stimuli)
    return np.asarray(-kernel / np.linalg.norm(kernel), dtype=np.float64)


def _counting(m: Floats, basis: Floats) -> PreparedModel:
    """Kendall's tau-a: with two levels it is linear in the ranks of the feature; with more, pairs of pairs count."""
    ranks = pair_ranks((m - m.min())[None])[0]
    values, levels = np.unique(ranks, return_inverse=True)
    high = levels / (values.size - 1)
    # over pairs p of the upper level, sum of sign(d_p - d_q) over the q of the lower = 2 sum (rank_p - mean rank)
    weights = square((high - high.mean()) * (4 / (m.size * (m.size - 1))))
    if values.size == 2:
        return PreparedModel("tau-a", weights, basis)
    return PreparedModel("tau-a", weights, basis, square(levels.astype(np.float64)).astype(np.int32))
