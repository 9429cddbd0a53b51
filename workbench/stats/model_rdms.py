"""Model RDMs: what a hypothesis says the distances between stimuli should be."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def categorical_rdm(labels: Sequence[object], *, one: object | None = None) -> Floats:
    """0 within a category and 1 between categories.

    Args:
        labels: (stimuli,) categories.
        one: with this, one category against the rest: 0 also between two others.

    Raises:
        ValueError: fewer than two categories, or `one` is none of them.
    """
    names = list(dict.fromkeys(labels))
    if len(names) < 2:
        raise ValueError(f"a categorical model needs two categories, got {names}")
    if one is not None and one not in names:
        raise ValueError(f"{one!r} is no category; there are {', '.join(map(repr, names))}")
    codes = np.array([names.index(label) if one is None else int(label == one) for label in labels])
    return np.asarray(codes[:, None] != codes, dtype=np.float64)


def graded_rdm(levels: ArrayLike) -> Floats:
    """|a - b| of the (stimuli,) levels: the further apart, the less alike."""
    values = _finite(levels, "levels")
    return np.asarray(np.abs(values[:, None] - values), dtype=np.float64)


def cyclic_rdm(places: ArrayLike, period: float) -> Floats:
    """1 - cos(2 pi (a - b) / period): half the squared distance of points on a circle.

    Args:
        places: (stimuli,) places on the circle, in the unit of `period`.
        period: steps of one round.

    Raises:
        ValueError: a period that is not positive.
    """
    if not period > 0:
        raise ValueError(f"period must be positive, got {period}")
    angles = 2 * np.pi * _finite(places, "places") / period
    return np.asarray(1 - np.cos(angles[:, None] - angles), dtype=np.float64)


class FactorialRdms(NamedTuple):
    """Model RDMs of a 2 x 2 design; each 0 or 1."""

    first: Floats
    """Main effect of the first factor: 1 where its levels differ."""
    second: Floats
    """Main effect of the second factor."""
    interaction: Floats
    """1 where the product of the two factors, coded -1 and 1, differs: the two diagonals of the design."""


def factorial_rdms(first: Sequence[object], second: Sequence[object]) -> FactorialRdms:
    """The three model RDMs of a 2 x 2 design.

    In a balanced design they are orthogonal once centred, apart from the share 1 / (stimuli - 1) that all RDMs have.

    Raises:
        ValueError: a factor that has not exactly two levels.
    """
    codes = []
    for name, factor in (("first", first), ("second", second)):
        levels = list(dict.fromkeys(factor))
        if len(levels) != 2:
            raise ValueError(f"the {name} factor must have two levels, got {len(levels)}: {levels[:5]}")
        codes.append(np.array([levels.index(level) for level in factor]))
    return FactorialRdms(*(categorical_rdm(c.tolist()) for c in (*codes, codes[0] ^ codes[1])))


def length_rdm(lengths: ArrayLike) -> Floats:
    """|a - b| of the stimuli's lengths, in tokens or words: a nuisance to leave out."""
    return graded_rdm(lengths)


def overlap_rdm(words: Sequence[Collection[str]]) -> Floats:
    """1 - Jaccard overlap of the stimuli's words: a nuisance that is high where two sentences share no word.

    Args:
        words: (stimuli,) the words of each; how often does not count. Two stimuli without any word have distance 0.
    """
    sets = [frozenset(word) for word in words]
    vocabulary = {word: place for place, word in enumerate(sorted(frozenset().union(*sets)))}
    has = np.zeros((len(sets), len(vocabulary)))
    for row, found in enumerate(sets):
        has[row, [vocabulary[word] for word in found]] = 1.0
    shared = has @ has.T  # (stimuli, stimuli)
    sizes = np.diag(shared)
    either = sizes[:, None] + sizes - shared
    return np.asarray(1 - np.divide(shared, either, out=np.ones_like(shared), where=either > 0), dtype=np.float64)


def discriminative_rdm(positive: ArrayLike) -> Floats:
    """Weights whose sum with distances is mean(between) - mean(within the positives).

    1 / count for each pair of a positive and a rest stimulus, -1 / count for each pair of positives, 0 within the rest.
    High where the positives are alike and unlike the others; how alike the others are does not enter.

    Raises:
        ValueError: labels that are not boolean, fewer than two positives or no rest.
    """
    labels = _two_sides(positive, 2, 1)
    between = labels[:, None] != labels
    within = labels[:, None] & labels & ~np.eye(labels.size, dtype=bool)
    return np.asarray(2 * between / between.sum() - 2 * within / within.sum(), dtype=np.float64)


def consistency_rdm(positive: ArrayLike) -> Floats:
    """Weights whose sum with distances is mean(within the rest) - mean(within the positives).

    High where the positives are more alike than the rest are; pairs between the two do not enter.

    Raises:
        ValueError: labels that are not boolean, or fewer than two stimuli on a side.
    """
    labels = _two_sides(positive, 2, 2)
    apart = ~np.eye(labels.size, dtype=bool)
    within, rest = labels[:, None] & labels & apart, ~labels[:, None] & ~labels & apart
    return np.asarray(2 * rest / rest.sum() - 2 * within / within.sum(), dtype=np.float64)


def _two_sides(positive: ArrayLike, at_least: int, rest_at_least: int) -> NDArray[np.bool_]:
    labels = np.asarray(positive)
    if labels.dtype != np.bool_ or labels.ndim != 1:
        raise ValueError(f"positive must be a boolean vector, got dtype {labels.dtype} and shape {labels.shape}")
    ones = int(labels.sum())
    if ones < at_least or labels.size - ones < rest_at_least:
        raise ValueError(
            f"needs {at_least} positive and {rest_at_least} rest stimuli, got {ones} and {labels.size - ones}"
        )
    return labels


def _finite(values: ArrayLike, name: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError(f"{name} must be a vector of finite numbers, got shape {found.shape}")
    return found
