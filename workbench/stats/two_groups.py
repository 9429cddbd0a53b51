"""One block of features under two labels: what is measured on each, and its test statistic for many labellings."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Statistic = Literal["welch", "paired", "mann_whitney", "rate"]
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)

# Spreads below this, where a feature's largest |activation| is between 1/2 and 1, are rounding, not variance.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Description:
    """What one labelling says of each feature; every array is (features,). NaN where `status` is not ok."""

    status: NDArray[np.str_]
    effect: Floats
    d: Floats
    t: Floats
    auc: Floats
    rate_difference: Floats
    n_positive: Floats
    n_rest: Floats
    df: Floats
    """Degrees of freedom of the parametric tail (Welch-Satterthwaite, pairs - 1, or inf for a normal score)."""
    contributing: Floats
    """Effective number of stimuli behind the tested values, 1 / sum z^4 with sum z^2 = 1: about the number of
    firings of a sparse feature, a third of the stimuli for a Gaussian one. Labels play no part in it."""


@dataclass(frozen=True)
class Scored:
    """The tested values of a block, ready for one matrix product with the labellings.

    Attributes:
        values: (rows, features) tested values, centred (not for pairs), sum of squares 1, 0 where masked.
        seen: (rows, features) 1.0 where not masked, or None when nothing is masked.
    """

    values: Floats
    seen: Floats | None


def describe(x: Floats, positive: Bools, statistic: Statistic) -> Description:
    """Measure one block of features under the observed labels.

    Args:
        x: (stimuli, features), NaN = masked. For `paired`, the positives of all pairs above the rests, in the
            same order.
        positive: (stimuli,) bool.
        statistic: one of `STATISTICS`.
    """
    x, exponent = levelled(_whole_pairs(x) if statistic == "paired" else x)
    seen = ~np.isnan(x)
    n1, n0 = seen[positive].sum(0).astype(np.float64), seen[~positive].sum(0).astype(np.float64)
    tested = tested_values(x, statistic)
    status = _status(tested, n1, n0, statistic)
    ok = status == "ok"
    with np.errstate(divide="ignore", invalid="ignore"):
        effect, d = _mean_difference(x, positive)
        t, df = _test(tested, positive, statistic)
        area = auc(x, positive)
        fired = np.where(seen, x > 0, 0.0)
        rate = fired[positive].sum(0) / n1 - fired[~positive].sum(0) / n0
        z = scored(tested, centred=statistic != "paired").values
        contributing = 1 / ((z * z) ** 2).sum(0)
    units = np.ldexp(effect, exponent)
    numbers = (np.where(ok, v, np.nan) for v in (units, d, t, area, rate, n1, n0, df, contributing))
    return Description(status, *numbers)


def levelled(x: Floats) -> tuple[Floats, NDArray[np.intc]]:
    """Scale each column by a power of two, without rounding, so that its largest |value| is in [1/2, 1).

    Returns:
        (stimuli, features) scaled values, and the (features,) exponents that were taken out.
    """
    exponent = np.frexp(_largest(np.abs(x)))[1]
    return np.ldexp(x, -exponent), exponent


def tested_values(x: Floats, statistic: Statistic) -> Floats:
    """What the statistic looks at: levelled activations, their ranks, whether they fire, or differences of pairs.

    Returns:
        (stimuli, features), or (pairs, features) for `paired`; NaN where masked.
    """
    if statistic == "paired":
        pairs = x.shape[0] // 2
        return x[:pairs] - x[pairs:]  # (2 pairs, features) -> (pairs, features)
    if statistic == "mann_whitney":
        return average_ranks(x)
    if statistic == "rate":
        return np.where(np.isnan(x), np.nan, x > 0)
    return x


def scored(tested: Floats, *, centred: bool) -> Scored:
    """Centre (unless the values are differences of pairs), zero the masked, scale to sum of squares 1."""
    seen = ~np.isnan(tested)
    values = np.where(seen, tested, 0.0)
    whole = bool(seen.all())
    if centred:
        n = np.maximum(seen.sum(0), 1)
        for _ in range(2):  # the second time removes the rounding of the first, for a large common offset
            values = np.where(seen, values - values.sum(0) / n, 0.0)
    norm = np.sqrt((values**2).sum(0))
    values /= np.where(norm > 0, norm, 1.0)
    return Scored(values, None if whole else seen.astype(np.float64))


def permuted(labels: Bools, block: Scored, statistic: Statistic) -> Floats:
    """The squared statistic of every labelling, squeezed into [0, 1): u = t^2 / (t^2 + nu); 1 is an infinite t.

    One matrix product gives the group sums of all labellings, a second the group sums of squares where they are
    needed. With two groups of equal size and nothing masked, Welch's t depends on the labels only through the
    group sum (the within-group sum of squares is the total less the between-group one), so one product does.
    A labelling that leaves fewer than two seen stimuli in a group has no statistic and counts as u = 0, which is
    what an observed feature in that state gets: it is not tested.

    Args:
        labels: (labellings, stimuli) bool; for `paired`, (labellings, pairs), False = the pair exchanged.
        block: the tested values.
        statistic: one of `STATISTICS`.

    Returns:
        (labellings, features); nu is `squeeze_constant(statistic, stimuli or pairs)`.
    """
    if statistic == "paired":
        return _permuted_pairs(labels, block)
    n = labels.shape[1]
    z = labels.astype(np.float64)
    sums = z @ block.values  # (labellings, stimuli) x (stimuli, features) -> (labellings, features)
    n1: Floats | float = float(labels[0].sum()) if block.seen is None else z @ block.seen
    total: Floats | float = float(n) if block.seen is None else block.seen.sum(0)
    n0 = total - n1
    if block.seen is None and statistic != "mann_whitney" and n1 == n0:
        balanced: Floats = np.minimum(sums**2 * (4 / n), 1.0)
        return balanced
    with np.errstate(divide="ignore", invalid="ignore"):  # groups that a labelling leaves empty
        if statistic == "mann_whitney":
            top = sums**2 * (total * (total - 1) / (n1 * n0))
            bottom: Floats | float = 1.0  # ranks have their exact null variance in the numerator already
        else:
            top = (sums * (total / (n1 * n0))) ** 2
            squares = z @ block.values**2  # (labellings, features)
            bottom = _squared_error(squares, sums, n1) + _squared_error(1 - squares, sums, n0)
        u = top / (top + squeeze_constant(statistic, n) * bottom)
    return np.where((np.minimum(n1, n0) >= 2) & ~np.isnan(u), u, 0.0)


def squeeze_constant(statistic: Statistic, n: int) -> float:
    """The nu of `permuted`: n - 2 stimuli, n - 1 pairs, never below 1. Any constant would do for every feature."""
    return float(max(n - 1 if statistic == "paired" else n - 2, 1))


def average_ranks(x: Floats) -> Floats:
    """Ranks down each column from 1, ties share their mean rank, NaN stays NaN; (stimuli, features) both ways."""
    rows = np.ascontiguousarray(x.T)  # (stimuli, features) -> (features, stimuli)
    order = np.argsort(rows, axis=1)
    ordered = np.take_along_axis(rows, order, axis=1)
    n = rows.shape[1]
    place = np.arange(n)
    starts = np.ones(ordered.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.ones(ordered.shape, dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, place, n)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(rows.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=1)
    ranks[np.isnan(rows)] = np.nan
    return ranks.T  # (features, stimuli) -> (stimuli, features)


def auc(x: Floats, positive: Bools) -> Floats:
    """(features,) chance that a positive stimulus is above a rest stimulus, ties one half: Mann-Whitney U / n1 n0."""
    ranks = average_ranks(x)
    n1, n0 = (~np.isnan(ranks[positive])).sum(0), (~np.isnan(ranks[~positive])).sum(0)
    area: Floats = (np.nansum(ranks[positive], axis=0) - n1 * (n1 + 1) / 2) / (n1 * n0)
    return area


def _permuted_pairs(kept: Bools, block: Scored) -> Floats:
    sums = np.where(kept, 1.0, -1.0) @ block.values  # (labellings, pairs) x (pairs, features)
    pairs = kept.shape[1]
    if block.seen is None:
        whole: Floats = np.minimum(sums**2 / pairs, 1.0)
        return whole
    n = block.seen.sum(0)  # (features,): exchanging inside a pair never changes which pairs are seen
    share = np.minimum(sums**2 / np.maximum(n, 1), 1.0)
    top = np.maximum(n - 1, 0) * share
    rest = squeeze_constant("paired", pairs) * (1 - share)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(top > 0, top / (top + rest), 0.0)


def _squared_error(squares: Floats, sums: Floats, n: Floats | float) -> Floats:
    """Squared standard error of a group mean from the group's sum of squares, sum and size."""
    # only the square of the sum enters, so the other group's sum, its negative, serves both
    return np.maximum(squares - sums**2 / n, 0.0) / (n * (n - 1))


def _whole_pairs(x: Floats) -> Floats:
    """A pair with one masked member is masked whole; (2 pairs, features) both ways."""
    pairs = x.shape[0] // 2
    torn = np.isnan(x[:pairs]) | np.isnan(x[pairs:])
    return np.where(np.concatenate([torn, torn]), np.nan, x)


def _status(tested: Floats, n1: Floats, n0: Floats, statistic: Statistic) -> NDArray[np.str_]:
    spread = _largest(np.abs(tested)) if statistic == "paired" else _range(tested)
    status = np.where(spread <= ROUNDING, "constant", "ok")
    status = np.where((n1 < 2) | (n0 < 2), "too_few", status)
    return np.where(n1 + n0 == 0, "masked", status)


def _largest(x: Floats) -> Floats:
    """Column maximum over what is not masked; 0 for an empty column."""
    top = np.max(x, axis=0, where=~np.isnan(x), initial=-np.inf)
    return np.where(np.isneginf(top), 0.0, top)


def _range(x: Floats) -> Floats:
    return _largest(x) + _largest(-x)


def _moments(x: Floats) -> tuple[Floats, Floats, Floats]:
    """(features,) size, mean, and sum of squares about the mean of each column, over what is not masked."""
    seen = ~np.isnan(x)
    n = seen.sum(0).astype(np.float64)
    mean = np.where(seen, x, 0.0).sum(0) / n
    residual = np.where(seen, x - mean, 0.0)
    return n, mean, (residual**2).sum(0)


def _mean_difference(x: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """Difference of means, and the same in pooled standard deviations (Cohen 1988, equation 2.5.1)."""
    n1, mean1, ss1 = _moments(x[positive])
    n0, mean0, ss0 = _moments(x[~positive])
    effect = mean1 - mean0
    pooled = np.sqrt((ss1 + ss0) / (n1 + n0 - 2))
    still = _separated(x, positive)
    return effect, np.where(still, np.copysign(np.inf, effect), effect / pooled)


def _test(tested: Floats, positive: Bools, statistic: Statistic) -> tuple[Floats, Floats]:
    if statistic == "paired":
        return _paired_t(tested)
    if statistic == "mann_whitney":
        return _rank_z(tested, positive)
    return _welch_t(tested, positive)


def _welch_t(v: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """Welch (1947), Biometrika 34, 28: t and the Welch-Satterthwaite degrees of freedom."""
    n1, mean1, ss1 = _moments(v[positive])
    n0, mean0, ss0 = _moments(v[~positive])
    error1, error0 = ss1 / (n1 * (n1 - 1)), ss0 / (n0 * (n0 - 1))
    still = _separated(v, positive)
    t = np.where(still, np.copysign(np.inf, mean1 - mean0), (mean1 - mean0) / np.sqrt(error1 + error0))
    share = error1 / (error1 + error0)
    df = 1 / (share**2 / (n1 - 1) + (1 - share) ** 2 / (n0 - 1))
    return t, np.where(still, n1 + n0 - 2, df)


def _separated(v: Floats, positive: Bools) -> Bools:
    """(features,) whether both groups are constant, up to rounding."""
    return np.asarray(np.maximum(_range(v[positive]), _range(v[~positive])) <= ROUNDING)


def _paired_t(v: Floats) -> tuple[Floats, Floats]:
    """Student's t of the pair differences; (pairs, features) -> (features,), (features,)."""
    n, mean, ss = _moments(v)
    t = mean / np.sqrt(ss / (n * (n - 1)))
    return np.where(_range(v) <= ROUNDING, np.copysign(np.inf, mean), t), n - 1


def _rank_z(ranks: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """Mann-Whitney z with the tie correction and no continuity correction; its null variance is the exact one."""
    n, mean, ss = _moments(ranks)
    n1 = (~np.isnan(ranks[positive])).sum(0)
    above = np.nansum(ranks[positive], axis=0) - n1 * mean
    return above / np.sqrt(n1 * (n - n1) * ss / (n * (n - 1))), np.full(n.shape, np.inf)
