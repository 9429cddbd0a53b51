"""The permutation null of a contrast, a stratum of features alike in sparsity at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.stats.contrast_design import Design, label_rows
from workbench.stats.permutation import Labellings, Shuffles, count_labellings, relabel
from workbench.stats.tail import pooled_tail
from workbench.stats.two_groups import (
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
class Null:
    """What the shuffles say of the defined features."""

    exceeding: Integers
    """(features,) shuffles at least as extreme as the observed labels."""
    observed: Floats
    """(features,) squeezed statistic of the observed labels, comparable with `largest`."""
    largest: Floats
    """(P,) largest squeezed statistic of each shuffle."""
    tail: Floats
    """(labellings, features) pooled tail probability under each labelling asked about."""


def null_labellings(
    x: NDArray[np.generic], design: Design, statistic: Statistic, permutations: int, seed: int
) -> Labellings:
    """The labellings of a contrast: all of them where they are few and every feature sees the same stimuli."""
    parts = statistic != "paired" and x.dtype.kind == "f" and bool(np.isnan(x[design.rows]).any())
    return relabel(design.positive, design.items, permutations, np.random.default_rng(seed), parts=parts)


class Rows:
    """The labels asked about above the null labellings, for any of the stimuli that are seen.

    Args:
        asked: (k, stimuli) labels, or k shuffles of them.
        labellings: the null.
        design: what both are of.
        statistic: one of `STATISTICS`.
    """

    def __init__(self, asked: Bools | Shuffles, labellings: Labellings, design: Design, statistic: Statistic) -> None:
        self.asked = asked.rows if isinstance(asked, Shuffles) else asked.shape[0]
        self.count = self.asked + labellings.rows.shape[0]
        self._asked, self._labellings, self._design, self._statistic = asked, labellings, design, statistic
        self.stimuli = design.rows.size
        self._kept: dict[bytes, Bools] = {}

    def among(self, seen: Bools) -> Bools:
        """(k + P, stimuli, or pairs) labels, moved among the seen stimuli alone."""
        if (name := seen.tobytes()) not in self._kept:
            if len(self._kept) * self.count * seen.size > ENTRIES * 8:
                self._kept.clear()
            first = self._asked.among(seen) if isinstance(self._asked, Shuffles) else self._asked
            moved = self._labellings
            null = moved.rows if seen.all() or moved.shuffles is None else moved.shuffles.among(seen)
            self._kept[name] = label_rows(np.concatenate([first, null]), self._design, self._statistic)
        return self._kept[name]

    def least(self, seen: Bools) -> float:
        """What one labelling of the seen stimuli is worth."""
        if seen.all():
            return 1 / self._labellings.total
        return 1 / count_labellings(self._design.positive[seen], self._design.items[seen])


def moved(block: Scored, rows: Rows, statistic: Statistic) -> tuple[Floats, Floats]:
    """(k + P, features) squeezed statistics of a block, and (features,) the least probability there is.

    Labels move among the stimuli that a feature sees: where a mask goes with the labels, any others would compare
    groups of the observed sizes with groups of other sizes.
    """
    features = block.values.shape[1]
    if block.seen is None or statistic == "paired":  # exchanges inside a pair change no group's size
        every = np.ones(rows.stimuli, dtype=bool)
        return permuted(rows.among(every), block, statistic), np.full(features, rows.least(every))
    u, least = np.empty((rows.count, features)), np.empty(features)
    patterns, which = np.unique(block.seen.T > 0, axis=0, return_inverse=True)  # (patterns, stimuli)
    for number, seen in enumerate(patterns):
        here = np.flatnonzero(which.ravel() == number)
        part = Scored(block.values[:, here], block.seen[:, here])
        u[:, here], least[here] = permuted(rows.among(seen), part, statistic), rows.least(seen)
    return u, least


def null_of(
    x: NDArray[np.generic],
    design: Design,
    statistic: Statistic,
    about: Description,
    asked: Bools | Shuffles,
    labellings: Labellings,
) -> Null:
    """One pass over the defined features, a stratum at a time, under the labels asked about and the labellings.

    Args:
        x: (stimuli, features) activations.
        design: the checked labels and items.
        statistic: one of `STATISTICS`.
        about: what the observed labels say of each feature; only those with status `ok` are looked at.
        asked: (k, stimuli) labels that are judged: the observed ones first, then any of a null arm.
        labellings: (P, stimuli) of them in `rows`: what they are judged against.
    """
    ok = np.flatnonzero(about.status == "ok")
    rank = np.argsort(about.contributing[ok], kind="stable")
    rows = Rows(asked, labellings, design, statistic)
    k, count = rows.asked, labellings.rows.shape[0]
    nu = squeeze_constant(statistic, design.pairs if statistic == "paired" else design.rows.size)
    exceeding = np.zeros(ok.size, dtype=np.intp)
    observed, largest = np.zeros(ok.size), np.zeros(count)
    tail = np.zeros((k, ok.size))
    for here in strata(rank, k + count):
        columns = ok[here]
        u, least = moved(tested_block(x, columns, design, statistic), rows, statistic)  # (k + P, features here)
        null = u[k:]
        observed[here] = u[0]
        exceeding[here] = (null >= u[0] - TIE).sum(0)
        largest = np.maximum(largest, null.max(axis=1))
        df = tail_df(about, columns, statistic)
        pool = size_of(np.sort(null, axis=None), nu)  # (P, features here) -> (P x features,)
        tail[:, here] = pooled_tail(size_of(u[:k], nu), df, pool, least=least)
    return Null(exceeding, observed, largest, tail)


def strata(rank: Integers, rows: int) -> Iterator[Integers]:
    """Stretches of features in the order of `rank`, as many as fit beside so many labellings."""
    width = int(np.clip(ENTRIES // rows, 8, STRATUM))
    for start in range(0, rank.size, width):
        yield rank[start : start + width]


def size_of(u: Floats, nu: float) -> Floats:
    """|t| from the squeezed statistic; within rounding of 1 it is infinite."""
    left = np.where(u > 1 - TIE, 0.0, 1 - u)
    with np.errstate(divide="ignore"):
        return np.sqrt(nu * u / left)


def tail_df(about: Description, columns: Integers, statistic: Statistic) -> Floats:
    """(features,) degrees of freedom of the continued tail: Welch's for equal variances; they know only sizes."""
    if statistic in ("paired", "mann_whitney"):
        return about.df[columns]
    n1, n0 = about.n_positive[columns], about.n_rest[columns]
    a, b = 1 / n1, 1 / n0
    return np.asarray((a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n0 - 1)), dtype=np.float64)


def tested_block(x: NDArray[np.generic], columns: Integers, design: Design, statistic: Statistic) -> Scored:
    """What the statistic looks at in some features, ready for the labellings."""
    part = x[np.ix_(design.rows, columns)].astype(np.float64)  # (stimuli, features here)
    return scored(tested_values(levelled(part)[0], statistic), centred=statistic != "paired")


def describe_all(x: NDArray[np.generic], design: Design, statistic: Statistic) -> Description:
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
