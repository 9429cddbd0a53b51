"""Gram matrices of feature directions, by cosine and by radial basis function."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def finite_rows(vectors: ArrayLike) -> Floats:
    """(n, d) float64.

    Raises:
        ValueError: no rows, not a matrix, or not finite.
    """
    found = np.asarray(vectors, dtype=np.float64)
    if found.ndim != 2 or not found.size:
        raise ValueError(f"vectors must be (n, d) with n and d at least 1, got shape {found.shape}")
    if not np.isfinite(found).all():
        bad = int(np.argmin(np.isfinite(found).all(axis=1)))
        raise ValueError(f"vectors must be finite, but vector {bad} holds NaN or infinity")
    return found


def lengths(vectors: Floats) -> Floats:
    """(n,) lengths of rows.

    Raises:
        ValueError: a vector of length 0, which has no direction.
    """
    found = np.asarray(np.linalg.norm(vectors, axis=1))
    if not found.all():
        raise ValueError(f"vector {int(np.argmin(found))} is 0: it has no direction; leave it out")
    return found


def cosine_gram(vectors: ArrayLike) -> Floats:
    """(n, n) cosines of the rows, the diagonal exactly 1.

    Raises:
        ValueError: not a finite matrix, or a vector of length 0.
    """
    rows = finite_rows(vectors)
    units = rows / lengths(rows)[:, None]
    gram = np.clip(units @ units.T, -1, 1)
    np.fill_diagonal(gram, 1)
    return gram


def rbf_gram(vectors: ArrayLike, *, width: float = 10.0) -> Floats:
    """(n, n) exp(-|x_i - x_j|^2 / (2 width^2)) of the rows as they are; width 10 is the thesis' exp(-|.|^2 / 200).

    It depends on the vectors' lengths: with all distances far above `width` it is the identity, and far below all ones,
    whatever the directions.

    Raises:
        ValueError: not a finite matrix, or a width that is not above 0.
    """
    rows = finite_rows(vectors)
    if not width > 0:
        raise ValueError(f"width must be above 0, got {width}")
    return np.asarray(np.exp(-squared_distances(rows) / (2 * width**2)))


def squared_distances(rows: Floats) -> Floats:
    """(n, n) squared distances from differences: exact for near and coincident rows, where products cancel."""
    return np.stack([np.square(rows - row).sum(axis=1) for row in rows])


def mean_cosine(vectors: ArrayLike) -> float:
    """Mean cosine over all pairs of different rows.

    Raises:
        ValueError: fewer than two vectors, or as `cosine_gram`.
    """
    gram = cosine_gram(vectors)
    n = len(gram)
    if n < 2:
        raise ValueError("one vector makes no pair")
    return float((gram.sum() - n) / (n * (n - 1)))
