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
    10 of 50 positives seen, 50 of 50 others   .023   .007    .033          .007
    matched pairs, labels move within them     .000   .000    .000          .000
    Gaussian, 4 + 4, all 70 labellings         .027   .000    .000          .000
    sparse, 6 + 6                              .013   .000    .000          .030

With 1 % planted features among 4,000 (firing on 60 % of the positives, 5 % of the rest, log-normal heights, 50 + 50)
Welch finds 87 % of them and its parametric p 36 %; on 15 + 85, `rate` by its parametric p makes 78 % false
discoveries, by this rule 1 %. There Welch finds none: for sparse features and unequal groups use `mann_whitney`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.contrast_design import checked_design, smallest_p
from workbench.stats.contrast_null import TIE, describe_all, null_labellings, null_of
from workbench.stats.multiplicity import Fdr, adjusted
from workbench.stats.permutation import Shuffles
from workbench.stats.tail import student_tail
from workbench.stats.two_groups import Statistic

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


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
        x: (stimuli, features) activations, NaN = masked: labels move among the stimuli that a feature sees, and one
            that no feature sees is left out. float64 inside; processed in blocks of features, so the memory beyond `x`
            and the result is about 100 MB.
        positive: (stimuli,) bool, the labels.
        items: (stimuli,) ids of matched sets, or None. Labels move only within an item. `paired` needs items with at
            most one positive and one rest stimulus; incomplete pairs are left out of it.
        statistic: `welch`, `paired`, `mann_whitney` or `rate`; see `ContrastMap.t`.
        permutations: P; if the design has no more other labellings than that, all of them are used once, unless
            features see different stimuli.
        seed: of the random labellings.
        fdr: how q is made of the tail: `bh`, or `by` for any dependence between features.

    Returns:
        A `ContrastMap`. Undefined features get a status and NaN, never an error. Permutation p as Phipson & Smyth
        (2010), Stat. Appl. Genet. Mol. Biol. 9, 39; p_fwer as Westfall & Young (1993), single-step max T.

    Raises:
        ValueError: shapes that do not fit, labels that are not boolean, an unknown statistic, no stimulus on one
            side, items that leave no label to move, infinite activations.
    """
    stimuli, design = checked_design(x, positive, items, statistic, permutations)
    labellings = null_labellings(stimuli, design, statistic, permutations, seed)
    about = describe_all(stimuli, design, statistic)
    ok = np.flatnonzero(about.status == "ok")
    null = null_of(stimuli, design, statistic, about, design.positive[None], labellings)
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
        min_p=smallest_p(design, labellings),
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
    stimuli, design = checked_design(x, positive, items, statistic, permutations)
    labellings = null_labellings(stimuli, design, statistic, permutations, seed)
    drawn = Shuffles(design.positive, design.items, shuffles, np.random.default_rng([seed, 1]))
    about = describe_all(stimuli, design, statistic)
    null = null_of(stimuli, design, statistic, about, drawn, labellings)
    counts = [int(np.count_nonzero(adjusted(row, fdr) < alpha)) for row in null.tail]
    return float(np.median(counts)), max(counts)
