"""Scores of a block of features under many orders of the model's stimuli, by the cheapest exact product.

Three ways. A model whose centred weights have few eigenvalues (categories, circles, 2 x 2) needs one product of
orders x stimuli with stimuli x features for each of them. Any other model, and ranks, need one product of orders x
pairs with pairs x features. Kendall's tau-a with more than two levels is counted (see `rsa_counting`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.stats.rdm import pair_indices, pair_ranks, squared_distances
from workbench.stats.rsa_counting import Counting
from workbench.stats.rsa_models import RANKED, PreparedModel

Floats = NDArray[np.float64]
Reals = NDArray[np.floating]
Integers = NDArray[np.intp]

# Entries of the permuted weights that are kept from block to block; more are made anew for each.
KEPT = 32_000_000
# Multiplications from which single precision is used for the permuted scores.
LARGE = 4e9
TIE, TIE_SINGLE = 1e-9, 5e-6
"""Scores that differ by less are ties: rounding of double, and of single precision products of unit vectors."""


@dataclass(frozen=True)
class Block:
    """Features as `rsa_features` makes them ready.

    Attributes:
        values: (stimuli, features, channels), levelled and centred.
        norms: (features,) what divides a weighted sum of distances; ones for ranks.
        parts: (k, features) parts of the distances along the nuisances.
        ranks: (features, pairs) what `ranked_targets` makes of them where ranks are compared, else None.
    """

    values: Floats
    norms: Floats
    parts: Floats
    ranks: Floats | None = None


class Products(Protocol):
    """Gives (orders, features) scores of a block, and the size of what counts as a tie."""

    tie: float

    def scores(self, block: Block) -> Reals:
        """Scores under every order, the rows in the order they were given."""
        ...


def products(model: PreparedModel, orders: Integers, features: int, channels: int) -> Products:
    """The cheapest way for that many features.

    Args:
        model: made ready.
        orders: (rows, stimuli) permutations of the stimuli.
        features: how many there are in all.
        channels: of each.
    """
    if model.levels is not None:
        return Counted(Counting(model.levels, orders))
    if model.comparison not in RANKED:
        values, vectors = _eigen(model.weights)
        if values.size * channels * 8 <= model.stimuli:
            return FewEigenvalues(model, orders, values, vectors)
    single = channels == 1 and orders.shape[0] * features * model.stimuli**2 / 2 >= LARGE
    return AllPairs(model, orders, np.dtype(np.float32 if single else np.float64))


def _eigen(weights: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues that are not rounding, and their vectors, of the weights centred on both sides."""
    centred = weights - weights.mean(axis=0)
    centred = centred - centred.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh((centred + centred.T) / 2)
    kept = np.abs(values) > 1e-13 * np.abs(values).max(initial=1e-300)
    return values[kept], vectors[:, kept]


class FewEigenvalues:
    """For centred x, sum over pairs of w d = sum of r_i |x_i|^2 - sum over k of lambda_k (u_k . x)^2.

    r are the row sums of the weights, lambda and u belong to the weights centred on both sides.
    """

    def __init__(self, model: PreparedModel, orders: Integers, values: Floats, vectors: Floats) -> None:
        self.tie = TIE
        self._values, self._vectors, self._orders = values, vectors, orders
        self._rows = model.weights.sum(axis=1)
        self._along, self._left = _nuisance_parts(model, orders)

    def scores(self, block: Block) -> Reals:
        """Scores under every order."""
        stimuli, features, channels = block.values.shape
        flat = block.values.reshape(stimuli, -1)  # (stimuli, features x channels)
        g = np.square(block.values).sum(axis=2)
        if float(np.ptp(self._rows)) > 1e-13 * max(float(np.abs(self._rows).max()), 1e-300):
            found = self._rows[self._orders] @ g  # (orders, stimuli) x (stimuli, features)
        else:
            found = np.tile(self._rows[0] * g.sum(axis=0), (self._orders.shape[0], 1))
        for value, vector in zip(self._values, self._vectors.T, strict=True):
            product = vector[self._orders] @ flat  # (orders, features x channels)
            np.square(product, out=product)
            if channels > 1:
                product = product.reshape(-1, features, channels).sum(axis=2)
            product *= value
            found -= product
        if self._along.shape[1]:
            found -= self._along @ block.parts
        found /= block.norms
        if self._left is not None:
            found /= self._left[:, None]
        return np.asarray(found, dtype=np.float64)


class AllPairs:
    """One product of the permuted weights with the distances, or their ranks, of the block."""

    def __init__(self, model: PreparedModel, orders: Integers, dtype: np.dtype[np.floating]) -> None:
        self.tie = TIE if dtype == np.float64 else TIE_SINGLE
        self._model, self._orders, self._dtype = model, orders, dtype
        self._weights = model.weights.astype(dtype)
        self._left = _nuisance_parts(model, orders)[1]
        pairs = model.stimuli * (model.stimuli - 1) // 2
        self._whole = self._permuted(orders) if orders.shape[0] * pairs <= KEPT else None
        self._chunk = max(1, KEPT // max(pairs, 1))

    def scores(self, block: Block) -> Reals:
        """Scores under every order."""
        targets = self._targets(block)  # (features, pairs)
        found = np.concatenate([rows @ targets.T for rows in self._rows()])
        if self._left is not None:
            found /= self._left.astype(self._dtype)[:, None]
        return found

    def _rows(self) -> Iterator[Reals]:
        if self._whole is not None:
            yield self._whole
            return
        for start in range(0, self._orders.shape[0], self._chunk):
            yield self._permuted(self._orders[start : start + self._chunk])

    def _permuted(self, orders: Integers) -> Reals:
        rows, columns = pair_indices(self._model.stimuli)
        permuted: Reals = self._weights[orders[:, rows], orders[:, columns]]  # (orders, pairs)
        return permuted

    def _targets(self, block: Block) -> Reals:
        """(features, pairs) distances or ranks, without their part along the nuisances, divided by their norm."""
        if block.ranks is not None:
            return block.ranks.astype(self._dtype, copy=False)
        # distances are squares: scaling the feature by the root of the norm scales them by the norm
        scaled = (block.values / np.sqrt(block.norms)[:, None]).astype(self._dtype)
        found = squared_distances(scaled[:, :, 0] if scaled.shape[2] == 1 else scaled)
        basis = self._model.basis.astype(self._dtype)
        return np.asarray(found - (found @ basis.T) @ basis) if len(basis) else found


class Counted:
    """Kendall's tau-a where it is not linear in the ranks."""

    tie = TIE

    def __init__(self, counting: Counting) -> None:
        self._counting = counting

    def scores(self, block: Block) -> Reals:
        """Scores under every order."""
        assert block.ranks is not None  # a ranked comparison has them
        return self._counting.scores(block.ranks)


def ranked_targets(values: Floats, model: PreparedModel) -> Floats:
    """(features, pairs) centred ranks of the distances as the comparison wants them; zeros where all are ties."""
    ranks = pair_ranks(squared_distances(values[:, :, 0] if values.shape[2] == 1 else values))
    ranks -= (ranks.shape[1] + 1) / 2
    if len(model.basis):
        whole = np.square(ranks).sum(axis=1, keepdims=True)
        ranks -= (ranks @ model.basis.T) @ model.basis
        ranks[np.square(ranks).sum(axis=1) <= 1e-13 * whole[:, 0]] = 0.0
    if model.comparison == "spearman":
        length = np.sqrt(np.square(ranks).sum(axis=1, keepdims=True))
        ranks /= np.where(length > 0, length, 1.0)
    return ranks


def _nuisance_parts(model: PreparedModel, orders: Integers) -> tuple[Floats, Floats | None]:
    """(orders, k) parts of the permuted weights along the nuisances, and (orders,) what these leave of their length.

    An order in which the nuisances explain the model whole has no score; it gets one of zero (infinite length).
    """
    if not len(model.basis):
        return np.zeros((orders.shape[0], 0)), None
    rows, columns = pair_indices(model.stimuli)
    chunk = max(1, KEPT // max(rows.size, 1))
    parts = np.concatenate(
        [
            model.weights[order[:, rows], order[:, columns]] @ model.basis.T
            for order in np.array_split(orders, -(-orders.shape[0] // chunk))
        ]
    )
    squared = float(np.square(model.vector).sum())
    left = squared - np.square(parts).sum(axis=1)
    return parts, np.where(left > 1e-13 * squared, np.sqrt(np.maximum(left, 0.0)), np.inf)
