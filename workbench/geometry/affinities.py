"""Affinities: what a spectral clustering is told about how near two decoder directions are.

`angular` is the map of the published GPT-2 clusters. It gives 0.5 to orthogonal directions, so that unrelated features
outweigh related ones by their number: directions on two circles in orthogonal planes are not separated (ARI about 0),
while `clipped`, `squared` and `knn` separate them exactly.
"""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.clusters import unit_rows

Floats = NDArray[np.float64]
Affinity = Literal["angular", "clipped", "squared", "knn"]

# Features that a dense affinity is made for, at most: 16,384 squared float64 are 2 GB.
DENSE = 16_384
# Cosines in one block of rows of the neighbour search: 16 million float32 are 64 MB.
ENTRIES = 16_000_000


def affinity(decoder: ArrayLike, name: Affinity, *, k: int = 10) -> Any:
    """The affinity of every pair of features, the diagonal being what `name` says.

    Args:
        decoder: (features, width) directions of any length.
        name: `angular` 1 - arccos(cos) / pi, the diagonal 0.5 as published; `clipped` max(cos, 0); `squared` cos^2;
            `knn` max(cos, 0) between each feature and its `k` nearest, sparse.
        k: neighbours per feature, for `knn`.

    Returns:
        (features, features) array; for `knn` a `scipy.sparse.csr_array`.

    Raises:
        ValueError: an unknown name, a decoder that is not a finite matrix, more than 16,384 features for a dense one.
    """
    if name not in get_args(Affinity):
        raise ValueError(f"no affinity {name!r}; known: {', '.join(get_args(Affinity))}")
    if name == "knn":
        return nearest_neighbour_affinity(decoder, k)
    directions, _ = unit_rows(decoder)
    if len(directions) > DENSE:
        raise ValueError(
            f"a dense affinity of {len(directions)} features needs {8 * len(directions) ** 2 / 1e9:.0f} GB; use knn"
        )
    cosines = np.clip(directions @ directions.T, -1, 1)
    np.fill_diagonal(cosines, 0 if name == "angular" else 1)
    if name == "squared":
        return np.square(cosines)
    return angular_affinity(cosines) if name == "angular" else clipped_affinity(cosines)


def angular_affinity(cosines: ArrayLike) -> Floats:
    """1 - arccos(cos) / pi in [0, 1] (Engels et al., 2024): 0.5 for orthogonal ones and a zeroed diagonal."""
    return np.asarray(1 - np.arccos(np.clip(np.asarray(cosines, dtype=np.float64), -1, 1)) / np.pi)


def clipped_affinity(cosines: ArrayLike) -> Floats:
    """max(cos, 0): orthogonal and opposite directions are not near at all."""
    return np.maximum(np.asarray(cosines, dtype=np.float64), 0)


def nearest_neighbour_affinity(decoder: ArrayLike, k: int = 10) -> Any:
    """max(cos, 0) between each feature and its `k` nearest, sparse and symmetric; exact, in blocks of rows.

    Returns:
        (features, features) `scipy.sparse.csr_array` of float64, the diagonal empty. A pair is there where either is
        among the `k` nearest of the other; cosines of 0 and less make no pair.

    Raises:
        ValueError: `k` below 1, or a decoder that is not a finite matrix.
    """
    from scipy.sparse import csr_array

    directions, _ = unit_rows(decoder)
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    features = len(directions)
    places = _nearest(directions.astype(np.float32), min(k, features - 1))  # (features, k)
    rows = np.repeat(np.arange(features), places.shape[1])
    values = np.maximum(_cosines(directions, places).ravel(), 0)
    graph = csr_array((values, (rows, places.ravel())), shape=(features, features))
    graph = graph.maximum(graph.T)
    graph.eliminate_zeros()
    return graph


def _cosines(directions: Floats, places: NDArray[np.intp]) -> Floats:
    """(features, k) cosines with the features at `places`, one neighbour at a time to save memory."""
    columns = [np.einsum("pd,pd->p", directions, directions[place]) for place in places.T]
    return np.stack(columns, axis=1) if columns else np.empty((len(directions), 0))


def _nearest(single: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """(features, k) the columns of the k largest cosines of each row, itself left out."""
    features = len(single)
    if k < 1:
        return np.empty((features, 0), dtype=np.intp)
    found = np.empty((features, k), dtype=np.intp)
    height = max(1, ENTRIES // features)
    for start in range(0, features, height):
        block = single[start : start + height] @ single.T  # (rows, features)
        here = np.arange(len(block))
        block[here, start + here] = -np.inf
        found[start : start + height] = np.argpartition(block, -k, axis=1)[:, -k:]
    return found


def coactivation_affinity(active: Any) -> Any:
    """Jaccard overlap of where features fire: tokens on which both do over tokens on which either does.

    Published attempts to cluster by it alone found nothing of use; the larger of it and the cosine affinity
    (`nearest_neighbour_affinity(...).maximum(...)`) joins features that are near in either sense.

    Args:
        active: (tokens, features) array or scipy sparse matrix, non-zero where the feature fires.

    Returns:
        (features, features) `scipy.sparse.csr_array`, the diagonal empty; features that never fire have no entries.

    Raises:
        ValueError: not a matrix.
    """
    from scipy.sparse import coo_array, csr_array

    if len(np.shape(active)) != 2:
        raise ValueError(f"active must be (tokens, features), got shape {np.shape(active)}")
    fires = csr_array(active, copy=True)  # what is given may be read only, as an index mapped from its files is
    fires.eliminate_zeros()
    fires.data = np.ones_like(fires.data, dtype=np.float64)
    both = coo_array(fires.T @ fires)  # (features, features) counts of tokens
    count = np.asarray(fires.sum(axis=0)).ravel()
    rows, columns = both.coords
    apart = rows != columns
    rows, columns, shared = rows[apart], columns[apart], both.data[apart]
    return csr_array((shared / (count[rows] + count[columns] - shared), (rows, columns)), shape=both.shape)


def activation_affinity(activations: Any) -> Any:
    """Cosine of the activations of every pair of features over tokens, max(cos, 0): no threshold says what firing is.

    Strong activations weigh by their square, so that what fires faintly everywhere joins nothing.

    Args:
        activations: (tokens, features) array or scipy sparse matrix.

    Returns:
        (features, features) `scipy.sparse.csr_array`, the diagonal empty; features that never fire have no entries.

    Raises:
        ValueError: not a finite matrix.
    """
    from scipy.sparse import coo_array, csr_array, diags_array

    if len(np.shape(activations)) != 2:
        raise ValueError(f"activations must be (tokens, features), got shape {np.shape(activations)}")
    values = csr_array(activations, dtype=np.float64, copy=True)
    if not np.isfinite(values.data).all():
        raise ValueError("activations must be finite, but hold NaN or infinity")
    length = np.sqrt(np.asarray(values.multiply(values).sum(axis=0)).ravel())  # (features,)
    scaled = values @ diags_array(1 / np.where(length > 0, length, 1))
    cosines = coo_array(scaled.T @ scaled)
    rows, columns = cosines.coords
    near = (rows < columns) & (cosines.data > 0)
    half = csr_array((cosines.data[near], (rows[near], columns[near])), shape=cosines.shape)
    return csr_array(half + half.T)
