"""Contrast maps: which features respond differently to two sets of stimuli, and which would by chance.

How q is found. Each feature gets a tail probability under label shuffles that is finer than 1 / (P + 1): its |t| is
compared with the shuffled |t| of a stratum of `STRATUM` features alike in how many stimuli carry their variance,
all P shuffles pooled, and continued by a Student tail where the pool ends (`tail.pooled_tail`); q is
Benjamini-Hochberg over all defined features. The parametric Welch p is not used for it: with unequal groups a
sparse feature that is silent on the small group has a huge |t| at an ordinary probability.

Share of label-free data sets with any q < 0.05, 300 of each kind, 1,000 features, 300 permutations (the kinds are in
`null_scenarios`; standard error about 0.013 at 0.05):

    kind                                       welch  paired  mann_whitney  rate
    Gaussian, 50 + 50                          .050   .057    .053          .023
    sparse, log-normal heights, 50 + 50        .003   .003    .023          .017
    the same, 15 + 85                          .010           .050          .023
    binary, 15 + 85                            .010           .043          .010
    rectified shared templates, 50 + 50        .017   .023    .023          .033
    8 to 100 stimuli seen, half sparse         .033   .023    .043          .020
    matched pairs, labels move within them     .000   .000    .000          .000
    Gaussian, 4 + 4, all 70 labellings         .027   .000    .000          .000
    sparse, 6 + 6                              .013   .000    .000          .030

With 1 % planted features among 4,000 (firing on 60 % of the positives, 5 % of the rest, log-normal heights, 50 + 50)
Welch finds 87 % of them and its parametric p 36 %; on 15 + 85, `rate` by its parametric p makes 78 % false
discoveries, by this rule 1 %. There Welch finds none: for sparse features and unequal groups use `mann_whitney`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.multiplicity import Fdr, adjusted
from workbench.stats.permutation import Labellings, relabel, shuffled_labels
from workbench.stats.tail import ANCHOR, pooled_tail, student_tail
from workbench.stats.two_groups import (
    STATISTICS,
    Description,
    Scored,
    Statistic,
    describe,
    levelled,
    permuted,
    scored,
    squeeze_constant,
    tested_values,
)

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# Features per pooled null: 512 x 1,000 permutations resolve 2e-6 before the formula takes over, and a
# (1,001, 512) float64 array is 4 MB, which stays near the cache.
STRATUM = 512
# Entries of one array of permuted statistics, at most, however many permutations are asked for.
ENTRIES = 4_000_000
# u values that differ by less are ties: shuffles that give the same groups differ by rounding.
TIE = 1e-10


@dataclass(frozen=True)
class ContrastMap:
    """What two sets of stimuli do to each feature; every array is (features,), NaN where `status` is not ok.

    Attributes:
        t: the statistic: Welch's t, the paired t, the Mann-Whitney z (ties corrected, no continuity correction), or
            Welch's t of firing (activation > 0) for `rate`. Positive when the positives are higher; +-inf when the
            groups differ and nothing varies inside them.
        effect: mean(positive) - mean(rest), in activation units, whatever the statistic.
        p: two-sided permutation p, (b + 1) / (P + 1).
        p_fwer: the same for the largest |t| of all features: controls the chance of any false discovery.
        q: Benjamini-Hochberg (or -Yekutieli) over the defined features; see the head of this module.
        status: `ok`, or `masked` (no stimulus seen), `too_few` (fewer than two seen in a group) or `constant` (no
            difference to test: equal values, no or full firing for `rate`, all pair differences zero for `paired`).
        d: effect in pooled standard deviations (Cohen's d); +-inf like t.
        d_z: mean of the pair differences in their standard deviations (Cohen 1988, equation 2.3.5), the effect size
            that the power of the paired t depends on; NaN for every other statistic.
        auc: chance that a random positive is above a random rest stimulus, ties one half.
        rate_difference: share of positives that fire (activation > 0) less that of the rest.
        n_positive: seen stimuli (pairs for `paired`) among the positives.
        n_rest: the same among the rest.
        p_parametric: two-sided p of Student's or the normal distribution, for comparison; wrong for sparse features.
        p_tail: what q is made from.
        statistic: as asked.
        permutations: P, the labellings used: fewer than asked when the design has no more.
        exhaustive: whether those were all labellings, so that p is exact.
        min_p: the smallest p this design and P can give.
    """

    t: Floats
    effect: Floats
    p: Floats
    p_fwer: Floats
    q: Floats
    status: NDArray[np.str_]
    d: Floats
    auc: Floats
    rate_difference: Floats
    n_positive: Floats
    n_rest: Floats
    p_parametric: Floats
    p_tail: Floats
    statistic: Statistic
    permutations: int
    exhaustive: bool
    min_p: float

    @property
    def d_z(self) -> Floats:
        """Mean of the pair differences in their standard deviations; see the attributes."""
        if self.statistic != "paired":
            return np.full(self.t.shape, np.nan)
        return np.asarray(self.t / np.sqrt(self.n_positive))

    @property
    def tested(self) -> int:
        """How many features are defined: the m of the multiplicity corrections."""
        return int(np.count_nonzero(self.status == "ok"))

    def discoveries(self, alpha: float = 0.05) -> int:
        """How many features have q below `alpha`."""
        return int(np.count_nonzero(self.q < alpha))


@dataclass(frozen=True)
class FeatureNull:
    """One feature of a contrast map and what its numbers were compared with.

    Attributes:
        observed: |t| under the true labels.
        draws: (P,) |t| of this feature under each labelling; inf where a labelling separates it without variance.
        exceeding: how many of them are at least as large, ties counted: p is (exceeding + 1) / (P + 1).
        exhaustive: whether the labellings are all there are.
        stratum: features whose draws were pooled for q.
        pool: how many draws that makes.
        pool_exceeding: how many of the pool are at least as large as the observed one.
        continued: whether the observed |t| lies beyond the pool's `tail.ANCHOR`-th largest draw, where a Student tail
            takes over.
        p_tail: the probability q is made from.
    """

    observed: float
    draws: Floats
    exceeding: int
    exhaustive: bool
    stratum: int
    pool: int
    pool_exceeding: int
    continued: bool
    p_tail: float


@dataclass(frozen=True)
class _Design:
    """The stimuli a statistic uses, in the order it wants them."""

    rows: Integers
    positive: Bools
    items: Integers

    @property
    def pairs(self) -> int:
        return self.rows.size // 2


@dataclass(frozen=True)
class _Null:
    """What the shuffles say of the defined features."""

    exceeding: Integers
    """(features,) shuffles at least as extreme as the observed labels."""
    observed: Floats
    """(features,) squeezed statistic of the observed labels, comparable with `largest`."""
    largest: Floats
    """(P,) largest squeezed statistic of each shuffle."""
    tail: Floats
    """(labellings, features) pooled tail probability under each labelling asked about."""


def contrast_map(
    x: ArrayLike,
    positive: ArrayLike,
    *,
    items: ArrayLike | None = None,
    statistic: Statistic = "welch",
    permutations: int = 1000,
    seed: int = 0,
    fdr: Fdr = "bh",
) -> ContrastMap:
    """Compare two sets of stimuli feature by feature, against label permutations.

    Args:
        x: (stimuli, features) activations, NaN = masked. float64 inside; processed in blocks of features, so the
            memory beyond `x` and the result is about 100 MB.
        positive: (stimuli,) bool, the labels.
        items: (stimuli,) ids of matched sets, or None. Labels move only within an item. `paired` needs items with at
            most one positive and one rest stimulus; incomplete pairs are left out of it.
        statistic: `welch`, `paired`, `mann_whitney` or `rate`; see `ContrastMap.t`.
        permutations: P; if the design has no more other labellings than that, all of them are used once.
        seed: of the random labellings.
        fdr: how q is made of the tail: `bh`, or `by` for any dependence between features.

    Returns:
        A `ContrastMap`. Undefined features get a status and NaN, never an error. Permutation p as Phipson & Smyth
        (2010), Stat. Appl. Genet. Mol. Biol. 9, 39; p_fwer as Westfall & Young (1993), single-step max T.

    Raises:
        ValueError: shapes that do not fit, labels that are not boolean, an unknown statistic, no stimulus on one
            side, items that leave no label to move, infinite activations.
    """
    stimuli, design = _checked(x, positive, items, statistic, permutations)
    labellings = relabel(design.positive, design.items, permutations, np.random.default_rng(seed))
    about = _describe_all(stimuli, design, statistic)
    ok = np.flatnonzero(about.status == "ok")
    null = _null(stimuli, design, statistic, about, design.positive[None], labellings)
    p, p_fwer, tail = (np.full(about.t.shape, np.nan) for _ in range(3))
    count = labellings.rows.shape[0]
    p[ok] = (null.exceeding + 1) / (count + 1)
    above = count - np.searchsorted(np.sort(null.largest), null.observed - TIE, side="left")
    p_fwer[ok] = (above + 1) / (count + 1)
    tail[ok] = null.tail[0]
    return ContrastMap(
        t=about.t,
        effect=about.effect,
        p=p,
        p_fwer=p_fwer,
        q=adjusted(tail, fdr),
        status=about.status,
        d=about.d,
        auc=about.auc,
        rate_difference=about.rate_difference,
        n_positive=about.n_positive,
        n_rest=about.n_rest,
        p_parametric=student_tail(np.abs(about.t), about.df),
        p_tail=tail,
        statistic=statistic,
        permutations=count,
        exhaustive=labellings.exhaustive,
        min_p=_smallest_p(design, labellings),
    )


def null_discoveries(
    x: ArrayLike,
    positive: ArrayLike,
    *,
    items: ArrayLike | None = None,
    statistic: Statistic = "welch",
    permutations: int = 1000,
    seed: int = 0,
    shuffles: int = 20,
    alpha: float = 0.05,
    fdr: Fdr = "bh",
) -> tuple[float, int]:
    """How many features the same contrast would discover if the labels meant nothing.

    The labels are shuffled (within items) and each shuffle is judged as `contrast_map` judges the observed
    labels, by the same rule: q below `alpha`, from the same pooled null of the same `permutations`. All shuffles
    share one pass, because the null of a shuffle is the null of the data: it costs about one contrast map.

    Args:
        x: (stimuli, features), as are the other arguments, what `contrast_map` takes.
        positive: (stimuli,) bool.
        items: (stimuli,) or None.
        statistic: as in `contrast_map`.
        permutations: as in `contrast_map`.
        seed: as in `contrast_map`; the shuffles are other draws than the permutations.
        shuffles: how many.
        alpha: the bound on q.
        fdr: as in `contrast_map`.

    Returns:
        The median and the largest number of discoveries over the shuffles.

    Raises:
        ValueError: as `contrast_map`, and when `shuffles` is below 1.
    """
    if shuffles < 1:
        raise ValueError(f"shuffles must be at least 1, got {shuffles}")
    stimuli, design = _checked(x, positive, items, statistic, permutations)
    labellings = relabel(design.positive, design.items, permutations, np.random.default_rng(seed))
    drawn = shuffled_labels(design.positive, design.items, shuffles, np.random.default_rng([seed, 1]))
    about = _describe_all(stimuli, design, statistic)
    null = _null(stimuli, design, statistic, about, drawn, labellings)
    counts = [int(np.count_nonzero(adjusted(row, fdr) < alpha)) for row in null.tail]
    return float(np.median(counts)), max(counts)


def feature_null(
    x: ArrayLike,
    positive: ArrayLike,
    feature: int,
    *,
    items: ArrayLike | None = None,
    statistic: Statistic = "welch",
    permutations: int = 1000,
    seed: int = 0,
) -> FeatureNull | None:
    """The permutation null behind one feature of `contrast_map`: the same labellings, the same numbers.

    Args:
        x: (stimuli, features), as are the other arguments, what `contrast_map` was given; all features are needed,
            because q pools those alike in sparsity.
        positive: (stimuli,) bool.
        feature: its column.
        items: (stimuli,) or None.
        statistic: as in `contrast_map`.
        permutations: as in `contrast_map`.
        seed: as in `contrast_map`.

    Returns:
        What the feature was compared with; None if it is undefined.
    """
    stimuli, design = _checked(x, positive, items, statistic, permutations)
    about = _describe_all(stimuli, design, statistic)
    if about.status[feature] != "ok":
        return None
    labellings = relabel(design.positive, design.items, permutations, np.random.default_rng(seed))
    ok = np.flatnonzero(about.status == "ok")
    rank = np.argsort(about.contributing[ok], kind="stable")
    count = labellings.rows.shape[0]
    columns = next(ok[here] for here in _strata(rank, 1 + count) if feature in ok[here])
    place = int(np.flatnonzero(columns == feature)[0])
    rows = _label_rows(np.concatenate([design.positive[None], labellings.rows]), design, statistic)
    u = permuted(rows, _block(stimuli, columns, design, statistic), statistic)  # (1 + P, features of the stratum)
    nu = squeeze_constant(statistic, design.pairs if statistic == "paired" else design.rows.size)
    size, pool = _size(u[:1], nu), _size(np.sort(u[1:], axis=None), nu)
    tail = pooled_tail(size, _tail_df(about, columns, statistic), pool, least=1 / labellings.total)
    above = int(pool.size - np.searchsorted(pool, size[0, place] * (1 - 1e-9), side="left"))
    return FeatureNull(
        observed=float(size[0, place]),
        draws=_size(u[1:, place], nu),
        exceeding=int((u[1:, place] >= u[0, place] - TIE).sum()),
        exhaustive=labellings.exhaustive,
        stratum=columns.size,
        pool=pool.size,
        pool_exceeding=above,
        continued=above < min(ANCHOR, max(1, pool.size // 10)),
        p_tail=float(tail[0, place]),
    )


def _null(
    x: NDArray[np.generic],
    design: _Design,
    statistic: Statistic,
    about: Description,
    asked: Bools,
    labellings: Labellings,
) -> _Null:
    """One pass over the defined features, a stratum at a time, under the labels asked about and the labellings."""
    ok = np.flatnonzero(about.status == "ok")
    rank = np.argsort(about.contributing[ok], kind="stable")
    k, count = asked.shape[0], labellings.rows.shape[0]
    nu = squeeze_constant(statistic, design.pairs if statistic == "paired" else design.rows.size)
    exceeding = np.zeros(ok.size, dtype=np.intp)
    observed, largest = np.zeros(ok.size), np.zeros(count)
    tail = np.zeros((k, ok.size))
    rows = _label_rows(np.concatenate([asked, labellings.rows]), design, statistic)
    for here in _strata(rank, k + count):
        columns = ok[here]
        u = permuted(rows, _block(x, columns, design, statistic), statistic)  # (k + P, features here)
        null = u[k:]
        observed[here] = u[0]
        exceeding[here] = (null >= u[0] - TIE).sum(0)
        largest = np.maximum(largest, null.max(axis=1))
        df = _tail_df(about, columns, statistic)
        pool = _size(np.sort(null, axis=None), nu)  # (P, features here) -> (P x features,)
        tail[:, here] = pooled_tail(_size(u[:k], nu), df, pool, least=1 / labellings.total)
    return _Null(exceeding, observed, largest, tail)


def _strata(rank: Integers, rows: int) -> Iterator[Integers]:
    width = int(np.clip(ENTRIES // rows, 8, STRATUM))
    for start in range(0, rank.size, width):
        yield rank[start : start + width]


def _size(u: Floats, nu: float) -> Floats:
    """|t| from the squeezed statistic; within rounding of 1 it is infinite."""
    left = np.where(u > 1 - TIE, 0.0, 1 - u)
    with np.errstate(divide="ignore"):
        return np.sqrt(nu * u / left)


def _tail_df(about: Description, columns: Integers, statistic: Statistic) -> Floats:
    """(features,) degrees of freedom of the continued tail: Welch's for equal variances; they know only sizes."""
    if statistic in ("paired", "mann_whitney"):
        return about.df[columns]
    n1, n0 = about.n_positive[columns], about.n_rest[columns]
    a, b = 1 / n1, 1 / n0
    return np.asarray((a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n0 - 1)), dtype=np.float64)


def _label_rows(labels: Bools, design: _Design, statistic: Statistic) -> Bools:
    """For `paired`, whether each pair keeps its labels: (labellings, 2 pairs) -> (labellings, pairs)."""
    return labels[:, : design.pairs] if statistic == "paired" else labels


def _block(x: NDArray[np.generic], columns: Integers, design: _Design, statistic: Statistic) -> Scored:
    part = x[np.ix_(design.rows, columns)].astype(np.float64)  # (stimuli, features here)
    return scored(tested_values(levelled(part)[0], statistic), centred=statistic != "paired")


def _describe_all(x: NDArray[np.generic], design: _Design, statistic: Statistic) -> Description:
    """Describe every feature, a few thousand at a time."""
    width = int(np.clip(ENTRIES // (8 * design.rows.size), 16, 4096))
    parts = []
    for start in range(0, max(x.shape[1], 1), width):
        part = x[:, start : start + width][design.rows].astype(np.float64)  # (stimuli, features here)
        if np.isinf(part).any():
            row, column = np.argwhere(np.isinf(part))[0]
            where = f"stimulus {design.rows[row]}, feature {start + column}"
            raise ValueError(f"activations must be finite or NaN (masked), got {part[row, column]} at {where}")
        parts.append(describe(part, design.positive, statistic))
    fields = Description.__dataclass_fields__
    return Description(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in fields})


def _smallest_p(design: _Design, labellings: Labellings) -> float:
    # swapping all labels leaves |t| as it is, so with swappable groups the extreme comes twice
    swapped = np.bincount(design.items, weights=design.positive) * 2 == np.bincount(design.items)
    by_design = (2 if swapped.all() else 1) / labellings.total
    return by_design if labellings.exhaustive else max(by_design, 1 / (labellings.rows.shape[0] + 1))


def _checked(
    x: ArrayLike, positive: ArrayLike, items: ArrayLike | None, statistic: str, permutations: int
) -> tuple[NDArray[np.generic], _Design]:
    if statistic not in STATISTICS:
        raise ValueError(f"unknown statistic {statistic!r}; choose one of {', '.join(STATISTICS)}")
    if permutations < 0:
        raise ValueError(f"permutations must not be negative, got {permutations}")
    stimuli, labels = np.asarray(x), np.asarray(positive)
    if stimuli.ndim != 2:
        raise ValueError(f"x must be (stimuli, features), got shape {stimuli.shape}")
    if stimuli.dtype.kind not in "biuf":
        raise ValueError(f"x must hold real numbers, got dtype {stimuli.dtype}")
    if labels.dtype != np.bool_:
        raise ValueError(f"positive must be boolean, got dtype {labels.dtype}; compare with the label you mean")
    if labels.shape != stimuli.shape[:1]:
        raise ValueError(f"positive has shape {labels.shape}, but x has {stimuli.shape[0]} stimuli")
    if labels.all() or not labels.any():
        side = "rest" if labels.all() else "positive"
        raise ValueError(f"there is no {side} stimulus among {labels.size}; a contrast needs both")
    return stimuli, _design(labels, items, statistic)


def _design(positive: Bools, items: ArrayLike | None, statistic: str) -> _Design:
    everything = np.arange(positive.size)
    if items is None:
        if statistic == "paired":
            raise ValueError("statistic 'paired' needs items, the ids of the pairs, got None")
        return _Design(everything, positive, np.zeros(positive.size, dtype=np.intp))
    ids = np.asarray(items)
    if ids.shape != positive.shape:
        raise ValueError(f"items has shape {ids.shape}, but there are {positive.size} stimuli")
    names, codes = np.unique(ids, return_inverse=True)
    ones, sizes = np.bincount(codes, weights=positive), np.bincount(codes)
    mixed = (ones > 0) & (ones < sizes)
    if not mixed.any():
        raise ValueError(f"none of the {names.size} items has both labels, so no label can move; omit items")
    if statistic != "paired":
        return _Design(everything, positive, codes)
    crowded = (ones > 1) | (sizes - ones > 1)
    if crowded.any():
        who = names[crowded][0]
        raise ValueError(f"item {who!r} has more than one stimulus of a label; 'paired' needs one of each")
    return _paired_design(positive, codes, mixed)


def _paired_design(positive: Bools, codes: Integers, whole: Bools) -> _Design:
    by_item = np.argsort(codes, kind="stable")
    kept = by_item[whole[codes[by_item]]]
    rows = np.concatenate([kept[positive[kept]], kept[~positive[kept]]])  # positives, then rests, same item order
    pairs = rows.size // 2
    return _Design(rows, np.arange(2 * pairs) < pairs, np.tile(np.arange(pairs), 2))
