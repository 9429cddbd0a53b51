"""Do the mean points of different words stand on a ring? A test that points which are few words repeated cannot pass.

S and M look at points, and a cloud of a handful of words has a high S and a low M wherever the words stand: the corners
of a simplex do as well. Here each word counts once, by its mean point, and what is asked is whether the words leave the
middle empty. The statistic is Mardia's kurtosis (1970), E[(x' C^-1 x)^2], which no stretch or turn changes: 4 on an
ellipse, where it is least, 16/3 on an evenly filled disc, 8 for a Gaussian.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Filling = Literal["disc", "gaussian"]

# Words at least: four points or fewer always lie near some ellipse.
LEAST = 5


def word_means(points: ArrayLike, words: ArrayLike, *, least: int = 5) -> tuple[Floats, NDArray[np.intp]]:
    """The mean point of each word that stands for `least` points or more, and how many points that are.

    Args:
        points: (n, components).
        words: (n,) the word of each point, as numbers.
        least: points of a word that counts.

    Returns:
        (words, components) and (words,), by ascending word.

    Raises:
        ValueError: lengths that differ, or `least` below 1.
    """
    cloud, named = np.asarray(points, dtype=np.float64), np.asarray(words)
    if cloud.ndim != 2 or named.shape != cloud.shape[:1]:
        raise ValueError(f"points of shape {cloud.shape} and words of shape {named.shape} do not fit")
    if least < 1:
        raise ValueError(f"least must be at least 1, got {least}")
    _, place, counts = np.unique(named, return_inverse=True, return_counts=True)
    sums = np.zeros((counts.size, cloud.shape[1]))
    np.add.at(sums, place, cloud)
    kept = counts >= least
    return sums[kept] / counts[kept, None], counts[kept]


def ring_kurtosis(points: ArrayLike) -> Floats:
    """(...,) Mardia's kurtosis of (..., n, 2) points: 4 on an ellipse, the least there is; inf on a line."""
    cloud = np.asarray(points, dtype=np.float64)
    centred = cloud - cloud.mean(axis=-2, keepdims=True)
    covariance = np.einsum("...ni,...nj->...ij", centred, centred) / cloud.shape[-2]
    spread = np.linalg.eigvalsh(covariance)  # (..., 2) ascending
    line = spread[..., 0] <= 1e-12 * np.maximum(spread[..., 1], np.finfo(np.float64).tiny)
    inverse = np.linalg.inv(np.where(line[..., None, None], np.eye(2), covariance))
    squared = np.einsum("...ni,...ij,...nj->...n", centred, inverse, centred)
    return np.asarray(np.where(line, np.inf, np.square(squared).mean(axis=-1)))


@dataclass(frozen=True)
class RingTest:
    """Whether words stand on a ring in one of the principal planes.

    Attributes:
        words: their number.
        kurtosis: (planes,) of the mean points in each plane; 4 is a ring.
        expected: mean kurtosis of as many words placed by the null.
        z: how far the ringlike plane is below that, in the null's standard deviations; None where `status` is not ok.
        axes: that plane's components, from 0.
        p: (b + 1) / (draws + 1), b draws having a plane of their own as far below; so that all planes are allowed for.
        null: `disc` or `gaussian`.
        status: `ok`, `few_words` (fewer than 5) or `line` (no plane with a second dimension).
    """

    words: int
    kurtosis: Floats
    expected: float | None
    z: float | None
    axes: tuple[int, int] | None
    p: float | None
    null: Filling
    status: str


def ring_test(means: ArrayLike, *, null: Filling = "disc", draws: int = 999, seed: int = 0) -> RingTest:
    """Test the planes (0, 1), (1, 2), ... of the mean points of words for a ring.

    The null places as many words at random: evenly over a disc, the flattest filling there is, or as a Gaussian. The
    kurtosis does not see the covariance, so that the null has that of the words. It is the same for all clusters of as
    many words: rankings of clusters with many and with few words are on one scale.

    Args:
        means: (words, components), as `word_means` gives them.
        null: `disc` or `gaussian`.
        draws: of the null, 2 or more: `z` is in units of their spread.
        seed: of the draws.

    Raises:
        ValueError: not a finite matrix, fewer than 2 draws, or an unknown null.
    """
    cloud = np.asarray(means, dtype=np.float64)
    if cloud.ndim != 2 or not np.isfinite(cloud).all():
        raise ValueError(f"means must be a finite (words, components) matrix, got shape {cloud.shape}")
    if null not in get_args(Filling):
        raise ValueError(f"no null {null!r}; known: {', '.join(get_args(Filling))}")
    if draws < 2:
        raise ValueError(f"draws must be at least 2, got {draws}")
    words, planes = len(cloud), cloud.shape[1] - 1
    if words < LEAST or planes < 1:
        return RingTest(words, np.empty(0), None, None, None, None, null, "few_words" if words < LEAST else "line")
    kurtosis = np.array([ring_kurtosis(cloud[:, axis : axis + 2]) for axis in range(planes)])
    if not np.isfinite(kurtosis).any():
        return RingTest(words, kurtosis, None, None, None, None, null, "line")
    found = _null_kurtosis(null, (draws, planes, words), seed)
    expected, spread = float(found.mean()), float(found.std())
    z, best = (expected - kurtosis) / spread, int(kurtosis.argmin())
    beyond = np.count_nonzero(found.min(axis=1) <= kurtosis[best])
    p = float((beyond + 1) / (draws + 1))
    return RingTest(words, kurtosis, expected, float(z[best]), (best, best + 1), p, null, "ok")


@lru_cache(maxsize=64)
def _null_kurtosis(null: Filling, shape: tuple[int, int, int], seed: int) -> Floats:
    """(draws, planes) kurtosis of as many words placed by the null; kept, since many clusters have as many words."""
    found = ring_kurtosis(_placed(np.random.default_rng(seed), shape, null))
    found.setflags(write=False)
    return found


def _placed(rng: np.random.Generator, shape: tuple[int, ...], null: Filling) -> Floats:
    """(*shape, 2) points of the null; planes of one cluster share an axis, which independent draws make too many of."""
    if null == "gaussian":
        return rng.standard_normal((*shape, 2))
    radius, angle = np.sqrt(rng.random(shape)), 2 * np.pi * rng.random(shape)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
