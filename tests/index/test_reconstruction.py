"""A cluster on the corpus, against the table of all activations; and firing together, against all tokens counted."""

from __future__ import annotations

import numpy as np
import pytest

from tests import tiny
from workbench.geometry import coactivation_affinity
from workbench.index.coactivation import firing
from workbench.index.read import FeatureIndex
from workbench.index.reconstruction import cluster_activity

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def table(found: FeatureIndex) -> np.ndarray:
    """(tokens, features) activations, from the index' list by feature."""
    acts = np.zeros((int(found.meta["tokens"]), tiny.LATENTS), dtype=np.float32)
    for feature in range(tiny.LATENTS):
        at, values = found.entries(feature)
        acts[at, feature] = values
    return acts


def busy(table: np.ndarray) -> list[int]:
    return [int(feature) for feature in np.argsort(-(table > 0).sum(axis=0), kind="stable")[:4]]


def test_every_token_with_a_member_strictly_above_the_threshold(found: FeatureIndex, table: np.ndarray) -> None:
    members = busy(table)
    edge = float(table[:, members[0]].max())
    for threshold in (0.0, edge / 2, edge):
        seen = cluster_activity(found, members, threshold=threshold)
        rows = np.flatnonzero((table[:, members] > threshold).any(axis=1))
        np.testing.assert_array_equal(seen.places, rows)
        np.testing.assert_array_equal(seen.activations, table[np.ix_(rows, members)])
        assert seen.active == len(rows)
    assert members[0] in seen.silent  # its largest activation is not strictly above itself


def test_the_sample_is_seeded_uniform_and_not_the_first(found: FeatureIndex, table: np.ndarray) -> None:
    members = busy(table)
    whole = cluster_activity(found, members)
    drawn = np.zeros(len(whole.places))
    for seed in range(200):
        some = cluster_activity(found, members, most=20, seed=seed)
        assert (len(some.places), some.active) == (20, whole.active)
        drawn[np.searchsorted(whole.places, some.places)] += 1
    again = cluster_activity(found, members, most=20, seed=3)
    np.testing.assert_array_equal(again.places, cluster_activity(found, members, most=20, seed=3).places)
    expected = 200 * 20 / len(whole.places)
    assert abs(drawn[: len(drawn) // 2].mean() / expected - 1) < 0.1
    assert drawn.max() < expected + 6 * np.sqrt(expected)


def test_a_cluster_that_never_fires_has_no_points(found: FeatureIndex, table: np.ndarray) -> None:
    dead = [int(feature) for feature in np.flatnonzero(~(table > 0).any(axis=0))[:2]]
    seen = cluster_activity(found, dead or [0], threshold=0.0 if dead else 1e9)
    assert (seen.active, seen.activations.shape[0]) == (0, 0)
    assert seen.silent == tuple(dead or [0])


@pytest.mark.parametrize("above", [0.0, 0.5])
def test_firing_together_is_jaccard_over_the_tokens(found: FeatureIndex, table: np.ndarray, above: float) -> None:
    fires = (table > above * table.max(axis=0)) & (table > 0)
    seen = firing(found, above=above)
    assert (seen.tokens, seen.whole) == (len(table), True)
    both = fires.T.astype(int) @ fires.astype(int)
    union = fires.sum(axis=0)[:, None] + fires.sum(axis=0)[None] - both
    expected = np.divide(both, union, out=np.zeros(both.shape), where=union > 0)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(coactivation_affinity(seen.active).toarray(), expected)


def test_a_sample_of_tokens_is_bounded_by_pairs_and_seeded(found: FeatureIndex, table: np.ndarray) -> None:
    some = firing(found, pairs=50 * tiny.ACTIVE**2, seed=1)
    assert not some.whole
    assert 50 <= some.tokens < len(table)
    same = firing(found, pairs=50 * tiny.ACTIVE**2, seed=1)
    assert (some.active != same.active).nnz == 0
    assert some.active.sum(axis=1).max() <= tiny.ACTIVE
    np.testing.assert_array_equal(some.active.toarray(), table[some.places] > 0)
    strong = firing(found, pairs=50 * tiny.ACTIVE**2, seed=1, strength=True)
    np.testing.assert_array_equal(strong.active.toarray(), table[strong.places])
