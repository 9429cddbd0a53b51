"""How far from the measured one a standardised effect may be: intervals from the noncentral t distribution."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
FAR = 1000.0
"""A |t| from which the limit of a large noncentrality is taken; scipy's search does not end for the largest."""


def effect_interval(
    effect: ArrayLike, positives: ArrayLike, rest: ArrayLike | None = None, *, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """The interval of a standardised effect, exact for normal activations of equal variance.

    The noncentralities under which the observed t is the upper and the lower tail, divided by what makes t of the
    effect (Steiger & Fouladi 1997, in What If There Were No Significance Tests?, chapter 9).

    Args:
        effect: Cohen's d of two groups, or d_z of pairs where `rest` is None; infinite ones have themselves as ends.
        positives: stimuli of the first group, or pairs.
        rest: stimuli of the second group, or None.
        confidence: of the interval.

    Returns:
        Lower and upper ends, in the shape of `effect`; NaN where the effect is NaN or no variance can be known.
    """
    d, n1 = np.asarray(effect, dtype=np.float64), np.asarray(positives, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        if rest is None:
            unit, df = np.sqrt(1 / n1), n1 - 1
        else:
            n0 = np.asarray(rest, dtype=np.float64)
            unit, df = np.sqrt(1 / n1 + 1 / n0), n1 + n0 - 2
    unit, df = np.broadcast_to(unit, d.shape), np.broadcast_to(df, d.shape)
    known = np.isfinite(d) & (df > 0)
    df, t = np.where(known, df, 1.0), np.where(known, d / np.where(known, unit, 1.0), 0.0)
    tail = (1 - confidence) / 2
    ends = [_noncentrality(df, share, t) * unit for share in (1 - tail, tail)]
    low, high = (np.where(known, end, np.where(np.isinf(d), d, np.nan)) for end in ends)
    return low, high


def _noncentrality(df: Floats, share: float, t: Floats) -> Floats:
    """The noncentrality under which `share` of the noncentral t lies below t."""
    from scipy.special import chdtri, nctdtrinc

    far = np.abs(t) > FAR
    near = nctdtrinc(df, share, np.where(far, 0.0, t))
    # far out the numerator's own spread is nothing beside the noncentrality, and t is that over sqrt(chi2 / df)
    upper = np.where(t > 0, share, 1 - share)
    return np.asarray(np.where(far, t * np.sqrt(chdtri(df, upper) / df), near))
