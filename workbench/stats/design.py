"""What a design of two sides can show before anything is measured: reachable p, detectable effects, confounds."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from workbench.stats.multiplicity import bh
from workbench.stats.permutation import count_labellings

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class ReachableP:
    """The smallest p that label permutation can give.

    Attributes:
        labellings: how many distinct labellings the design admits, the observed one included; two that differ only
            in which side is called positive count once, where the design admits both.
        smallest: 1 / labellings, the p of a feature that beats every other labelling.
    """

    labellings: int
    smallest: float


def reachable_p(positive: Bools, items: Integers | None = None) -> ReachableP:
    """Count the labellings of a two-sided test.

    Args:
        positive: (stimuli,) which side each is on.
        items: (stimuli,) integer codes of matched pairs from 0, within which labels move; None lets them move freely.
    """
    codes = np.zeros(positive.size, dtype=np.intp) if items is None else items
    total = count_labellings(positive, codes)
    sizes = np.bincount(codes)
    even = np.array_equal(2 * np.bincount(codes, weights=positive), sizes)
    different = total // 2 if even and total > 1 else total
    return ReachableP(different, max(1 / different, sys.float_info.min))  # so many that a double is 0: still never 0


def detectable_effect(
    positives: int, rest: int = 0, *, alpha: float = 0.05, power: float = 0.8, paired: bool = False
) -> float:
    """The standardised mean difference that a two-sided t test finds with this power; NaN where no test is possible.

    Two sides: Cohen's d with a common variance, t with n1 + n2 - 2 degrees of freedom and noncentrality
    d sqrt(n1 n2 / (n1 + n2)). Paired: d_z, the mean difference over the standard deviation of the differences, t with
    n - 1 degrees of freedom and noncentrality d_z sqrt(n) (Cohen 1988, chapter 2).

    Args:
        positives: sentences on the positive side, or pairs.
        rest: sentences on the other side; ignored where paired.
    """
    if paired:
        freedom, scale = positives - 1, math.sqrt(max(positives, 0))
    else:
        freedom, scale = positives + rest - 2, math.sqrt(positives * rest / max(positives + rest, 1))
    if freedom < 1 or scale == 0:
        return math.nan
    beyond = float(stats.t.isf(alpha / 2, freedom))

    # given the spread s, t is normal, so the power is the mean over s of two normal tails; scipy's noncentral t
    # does not converge far out
    nodes, weights = np.polynomial.legendre.leggauss(400)
    spread = np.sqrt(stats.chi2.ppf((nodes + 1) / 2, freedom) / freedom)  # (nodes,)

    def short(noncentrality: float) -> float:
        tails = special.ndtr(noncentrality - beyond * spread) + special.ndtr(-noncentrality - beyond * spread)
        return float(weights @ tails) / 2 - power

    most = beyond + 10.0
    while short(most) < 0:
        most *= 2
    return float(optimize.brentq(short, 0.0, most, xtol=1e-10)) / scale


@dataclass(frozen=True)
class Confound:
    """How well one number tells the two sides apart.

    Attributes:
        auc: the chance that a positive stimulus has the larger number than one of the rest, ties counted half.
        accuracy: mean of the two sides' accuracies of one threshold, chosen on the other folds.
        p: two-sided Mann-Whitney test.
        known: stimuli whose number is known.
        status: `ok`, `constant`, or `too_few` (a side with fewer than two known numbers).
    """

    auc: float
    accuracy: float
    p: float
    mean_positive: float
    mean_rest: float
    known: int
    status: Literal["ok", "constant", "too_few"]


def confound(values: Floats, positive: Bools, folds: Integers) -> Confound:
    """Take one number as a classifier of the two sides.

    Args:
        values: (stimuli,), NaN where unknown.
        positive: (stimuli,).
        folds: (stimuli,) codes of the folds, as `balanced_folds` makes them.
    """
    known = np.isfinite(values)
    x, y, folds = values[known], positive[known], folds[known]
    one, other = x[y], x[~y]
    if min(one.size, other.size) < 2:
        return Confound(math.nan, math.nan, math.nan, _mean(one), _mean(other), int(known.sum()), "too_few")
    if np.ptp(x) == 0:
        return Confound(0.5, 0.5, 1.0, _mean(one), _mean(other), int(known.sum()), "constant")
    found = stats.mannwhitneyu(one, other, alternative="two-sided", method="asymptotic")
    auc = float(found.statistic) / (one.size * other.size)
    accuracy = _threshold_accuracy(x, y, folds)
    return Confound(auc, accuracy, float(found.pvalue), _mean(one), _mean(other), int(known.sum()), "ok")


def _mean(x: Floats) -> float:
    return float(x.mean()) if x.size else math.nan


def balanced_folds(positive: Bools, items: Integers | None = None, *, folds: int = 5, seed: int = 0) -> Integers:
    """(stimuli,) fold of each: both sides dealt evenly, an item never split between folds.

    Args:
        items: (stimuli,) integer codes; stimuli of one code stay together. None: each stands alone.
    """
    rng = np.random.default_rng(seed)
    codes = np.arange(positive.size) if items is None else items
    of_code = np.empty(int(codes.max(initial=-1)) + 1, dtype=np.intp)
    pure = [np.setdiff1d(codes[positive], codes[~positive]), np.setdiff1d(codes[~positive], codes[positive])]
    for group in (*pure, np.intersect1d(codes[positive], codes[~positive])):
        of_code[rng.permutation(group)] = np.arange(group.size) % folds
    found: Integers = of_code[codes]
    return found


def _threshold_accuracy(x: Floats, y: Bools, folds: Integers) -> float:
    right = np.zeros(x.size)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        if len(np.unique(y[train])) < 2:
            right[test] = 0.5
            continue
        cut, above = _best_threshold(x[train], y[train])
        right[test] = np.where(x[test] == cut, 0.5, (x[test] > cut) == (y[test] == above))
    return _balanced(right, y)


def _best_threshold(x: Floats, y: Bools) -> tuple[float, bool]:
    """The threshold with the best mean of both sides' accuracies, and whether the positive ones lie above it."""
    values = np.unique(x)
    if values.size == 1:
        return float(values[0]), True
    cuts = (values[:-1] + values[1:]) / 2  # (cuts,)
    one, other = np.sort(x[y]), np.sort(x[~y])
    below = np.searchsorted(one, cuts) / one.size, np.searchsorted(other, cuts) / other.size  # (cuts,) each
    above = below[1] - below[0]  # 2 * accuracy - 1
    best = int(np.abs(above).argmax())
    return float(cuts[best]), bool(above[best] >= 0)


def _balanced(right: Floats, y: Bools) -> float:
    return float((right[y].mean() + right[~y].mean()) / 2)


def accuracy_p(accuracy: float, positives: int, rest: int) -> float:
    """One-sided chance of a balanced accuracy this high by guessing, in the normal approximation.

    Sentences count as independent; on held-out folds they are not, since each is in the training of the others. Of
    naive Bayes on sets without any difference 3 to 4 % have a p below 0.01 (20 to 50 a side): enough
    for a warning, no test.
    """
    if min(positives, rest) == 0:
        return math.nan
    spread = math.sqrt((0.25 / positives + 0.25 / rest) / 4)
    return float(stats.norm.sf((accuracy - 0.5) / spread))


@dataclass(frozen=True)
class WordLeak:
    """What single words, and all of them together, tell of the side.

    Attributes:
        positive: (words,) share of the positive stimuli that hold the word.
        rest: (words,) share of the others.
        p: (words,) Fisher's exact test, the smaller tail doubled.
        q: (words,) Benjamini-Hochberg.
        accuracy: mean of the two sides' accuracies of naive Bayes on the words, on held-out folds.
    """

    positive: Floats
    rest: Floats
    p: Floats
    q: Floats
    accuracy: float


def word_leak(held: Bools, positive: Bools, folds: Integers) -> WordLeak:
    """Take words as classifiers of the two sides.

    Args:
        held: (stimuli, words), which words each stimulus holds.
        positive: (stimuli,).
        folds: (stimuli,) codes of the folds.
    """
    ones, others = int(positive.sum()), int((~positive).sum())
    with_one, with_other = held[positive].sum(axis=0), held[~positive].sum(axis=0)  # (words,)
    drawn = with_one + with_other
    lower = stats.hypergeom.cdf(with_one, ones + others, ones, drawn)
    upper = stats.hypergeom.sf(with_one - 1, ones + others, ones, drawn)
    p = np.minimum(1.0, 2 * np.minimum(lower, upper))
    q = bh(p) if p.size else p
    return WordLeak(with_one / max(ones, 1), with_other / max(others, 1), p, q, _bayes_accuracy(held, positive, folds))


def _bayes_accuracy(held: Bools, positive: Bools, folds: Integers) -> float:
    """Bernoulli naive Bayes with add-one smoothing and equal priors; an undecided stimulus counts half."""
    right = np.zeros(positive.size)
    present = held.astype(np.float64)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        if len(np.unique(positive[train])) < 2:
            right[test] = 0.5
            continue
        one, other = (
            (present[train & side].sum(axis=0) + 1) / ((train & side).sum() + 2) for side in (positive, ~positive)
        )  # (words,) chance of a word on each side
        with_word, without = np.log(one / other), np.log((1 - one) / (1 - other))
        score = present[test] @ (with_word - without) + without.sum()  # (test stimuli,)
        right[test] = np.where(np.abs(score) < 1e-9, 0.5, (score > 0) == positive[test])
    return _balanced(right, positive)


@dataclass(frozen=True)
class Swap:
    """One stimulus out, one in, and how well the number tells the sides apart afterwards.

    Attributes:
        auc: of the measure that the swaps are to level, after this swap and those before it.
    """

    out: int
    into: int
    auc: float


def leveling_swaps(values: Floats, positive: Bools, used: Bools, *, most: int = 20, near: float = 0.02) -> list[Swap]:
    """Swaps of used for spare stimuli of the same side that bring the AUC of a number nearest to 1/2, one by one.

    Greedy: each swap is the one after which |AUC - 1/2| is smallest. Ends when that is below `near`, when no swap
    helps, or after `most`.

    Args:
        values: (stimuli,) the number, finite.
        positive: (stimuli,) side of each.
        used: (stimuli,) whether it is in the design now; the others are spare.
    """
    used = used.copy()
    swaps: list[Swap] = []
    while len(swaps) < most:
        now = abs(_auc(values, positive, used) - 0.5)
        if now < near:
            break
        found = _best_swap(values, positive, used)
        if found is None or abs(found.auc - 0.5) >= now - 1e-12:
            break
        used[found.out], used[found.into] = False, True
        swaps.append(found)
    return swaps


def _auc(values: Floats, positive: Bools, used: Bools) -> float:
    one, other = values[used & positive], values[used & ~positive]
    return float(_above(one, other).mean()) if one.size and other.size else 0.5


def _above(one: Floats, other: Floats) -> Floats:
    """(one, other): 1 where the first is larger, 1/2 where equal, 0 where smaller."""
    found: Floats = (np.sign(one[:, None] - other) + 1) / 2
    return found


def _best_swap(values: Floats, positive: Bools, used: Bools) -> Swap | None:
    best: Swap | None = None
    auc = _auc(values, positive, used)
    for side in (True, False):
        out, into = (np.flatnonzero((positive == side) & (used == taken)) for taken in (True, False))
        against = values[used & (positive != side)]
        if not out.size or not into.size or not against.size:
            continue
        sign = 1 if side else -1  # the AUC counts positive over rest
        gain = _above(values[into], against).mean(axis=1) - _above(values[out], against).mean(axis=1)[:, None]
        after = auc + sign * gain / out.size  # (out, into)
        place = np.unravel_index(int(np.abs(after - 0.5).argmin()), after.shape)
        found = Swap(int(out[place[0]]), int(into[place[1]]), float(after[place]))
        if best is None or abs(found.auc - 0.5) < abs(best.auc - 0.5):
            best = found
    return best


def leveling_pair_swaps(one: Floats, other: Floats, used: Bools, *, most: int = 20, near: float = 0.02) -> list[Swap]:
    """As `leveling_swaps`, where whole pairs are exchanged for spare pairs.

    Args:
        one: (pairs,) the number of the positive stimulus of each pair, finite.
        other: (pairs,) that of its partner.
        used: (pairs,) whether the pair is in the design now.
    """
    used = used.copy()
    above = _above(one, other)  # (pairs, pairs)
    swaps: list[Swap] = []
    while len(swaps) < most and used.any() and not used.all():
        count, mask = int(used.sum()), used.astype(np.float64)
        now = float(mask @ above @ mask)  # count^2 times the AUC
        if abs(now / count**2 - 0.5) < near:
            break
        out, into = np.flatnonzero(used), np.flatnonzero(~used)
        part = above @ mask + mask @ above  # (pairs,)
        own = np.diagonal(above)
        crossed = above[np.ix_(out, into)] + above[np.ix_(into, out)].T
        after = (now + part[into] - part[out][:, None] + own[into] + own[out][:, None] - crossed) / count**2
        place = np.unravel_index(int(np.abs(after - 0.5).argmin()), after.shape)
        if abs(after[place] - 0.5) >= abs(now / count**2 - 0.5) - 1e-12:
            break
        swaps.append(Swap(int(out[place[0]]), int(into[place[1]]), float(after[place])))
        used[out[place[0]]], used[into[place[1]]] = False, True
    return swaps
