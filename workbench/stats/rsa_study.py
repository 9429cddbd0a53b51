"""The arguments of an RSA map, checked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.rdm import checked_rdm
from workbench.stats.rsa_models import COMPARISONS, PARTIAL, Comparison, PreparedModel, prepare

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# With fewer stimuli there are fewer than three pairs, and nothing to correlate.
AT_LEAST = 3


@dataclass(frozen=True)
class Study:
    """Checked arguments."""

    x: NDArray[np.generic]
    """(stimuli, features, channels)"""
    model: Floats
    nuisance: tuple[Floats, ...]
    comparison: Comparison
    items: Integers


def prepared(study: Study, seen: Bools) -> PreparedModel | None:
    """The model on the stimuli that are seen; None where it does not vary there."""
    kept = np.ix_(seen, seen)
    return prepare(study.model[kept], tuple(z[kept] for z in study.nuisance), study.comparison)


def study_of(
    x: ArrayLike,
    model_rdm: ArrayLike,
    comparison: str,
    nuisance: Sequence[ArrayLike],
    items: ArrayLike | None,
    permutations: int,
) -> Study:
    """The arguments of `rsa_map`, checked; activations get an axis of channels where they have none.

    Raises:
        ValueError: what `rsa_map` says that it raises.
    """
    if permutations < 0:
        raise ValueError(f"permutations must not be negative, got {permutations}")
    if comparison not in COMPARISONS:
        raise ValueError(f"unknown comparison {comparison!r}; choose one of {', '.join(COMPARISONS)}")
    found = np.asarray(x)
    if found.ndim not in (2, 3) or (found.ndim == 3 and not found.shape[2]):
        raise ValueError(f"x must be (stimuli, features) or (stimuli, features, channels), got shape {found.shape}")
    if found.dtype.kind not in "biuf":
        raise ValueError(f"x must hold real numbers, got dtype {found.dtype}")
    found = found if found.ndim == 3 else found[:, :, None]
    stimuli = found.shape[0]
    model = checked_rdm(model_rdm, stimuli, "model_rdm")
    extra = tuple(checked_rdm(z, stimuli, f"nuisance[{number}]") for number, z in enumerate(nuisance))
    if extra and comparison not in PARTIAL:
        raise ValueError(f"nuisance RDMs cannot be left out of {comparison!r}; choose one of {', '.join(PARTIAL)}")
    if stimuli < AT_LEAST:
        raise ValueError(f"RSA needs at least {AT_LEAST} stimuli, got {stimuli}")
    if prepare(model, (), comparison) is None:
        raise ValueError("model_rdm has the same value for all pairs; nothing can be compared with it")
    if extra and prepare(model, extra, comparison) is None:
        raise ValueError("model_rdm is a combination of the nuisance RDMs; nothing of it is left to compare")
    return Study(found, model, extra, comparison, _codes(items, stimuli))


def _codes(items: ArrayLike | None, stimuli: int) -> Integers:
    if items is None:
        return np.zeros(stimuli, dtype=np.intp)
    ids = np.asarray(items)
    if ids.shape != (stimuli,):
        raise ValueError(f"items has shape {ids.shape}, but there are {stimuli} stimuli")
    codes: Integers = np.unique(ids, return_inverse=True)[1]
    if np.bincount(codes).max() < 2:
        raise ValueError(f"each of the {stimuli} items has one stimulus, so none can move; omit items")
    return codes
