"""Gradients kept as thin factors: the gradient of one token's loss by a weight matrix is nearly of low rank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Samples whose factors are multiplied at a time.
TILE = 128


class Factors:
    """Gradients of which each matrix keeps `rank` directions of its rows, and their cosines.

    Each matrix G is replaced by Q (Q^T G), Q an orthonormal basis of the range of G (G^T (G R)) with R random (Halko,
    Martinsson & Tropp 2011, algorithm 4.3 with one power step). What is left out is orthogonal to what is kept, so its
    norm is known: eps_i, relative to the whole gradient. By Cauchy and Schwarz the cosine of i and j is off by at most
    eps_i + eps_j + eps_i eps_j.

    Args:
        parameters: the parameters, for their shapes.
        samples: how many gradients come.
        rank: directions kept of each matrix; vectors are kept whole.
        seed: of R.
    """

    def __init__(self, parameters: Sequence[Tensor], samples: int, rank: int, seed: int) -> None:
        self._stores = [_Matrix(p, samples, rank, seed + place) if p.dim() > 1 else _Vector(p, samples)
                        for place, p in enumerate(parameters)]  # fmt: skip
        self._norms, self._left_out = np.zeros(samples), np.zeros(samples)

    @property
    def kept(self) -> int:
        """Numbers kept of each sample."""
        return sum(store.kept for store in self._stores)

    def keep(self, number: int, gradient: Sequence[Tensor]) -> None:
        """Take in the gradient of one sample, one tensor per parameter."""
        self._norms[number] = sum(float(part.double().square().sum()) for part in gradient)
        pairs = zip(self._stores, gradient, strict=True)
        self._left_out[number] = sum(store.keep(number, part.float()) for store, part in pairs)

    def similarity(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(samples, samples) cosines and their bounds."""
        samples = self._norms.size
        length = np.sqrt(np.maximum(self._norms, 1e-60))
        products = sum((store.products() for store in self._stores), np.zeros((samples, samples)))
        eps = np.sqrt(self._left_out) / length
        rounding = 1e-5  # float32 factors and their products
        return products / np.outer(length, length), eps[:, None] + eps[None, :] + np.outer(eps, eps) + rounding

    def arrays(self, done: int) -> dict[str, Tensor]:
        """What the first `done` samples left, for `take_up`."""
        found = {f"{place}.{name}": array[:done].cpu().contiguous() for place, store in enumerate(self._stores)
                 for name, array in store.arrays.items()}  # fmt: skip
        numbers = np.stack([self._norms[:done], self._left_out[:done]])
        return {**found, "numbers": torch.from_numpy(numbers)}

    def take_up(self, arrays: dict[str, Tensor]) -> int:
        """Go on from such arrays; gives how many samples they hold."""
        done = arrays["numbers"].shape[1]
        self._norms[:done], self._left_out[:done] = arrays["numbers"].numpy()
        for place, store in enumerate(self._stores):
            for name, array in store.arrays.items():
                array[:done] = arrays[f"{place}.{name}"].to(array.device)
        return done


class _Vector:
    """Gradients of a vector, whole."""

    def __init__(self, parameter: Tensor, samples: int) -> None:
        self.rows = torch.zeros((samples, parameter.numel()), device=parameter.device)
        self.arrays = {"rows": self.rows}
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
        self.arrays = {"q": self.q, "b": self.b}
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
