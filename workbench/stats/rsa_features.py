"""Features made ready for RSA: scaled and centred blocks, and what their distances sum to without making them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.stats.rdm import square
from workbench.stats.rsa_models import Comparison, PreparedModel

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# Spreads below this, where a feature's largest |activation| is between 1/2 and 1, are rounding, not variance.
ROUNDING = 1e-12
# A squared length that is a smaller share than this is what rounding leaves of nothing.
NOTHING = 1e-13


@dataclass(frozen=True)
class Levelled:
    """A block of features without masked stimuli, each scaled by a power of two and centred on its mean.

    Attributes:
        values: (stimuli, features, channels).
        exponent: (features,) of the power of two that was taken out.
        constant: (features,) whether no channel varies beyond rounding.
    """

    values: Floats
    exponent: NDArray[np.signedinteger]
    constant: Bools


def level(x: Floats) -> Levelled:
    """Scale each feature so that its largest |value| is in [1/2, 1), without rounding, and centre its channels."""
    high, low = x.max(axis=0), x.min(axis=0)  # (features, channels)
    exponent = np.frexp(np.maximum(high, -low).max(axis=1))[1]
    scale = np.ldexp(1.0, -np.clip(exponent, -1000, 1000))[:, None]
    spread = (high - low) * scale
    scaled = x * scale
    mean = scaled.mean(axis=0)
    scaled -= mean
    if (np.abs(mean) > 100 * spread).any():  # a large common offset: its rounding is removed as well
        scaled -= scaled.mean(axis=0)
    return Levelled(scaled, np.clip(exponent, -1000, 1000), spread.max(axis=1) <= ROUNDING)


def weighted_distances(x: Floats, weights: Floats) -> Floats:
    """Sum over pairs of w_ij d_ij for squared Euclidean distances, as trace(X' L X) with the Laplacian L of w.

    Args:
        x: (stimuli, features, channels).
        weights: (stimuli, stimuli), symmetric.

    Returns:
        (features,).
    """
    laplacian = np.diag(weights.sum(axis=1)) - weights
    flat = x.reshape(x.shape[0], -1)  # (stimuli, features x channels)
    by_unit = np.einsum("ij,ij->j", laplacian @ flat, flat)
    return np.asarray(by_unit.reshape(x.shape[1:]).sum(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Sums:
    """Power sums of the squared distances of each feature; every array is (features,).

    Attributes:
        total: sum of d over pairs.
        squares: sum of d^2.
        gram: squared length of the second-moment matrix of the centred feature.
    """

    total: Floats
    squares: Floats
    gram: Floats

    def spread(self, pairs: int) -> Floats:
        """Sum of squares of d about its mean."""
        return np.maximum(self.squares - self.total**2 / pairs, 0.0)

    def concentration(self, pairs: int) -> Floats:
        """The share of pairs that carries the distances, (sum d)^2 / (pairs sum d^2); labels play no part in it."""
        return np.divide(self.total**2, pairs * self.squares, out=np.zeros_like(self.total), where=self.squares > 0)


def power_sums(x: Floats) -> Sums:
    """Sums over pairs of d and d^2 from sums over stimuli; x (stimuli, features, channels) is centred.

    With g_i = |x_i|^2 and G = X X': sum d = N sum g, sum d^2 = N sum g^2 + (sum g)^2 + 2 |G|^2.
    """
    stimuli = x.shape[0]
    single = x.shape[2] == 1
    g = np.square(x[:, :, 0]) if single else np.einsum("ijk,ijk->ij", x, x)  # (stimuli, features)
    total = g.sum(axis=0)
    gram = total**2 if single else _gram_length(x)
    return Sums(stimuli * total, stimuli * np.einsum("ij,ij->j", g, g) + total**2 + 2 * gram, gram)


def _gram_length(x: Floats) -> Floats:
    """(features,) squared Frobenius length of X X', from the smaller of X X' and X' X."""
    by_feature = np.moveaxis(x, 0, 1)  # (features, stimuli, channels)
    turned = np.swapaxes(by_feature, 1, 2)
    small = by_feature @ turned if x.shape[0] <= x.shape[2] else turned @ by_feature
    return np.asarray(np.square(small).sum(axis=(1, 2)), dtype=np.float64)


def lengths(x: Floats, sums: Sums, model: PreparedModel) -> tuple[Floats, Floats]:
    """The norm that divides a feature's weighted sum, and what its parts along the nuisances are.

    Args:
        x: (stimuli, features, channels), centred.
        sums: its power sums.
        model: a comparison of distances, not of ranks.

    Returns:
        (features,) norms, 0 where nothing is left to compare, and (k, features) parts along `model.basis`.
    """
    stimuli = x.shape[0]
    pairs = stimuli * (stimuli - 1) // 2
    whole = _squared_norm(sums, model.comparison, stimuli, pairs)
    parts = np.array([weighted_distances(x, square(row)) for row in model.basis])
    parts = parts.reshape(model.basis.shape[0], x.shape[1])
    left = whole - np.square(parts).sum(axis=0)
    return np.where(left > NOTHING * sums.squares, np.sqrt(np.maximum(left, 0.0)), 0.0), parts


def _squared_norm(sums: Sums, comparison: Comparison, stimuli: int, pairs: int) -> Floats:
    if comparison == "cosine":
        return sums.squares
    if comparison == "cosine_cov":
        return sums.gram
    if comparison == "corr_cov":
        mean = sums.total / pairs
        return np.maximum(sums.gram - mean**2 * (stimuli - 1) / 4, 0.0)
    return sums.spread(pairs)
