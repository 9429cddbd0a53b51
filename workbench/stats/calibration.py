"""How often each test finds something where nothing is: false-positive rates on simulated nulls, with error bars."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.stats.contrast import contrast_map
from workbench.stats.factorial import Effect, factorial_map
from workbench.stats.null_scenarios import SCENARIOS, UNEQUAL, Floats, Sample
from workbench.stats.two_groups import STATISTICS, Statistic

Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""
USUAL = ("gaussian", "sparse", "template", "variable_n")
"""The scenarios measured unless others are asked for: normal, sparse, shared templates, variable length."""


@dataclass(frozen=True)
class Rate:
    """A share of trials with its 95 % interval."""

    rate: float
    low: float
    high: float

    def above(self, alpha: float) -> bool:
        """Whether the whole interval lies above `alpha`: more false positives than promised."""
        return self.low > alpha


@dataclass(frozen=True)
class Calibration:
    """One test on one kind of null data.

    Attributes:
        any_q: data sets with any q below alpha. Where all hypotheses are null this is the false discovery rate.
        any_fwer: data sets with any family-wise p below alpha.
        p: features with p below alpha; the interval is that of the mean over data sets, within which features may go
            together.
        seeds: data sets.
    """

    test: str
    scenario: str
    any_q: Rate
    any_fwer: Rate
    p: Rate
    seeds: int

    def holds(self, alpha: float) -> bool:
        """Whether no rate is above alpha beyond its error bar."""
        return not any(rate.above(alpha) for rate in (self.any_q, self.any_fwer, self.p))


@dataclass(frozen=True)
class Judged:
    """What a test said of one data set: p, family-wise p and q of each feature, NaN where undefined."""

    p: Floats
    p_fwer: Floats
    q: Floats


Run = Callable[[Sample, int, int], Judged]
"""(data set, permutations, seed) -> what the test says of it."""


@dataclass(frozen=True)
class NullTest:
    """A test that can be measured.

    Attributes:
        needs: `module:function` that must exist for it, or "".
        leaves_out: scenarios it is not made for.
    """

    name: str
    run: Run
    needs: str = ""
    leaves_out: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether this installation has it."""
        return not self.needs or _looked_up(self.needs) is not None


def _contrast(statistic: Statistic, sample: Sample, permutations: int, seed: int) -> Judged:
    x, positive, items = sample
    found = contrast_map(
        x, positive, items=items if statistic == "paired" else None, statistic=statistic,
        permutations=permutations, seed=seed,
    )  # fmt: skip
    return Judged(found.p, found.p_fwer, found.q)


def _within_items(sample: Sample, permutations: int, seed: int) -> Judged:
    """Welch's t where labels move only within items: what matched data need."""
    x, positive, items = sample
    found = contrast_map(x, positive, items=items, permutations=permutations, seed=seed)
    return Judged(found.p, found.p_fwer, found.q)


def _factorial(effect: Effect, sample: Sample, permutations: int, seed: int) -> Judged:
    """One effect of a 2 x 2 design in which every other effect is there, one standard deviation large."""
    x, a, _ = sample
    b = np.arange(len(a)) % 2 == 0
    spread = x.std(axis=0)  # (features,)
    others = {"a": b[:, None] * spread, "b": a[:, None] * spread, "interaction": (1.0 * a + b)[:, None] * spread}
    found = getattr(factorial_map(x + others[effect], a, b, permutations=permutations, seed=seed), effect)
    return Judged(found.p, found.p_fwer, found.q)


def _rsa(comparison: str, sample: Sample, permutations: int, seed: int) -> Judged:
    """A categorical model RDM of the labels."""
    x, positive, _ = sample
    return _rsa_judged(x, _unlike(positive), permutations, seed, comparison=comparison)


def _rsa_graded(sample: Sample, permutations: int, seed: int) -> Judged:
    """A model RDM of five levels that the stimuli take in turn."""
    level = np.arange(len(sample[1])) % 5
    return _rsa_judged(sample[0], np.abs(level[:, None] - level), permutations, seed)


def _rsa_partial(sample: Sample, permutations: int, seed: int) -> Judged:
    """The labels' RDM with a nuisance left out that moves every feature, and has nothing to do with the labels."""
    x, positive, _ = sample
    nuisance = np.random.default_rng([seed, 5]).standard_normal(len(x))
    spread = np.nanstd(x, axis=0)  # (features,)
    apart = (nuisance[:, None] - nuisance) ** 2
    return _rsa_judged(x + nuisance[:, None] * spread, _unlike(positive), permutations, seed, nuisance=[apart])


def _rsa_sets(sample: Sample, permutations: int, seed: int) -> Judged:
    """Sets of ten features, each compared as one."""
    x, positive, _ = sample
    sets = x[:, : x.shape[1] // 10 * 10].reshape(len(x), -1, 10)  # (stimuli, sets, features of a set)
    return _rsa_judged(sets, _unlike(positive), permutations, seed)


def _unlike(positive: NDArray[np.bool_]) -> Floats:
    return np.asarray(positive[:, None] != positive[None], dtype=np.float64)


def _rsa_judged(x: Floats, model: Floats, permutations: int, seed: int, **settings: Any) -> Judged:
    rsa_map = _looked_up(_RSA)
    assert rsa_map is not None  # the registry asked whether it exists
    found = rsa_map(x, model, permutations=permutations, seed=seed, **settings)
    return Judged(found.p, found.p_fwer, found.q)


_RSA = "workbench.stats:rsa_map"
_PARTIAL = ("variable_n",)
_COMPARISONS = {
    "cosine": False, "spearman": True, "rho-a": False, "tau-a": False, "cosine_cov": True, "corr_cov": False,
}  # fmt: skip
"""Comparisons beside `corr`, and whether they are measured on stimuli of variable length."""
TESTS: tuple[NullTest, ...] = (
    *(
        NullTest(name, partial(_contrast, name), leaves_out=UNEQUAL if name == "paired" else ("matched",))
        for name in STATISTICS
    ),
    NullTest("welch, within items", _within_items, leaves_out=UNEQUAL),
    NullTest("factorial main effect", partial(_factorial, "a"), leaves_out=(*_PARTIAL, "matched")),
    NullTest("factorial interaction", partial(_factorial, "interaction"), leaves_out=(*_PARTIAL, "matched")),
    NullTest("rsa", partial(_rsa, "corr"), needs=_RSA, leaves_out=("matched",)),
    *(
        # each feature of variable length is ranked alone, which takes long; the left out ones rank or whiten alike
        NullTest(f"rsa {name}", partial(_rsa, name), needs=_RSA, leaves_out=("matched", *(() if quick else _PARTIAL)))
        for name, quick in _COMPARISONS.items()
    ),
    NullTest("rsa graded", _rsa_graded, needs=_RSA, leaves_out=("matched",)),
    NullTest("rsa, nuisance left out", _rsa_partial, needs=_RSA, leaves_out=("matched",)),
    # a set is seen where all its features are
    NullTest("rsa over sets", _rsa_sets, needs=_RSA, leaves_out=(*_PARTIAL, "matched")),
)
"""Every test that is measured; a new one is one line here."""


def calibrate(
    *,
    tests: Sequence[str] = (),
    scenarios: Sequence[str] = USUAL,
    seeds: int = 100,
    features: int = 300,
    permutations: int = 200,
    alpha: float = 0.05,
    seed: int = 0,
    tick: Callable[[int, int, str], None] | None = None,
) -> Iterator[Calibration]:
    """Measure tests on null data, one test and scenario after the other.

    Args:
        tests: names out of `TESTS`; all that exist where none is given.
        scenarios: names out of `null_scenarios.SCENARIOS`; those a test is not made for are passed over.
        seeds: data sets of each scenario.
        features: of each data set.
        permutations: of each test.
        alpha: the bound.
        seed: of the data sets and permutations.
        tick: called with (done, total, text).

    Raises:
        ValueError: an unknown name, or fewer than one data set.
    """
    wanted = _chosen(tests, scenarios, seeds)
    total = len(wanted) * seeds
    for place, (test, scenario) in enumerate(wanted):
        p, any_fwer, any_q = [], 0, 0
        for run in range(seeds):
            if tick is not None:
                tick(place * seeds + run, total, f"{test.name} on {scenario}")
            sample = SCENARIOS[scenario](np.random.default_rng([seed, run, 7]), features)
            found = test.run(sample, permutations, run)
            tested = found.p[~np.isnan(found.p)]
            p.append(float((tested <= alpha).mean()) if tested.size else 0.0)
            any_fwer += bool((found.p_fwer <= alpha).any())
            any_q += bool((found.q < alpha).any())
        yield Calibration(test.name, scenario, wilson(any_q, seeds), wilson(any_fwer, seeds), mean_rate(p), seeds)


def wilson(hits: int, trials: int) -> Rate:
    """A share of independent trials with Wilson's 95 % interval (1927, J. Am. Stat. Assoc. 22, 209)."""
    share, z2 = hits / trials, Z**2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return Rate(share, max(0.0, middle - half), min(1.0, middle + half))


def mean_rate(shares: Sequence[float]) -> Rate:
    """The mean of a share over independent data sets with its 95 % interval, from the spread between them."""
    values: NDArray[np.float64] = np.asarray(shares, dtype=np.float64)
    mean = float(values.mean())
    half = Z * float(values.std(ddof=1)) / math.sqrt(values.size) if values.size > 1 else 1.0
    return Rate(mean, max(0.0, mean - half), min(1.0, mean + half))


def _chosen(tests: Sequence[str], scenarios: Sequence[str], seeds: int) -> list[tuple[NullTest, str]]:
    known = {test.name: test for test in TESTS}
    for kind, names, given in (("test", known, tests), ("scenario", SCENARIOS, scenarios)):
        for name in given:
            if name not in names:
                raise ValueError(f"unknown {kind} {name!r}; choose among {', '.join(names)}")
    if seeds < 1:
        raise ValueError(f"seeds must be at least 1, got {seeds}")
    asked = [known[name] for name in tests] or [test for test in TESTS if test.exists]
    return [(test, scenario) for test in asked for scenario in scenarios if scenario not in test.leaves_out]


def _looked_up(name: str) -> Callable[..., Any] | None:
    """The function `module:function`, or None where there is none."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] | None = getattr(importlib.import_module(module), function, None)
    return found
