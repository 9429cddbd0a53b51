"""One feature of a contrast map and the permutation null behind its numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.contrast_design import checked_design
from workbench.stats.contrast_null import (
    TIE,
    Rows,
    describe_all,
    moved,
    null_labellings,
    size_of,
    strata,
    tail_df,
    tested_block,
)
from workbench.stats.tail import ANCHOR, pooled_tail
from workbench.stats.two_groups import Statistic, squeeze_constant

Floats = NDArray[np.float64]


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
    stimuli, design = checked_design(x, positive, items, statistic, permutations)
    about = describe_all(stimuli, design, statistic)
    if about.status[feature] != "ok":
        return None
    labellings = null_labellings(stimuli, design, statistic, permutations, seed)
    ok = np.flatnonzero(about.status == "ok")
    rank = np.argsort(about.contributing[ok], kind="stable")
    count = labellings.rows.shape[0]
    columns = next(ok[here] for here in strata(rank, 1 + count) if feature in ok[here])
    place = int(np.flatnonzero(columns == feature)[0])
    rows = Rows(design.positive[None], labellings, design, statistic)
    u, least = moved(tested_block(stimuli, columns, design, statistic), rows, statistic)  # (1 + P, features here)
    nu = squeeze_constant(statistic, design.pairs if statistic == "paired" else design.rows.size)
    size, pool = size_of(u[:1], nu), size_of(np.sort(u[1:], axis=None), nu)
    tail = pooled_tail(size, tail_df(about, columns, statistic), pool, least=least)
    above = int(pool.size - np.searchsorted(pool, size[0, place] * (1 - 1e-9), side="left"))
    return FeatureNull(
        observed=float(size[0, place]),
        draws=size_of(u[1:, place], nu),
        exceeding=int((u[1:, place] >= u[0, place] - TIE).sum()),
        exhaustive=labellings.exhaustive,
        stratum=columns.size,
        pool=pool.size,
        pool_exceeding=above,
        continued=above < min(ANCHOR, max(1, pool.size // 10)),
        p_tail=float(tail[0, place]),
    )
