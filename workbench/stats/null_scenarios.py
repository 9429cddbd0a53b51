"""Activations in which the labels mean nothing, each hard in its own way for a test."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Sample = tuple[Floats, NDArray[np.bool_], NDArray[np.intp]]
"""x (stimuli, features), positive (stimuli,), items (stimuli,): the two stimuli of an item stand half the set apart."""


def halves(n: int, positives: int) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Labels, the positives first, and items."""
    return np.arange(n) < positives, np.arange(n) % (n // 2)


def gaussian(rng: np.random.Generator, features: int) -> Sample:
    """Independent normal activations."""
    return rng.standard_normal((100, features)), *halves(100, 50)


def sparse(rng: np.random.Generator, features: int, n: int = 100, positives: int = 50) -> Sample:
    """Features fire on 1 to 50 % of the stimuli, with log-normal heights."""
    rate = np.exp(rng.uniform(np.log(0.01), np.log(0.5), features))
    fires = (rng.random((n, features)) < rate).astype(np.float64)
    return fires * np.exp(rng.standard_normal((n, features))), *halves(n, positives)


def sparse_unequal(rng: np.random.Generator, features: int) -> Sample:
    """The same with 15 positives and 85 others."""
    return sparse(rng, features, positives=15)


def binary_unequal(rng: np.random.Generator, features: int) -> Sample:
    """Silent-on-the-small-group lumps: the worst case of Welch's t."""
    rate = rng.uniform(0.02, 0.5, features)
    return (rng.random((100, features)) < rate).astype(float), *halves(100, 15)


def template(rng: np.random.Generator, features: int) -> Sample:
    """Three heavy-tailed gains of the stimulus, shared by all features: strong correlation, rectified."""
    gains = np.exp(rng.standard_normal((100, 3)))
    loadings = rng.standard_normal((3, features))
    x = gains @ loadings + 0.5 * rng.standard_normal((100, features)) - 1
    return np.maximum(x, 0), *halves(100, 50)


def variable_n(rng: np.random.Generator, features: int) -> Sample:
    """Between 8 and 100 stimuli seen, a different number and choice for each feature; half of them sparse."""
    x, positive, items = sparse(rng, features)
    x[:, ::2] = rng.standard_normal((100, features))[:, ::2]
    share = rng.uniform(0.08, 1, features)
    return np.where(rng.random(x.shape) < share, x, np.nan), positive, items


def masked(rng: np.random.Generator, features: int) -> Sample:
    """A window that 10 of the 50 positives reach and all others: a mask that goes with the labels; half sparse."""
    x, positive, items = sparse(rng, features)
    x[:, ::2] = rng.standard_normal((100, features))[:, ::2]
    x[10:50] = np.nan
    return x, positive, items


def matched(rng: np.random.Generator, features: int) -> Sample:
    """The stimuli of a pair share most of their activation."""
    base = np.maximum(rng.standard_normal((50, features)) - 0.5, 0)
    x = np.concatenate([base, base]) * np.exp(0.5 * rng.standard_normal((100, features)))
    return x, *halves(100, 50)


def tiny(rng: np.random.Generator, features: int) -> Sample:
    """Four against four, normal."""
    return rng.standard_normal((8, features)), *halves(8, 4)


def tiny_sparse(rng: np.random.Generator, features: int) -> Sample:
    """Six against six, sparse."""
    return sparse(rng, features, n=12, positives=6)


SCENARIOS: dict[str, Callable[[np.random.Generator, int], Sample]] = {
    f.__name__: f
    for f in (
        gaussian,
        sparse,
        sparse_unequal,
        binary_unequal,
        template,
        variable_n,
        masked,
        matched,
        tiny,
        tiny_sparse,
    )
}
"""Every scenario by name."""
UNEQUAL = ("sparse_unequal", "binary_unequal")
"""Scenarios with more stimuli on one side, which have no pairs."""
