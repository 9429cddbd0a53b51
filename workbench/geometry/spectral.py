"""Spectral clusters: k-means on the leading eigenvectors of a similarity, one decomposition for every number of them.

Source: Shi and Malik (2000), "Normalized cuts and image segmentation"; von Luxburg (2007), "A tutorial on spectral
clustering", algorithm of section 4 with the random-walk normalisation, as in scikit-learn's `SpectralClustering`.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.geometry.eigenvectors import Eigenpairs, dense_eigenpairs, leading_eigenpairs

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# Points up to which a similarity is decomposed densely and exactly.
DENSE = 4096
# Residual that the iteration stops at; the error of an eigenvalue is its square.
TOLERANCE = 1e-3
# Points times vectors times clusters above which k-means starts once and not eleven times.
MANY = 200_000_000


def spectral_clusters(similarity: Any, n_clusters: int, *, seed: int = 0) -> Integers:
    """Divide points into `n_clusters` groups by a similarity, which is used as it is.

    Args:
        similarity: (n, n) symmetric, dense or scipy sparse; the diagonal plays no part.
        n_clusters: 1 to n.
        seed: of k-means, and of the start of the iteration above 4,096 points.

    Returns:
        (n,) labels from 0, numbered by first appearance; fewer than `n_clusters` of them where fewer points differ.

    Raises:
        ValueError: as `spectral_embedding`.
    """
    return spectral_embedding(similarity, n_clusters, seed=seed).clusters(n_clusters, seed=seed)


@dataclass(frozen=True)
class SpectralEmbedding:
    """Points in the coordinates of the leading eigenvectors of the random-walk matrix D^-1 A.

    Attributes:
        points: (n, m) coordinates, by descending eigenvalue.
        eigenvalues: (m,) of D^-1/2 A D^-1/2, descending from 1; those of the normalised Laplacian are 1 less these.
        isolated: (n,) whether a point is similar to nothing: it stands at the origin.
        residual: largest residual of an eigenvector.
        converged: whether the iteration reached its tolerance.
    """

    points: Floats
    eigenvalues: Floats
    isolated: NDArray[np.bool_]
    residual: float
    converged: bool

    def clusters(self, n_clusters: int, *, seed: int = 0) -> Integers:
        """(n,) labels from k-means on the first `n_clusters` coordinates, numbered by first appearance.

        The best of ten random starts and one from points far apart; above 2e8 points times clusters squared of the
        latter alone, so that there the seed changes nothing.

        Raises:
            ValueError: more clusters than coordinates.
        """
        if not 1 <= n_clusters <= self.points.shape[1]:
            raise ValueError(f"n_clusters must be 1 to {self.points.shape[1]}, the vectors computed; got {n_clusters}")
        found = _means(self.points[:, :n_clusters], n_clusters, seed)
        return by_first_appearance(found)

    @property
    def parts(self) -> int:
        """Vectors of eigenvalue 1: connected parts of the similarity, as far as computed, isolated points left out.

        With more parts than clusters, which parts are put together is arbitrary.
        """
        return int(np.count_nonzero(self.eigenvalues > 1 - 1e-5))

    def eigengap(self) -> int:
        """The number of clusters, 2 to m - 1, after which the eigenvalues fall most; 1 where m is below 3."""
        return int(np.argmax(-np.diff(self.eigenvalues)[1:])) + 2 if self.eigenvalues.size > 2 else 1


def _means(points: Floats, n_clusters: int, seed: int) -> Integers:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters: said in `clusters`
        if len(points) * n_clusters**2 > MANY:
            single = points.astype(np.float32)
            means = KMeans(n_clusters, init=_far_apart(single, n_clusters), n_init=1, max_iter=100)
            return np.asarray(means.fit_predict(single), dtype=np.intp)
        drawn = KMeans(n_clusters, n_init=10, random_state=seed).fit(points)
        pivoted = KMeans(n_clusters, init=_far_apart(points, n_clusters), n_init=1).fit(points)
    best = pivoted if pivoted.inertia_ < drawn.inertia_ else drawn
    return np.asarray(best.labels_, dtype=np.intp)


def _far_apart(points: NDArray[Any], count: int) -> NDArray[Any]:
    """(count, m) of the points: each time the one with the most length outside the span of those before.

    Clusters of an embedding are near to orthogonal, so that this takes one point of each: the pivots of a QR
    factorisation with column pivoting (Damle, Minden and Ying, 2019), in one pass over the points for each.
    """
    left = np.square(points).sum(axis=1)  # (n,) squared length outside the span
    span = np.zeros((count, points.shape[1]), dtype=points.dtype)
    chosen = np.empty(count, dtype=np.intp)
    for number in range(count):
        chosen[number] = left.argmax()
        direction, before = points[chosen[number]].copy(), span[:number]
        for _ in range(2):  # twice: once leaves rounding of the size of what was taken away
            direction -= before.T @ (before @ direction)
        span[number] = direction / max(float(np.linalg.norm(direction)), float(np.finfo(points.dtype).tiny))
        left = np.maximum(left - np.square(points @ span[number]), 0)
        left[chosen[number]] = -1
    return points[chosen]


def spectral_embedding(similarity: Any, n_vectors: int, *, seed: int = 0) -> SpectralEmbedding:
    """One eigendecomposition that serves every number of clusters up to `n_vectors`.

    Dense and exact up to 4,096 points; above, by filtered subspace iteration, which on a sparse similarity needs memory
    for about eight (n, n_vectors) matrices in float32.

    Args:
        similarity: (n, n) symmetric, dense or scipy sparse; the diagonal plays no part.
        n_vectors: 1 to n.
        seed: of the iteration's start.

    Raises:
        ValueError: not square, not symmetric, not finite, points whose similarities sum to less than 0 (raw cosines:
            use `clipped_affinity`), or `n_vectors` outside 1 to n.
    """
    matrix, degree = _without_diagonal(similarity)
    n = matrix.shape[0]
    if not 1 <= n_vectors <= n:
        raise ValueError(f"the number of clusters must be 1 to {n}, the points; got {n_vectors}")
    isolated = degree == 0
    scale = np.where(isolated, 0.0, 1 / np.sqrt(np.where(isolated, 1.0, degree)))  # (n,)
    pairs = _eigenpairs(_normalised(matrix, scale), n_vectors, seed)
    points = pairs.vectors.astype(np.float64) * scale[:, None]
    # k-means sees the same picture at any n: columns of unit root mean square, up to the degrees
    points *= np.sqrt(degree.sum()) if degree.sum() > 0 else 1.0
    return SpectralEmbedding(points, pairs.values, isolated, pairs.residual, pairs.converged)


def _without_diagonal(similarity: Any) -> tuple[Any, Floats]:
    """The similarity with an empty diagonal, and the sums of its rows."""
    from scipy.sparse import csr_array, issparse

    shape = np.shape(similarity)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"similarity must be (n, n), got shape {shape}")
    if issparse(similarity):
        matrix = csr_array(similarity, dtype=np.float64)
        matrix = matrix - csr_array((matrix.diagonal(), (np.arange(shape[0]),) * 2), shape=shape)
        values, uneven = matrix.data, abs(matrix - matrix.T).max() if matrix.nnz else 0.0
    else:
        matrix = np.array(similarity, dtype=np.float64)
        np.fill_diagonal(matrix, 0)
        values, uneven = matrix, _unevenness(matrix)
    if not np.isfinite(values).all():
        raise ValueError("similarity must be finite, but holds NaN or infinity")
    if uneven > 1e-8 * max(float(abs(values).max(initial=0)), 1e-300):
        raise ValueError(f"similarity must be symmetric, but entries differ from their mirror by up to {uneven:.3g}")
    degree = np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
    if degree.min(initial=0) < 0:
        worst = int(degree.argmin())
        raise ValueError(
            f"the similarities of point {worst} sum to {degree[worst]:.3g}: map cosines first, as by clipped_affinity"
        )
    return matrix, degree


def _unevenness(matrix: Floats) -> float:
    """Largest difference from the transpose, in blocks; NaN counts as none."""
    blocks = [slice(start, start + 1024) for start in range(0, len(matrix), 1024)]
    return float(max((np.nanmax(np.abs(matrix[b] - matrix[:, b].T), initial=0) for b in blocks), default=0))


def _normalised(matrix: Any, scale: Floats) -> Any:
    """D^-1/2 A D^-1/2, in float32 where it will be iterated on."""
    from scipy.sparse import issparse

    if issparse(matrix):
        scaled = matrix.multiply(scale[:, None]).multiply(scale[None, :]).tocsr()
        return scaled if len(scale) <= DENSE else scaled.astype(np.float32)
    matrix *= scale[:, None]
    matrix *= scale
    return matrix if len(scale) <= DENSE else matrix.astype(np.float32)


def _eigenpairs(matrix: Any, count: int, seed: int) -> Eigenpairs:
    from scipy.sparse import issparse

    if matrix.shape[0] <= DENSE:
        return dense_eigenpairs(matrix.toarray() if issparse(matrix) else matrix, count)
    # 1 for similarities without negative entries, but for rounding
    bound = float(abs(matrix).sum(axis=1).max()) if _has_negative(matrix) else 1.0 + 1e-6
    return leading_eigenpairs(matrix, count, bound=bound, tolerance=TOLERANCE, seed=seed)


def _has_negative(matrix: Any) -> bool:
    return bool(matrix.min() < 0)


def by_first_appearance(labels: Integers) -> Integers:
    """The same partition, its groups numbered in the order in which they first appear."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    number = np.empty(first.size, dtype=np.intp)
    number[np.argsort(first)] = np.arange(first.size)
    return number[inverse]
