"""Columns to explain activations with: one-hots of a task's true size, circles, parity, a constant."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.circle_probe import circle_points

Floats = NDArray[np.float64]


def constant(n: int) -> Floats:
    """(n, 1) ones: takes the mean out."""
    return np.ones((n, 1))


def one_hot(labels: ArrayLike, size: int) -> Floats:
    """(n, size) one column for each value 0 .. size - 1.

    Raises:
        ValueError: a label that is not one of them: sizes are the task's, never guessed from the labels.
    """
    values = np.asarray(labels)
    wrong = (values != np.floor(values)) | (values < 0) | (values >= size)
    if values.ndim != 1 or wrong.any():
        shown = values[wrong][0] if values.ndim == 1 else f"shape {values.shape}"
        raise ValueError(f"labels of {size} values must be 0 to {size - 1}, got {shown}")
    return np.asarray(np.arange(size) == values.astype(np.intp)[:, None], dtype=np.float64)


def circles(labels: ArrayLike, period: int, frequencies: Sequence[int] = (1,)) -> Floats:
    """(n, 2 frequencies) cos and sin of 2 pi frequency label / period.

    Raises:
        ValueError: no frequencies, or one that makes no circle at this period.
    """
    if not frequencies:
        raise ValueError("frequencies is empty: name at least one")
    return np.concatenate([circle_points(labels, period, frequency) for frequency in frequencies], axis=1)


def parity(labels: ArrayLike) -> Floats:
    """(n, 1) 1 for even labels, -1 for odd ones.

    Raises:
        ValueError: labels that are not whole numbers.
    """
    values = np.asarray(labels, dtype=np.float64)
    if values.ndim != 1 or (values != np.floor(values)).any():
        raise ValueError("parity is of whole numbers: a vector of them is needed")
    return np.asarray(1 - 2 * (values % 2))[:, None]
