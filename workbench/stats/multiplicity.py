"""Corrections for asking the same question of many features at once."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Fdr = Literal["bh", "by"]


def adjusted(p: ArrayLike, fdr: Fdr) -> NDArray[np.float64]:
    """q values by the named rule.

    Raises:
        ValueError: an unknown rule, or a p value outside [0, 1].
    """
    if fdr not in ("bh", "by"):
        raise ValueError(f"unknown rule {fdr!r}; choose bh (Benjamini-Hochberg) or by (Benjamini-Yekutieli)")
    return bh(p) if fdr == "bh" else by(p)


def bh(p: ArrayLike) -> NDArray[np.float64]:
    """Benjamini-Hochberg q values: the smallest FDR at which each hypothesis is a discovery.

    Args:
        p: p values of any shape; NaN marks a hypothesis that was not tested and is left out of the count.

    Returns:
        q values of the same shape, NaN where `p` is NaN; valid under independence and positive dependence.
        Source: Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57, 289.

    Raises:
        ValueError: a p value lies outside [0, 1].
    """
    return _step_up(p, dependence=False)


def by(p: ArrayLike) -> NDArray[np.float64]:
    """Benjamini-Yekutieli q values: as `bh`, times the harmonic sum 1 + 1/2 + ... + 1/m.

    Valid under any dependence. Source: Benjamini & Yekutieli (2001), Ann. Stat. 29, 1165, theorem 1.3.
    Shapes, NaN and errors as in `bh`.
    """
    return _step_up(p, dependence=True)


def _step_up(p: ArrayLike, *, dependence: bool) -> NDArray[np.float64]:
    values = np.asarray(p, dtype=np.float64)
    tested = ~np.isnan(values)
    kept = values[tested]  # any shape -> (tested,)
    outside = (kept < 0) | (kept > 1)
    if outside.any():
        raise ValueError(f"p values lie in [0, 1], got {kept[outside][0]!r}; mark an untested one with NaN")
    order = np.argsort(kept, kind="stable")
    rank = np.arange(1, kept.size + 1)
    penalty = float(np.sum(1 / rank)) if dependence else 1.0
    raw = kept[order] * (kept.size * penalty / rank)
    # a larger p never gets a smaller q: running minimum from the largest p down
    stepped = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    q = np.full(values.shape, np.nan)
    adjusted = np.empty_like(stepped)
    adjusted[order] = stepped
    q[tested] = adjusted
    return q
