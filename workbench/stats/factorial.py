"""Two factors with two levels each: both main effects and the interaction of every feature, by label permutation.

The statistic is the t of a contrast of the four cell means in the full model (pooled variance, N - 4 degrees of
freedom): each main effect is the mean of its two simple effects, cells counted alike whatever their sizes; the
interaction is their difference. t squared is the F of the type III analysis of variance.

How the labels move (Anderson & ter Braak 2003, J. Stat. Comput. Simul. 73, 85, compare the choices):

- a main effect: the labels of its factor are shuffled within each level of the other factor. The other factor stays
  where it is, so that its effect cannot be mistaken for this one, and the test is exact when this factor does nothing
  at either level of the other.
- the interaction: no shuffle of labels leaves both main effects alone, so no exact test exists. The residuals of the
  additive model are shuffled over all stimuli (Freedman & Lane 1983, J. Bus. Econ. Stat. 1, 292; recommended by Winkler
  et al. 2014, NeuroImage 92, 381): they hold neither main effect, and the t of the interaction does not see what the
  additive model explains. It is exact only as N grows; `workbench doctor --calibrate` measures how far it is off.

q is made as in `contrast`: a tail pooled over features alike in how many stimuli carry their variance.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.multiplicity import Fdr, adjusted
from workbench.stats.permutation import Labellings, relabel, shuffled_labels
from workbench.stats.tail import pooled_tail
from workbench.stats.two_groups import ROUNDING, levelled

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Effect = Literal["a", "b", "interaction"]
EFFECTS: tuple[Effect, ...] = ("a", "b", "interaction")

STRATUM = 512
ENTRIES = 4_000_000
TIE = 1e-10
_CONTRASTS = {"a": (-0.5, -0.5, 0.5, 0.5), "b": (-0.5, 0.5, -0.5, 0.5), "interaction": (1.0, -1.0, -1.0, 1.0)}
"""Weights of the cells (a, b) = (no, no), (no, yes), (yes, no), (yes, yes)."""


@dataclass(frozen=True)
class EffectMap:
    """One effect of a 2 x 2 design on each feature; every array is (features,), NaN where `status` is not ok.

    Attributes:
        t: of the contrast, N - 4 degrees of freedom; +-inf where the cells differ and nothing varies inside them.
        effect: the contrast of the cell means, in activation units.
        d: effect in standard deviations within cells.
        p: two-sided permutation p, (b + 1) / (P + 1).
        p_fwer: the same for the largest |t| of all features.
        q: false discovery rate over the defined features.
        p_tail: what q is made from.
        status: `ok`, `masked` (a stimulus is missing), `too_few` (a cell with fewer than two), `constant`.
        permutations: P.
        exhaustive: whether those were all labellings (main effects only).
        null_counts: discoveries at `alpha` under each shuffle of the null arm.
    """

    t: Floats
    effect: Floats
    d: Floats
    p: Floats
    p_fwer: Floats
    q: Floats
    p_tail: Floats
    status: NDArray[np.str_]
    permutations: int
    exhaustive: bool
    null_counts: tuple[int, ...]

    @property
    def tested(self) -> int:
        """How many features are defined."""
        return int(np.count_nonzero(self.status == "ok"))

    def discoveries(self, alpha: float = 0.05) -> int:
        """How many features have q below `alpha`."""
        return int(np.count_nonzero(self.q < alpha))


@dataclass(frozen=True)
class FactorialMap:
    """The three effects of a 2 x 2 design, and the (4, features) cell means they are made of."""

    a: EffectMap
    b: EffectMap
    interaction: EffectMap
    cells: Floats

    def effects(self) -> Iterator[tuple[Effect, EffectMap]]:
        """Each effect with its name."""
        for name in EFFECTS:
            yield name, getattr(self, name)


@dataclass(frozen=True)
class _Cells:
    """A design: the cell of each stimulus, 0 to 3, and the sizes of the cells."""

    a: Bools
    b: Bools
    sizes: Floats

    @property
    def n(self) -> int:
        return int(self.a.size)


def factorial_map(
    x: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    *,
    permutations: int = 1000,
    seed: int = 0,
    fdr: Fdr = "bh",
    shuffles: int = 0,
    alpha: float = 0.05,
) -> FactorialMap:
    """Test both main effects and the interaction of every feature; see the head of this module.

    Args:
        x: (stimuli, features) activations. A stimulus masked (NaN) for all features is left out; a feature with a NaN
            among the others is `masked`.
        a: (stimuli,) bool, the level of the first factor.
        b: (stimuli,) bool, the level of the second.
        permutations: P of each effect.
        seed: of the random labellings.
        fdr: Benjamini-Hochberg or Benjamini-Yekutieli.
        shuffles: label shuffles of the null arm, judged as the observed labels are.
        alpha: the bound on q in the null arm.

    Raises:
        ValueError: shapes that do not fit, labels that are not boolean, an empty cell.
    """
    values, cells = _checked(x, a, b)
    columns = _describe(values, cells)
    asked = _Asked(permutations, seed, fdr, shuffles, alpha)
    maps = {name: _effect(name, values, cells, columns, asked) for name in EFFECTS}
    return FactorialMap(maps["a"], maps["b"], maps["interaction"], columns.units)


def effect_null(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, effect: Effect, *, permutations: int = 1000, seed: int = 0
) -> tuple[float, Floats, int, bool]:
    """The permutation null behind one feature of `factorial_map`: the same labellings, the same numbers.

    Args:
        x: (stimuli,) activations of the feature.
        a: (stimuli,) bool.
        b: (stimuli,) bool.
        effect: which of `EFFECTS`.
        permutations: as in `factorial_map`.
        seed: as in `factorial_map`.

    Returns:
        The observed |t|, (P,) |t| under each labelling, how many of them are at least as large, and whether the
        labellings are all there are.
    """
    values, cells = _checked(np.asarray(x)[:, None], a, b)
    rng = np.random.default_rng([seed, EFFECTS.index(effect), 0])
    moved = _labellings(effect, cells, permutations, rng)
    indicators = np.concatenate([_indicators(cells.a[None], cells.b[None]), moved.indicators])
    block = _tested(effect, levelled(values)[0], cells)
    t = _t(indicators, block, cells.sizes, np.array(_CONTRASTS[effect]))[:, 0]  # (1 + P,)
    u = _squeezed(t, cells.n - 4)
    return float(abs(t[0])), np.abs(t[1:]), int((u[1:] >= u[0] - TIE).sum()), moved.exhaustive


@dataclass(frozen=True)
class _Columns:
    """What the observed labels say of each feature."""

    status: NDArray[np.str_]
    means: Floats
    """(4, features), each feature scaled by a power of two."""
    units: Floats
    """(4, features) in activation units."""
    within: Floats
    """(features,) sum of squares inside the cells."""
    scale: Floats
    contributing: Floats


def _describe(values: Floats, cells: _Cells) -> _Columns:
    x, exponent = levelled(values)
    where = _indicators(cells.a[None], cells.b[None])[0]  # (4, stimuli)
    masked = np.isnan(x).any(axis=0)
    x = np.where(np.isnan(x), 0.0, x)
    means = where @ x / cells.sizes[:, None]  # (4, stimuli) x (stimuli, features) -> (4, features)
    inside = x - where.T @ means
    within = (inside**2).sum(axis=0)
    centred = x - x.mean(axis=0)
    total = (centred**2).sum(axis=0)
    spread = x.max(axis=0) - x.min(axis=0)
    status = np.where(spread <= ROUNDING, "constant", "ok")
    status = np.where(cells.sizes.min() < 2, "too_few", status)
    status = np.where(masked, "masked", status)
    with np.errstate(divide="ignore", invalid="ignore"):
        contributing = total**2 / (centred**4).sum(axis=0)
    still = np.sqrt(within) <= ROUNDING * np.sqrt(cells.n)
    scale = np.ldexp(1.0, exponent)
    return _Columns(status, means, means * scale, np.where(still, 0.0, within), scale, contributing)


@dataclass(frozen=True)
class _Asked:
    """The options of `factorial_map` that every effect shares."""

    permutations: int
    seed: int
    fdr: Fdr
    shuffles: int
    alpha: float


@dataclass(frozen=True)
class _Moved:
    """The labellings that are looked at."""

    indicators: Floats
    """(P, 4, stimuli) which cell each stimulus is in under each labelling."""
    total: int
    """How many there are, the observed one among them."""
    exhaustive: bool


@dataclass(frozen=True)
class _Seen:
    """What the labellings say of the features that are defined."""

    t: Floats
    """(defined,) observed."""
    u: Floats
    """(defined,) observed t, squeezed."""
    exceeding: Floats
    """(defined,) how many labellings reach the observed one."""
    largest: Floats
    """(P,) the largest squeezed t of all features under each labelling."""
    tail: Floats
    """(1 + shuffles, defined) tail probabilities of the observed labels and of each shuffle of the null arm."""


def _effect(name: Effect, values: Floats, cells: _Cells, columns: _Columns, asked: _Asked) -> EffectMap:
    """Test one effect on every feature: labellings, then p over them, then what it amounts to in units."""
    rng, arm = (np.random.default_rng([asked.seed, EFFECTS.index(name), part]) for part in (0, 1))
    moved = _labellings(name, cells, asked.permutations, rng)
    ok = np.flatnonzero(columns.status == "ok")
    seen = _under_labellings(name, values, cells, columns, ok, moved, _null_arm(name, cells, asked.shuffles, arm))
    count, full = moved.indicators.shape[0], _filled(ok, columns.status.size)
    above = count - np.searchsorted(np.sort(seen.largest), seen.u - TIE, side="left")
    contrast = np.array(_CONTRASTS[name]) @ columns.means * columns.scale
    with np.errstate(divide="ignore", invalid="ignore"):
        d = contrast / (np.sqrt(columns.within / max(cells.n - 4, 1)) * columns.scale)
    p_tail = full(seen.tail[0])
    return EffectMap(
        t=full(seen.t),
        effect=full(contrast[ok]),
        d=full(np.where(contrast[ok] == 0, 0.0, d[ok])),
        p=full((seen.exceeding + 1) / (count + 1)),
        p_fwer=full((above + 1) / (count + 1)),
        q=adjusted(p_tail, asked.fdr),
        p_tail=p_tail,
        status=columns.status,
        permutations=count,
        exhaustive=moved.exhaustive,
        null_counts=tuple(int((adjusted(row, asked.fdr) < asked.alpha).sum()) for row in seen.tail[1:]),
    )


def _under_labellings(
    name: Effect,
    values: Floats,
    cells: _Cells,
    columns: _Columns,
    ok: Integers,
    moved: _Moved,
    null_arm: Floats,
) -> _Seen:
    """t of the defined features (`ok`) under the observed labels, the null arm and every labelling, in blocks."""
    weights, df = np.array(_CONTRASTS[name]), cells.n - 4
    shuffles, count = null_arm.shape[0], moved.indicators.shape[0]
    t_seen, u_seen, exceeding = np.zeros(ok.size), np.zeros(ok.size), np.zeros(ok.size)
    largest, tail = np.zeros(count), np.zeros((1 + shuffles, ok.size))
    here_too = np.concatenate([_indicators(cells.a[None], cells.b[None]), null_arm, moved.indicators])
    for part in _strata(np.argsort(columns.contributing[ok], kind="stable"), here_too.shape[0]):
        block = _tested(name, values[:, ok[part]] / columns.scale[ok[part]], cells)  # (stimuli, features here)
        t = _t(here_too, block, cells.sizes, weights)  # (1 + shuffles + P, features here)
        u = _squeezed(t, df)
        null = u[1 + shuffles :]
        t_seen[part], u_seen[part] = t[0], u[0]
        exceeding[part] = (null >= u[0] - TIE).sum(axis=0)
        largest = np.maximum(largest, null.max(axis=1, initial=0.0))
        pool = np.sort(np.abs(t[1 + shuffles :]), axis=None)
        freedom = np.full(part.size, float(df))
        tail[:, part] = pooled_tail(np.abs(t[: 1 + shuffles]), freedom, pool, least=1 / max(moved.total, 1))
    return _Seen(t_seen, u_seen, exceeding, largest, tail)


def _labellings(name: Effect, cells: _Cells, permutations: int, rng: np.random.Generator) -> _Moved:
    if name == "interaction":
        orders = np.argsort(rng.random((permutations, cells.n)), axis=1)
        # shuffling residuals over fixed cells is shuffling the cells, both labels together, over fixed residuals
        return _Moved(_indicators(cells.a[orders], cells.b[orders]), permutations + 1, False)
    moving, held = (cells.a, cells.b) if name == "a" else (cells.b, cells.a)
    found: Labellings = relabel(moving, held.astype(np.intp), permutations, rng)
    return _Moved(_relabelled(name, found.rows, held), found.total, found.exhaustive)


def _null_arm(name: Effect, cells: _Cells, shuffles: int, rng: np.random.Generator) -> Floats:
    if name == "interaction":
        return _labellings(name, cells, shuffles, rng).indicators
    moving, held = (cells.a, cells.b) if name == "a" else (cells.b, cells.a)
    return _relabelled(name, shuffled_labels(moving, held.astype(np.intp), shuffles, rng), held)


def _relabelled(name: Effect, rows: Bools, held: Bools) -> Floats:
    fixed = np.broadcast_to(held, rows.shape)
    return _indicators(rows, fixed) if name == "a" else _indicators(fixed, rows)


def _indicators(a: Bools, b: Bools) -> Floats:
    """(labellings, stimuli) levels of both factors -> (labellings, 4, stimuli) 1.0 where a stimulus is in the cell."""
    cells = [~a & ~b, ~a & b, a & ~b, a & b]
    return np.stack(cells, axis=1).astype(np.float64)


def _tested(name: Effect, x: Floats, cells: _Cells) -> Floats:
    """What is shuffled: the centred activations, or for the interaction the residuals of the additive model."""
    if name != "interaction":
        centred: Floats = x - x.mean(axis=0)
        return centred
    design = np.stack([np.ones(cells.n), cells.a.astype(np.float64), cells.b.astype(np.float64)], axis=1)
    fit, *_ = np.linalg.lstsq(design, x, rcond=None)  # (3, features)
    residual: Floats = x - design @ fit
    return residual


def _t(indicators: Floats, x: Floats, sizes: Floats, weights: Floats) -> Floats:
    """t of the contrast of cell means under each labelling: (labellings, 4, stimuli), (stimuli, features)."""
    count, n = indicators.shape[0], x.shape[0]
    sums = (indicators.reshape(-1, n) @ x).reshape(count, 4, -1)  # (labellings, 4, features)
    total = (x**2).sum(axis=0)  # (features,)
    means = sums / sizes[:, None]
    within = total - (sums * means).sum(axis=1)  # (labellings, features)
    within = np.where(within <= total * 1e-13, 0.0, within)
    top = np.einsum("c,lcf->lf", weights, means)
    top = np.where(np.abs(top) <= 1e-13 * np.sqrt(total), 0.0, top)
    bottom = np.sqrt(within / max(n - 4, 1) * (weights**2 / sizes).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        t: Floats = np.where(top == 0, 0.0, top / bottom)
    return t


def _squeezed(t: Floats, df: int) -> Floats:
    """t^2 / (t^2 + df) in [0, 1], in which ties can be told from rounding; 1 is an infinite t."""
    with np.errstate(invalid="ignore"):
        u: Floats = np.where(np.isinf(t), 1.0, t**2 / (t**2 + max(df, 1)))
    return u


def _strata(order: Integers, rows: int) -> Iterator[Integers]:
    width = int(np.clip(ENTRIES // (4 * rows), 8, STRATUM))
    for start in range(0, order.size, width):
        yield order[start : start + width]


def _filled(ok: Integers, size: int) -> Callable[[Floats], Floats]:
    def full(numbers: Floats) -> Floats:
        found = np.full(size, np.nan)
        found[ok] = numbers
        return found

    return full


def _checked(x: ArrayLike, a: ArrayLike, b: ArrayLike) -> tuple[Floats, _Cells]:
    values, first, second = np.asarray(x, dtype=np.float64), np.asarray(a), np.asarray(b)
    if values.ndim != 2:
        raise ValueError(f"x must be (stimuli, features), got shape {values.shape}")
    for name, labels in (("a", first), ("b", second)):
        if labels.dtype != np.bool_:
            raise ValueError(f"{name} must be boolean, got dtype {labels.dtype}; compare with the level you mean")
        if labels.shape != values.shape[:1]:
            raise ValueError(f"{name} has shape {labels.shape}, but x has {values.shape[0]} stimuli")
    if np.isinf(values).any():
        raise ValueError("activations must be finite or NaN (masked)")
    seen = ~np.isnan(values).all(axis=1) if values.shape[1] else np.ones(len(values), dtype=bool)
    values, first, second = values[seen], first[seen], second[seen]
    sizes = _indicators(first[None], second[None])[0].sum(axis=1)
    if (sizes == 0).any():
        levels = [(False, False), (False, True), (True, False), (True, True)][int(np.argmin(sizes))]
        raise ValueError(f"no stimulus has a = {levels[0]} and b = {levels[1]}; a 2 x 2 design needs all four cells")
    return values, _Cells(first, second, sizes)
