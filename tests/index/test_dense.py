"""The index of raw units against dense arrays: summaries, the strongest windows, samples of quantiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests import tiny
from tests.index.conftest import EXAMPLES, build, dense_of
from tests.index.test_index import brute_windows
from workbench.corpus.store import TokenStore
from workbench.errors import Cancelled
from workbench.index import dense as dense_index
from workbench.index import shards
from workbench.index.read import EDGES, FeatureIndex

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def raw(tiny_model: Any) -> Any:
    from workbench.saes.space import load_space

    return load_space("raw", tiny.SITE, tiny_model)


@pytest.fixture(scope="module")
def acts(store: TokenStore, tiny_model: Any, raw: Any) -> np.ndarray:
    return dense_of(store, tiny_model, raw.encode)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, tiny_model: Any, raw: Any, store: TokenStore) -> FeatureIndex:
    return build(tmp_path_factory.mktemp("raw") / "one", tiny_model, raw, store)


@pytest.fixture(scope="module")
def text(store: TokenStore) -> np.ndarray:
    return ~np.isin(store.tokens, store.special)


def test_summaries_are_those_of_the_activations(index: FeatureIndex, acts: np.ndarray, text: np.ndarray) -> None:
    counted = acts[text].astype(np.float64)
    assert index.meta["kind"] == "dense"
    assert (index.summary["fired"] == text.sum()).all()
    np.testing.assert_allclose(index.summary["maximum"], counted.max(axis=0), rtol=1e-4)
    np.testing.assert_allclose(index.summary["minimum"], counted.min(axis=0), rtol=1e-4)
    both = index.summary["histogram"] + index.summary["histogram_negative"]
    np.testing.assert_array_equal(both.sum(axis=1), text.sum())
    for unit in range(0, tiny.WIDTH, 5):
        moments = index.moments(unit)
        expected = [counted[:, unit].mean(), counted[:, unit].std(), stats.skew(counted[:, unit])]
        assert list((moments or {}).values())[:3] == pytest.approx(expected, rel=1e-3, abs=1e-3)
        bins = np.histogram(np.clip(counted[:, unit], 0, EDGES[-2])[counted[:, unit] > 0], bins=EDGES)[0]
        assert np.abs(bins - index.summary["histogram"][unit]).sum() <= 2


def test_the_strongest_windows_are_those_of_brute_force(
    index: FeatureIndex, acts: np.ndarray, text: np.ndarray, store: TokenStore
) -> None:
    for unit in range(tiny.WIDTH):
        column = np.where(text, acts[:, unit], 0)
        # words that open several documents have the same activation there but for the last bit: any of them may come
        expected = [column[place] for _, place in brute_windows(store, column, EXAMPLES)]
        shown = index.examples(unit)
        assert [window["values"][window["peak"]] for window in shown] == pytest.approx(expected, abs=1e-3)
        assert len({window["document"] for window in shown}) == len(shown)
        for number, window in enumerate(shown):
            place = int(store.starts[window["document"]] + index.summary["position"][unit][number])
            begin, values = place - window["peak"], window["values"]
            if window["document"] != 7:  # the long one is read in stretches, and a window ends with its stretch
                assert values == pytest.approx(acts[begin : begin + len(values), unit].tolist(), abs=1e-3)


def test_samples_come_from_their_quantile(index: FeatureIndex, acts: np.ndarray) -> None:
    for unit in range(0, tiny.WIDTH, 3):
        rows = index.quantiles(unit)
        assert len(rows) == 5
        for row in rows:
            for window in row["examples"]:
                assert row["low"] - 1e-3 <= window["values"][window["peak"]] <= row["high"] + 1e-3
        places = index.summary["random_at"][unit]
        assert [window["values"][window["peak"]] for window in index.random(unit)] == pytest.approx(
            acts[places, unit].tolist(), abs=1e-3
        )


def test_edges_are_the_quantiles_where_all_tokens_are_fair(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tiny_model: Any,
    raw: Any,
    store: TokenStore,
    acts: np.ndarray,
    text: np.ndarray,
) -> None:
    monkeypatch.setattr(dense_index, "FAIR", 10_000)
    whole = build(tmp_path / "one", tiny_model, raw, store)
    ranks = np.minimum(np.arange(6) * text.sum() // 5, text.sum() - 1)
    expected = np.sort(acts[text], axis=0)[ranks].T
    np.testing.assert_allclose(whole.summary["edges"], expected, atol=1e-3)


def test_a_stopped_build_in_shards_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Any, raw: Any, store: TokenStore, index: FeatureIndex
) -> None:
    monkeypatch.setattr(shards, "SHARD", 100)
    whole = build(tmp_path / "whole", tiny_model, raw, store)
    left = iter(range(4))

    def stop(done: int, total: int, text: str) -> None:
        if next(left, None) is None:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        build(tmp_path / "one", tiny_model, raw, store, tick=stop)
    one = build(tmp_path / "one", tiny_model, raw, store)
    assert tiny.snapshot(one.folder) == tiny.snapshot(whole.folder)
    np.testing.assert_array_equal(whole.summary["random_at"], index.summary["random_at"])


def test_raw_units_are_indexed_shown_and_steered(loaded: Any) -> None:
    loaded(f"sae.load raw site={tiny.SITE}")
    built = loaded("index.build tokens=2000")["result"]
    assert (built["features"], built["mean_l0"]) == (tiny.WIDTH, tiny.WIDTH)
    shown = loaded("features.show 3")["result"]["corpus"]
    assert shown["examples"]
    assert len(shown["quantiles"]) == 5
    steered = loaded("steer.clamp 3 prompt='the cat' mode=mean")["result"]
    assert steered["mean_of"] == "corpus demo"
