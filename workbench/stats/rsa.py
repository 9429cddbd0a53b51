"""RSA maps: how well the distances that each feature sees between stimuli follow a model RDM, and whether by chance.

No RDM of a feature is kept. Scores of distances come from closed forms (sum of w d = trace(X' L X), sums of d and d^2
from power sums of the centred feature); ranks and permuted scores are made for `STRATUM` features at a time.

Inference. Stimuli are permuted, never pairs: pairs share stimuli, and a permutation of pairs calls far too
much significant. p is (b + 1) / (P + 1) of the feature's own permuted scores, one-sided: a feature that the model does
not describe at all and one that contradicts it are equally uninteresting. p_fwer compares with the largest score of
all features in each permutation. q is Benjamini-Hochberg from a tail that P does not limit: each score is compared
with the permuted scores of a stratum of `STRATUM` features alike in how few pairs carry their distances, and with an
exponential continuation beyond these (`upper_tail`).

Share of label-free data sets with any q < 0.05, 200 of each kind, 400 features, 200 permutations, `corr` (the kinds are
in `null_scenarios`; standard error about 0.015 at 0.05):

    kind                          one-vs-rest  three categories  circle  graded
    Gaussian, 100 stimuli         .040         .050              .080    .060
    sparse, log-normal heights    .020         .050              .030    .045
    rectified shared templates    .035         .035              .025    .025
    Gaussian, 8 stimuli           .050         .040              .060    .040
    sparse, 12 stimuli            .070         .045              .045    .055

For two balanced categories and one number per stimulus the squared-distance score is a function of t squared alone,
mean between - mean within = (2 s_p^2 / n) (t^2 - 1): RSA says nothing there that a contrast map does not say with a
sign. It earns its place with three or more categories, graded or circular models, sets of features, and nuisances.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import squareform

from workbench.stats.multiplicity import bh
from workbench.stats.orders import Orders, random_orders, stimulus_orders
from workbench.stats.rdm import checked_rdm, pair_vector
from workbench.stats.rsa_features import Levelled, Sums, lengths, level, power_sums, weighted_distances
from workbench.stats.rsa_models import COMPARISONS, PARTIAL, RANKED, Comparison, PreparedModel, prepare
from workbench.stats.rsa_products import Block, products, ranked_targets
from workbench.stats.upper_tail import pooled_upper_tail

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Names = NDArray[np.str_]

# Features per pooled null, as in contrast maps: 512 x 1,000 permutations resolve 2e-6 before the formula takes over.
STRATUM = 512
# Entries of one array, at most: permuted scores, or the distances of one block.
ENTRIES = 4_000_000
# With fewer stimuli there are fewer than three pairs, and nothing to correlate.
AT_LEAST = 3


@dataclass(frozen=True)
class RsaMap:
    """How each feature's RDM compares with a model's; every array is (features,), NaN where `status` is not ok.

    Attributes:
        score: the comparison asked for, between -1 and 1; with nuisances the partial one.
        p: one-sided permutation p (greater), (b + 1) / (P + 1).
        p_fwer: the same for the largest score of all features: controls the chance of any false discovery.
        q: Benjamini-Hochberg over the defined features; see the head of this module.
        status: `ok`, or `masked` (no stimulus seen), `too_few` (fewer than three seen, or the model does not vary on
            those seen), `constant` (all distances equal) or `explained` (the nuisances leave nothing of the feature).
        effect: slope of squared distance on the model, nuisances held, in squared activation units for one unit of
            the model; for a model of zeros and ones mean(between) - mean(within), without nuisances. NaN where the
            model does not vary.
        seen: stimuli that are not masked.
        p_tail: what q is made from.
        comparison: as asked.
        permutations: P, the orders used: fewer than asked when the design has no more.
        exhaustive: whether those were all orders, so that p is exact.
    """

    score: Floats
    p: Floats
    p_fwer: Floats
    q: Floats
    status: Names
    effect: Floats
    seen: Integers
    p_tail: Floats
    comparison: Comparison
    permutations: int
    exhaustive: bool

    @property
    def tested(self) -> int:
        """How many features are defined: the m of the multiplicity corrections."""
        return int(np.count_nonzero(self.status == "ok"))

    def discoveries(self, alpha: float = 0.05) -> int:
        """How many features have q below `alpha`."""
        return int(np.count_nonzero(self.q < alpha))


def rsa_map(
    x: ArrayLike,
    model_rdm: ArrayLike,
    *,
    comparison: Comparison = "corr",
    nuisance: Sequence[ArrayLike] = (),
    permutations: int = 1000,
    seed: int = 0,
    items: ArrayLike | None = None,
) -> RsaMap:
    """Compare the squared Euclidean distances that each feature sees with a model RDM, against permuted stimuli.

    Args:
        x: (stimuli, features), or (stimuli, features, channels) for sets of units that are compared as one; NaN =
            masked (in any channel). float64 inside; processed in blocks of features, so that the memory beyond
            `x` and the result is about 300 MB, whatever the number of features.
        model_rdm: (stimuli, stimuli) dissimilarities, symmetric; the diagonal is not looked at.
        comparison: `corr`, `cosine`, `spearman`, `rho-a`, `tau-a`, `cosine_cov` or `corr_cov` (whitened). Distances
            within 1e-10 of the largest are ties for the three that rank.
        nuisance: model RDMs to leave out of feature and model both (partial RSA); for `corr`, `cosine`, `spearman`.
            The model's stimuli are permuted and the partial score is taken anew (Legendre 2000, method 1).
        permutations: P; if the stimuli have no more other orders than that, all of them are used once.
        seed: of the random orders.
        items: (stimuli,) ids within which stimuli may be exchanged (matched pairs, blocks), or None.

    Returns:
        An `RsaMap`. Undefined features get a status and NaN, never an error. tau-a with a model of more than two
        levels is counted, about a tenth of a second for a feature at seven levels, 100 stimuli and 1,000
        permutations, and a second where all levels differ: use it on a shortlist.

    Raises:
        ValueError: shapes that do not fit, an unknown comparison, infinite activations, a model or nuisance RDM
            that is not symmetric, not of the set's size or not finite, a model that does not vary or that the
            nuisances explain whole, nuisances with a comparison that cannot leave them out.
    """
    study = _study(x, model_rdm, comparison, nuisance, items, permutations)
    orders = stimulus_orders(study.items, permutations, np.random.default_rng(seed))
    return _map(study, orders)


def rsa_null_discoveries(
    x: ArrayLike,
    model_rdm: ArrayLike,
    *,
    comparison: Comparison = "corr",
    nuisance: Sequence[ArrayLike] = (),
    permutations: int = 1000,
    seed: int = 0,
    items: ArrayLike | None = None,
    shuffles: int = 20,
    alpha: float = 0.05,
) -> tuple[float, int]:
    """How many features the same RSA would discover if the stimuli's places in the model meant nothing.

    Each shuffle of the stimuli is judged as `rsa_map` judges their observed order, by the same rule, q below `alpha`;
    all share one pass, because the null of a shuffle is the null of the data.

    Args:
        x: as are the other arguments up to `items`, what `rsa_map` takes.
        model_rdm: as in `rsa_map`.
        comparison: as in `rsa_map`.
        nuisance: as in `rsa_map`.
        permutations: as in `rsa_map`.
        seed: as in `rsa_map`; the shuffles are other draws than the permutations.
        items: as in `rsa_map`.
        shuffles: how many.
        alpha: the bound on q.

    Returns:
        The median and the largest number of discoveries over the shuffles.

    Raises:
        ValueError: as `rsa_map`, and when `shuffles` is below 1.
    """
    if shuffles < 1:
        raise ValueError(f"shuffles must be at least 1, got {shuffles}")
    study = _study(x, model_rdm, comparison, nuisance, items, permutations)
    orders = stimulus_orders(study.items, permutations, np.random.default_rng(seed))
    drawn = random_orders(study.items, shuffles, np.random.default_rng([seed, 1]))
    tail = _test(study, _describe(study), orders, drawn).tail
    counts = [int(np.count_nonzero(bh(row) < alpha)) for row in tail]
    return float(np.median(counts)), max(counts)


def rsa_draws(
    x: ArrayLike,
    model_rdm: ArrayLike,
    *,
    comparison: Comparison = "corr",
    nuisance: Sequence[ArrayLike] = (),
    permutations: int = 1000,
    seed: int = 0,
    items: ArrayLike | None = None,
) -> tuple[float, Floats]:
    """The score of one feature, and its scores under the permutations that `rsa_map` compares it with.

    Args:
        x: (stimuli,) or (stimuli, channels) of the feature or set; the other arguments are those of `rsa_map`.

    Returns:
        The score and (P,) permuted scores in the order of the draws; NaN and none where the feature is undefined.

    Raises:
        ValueError: as `rsa_map`.
    """
    one = np.asarray(x)
    one = one[:, None, None] if one.ndim == 1 else one[:, None, :]
    study = _study(one, model_rdm, comparison, nuisance, items, permutations)
    orders = stimulus_orders(study.items, permutations, np.random.default_rng(seed))
    about = _describe(study)
    seen = about.patterns[about.pattern[0]]
    model = _prepared(study, seen) if about.status[0] == "ok" else None
    if model is None:
        return float("nan"), np.zeros(0)
    columns, block, _ = _ranked(study, about, np.zeros(1, dtype=np.intp), seen, model)
    if not columns.size:
        return float("nan"), np.zeros(0)
    scores = products(model, orders.among(seen), 1, study.x.shape[2]).scores(block)[:, 0]
    return float(about.score[0]), scores.astype(np.float64)


@dataclass(frozen=True)
class _Study:
    """Checked arguments."""

    x: NDArray[np.generic]
    """(stimuli, features, channels)"""
    model: Floats
    nuisance: tuple[Floats, ...]
    comparison: Comparison
    items: Integers


@dataclass
class _About:
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


@dataclass
class _Tested:
    """What the permutations say; arrays (features,), NaN where ready."""

    p: Floats
    observed: Floats
    """Score under the observed order as the products give it, less its mean under all orders."""
    tail: Floats
    """(orders asked about, features) pooled tail probability."""
    largest: Floats
    """(P,) largest score of each order, less its mean under all orders."""
    tie: float


def _map(study: _Study, orders: Orders) -> RsaMap:
    about = _describe(study)
    identity = np.arange(study.x.shape[0])[None]
    found = _test(study, about, orders, identity)
    ok = about.status == "ok"
    count = orders.rows.shape[0]
    p_fwer = np.full(ok.shape, np.nan)
    below = np.searchsorted(np.sort(found.largest), found.observed[ok] - found.tie, side="left")
    p_fwer[ok] = (count - below + 1) / (count + 1)
    return RsaMap(
        score=np.where(ok, about.score, np.nan),
        p=found.p,
        p_fwer=p_fwer,
        q=bh(found.tail[0]),
        status=about.status,
        effect=np.where(ok, about.effect, np.nan),
        seen=about.seen,
        p_tail=found.tail[0],
        comparison=study.comparison,
        permutations=count,
        exhaustive=orders.exhaustive,
    )


def _describe(study: _Study) -> _About:
    """Status and, for comparisons of distances, score of every feature, a block at a time, in closed form."""
    stimuli, features, _ = study.x.shape
    about = _About(
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


def _describe_pattern(study: _Study, about: _About, number: int, seen: Bools) -> None:
    members = np.flatnonzero(about.pattern == number)
    model = _prepared(study, seen) if seen.sum() >= AT_LEAST else None
    if model is None:
        about.status[members] = "too_few" if seen.any() else "masked"
        return
    kept = np.ix_(seen, seen)
    slope = _slope(study.model[kept], [z[kept] for z in study.nuisance])
    for columns in _chunks(members, study.x[:, :1].size):
        block, sums = _block(study, columns, seen, model)
        pairs = model.stimuli * (model.stimuli - 1) // 2
        levelled, ready = block
        about.status[columns[ready.norms == 0]] = "explained"
        still = levelled.constant | ((study.comparison not in ("cosine", "cosine_cov")) & _equidistant(sums, pairs))
        about.status[columns[still]] = "constant"
        with np.errstate(divide="ignore", invalid="ignore"):
            if study.comparison not in RANKED:
                top = weighted_distances(levelled.values, model.weights)
                top = top - (model.basis @ model.vector) @ ready.parts
                about.score[columns] = np.clip(top / ready.norms / _left(model), -1, 1)
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


def _slopes(study: _Study, x: Floats, ready: Block, sums: Sums, slope: _Slope | None, score: Floats) -> Floats:
    """(features,) slope of the levelled distances on the model; correlation and cosine already hold it."""
    if slope is None:
        return np.full(score.shape, np.nan)
    if study.nuisance or study.comparison not in ("corr", "cosine"):
        return weighted_distances(x, slope.weights)
    if study.comparison == "corr":
        return score * ready.norms / slope.centred
    return (score * ready.norms * slope.length - slope.mean * sums.total) / slope.centred**2


def _left(model: PreparedModel) -> float:
    """What the nuisances leave of the weights' length; 1 without nuisances, when the norm is part of the weights."""
    return model.left if len(model.basis) else 1.0


def _equidistant(sums: Sums, pairs: int) -> Bools:
    return np.asarray(sums.spread(pairs) <= 1e-13 * sums.squares)


def _block(study: _Study, columns: Integers, seen: Bools, model: PreparedModel) -> tuple[tuple[Levelled, Block], Sums]:
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


def _prepared(study: _Study, seen: Bools) -> PreparedModel | None:
    kept = np.ix_(seen, seen)
    return prepare(study.model[kept], tuple(z[kept] for z in study.nuisance), study.comparison)


def _test(study: _Study, about: _About, orders: Orders, asked: Integers) -> _Tested:
    """One pass over the defined features under the orders asked about and the null orders.

    For comparisons of ranks this also finds the scores, and features whose ranks are all ties.
    """
    features, count = about.status.size, orders.rows.shape[0]
    empty = np.full(features, np.nan)
    found = _Tested(empty, empty.copy(), np.full((asked.shape[0], features), np.nan), np.full(count, -np.inf), 0.0)
    if not count and study.comparison not in RANKED:  # scores alone were asked for, and they are there
        ok = about.status == "ok"
        found.p[ok], found.observed[ok], found.tail[:, ok] = 1.0, about.score[ok], 1.0
        return found
    for number, seen in enumerate(about.patterns):
        ok = np.flatnonzero((about.pattern == number) & (about.status == "ok"))
        if not ok.size:
            continue
        rank = ok[np.argsort(about.concentration[ok], kind="stable")]
        _test_pattern(study, about, found, rank, seen, orders, asked)
    return found


def _test_pattern(
    study: _Study, about: _About, found: _Tested, rank: Integers, seen: Bools, orders: Orders, asked: Integers
) -> None:
    model = _prepared(study, seen)
    assert model is not None  # features of such a pattern have no status ok
    rows = np.concatenate([replace(orders, rows=asked).among(seen), orders.among(seen)])
    way = products(model, rows, rank.size, study.x.shape[2])
    found.tie = max(found.tie, way.tie)
    k, pairs = asked.shape[0], model.stimuli * (model.stimuli - 1) // 2
    for columns in _strata(rank, max(rows.shape[0], pairs, study.x[:, :1].size)):
        columns, block, sums = _ranked(study, about, columns, seen, model)
        if not columns.size:
            continue
        scores = way.scores(block)  # (asked + P, features here)
        mean = 0.0
        if study.comparison == "cosine" and not len(model.basis):
            mean = model.vector.sum() * sums.total / pairs / block.norms  # exact over all orders
            scores -= mean.astype(scores.dtype)
        null = scores[k:]
        found.p[columns] = ((null >= scores[0] - way.tie).sum(axis=0) + 1) / (null.shape[0] + 1)
        found.observed[columns] = scores[0]
        np.maximum(found.largest, null.max(axis=1), out=found.largest)
        pool = np.sort(null, axis=None)
        found.tail[:, columns] = pooled_upper_tail(scores[:k], pool, least=1 / orders.total, tie=way.tie)


def _ranked(
    study: _Study, about: _About, columns: Integers, seen: Bools, model: PreparedModel
) -> tuple[Integers, Block, Sums]:
    """The block of some features; where ranks are compared, scored and without those whose ranks are all ties."""
    (levelled, block), sums = _block(study, columns, seen, model)
    if study.comparison not in RANKED:
        return columns, block, sums
    ranks = ranked_targets(levelled.values, model)
    varied = ranks.any(axis=1)
    about.status[columns[~varied]] = "explained" if len(model.basis) else "constant"
    columns, ranks = columns[varied], ranks[varied]
    block = Block(levelled.values[:, varied], block.norms[varied], block.parts[:, varied], ranks)
    if model.levels is None:
        about.score[columns] = np.clip((ranks @ model.vector) / _left(model), -1, 1)
    else:
        straight = np.arange(model.stimuli)[None]
        about.score[columns] = products(model, straight, columns.size, 1).scores(block)[0]
    return columns, block, sums


def _blocks(features: int, size: int) -> Iterator[slice]:
    width = int(np.clip(ENTRIES // max(size, 1), 1, 2048))
    for start in range(0, features, width):
        yield slice(start, min(start + width, features))


def _chunks(members: Integers, size: int) -> Iterator[Integers]:
    for part in _blocks(members.size, size):
        yield members[part]


def _strata(rank: Integers, size: int) -> Iterator[Integers]:
    width = int(np.clip(ENTRIES // max(size, 1), 8, STRATUM))
    for start in range(0, rank.size, width):
        yield rank[start : start + width]


def _hidden(part: NDArray[np.generic], start: int) -> Bools:
    """(stimuli, features here) whether any channel is masked."""
    found = part.astype(np.float64)
    if np.isinf(found).any():
        row, column, channel = np.argwhere(np.isinf(found))[0]
        where = f"stimulus {row}, feature {start + column}"
        raise ValueError(f"activations must be finite or NaN (masked), got {found[row, column, channel]} at {where}")
    return np.asarray(np.isnan(found).any(axis=2))


def _study(
    x: ArrayLike,
    model_rdm: ArrayLike,
    comparison: str,
    nuisance: Sequence[ArrayLike],
    items: ArrayLike | None,
    permutations: int,
) -> _Study:
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
    return _Study(found, model, extra, comparison, _codes(items, stimuli))


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
