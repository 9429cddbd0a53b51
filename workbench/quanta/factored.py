"""Gradients kept as thin factors: the gradient of one token's loss by a weight matrix is nearly of low rank."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Samples whose factors are multiplied at a time.
TILE = 128


def factored_similarity(
    gradients: Callable[[], Iterable[list[Tensor]]], parameters: Sequence[Tensor], samples: int, rank: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Cosines of gradients of which each matrix keeps `rank` directions of its rows.

    Each matrix G is replaced by Q (Q^T G), Q an orthonormal basis of the range of G (G^T (G R)) with R random (Halko,
    Martinsson & Tropp 2011, algorithm 4.3 with one power step). What is left out is orthogonal to what is kept, so its
    norm is known: eps_i, relative to the whole gradient. By Cauchy and Schwarz the cosine of i and j is off by at most
    eps_i + eps_j + eps_i eps_j.

    Args:
        gradients: gives the samples' gradients, one tensor per parameter each.
        parameters: the parameters, for their shapes.
        samples: how many gradients come.
        rank: directions kept of each matrix; vectors are kept whole.
        seed: of R.

    Returns:
        (samples, samples) cosines, (samples, samples) bounds, and the numbers kept of each sample.
    """
    stores = [_Matrix(p, samples, rank, seed + place) if p.dim() > 1 else _Vector(p, samples)
              for place, p in enumerate(parameters)]  # fmt: skip
    norms, left_out = np.zeros(samples), np.zeros(samples)
    for number, gradient in enumerate(gradients()):
        norms[number] = sum(float(part.double().square().sum()) for part in gradient)
        left_out[number] = sum(store.keep(number, part.float()) for store, part in zip(stores, gradient, strict=True))
    length = np.sqrt(np.maximum(norms, 1e-60))
    matrix = sum((store.products() for store in stores), np.zeros((samples, samples))) / np.outer(length, length)
    eps = np.sqrt(left_out) / length
    rounding = 1e-5  # float32 factors and their products
    bound = eps[:, None] + eps[None, :] + np.outer(eps, eps) + rounding
    return matrix, bound, sum(store.kept for store in stores)


class _Vector:
    """Gradients of a vector, whole."""

    def __init__(self, parameter: Tensor, samples: int) -> None:
        self.rows = torch.zeros((samples, parameter.numel()), device=parameter.device)
        self.kept = parameter.numel()

    def keep(self, number: int, gradient: Tensor) -> float:
        """Store one; the squared norm left out."""
        self.rows[number] = gradient
        return 0.0

    def products(self) -> NDArray[np.float64]:
        """(samples, samples) inner products."""
        rows = self.rows.double()
        return np.asarray((rows @ rows.T).cpu().numpy())


class _Matrix:
    """Gradients of a matrix (rows, columns), as Q (rows, rank) times B (rank, columns)."""

    def __init__(self, parameter: Tensor, samples: int, rank: int, seed: int) -> None:
        rows, columns = parameter.shape[0], parameter[0].numel()
        self.rank = min(rank, rows, columns)
        generator = torch.Generator().manual_seed(seed)
        self.start = torch.randn((columns, self.rank), generator=generator).to(parameter.device)
        self.q = torch.zeros((samples, rows, self.rank), device=parameter.device)
        self.b = torch.zeros((samples, self.rank, columns), device=parameter.device)
        self.kept = self.rank * (rows + columns)

    def keep(self, number: int, gradient: Tensor) -> float:
        """Store one; the squared norm left out."""
        whole = gradient.reshape(gradient.shape[0], -1)  # (rows, columns)
        size = whole.norm()
        if not size > 0:
            return 0.0
        sampled = whole @ (whole.T @ (whole @ self.start / size) / size)  # (rows, rank)
        q = torch.linalg.qr(sampled / sampled.norm().clamp_min(1e-30))[0]
        b = q.T @ whole  # (rank, columns)
        self.q[number], self.b[number] = q, b
        return float((whole - q @ b).double().square().sum())

    def products(self) -> NDArray[np.float64]:
        """(samples, samples) inner products: sum over a, b of (Q_i^T Q_j)_ab (B_i B_j^T)_ab."""
        samples = self.q.shape[0]
        found = np.zeros((samples, samples))
        for first in range(0, samples, TILE):
            for other in range(first, samples, TILE):
                part = self._tile(slice(first, first + TILE), slice(other, other + TILE))
                found[first : first + TILE, other : other + TILE] = part
                found[other : other + TILE, first : first + TILE] = part.T
        return found

    def _tile(self, left: slice, right: slice) -> NDArray[np.float64]:
        q1, q2 = (self.q[part].transpose(1, 2).flatten(0, 1) for part in (left, right))  # (samples x rank, rows)
        b1, b2 = (self.b[part].flatten(0, 1) for part in (left, right))  # (samples x rank, columns)
        both = (q1 @ q2.T) * (b1 @ b2.T)  # (samples x rank, others x rank)
        n1, n2 = both.shape[0] // self.rank, both.shape[1] // self.rank
        return np.asarray(both.view(n1, self.rank, n2, self.rank).double().sum((1, 3)).cpu().numpy())
