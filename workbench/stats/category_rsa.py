"""Discriminative and categorical RSA of one named class, as contrasts of mean distances, with the sign they mean."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.model_rdms import consistency_rdm, discriminative_rdm
from workbench.stats.rdm import pair_vector
from workbench.stats.rsa import RsaMap, rsa_map


def discriminative_rsa(
    x: ArrayLike, positive: ArrayLike, *, permutations: int = 1000, seed: int = 0, items: ArrayLike | None = None
) -> RsaMap:
    """Are the positives alike, and unlike the others? effect = mean(between) - mean(within the positives) distance.

    Args:
        x: (stimuli, features) or (stimuli, features, channels), as in `rsa_map`.
        positive: (stimuli,) bool: the class that is named, never implied by order.
        permutations: as in `rsa_map`; the labels of stimuli are permuted, never those of pairs.
        seed: as in `rsa_map`.
        items: as in `rsa_map`.

    Returns:
        An `RsaMap`: positive scores mean what the first line asks; `score` is the correlation of the distances with
        the contrast's weights.

    Raises:
        ValueError: as `rsa_map` and `discriminative_rdm`.
    """
    return _contrast(x, discriminative_rdm(positive), permutations, seed, items)


def categorical_rsa(
    x: ArrayLike, positive: ArrayLike, *, permutations: int = 1000, seed: int = 0, items: ArrayLike | None = None
) -> RsaMap:
    """Are the positives more alike than the rest are? effect = mean(within the rest) - mean(within the positives).

    Arguments, result and errors as in `discriminative_rsa`.
    """
    return _contrast(x, consistency_rdm(positive), permutations, seed, items)


def _contrast(
    x: ArrayLike, weights: NDArray[np.float64], permutations: int, seed: int, items: ArrayLike | None
) -> RsaMap:
    found = rsa_map(x, weights, permutations=permutations, seed=seed, items=items)
    # the weights sum to zero, so that the slope on them times their squared length is the contrast itself
    return replace(found, effect=found.effect * float(np.square(pair_vector(weights)).sum()))
