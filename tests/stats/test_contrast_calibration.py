"""How often a contrast map finds something where nothing is, and how often it finds what is there.

The table at the head of `workbench/stats/contrast.py` is `share_with_discovery` with 300 runs; here are fewer.
"""

import numpy as np
import pytest

from workbench.stats import contrast_map, null_discoveries
from workbench.stats.null_scenarios import SCENARIOS, UNEQUAL, sparse
from workbench.stats.two_groups import STATISTICS


def share_with_discovery(name, statistic, *, runs, features=1000, permutations=300):
    """The share of null data sets in which any feature has q below 0.05."""
    hits = 0
    for run in range(runs):
        x, positive, items = SCENARIOS[name](np.random.default_rng([run, 7]), features)
        within = items if statistic == "paired" or name == "matched" else None
        found = contrast_map(x, positive, items=within, statistic=statistic, permutations=permutations, seed=run)
        hits += found.discoveries(0.05) > 0
    return hits / runs


# the largest count of 60 runs that a true share of 0.07 stays within, 99.9 % of the time, is 12
RUNS, BOUND = 60, 12 / 60


# unequal groups have no pairs
CASES = [
    (name, statistic)
    for name in SCENARIOS
    for statistic in STATISTICS
    if (statistic, name in UNEQUAL) != ("paired", True)
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "statistic"), CASES)
def test_null_data_seldom_give_a_discovery(name, statistic):
    assert share_with_discovery(name, statistic, runs=RUNS, features=600, permutations=200) <= BOUND


@pytest.mark.parametrize("name", ["sparse", "sparse_unequal", "matched"])
def test_null_data_seldom_give_a_discovery_fast(name):
    assert share_with_discovery(name, "welch", runs=15, features=300, permutations=100) <= 6 / 15


@pytest.mark.parametrize("statistic", STATISTICS)
def test_planted_sparse_features_are_found(statistic):
    """40 of 4,000 features fire on 60 % of the positives and 5 % of the rest, with log-normal heights."""
    rng = np.random.default_rng(0)
    x, positive, items = sparse(rng, 4000)
    rate = np.where(positive, 0.6, 0.05)[:, None]
    x[:, :40] = (rng.random((100, 40)) < rate) * np.exp(rng.standard_normal((100, 40)))
    found = contrast_map(x, positive, items=items if statistic == "paired" else None, statistic=statistic)
    discovered = found.q < 0.05
    assert discovered[:40].mean() > 0.6
    assert discovered[40:].sum() <= 0.15 * discovered.sum()


def test_shuffled_labels_discover_nothing_where_true_labels_do():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((60, 500))
    positive = np.arange(60) % 2 == 0
    x[positive, :20] += 1.5
    assert contrast_map(x, positive).discoveries() >= 19
    median, largest = null_discoveries(x, positive)
    assert median == 0
    assert largest <= 40


def test_null_discoveries_judges_a_shuffle_as_the_map_does():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((12, 300))
    positive = np.arange(12) < 6
    x[positive] += 5  # any labelling that keeps most of the split discovers much
    counts = null_discoveries(x, positive, shuffles=1, alpha=2.0)
    assert counts == (300.0, 300)  # every q is below 2: all features are judged
