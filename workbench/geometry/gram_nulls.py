"""Two nulls of a Gram matrix of probe directions, which answer different questions.

Shuffling each vector's coordinates asks whether the vectors share coordinates at all. Shuffling the labels and fitting
again asks whether the shape comes from the data or from the probing: classes probed one against the rest look
like a simplex, with cosines near -1 / (classes - 1), whatever the data. Only the second is a null for such shapes.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.similarity import cosine_gram, finite_rows

Floats = NDArray[np.float64]


def probe_directions(x: ArrayLike, classes: ArrayLike, *, ridge: float = 1.0) -> Floats:
    """(classes, width) ridge directions of each class against the rest, classes in sorted order.

    Args:
        x: (n, width) activations.
        classes: (n,) the class of each, exactly one.
        ridge: penalty, in units of the mean squared length of a centred activation.

    Raises:
        ValueError: shapes that do not fit, fewer than two classes, or a ridge that is not above 0.
    """
    rows, targets = _checked(x, classes, ridge)
    return _solver(rows, ridge)(targets)


def label_shuffle_grams(
    x: ArrayLike, classes: ArrayLike, *, ridge: float = 1.0, draws: int = 20, seed: int = 0
) -> Floats:
    """(draws, classes, classes) cosine Grams of probe directions fitted on shuffled labels.

    Args:
        x: (n, width) activations.
        classes: (n,) the class of each; whole labels are shuffled, so that every class keeps its size.
        ridge: as in `probe_directions`.
        draws: how many shuffles.
        seed: of the shuffles.

    Raises:
        ValueError: as `probe_directions`.
    """
    rows, targets = _checked(x, classes, ridge)
    solve, rng = _solver(rows, ridge), np.random.default_rng(seed)
    return np.stack([cosine_gram(solve(rng.permutation(targets, axis=0))) for _ in range(draws)])


def coordinate_shuffle_grams(vectors: ArrayLike, *, draws: int = 20, seed: int = 0) -> Floats:
    """(draws, n, n) cosine Grams of the vectors, the coordinates of each shuffled by itself.

    Raises:
        ValueError: as `cosine_gram`.
    """
    rows, rng = finite_rows(vectors), np.random.default_rng(seed)
    return np.stack([cosine_gram(rng.permuted(rows, axis=1)) for _ in range(draws)])


def _checked(x: ArrayLike, classes: ArrayLike, ridge: float) -> tuple[Floats, Floats]:
    rows = finite_rows(x)
    names, codes = np.unique(np.asarray(classes), return_inverse=True)
    if codes.shape != (len(rows),):
        raise ValueError(f"{len(rows)} activations and classes of shape {codes.shape} do not fit")
    if len(names) < 2:
        raise ValueError("all activations are of one class: there is nothing to probe")
    if not ridge > 0:
        raise ValueError(f"ridge must be above 0, got {ridge}")
    return rows - rows.mean(axis=0), np.eye(len(names))[codes]


def _solver(centred: Floats, ridge: float) -> Callable[[Floats], Floats]:
    """From (n, classes) targets to (classes, width) directions, one factorisation for all draws."""
    from scipy.linalg import cho_factor, cho_solve

    inner = centred @ centred.T  # (n, n)
    penalty = ridge * max(float(np.trace(inner)) / len(inner), np.finfo(float).tiny)
    factor = cho_factor(inner + penalty * np.eye(len(inner)))

    def directions(targets: Floats) -> Floats:
        return np.asarray((centred.T @ cho_solve(factor, targets - targets.mean(axis=0))).T)

    return directions
