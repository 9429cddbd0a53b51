"""Neighbours of all features, against all pairs counted the slow way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests import tiny
from workbench.errors import UsageError
from workbench.index.neighbours import by_coactivation, by_cosine, near, together
from workbench.index.read import FeatureIndex

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def active(found: FeatureIndex) -> np.ndarray:
    """(tokens, features) whether each fires, from the index's own list by feature."""
    table = np.zeros((int(found.meta["tokens"]), tiny.LATENTS), dtype=bool)
    for feature in range(tiny.LATENTS):
        table[found.entries(feature)[0], feature] = True
    return table


def test_coactivation_is_the_correlation_of_firing(found: FeatureIndex, active: np.ndarray) -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        phi = np.corrcoef(active.T.astype(np.float64))
    pairs = active.T.astype(np.int64) @ active.astype(np.int64)
    checked = 0
    for feature in np.flatnonzero(active.any(axis=0)):
        counted = together(found, int(feature))
        expected = pairs[feature].copy()
        expected[feature] = 0
        np.testing.assert_array_equal(counted.counts, expected)
        rows = by_coactivation(found, counted, 5)
        best = [other for other in np.lexsort((np.arange(tiny.LATENTS), -phi[feature])) if expected[other]][:5]
        assert [row["phi"] for row in rows] == pytest.approx(phi[feature][best].tolist(), abs=2e-6)
        for row in rows:
            other = row["index"]
            share = pairs[feature, other] / pairs[feature, feature]
            lift = share / active[:, other].mean()
            assert (row["tokens"], row["share"]) == (pairs[feature, other], pytest.approx(share, abs=1e-6))
            assert row["lift"] == pytest.approx(lift, abs=1e-4)
            assert row["pmi"] == pytest.approx(np.log2(lift), abs=1e-3)
            checked += 1
    assert checked > 50


def test_at_most_so_many_tokens_are_looked_at_and_always_the_same(found: FeatureIndex, active: np.ndarray) -> None:
    feature = int(active.sum(axis=0).argmax())
    some = together(found, feature, 20)
    assert (some.tokens, some.fired) == (20, int(active[:, feature].sum()))
    assert some.counts.sum() == 20 * (tiny.ACTIVE - 1)
    np.testing.assert_array_equal(some.counts, together(found, feature, 20).counts)


def test_cosine_neighbours_are_those_of_the_decoder(found: FeatureIndex, tiny_space: Any) -> None:
    units = tiny_space.directions().double().numpy()
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -2)
    for feature in range(tiny.LATENTS):
        rows = by_cosine(found, feature, 6)
        assert [row["cosine"] for row in rows] == pytest.approx(np.sort(cosines[feature])[::-1][:6].tolist(), abs=2e-3)
        assert [row["cosine"] for row in rows] == pytest.approx(
            [cosines[feature, row["index"]] for row in rows], abs=2e-3
        )
    assert len(by_cosine(found, 0, 200)) == tiny.LATENTS - 1


def test_a_silent_feature_has_neighbours_by_direction_only(found: FeatureIndex, active: np.ndarray) -> None:
    silent = np.flatnonzero(~active.any(axis=0))
    feature = int(silent[0]) if len(silent) else None
    if feature is None:
        pytest.fail("the toy has no silent feature any more: choose another seed")
    shown = near(found, feature, 3, 100, {})
    assert (shown["tokens"], shown["coactive"], len(shown["cosine"])) == (0, [], 3)


def test_the_verb_lists_all_neighbours_with_labels_and_needs_the_index(loaded: Any) -> None:
    with pytest.raises(UsageError, match="need the corpus index"):
        loaded("features.neighbours 3")
    loaded("index.build tokens=2000")
    loaded("labels.set 5 text=five")
    shown = loaded("features.neighbours 3 limit=47")["result"]
    assert shown["index"] == 3
    assert {row["index"] for row in shown["cosine"]} == set(range(tiny.LATENTS)) - {3}
    assert next(row for row in shown["cosine"] if row["index"] == 5)["label"] == "five"
    assert all(0 <= row["density"] <= 1 for row in [*shown["cosine"], *shown["coactive"]])
    assert shown["tokens"] == shown["fired"]
