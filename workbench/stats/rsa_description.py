"""What each feature of an RSA map is, labels aside: its status, its score in closed form, its slope on the model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import squareform

from workbench.stats.rdm import pair_vector
from workbench.stats.rsa_features import Levelled, Sums, lengths, level, power_sums, weighted_distances
from workbench.stats.rsa_models import RANKED, PreparedModel
from workbench.stats.rsa_products import Block
from workbench.stats.rsa_study import AT_LEAST, Study, prepared

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Names = NDArray[np.str_]

# Entries of one array, at most: permuted scores, or the distances of one block.
ENTRIES = 4_000_000


@dataclass
class About:
    """What each feature is, labels aside, and its score where that needs no ranks; arrays (features,)."""

    status: Names
    score: Floats
    effect: Floats
    seen: Integers
    concentration: Floats
    pattern: Integers
    """Which of `patterns` the feature has."""
    patterns: Bools
    """(patterns, stimuli) sets of stimuli that are seen."""


def describe_study(study: Study) -> About:
    """Status and, for comparisons of distances, score of every feature, a block at a time, in closed form."""
    stimuli, features, _ = study.x.shape
    about = About(
        status=np.full(features, "ok", dtype="<U9"),
        score=np.full(features, np.nan),
        effect=np.full(features, np.nan),
        seen=np.full(features, stimuli, dtype=np.intp),
        concentration=np.zeros(features),
        pattern=np.zeros(features, dtype=np.intp),
        patterns=np.ones((1, stimuli), dtype=bool),
    )
    known = {about.patterns[0].tobytes(): 0}
    for columns in _blocks(features, study.x[:, :1].size):
        part = study.x[:, columns]
        if np.isfinite(part).all():
            continue
        hidden = _hidden(part, columns.start)  # (stimuli, features here)
        about.seen[columns] = stimuli - hidden.sum(axis=0)
        if hidden.any():
            names = [known.setdefault(row.tobytes(), len(known)) for row in np.ascontiguousarray(~hidden.T)]
            about.pattern[columns] = names
    about.patterns = np.array([np.frombuffer(name, dtype=bool) for name in known])
    for number, seen in enumerate(about.patterns):
        _describe_pattern(study, about, number, seen)
    return about


def _describe_pattern(study: Study, about: About, number: int, seen: Bools) -> None:
    members = np.flatnonzero(about.pattern == number)
    model = prepared(study, seen) if seen.sum() >= AT_LEAST else None
    if model is None:
        about.status[members] = "too_few" if seen.any() else "masked"
        return
    kept = np.ix_(seen, seen)
    slope = _slope(study.model[kept], [z[kept] for z in study.nuisance])
    for columns in _chunks(members, study.x[:, :1].size):
        block, sums = ready_block(study, columns, seen, model)
        pairs = model.stimuli * (model.stimuli - 1) // 2
        levelled, ready = block
        about.status[columns[ready.norms == 0]] = "explained"
        still = levelled.constant | ((study.comparison not in ("cosine", "cosine_cov")) & _equidistant(sums, pairs))
        about.status[columns[still]] = "constant"
        with np.errstate(divide="ignore", invalid="ignore"):
            if study.comparison not in RANKED:
                top = weighted_distances(levelled.values, model.weights)
                top = top - (model.basis @ model.vector) @ ready.parts
                about.score[columns] = np.clip(top / ready.norms / left_length(model), -1, 1)
            slopes = _slopes(study, levelled.values, ready, sums, slope, about.score[columns])
        about.effect[columns] = np.ldexp(slopes, 2 * levelled.exponent)
        about.concentration[columns] = sums.concentration(pairs)


@dataclass(frozen=True)
class _Slope:
    """Weights whose sum with the distances is their slope on the model; its mean, its length and its centred length."""

    weights: Floats
    mean: float
    length: float
    centred: float


def _slope(model: Floats, nuisance: Sequence[Floats] = ()) -> _Slope | None:
    """What gives the slope of distance on a model, nuisances held; None where nothing of the model varies."""
    m = pair_vector(model)
    mean, length = float(m.mean()), float(np.linalg.norm(m))
    left = m - mean
    if nuisance:  # the slope in a regression is that on what the other regressors leave (Frisch and Waugh, 1933)
        others = np.stack([pair_vector(z) for z in nuisance], axis=1)  # (pairs, nuisances)
        others = others - others.mean(axis=0)
        left = left - others @ np.linalg.lstsq(others, left, rcond=None)[0]
    centred = float(np.linalg.norm(left))
    if centred <= 1e-10 * length:
        return None
    weights = squareform(left / centred**2) if nuisance else (model - mean) / centred**2
    return _Slope(weights, mean, length, centred)


def _slopes(study: Study, x: Floats, ready: Block, sums: Sums, slope: _Slope | None, score: Floats) -> Floats:
    """(features,) slope of the levelled distances on the model; correlation and cosine already hold it."""
    if slope is None:
        return np.full(score.shape, np.nan)
    if study.nuisance or study.comparison not in ("corr", "cosine"):
        return weighted_distances(x, slope.weights)
    if study.comparison == "corr":
        return score * ready.norms / slope.centred
    return (score * ready.norms * slope.length - slope.mean * sums.total) / slope.centred**2


def left_length(model: PreparedModel) -> float:
    """What the nuisances leave of the weights' length; 1 without nuisances, when the norm is part of the weights."""
    return model.left if len(model.basis) else 1.0


def _equidistant(sums: Sums, pairs: int) -> Bools:
    return np.asarray(sums.spread(pairs) <= 1e-13 * sums.squares)


def ready_block(
    study: Study, columns: Integers, seen: Bools, model: PreparedModel
) -> tuple[tuple[Levelled, Block], Sums]:
    """Features made ready for the products; norms are ones where ranks are compared, 0 where nothing is left."""
    levelled = level(_taken(study.x, columns, seen))
    sums = power_sums(levelled.values)
    if study.comparison in RANKED:
        ready = Block(levelled.values, np.ones(columns.size), np.zeros((0, columns.size)))
    else:
        ready = Block(levelled.values, *lengths(levelled.values, sums, model))
    return (levelled, ready), sums


def _taken(x: NDArray[np.generic], columns: Integers, seen: Bools) -> Floats:
    """(seen stimuli, these features, channels) in float64; without a detour where they stand side by side."""
    side_by_side = columns[-1] - columns[0] == columns.size - 1 and bool((np.diff(columns) == 1).all())
    part = x[:, columns[0] : columns[-1] + 1] if side_by_side else x[:, columns]
    return (part if seen.all() else part[seen]).astype(np.float64)


def _blocks(features: int, size: int) -> Iterator[slice]:
    width = int(np.clip(ENTRIES // max(size, 1), 1, 2048))
    for start in range(0, features, width):
        yield slice(start, min(start + width, features))


def _chunks(members: Integers, size: int) -> Iterator[Integers]:
    for part in _blocks(members.size, size):
        yield members[part]


def _hidden(part: NDArray[np.generic], start: int) -> Bools:
    """(stimuli, features here) whether any channel is masked."""
    found = part.astype(np.float64)
    if np.isinf(found).any():
        row, column, channel = np.argwhere(np.isinf(found))[0]
        where = f"stimulus {row}, feature {start + column}"
        raise ValueError(f"activations must be finite or NaN (masked), got {found[row, column, channel]} at {where}")
    return np.asarray(np.isnan(found).any(axis=2))
