"""Is a plane of points a feature of two dimensions? Both indices with their nulls, and a ranking of clusters by them.

A cluster's score is the mean of (1 - M) S over its principal planes. The published ranking began that mean with an
extra 0, so that it is the sum over one plane more and clusters of few planes are pushed down: `legacy_zero`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.mixture import mixture_index
from workbench.geometry.plane_points import collinear, plane_points, principal_angle
from workbench.geometry.separability import raw_separability, separability_index

Floats = NDArray[np.float64]
Null = Literal["permutation", "gaussian", "words"]
Index = Literal["separability", "mixture"]


@dataclass(frozen=True)
class IndexNull:
    """An index beside its values where there is nothing to find.

    Attributes:
        value: of the points; for separability before it is cut at 0, as the draws are.
        draws: (draws,) of as many points of the null.
        p: (b + 1) / (draws + 1), b draws being at least the value.
        kind: of the null.
    """

    value: float
    draws: Floats
    p: float
    kind: Null


def index_null(
    points: ArrayLike,
    index: Index,
    *,
    kind: Null = "permutation",
    draws: int = 20,
    bins: int = 10,
    eps: float = 0.1,
    seed: int = 0,
    words: ArrayLike | None = None,
) -> IndexNull:
    """One index of a plane beside its null: what the same search finds in a cloud where there is nothing to find.

    Args:
        points: (n, 2).
        index: `separability` or `mixture`.
        kind: `permutation` shuffles one principal coordinate against the other, which keeps both distributions;
            `gaussian` draws as many points from the Gaussian of the same covariance; `words` puts the mean point of
            each word at random, as a Gaussian of their covariance, and leaves each word its points around it.
        draws: of the null.
        bins: of the separability index.
        eps: of the mixture index.
        seed: of the draws.
        words: (n,) the word of each point, for that null.

    Raises:
        ValueError: an unknown name, no draws, no words where they are needed, or as the index.
    """
    if index not in get_args(Index):
        raise ValueError(f"no index {index!r}; known: {', '.join(get_args(Index))}")
    if kind not in get_args(Null):
        raise ValueError(f"no null {kind!r}; known: {', '.join(get_args(Null))}")
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    plane, rng = plane_points(points), np.random.default_rng(seed)
    angle = principal_angle(plane)
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = plane @ axes  # (n, 2) principal coordinates, which are uncorrelated

    def measured(cloud: Floats) -> float:
        return raw_separability(cloud, bins=bins) if index == "separability" else mixture_index(cloud, eps=eps).value

    draw = _words_null(turned, words) if kind == "words" else lambda rng: _null_cloud(turned, kind, rng)
    found = np.array([measured(draw(rng)) for _ in range(draws)])
    value = measured(plane)
    return IndexNull(value, found, float((np.count_nonzero(found >= value) + 1) / (draws + 1)), kind)


def _words_null(turned: Floats, words: ArrayLike | None) -> Callable[[np.random.Generator], Floats]:
    """Draws in which words stand elsewhere: what few words repeated give at any places."""
    place = np.zeros(0) if words is None else np.unique(np.asarray(words), return_inverse=True)[1]
    if place.size != len(turned):
        raise ValueError(f"the null of words needs the word of each of {len(turned)} points, got {place.size}")
    counts = np.bincount(place)
    means = np.stack([np.bincount(place, column) / counts for column in turned.T], axis=1)  # (words, 2)
    around = turned - means[place]
    root = np.linalg.cholesky(np.cov(means.T, aweights=counts, bias=True) + 1e-12 * np.eye(2) * turned.var())

    def draw(rng: np.random.Generator) -> Floats:
        return np.asarray((rng.standard_normal(means.shape) @ root.T)[place] + around)

    return draw


def _null_cloud(turned: Floats, kind: Null, rng: np.random.Generator) -> Floats:
    if kind == "gaussian":
        return np.asarray(rng.standard_normal(turned.shape) * turned.std(axis=0))
    return np.stack([turned[:, 0], rng.permutation(turned[:, 1])], axis=1)


@dataclass(frozen=True)
class Plane:
    """The indices of one principal plane of a cluster; None where `status` is not ok.

    Attributes:
        axes: which principal components, from 0.
        separability: S in bits.
        mixture: M.
        points: their number.
        bins: of S.
        status: `ok`, `too_few` (fewer points than cells of the histogram) or `line` (no second dimension).
    """

    axes: tuple[int, int]
    separability: float | None
    mixture: float | None
    points: int
    bins: int
    status: str


@dataclass(frozen=True)
class Irreducibility:
    """The indices of a cluster over its planes.

    Attributes:
        planes: one for each pair of neighbouring principal components.
        separability: mean S of the planes that are ok, in bits.
        mixture: mean M of them.
        score: mean of (1 - M) S over them.
        legacy_score: the same sum over one plane more, as published.
        status: `ok`, or why there is no score: `one_feature`, `silent` (no points), `too_few`, `line`.
    """

    planes: tuple[Plane, ...]
    separability: float | None
    mixture: float | None
    score: float | None
    legacy_score: float | None
    status: str


def irreducibility(scores: ArrayLike, *, bins: int = 10, eps: float = 0.1) -> Irreducibility:
    """Both indices over the planes (0, 1), (1, 2), ... of principal component scores.

    Args:
        scores: (n, components) of the points of a cluster, as `principal_planes` gives them.
        bins: of S; a plane of fewer points than cells of the histogram is `too_few`.
        eps: of M.

    Raises:
        ValueError: not a finite matrix.
    """
    cloud = np.asarray(scores, dtype=np.float64)
    if cloud.ndim != 2 or not np.isfinite(cloud).all():
        raise ValueError(f"scores must be a finite (n, components) matrix, got shape {cloud.shape}")
    if not len(cloud):
        return Irreducibility((), None, None, None, None, "silent")
    if cloud.shape[1] < 2:
        return Irreducibility((), None, None, None, None, "one_feature")
    planes = tuple(_plane(cloud, axis, bins, eps) for axis in range(cloud.shape[1] - 1))
    pairs = [(p.mixture, p.separability) for p in planes if p.mixture is not None and p.separability is not None]
    if not pairs:
        return Irreducibility(planes, None, None, None, None, planes[0].status)
    M, S = np.array(pairs).T
    return Irreducibility(
        planes,
        float(S.mean()),
        float(M.mean()),
        irreducibility_score(M, S),
        irreducibility_score(M, S, legacy_zero=True),
        "ok",
    )


def _plane(cloud: Floats, axis: int, bins: int, eps: float) -> Plane:
    points = cloud[:, axis : axis + 2]
    # a component without variance against the first is rounding, whatever the plane's own proportions
    scale = np.abs(cloud).max()
    flat = np.ptp(points[:, 1]) <= 1e-9 * scale or collinear(plane_points(points))
    status = "line" if flat else "too_few" if len(cloud) < bins * bins else "ok"
    if status != "ok":
        return Plane((axis, axis + 1), None, None, len(cloud), bins, status)
    found = separability_index(points, bins=bins), mixture_index(points, eps=eps).value
    return Plane((axis, axis + 1), *found, len(cloud), bins, status)


def irreducibility_score(mixture: ArrayLike, separability: ArrayLike, *, legacy_zero: bool = False) -> float:
    """Mean of (1 - M) S over planes; with `legacy_zero` over one plane of 0 more, as in the published ranking.

    Raises:
        ValueError: no planes, or not as many M as S.
    """
    M, S = np.asarray(mixture, dtype=np.float64).ravel(), np.asarray(separability, dtype=np.float64).ravel()
    if M.size != S.size or not M.size:
        raise ValueError(f"{M.size} mixture indices and {S.size} separability indices make no score")
    return float(((1 - M) * S).sum() / (M.size + legacy_zero))


def rank_by_irreducibility(
    found: Mapping[int, Irreducibility] | Sequence[Irreducibility], *, legacy_zero: bool = False
) -> tuple[list[int], dict[int, str]]:
    """Clusters by score, best first, ties by number; and those without a score with their status, never ranked."""
    items = dict(found.items() if isinstance(found, Mapping) else enumerate(found))
    scores = {number: each.legacy_score if legacy_zero else each.score for number, each in items.items()}
    ranked = sorted((-score, number) for number, score in scores.items() if score is not None)
    return [number for _, number in ranked], {
        number: each.status for number, each in items.items() if each.score is None
    }
