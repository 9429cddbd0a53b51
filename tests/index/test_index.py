"""The feature index against dense arrays: every count, moment, histogram, window, sample and non-zero."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests import tiny
from tests.index.conftest import EXAMPLES, build, documents, make_store
from tests.peak import run_alone
from workbench.corpus.store import TokenStore
from workbench.errors import InputFileError
from workbench.index.read import EDGES, HISTOGRAM_BINS, FeatureIndex, open_index
from workbench.index.sampling import AFTER, AT_RANDOM, BEFORE, IN_QUANTILE, QUANTILES, priority

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def test_counts_moments_and_maxima(found: FeatureIndex, dense: np.ndarray, store: TokenStore) -> None:
    special = int(np.isin(store.tokens, store.special).sum())
    assert found.meta["tokens"] == len(dense) == len(store.tokens)
    assert found.meta["documents"] == len(documents())
    assert (found.meta["opened"], found.meta["alive"]) == (special, int((dense > 0).any(axis=0).sum()))
    assert found.meta["mean_l0"] == pytest.approx((dense > 0).sum() / (len(dense) - special), abs=1e-3)
    np.testing.assert_array_equal(found.summary["fired"], (dense > 0).sum(axis=0))
    np.testing.assert_allclose(found.summary["total"], dense.sum(axis=0, dtype=np.float64), rtol=1e-5)
    np.testing.assert_allclose(found.summary["maximum"], dense.max(axis=0), rtol=1e-5)
    assert found.density(3) == pytest.approx((dense[:, 3] > 0).mean())
    for feature in range(tiny.LATENTS):
        values = dense[:, feature][dense[:, feature] > 0].astype(np.float64)
        moments = found.moments(feature)
        if len(values) == 0:
            assert moments is None
        elif len(values) > 5:
            expected = [values.mean(), values.std(), stats.skew(values), stats.kurtosis(values)]
            assert list((moments or {}).values()) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_every_nonzero_is_there_by_token_and_by_feature(found: FeatureIndex, dense: np.ndarray) -> None:
    by_token = np.zeros(dense.shape, dtype=bool)
    pointers = found.arrays["pointers"]
    for token in range(len(dense)):
        row = found.arrays["features"][pointers[token] : pointers[token + 1]]
        assert (np.diff(row) > 0).all()
        by_token[token, row] = True
    by_feature = np.zeros(dense.shape)
    for feature in range(dense.shape[1]):
        at, values = found.entries(feature)
        assert (np.diff(at.astype(np.int64)) > 0).all()
        by_feature[at, feature] = values
    np.testing.assert_array_equal(by_token, dense > 0)
    np.testing.assert_allclose(by_feature, dense, rtol=1e-4, atol=1e-5)
    assert found.meta["entries"] == by_token.sum() == len(found.arrays["values"]) == len(found.arrays["features"])


def test_histograms_are_those_of_the_activations(found: FeatureIndex, dense: np.ndarray) -> None:
    np.testing.assert_array_equal(found.summary["histogram"].sum(axis=1), found.summary["fired"])
    for feature in range(tiny.LATENTS):
        values = dense[:, feature][dense[:, feature] > 0]
        expected = np.histogram(np.clip(values, 0, EDGES[-2]), bins=EDGES[: HISTOGRAM_BINS + 1])[0]
        assert np.abs(expected - found.summary["histogram"][feature]).sum() <= 2  # a value on an edge, by a last bit
        shown = found.histogram(feature)
        assert sum(shown["counts"]) == len(values)
        assert len(shown["edges"]) == len(shown["counts"]) + bool(shown["counts"])


def brute_windows(store: TokenStore, column: np.ndarray, wanted: int) -> list[tuple[int, int]]:
    """(document, place) of the strongest places, one for each document, equal windows once: the slow way."""
    peaks = []
    for document in range(len(store.starts) - 1):
        begin, end = int(store.starts[document]), int(store.starts[document + 1])
        if end > begin and column[begin:end].max() > 0:
            place = begin + int(column[begin:end].argmax())
            window = tuple(store.tokens[max(begin, place - BEFORE) : min(end, place + AFTER + 1)].tolist())
            peaks.append((-column[place], document, place, window))
    found, seen = [], set()
    for _, document, place, window in sorted(peaks):
        if window not in seen and len(found) < wanted:
            found.append((document, place))
            seen.add(window)
    return found


def test_the_strongest_windows_are_those_of_brute_force(
    found: FeatureIndex, dense: np.ndarray, store: TokenStore
) -> None:
    exact = np.zeros(dense.shape, np.float32)  # the same bits as the index, so that ties are the same ties
    for feature in range(tiny.LATENTS):
        at, values = found.entries(feature)
        exact[at, feature] = values
    for feature in range(tiny.LATENTS):
        expected = brute_windows(store, exact[:, feature], EXAMPLES)
        documents_kept = found.summary["document"][feature]
        kept = documents_kept >= 0
        places = store.starts[documents_kept[kept]] + found.summary["position"][feature][kept]
        assert list(zip(documents_kept[kept].tolist(), places.tolist(), strict=True)) == expected
        for window, (document, place) in zip(found.examples(feature), expected, strict=True):
            begin = place - window["peak"]
            assert begin >= int(store.starts[document]) + 1, "BOS is not shown"
            assert window["values"] == pytest.approx(
                dense[begin : begin + len(window["values"]), feature].tolist(), abs=1e-3
            )
            assert window["document"] == document
            assert "".join(window["tokens"]) in documents()[document]


def test_windows_that_read_the_same_are_kept_once(found: FeatureIndex) -> None:
    for feature in range(tiny.LATENTS):
        texts = [tuple(window["tokens"]) for window in found.examples(feature)]
        assert len(texts) == len(set(texts))


def test_samples_of_each_quantile_are_those_with_the_smallest_hash(found: FeatureIndex, store: TokenStore) -> None:
    some = 0
    for feature in range(tiny.LATENTS):
        at, values = (np.asarray(array) for array in found.entries(feature))
        if len(at) == 0:
            assert found.quantiles(feature) == found.random(feature) == []
            continue
        document = store.document_of(at)
        order = np.argsort(priority(document, at - store.starts[document]))
        edges = found.summary["edges"][feature]
        ranked = np.sort(values)
        assert edges.tolist() == [
            ranked[min(step * len(values) // QUANTILES, len(values) - 1)] for step in range(QUANTILES + 1)
        ]
        group = np.searchsorted(edges[1:-1], values, side="right")
        for number in range(QUANTILES):
            expected = [int(at[place]) for place in order if group[place] == number][:IN_QUANTILE]
            assert [place for place in found.summary["sample_at"][feature, number] if place >= 0] == expected
            some += len(expected)
        expected = [int(at[place]) for place in order][:AT_RANDOM]
        assert [place for place in found.summary["random_at"][feature] if place >= 0] == expected
        for row in found.quantiles(feature):
            assert all(row["low"] - 1e-4 <= w["values"][w["peak"]] <= row["high"] + 1e-4 for w in row["examples"])
    assert some > tiny.LATENTS


def test_samples_are_fair() -> None:
    """Over many features whose activations are the places' own order, no stretch of the corpus is preferred."""
    from workbench.index.sampling import samples

    features, size = 400, 500
    at = np.tile(np.arange(size), features)
    ranks = priority(np.repeat(np.arange(features), size), at)
    values = np.tile(np.random.default_rng(0).permutation(size).astype(np.float32), features)
    _, few, _ = samples(np.arange(features + 1) * size, values, ranks)
    counts = np.bincount(at[few.ravel()], minlength=size)
    assert counts.sum() == features * QUANTILES * IN_QUANTILE
    assert stats.chisquare(counts).pvalue > 1e-4


def test_token_totals_are_the_sums_by_token(found: FeatureIndex, dense: np.ndarray, store: TokenStore) -> None:
    for feature in range(0, tiny.LATENTS, 3):
        ids, sums = found.token_totals(feature)
        expected = np.bincount(store.tokens, weights=dense[:, feature])
        np.testing.assert_array_equal(ids, np.flatnonzero(expected))
        np.testing.assert_allclose(sums, expected[ids], rtol=1e-5)


def test_logits_are_the_direction_on_the_unembedding(found: FeatureIndex, tiny_model: Any, tiny_space: Any) -> None:
    unembed = tiny_model.plain.get_output_embeddings().weight.detach().double().numpy()
    scores = tiny_space.directions().double().numpy() @ (unembed - unembed.mean(axis=0)).T
    shown = found.logits(5)
    assert shown is not None
    order = np.argsort(-scores[5])
    assert [value for _, value in shown["top"]] == pytest.approx(scores[5][order[:10]].tolist(), abs=1e-3)
    assert [value for _, value in shown["bottom"]] == pytest.approx(scores[5][order[::-1][:10]].tolist(), abs=1e-3)
    assert shown["top"][0][0] == found.pieces[order[0]]


def test_the_token_budget_is_kept_to_the_token(
    tmp_path: Path, tiny_model: Any, tiny_space: Any, store: TokenStore, dense: np.ndarray
) -> None:
    cut = build(tmp_path / "cut", tiny_model, tiny_space, store, tokens=101)
    assert cut.meta["tokens"] == 101
    np.testing.assert_array_equal(cut.summary["fired"], (dense[:101] > 0).sum(axis=0))


def test_a_dense_sae_is_read_as_well_as_one_that_names_its_active_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Any, tiny_space: Any, store: TokenStore
) -> None:
    one = build(tmp_path / "one", tiny_model, tiny_space, store)
    monkeypatch.setattr(type(tiny_space), "largest", lambda space, acts: None)
    two = build(tmp_path / "two", tiny_model, tiny_space, store)
    assert one.meta["digest"] == two.meta["digest"]


def test_a_corpus_of_one_token_documents(tmp_path: Path, tiny_model: Any, tiny_space: Any) -> None:
    short = make_store(tmp_path / "home", tiny_model, ["a", "", "cat", "a"])
    index = build(tmp_path / "one", tiny_model, tiny_space, short)
    assert index.meta["tokens"] == len(short.tokens)
    assert index.summary["fired"].sum() == 3 * tiny.ACTIVE
    for feature in np.flatnonzero(index.summary["fired"]):
        assert all(len(window["tokens"]) == 1 for window in index.examples(int(feature)))


def test_an_empty_corpus_is_refused(tmp_path: Path, tiny_model: Any, tiny_space: Any) -> None:
    with pytest.raises(InputFileError, match="no text"):
        make_store(tmp_path, tiny_model, [""])


def test_an_index_that_is_not_on_this_machine_is_none(home: Path) -> None:
    assert open_index(home, {"key": "0" * 32}) is None


def test_an_index_is_opened_by_its_key_and_never_by_a_path(tmp_path: Path, tiny_model: Any, tiny_space: Any) -> None:
    home = tmp_path / "home"
    store = make_store(home, tiny_model, ["cat a"])
    for place in (tmp_path / "elsewhere", home / "index" / ("0" * 32)):
        build(place, tiny_model, tiny_space, store)
    assert open_index(home, {"key": "0" * 32}) is not None
    for path in (str(tmp_path / "elsewhere"), "../../elsewhere", "../index/" + "0" * 32):
        assert open_index(home, {"key": path}) is None


def test_a_features_own_reads_are_a_few(found: FeatureIndex) -> None:
    """Nothing of the corpus' or the index's length is read whole to open a feature."""
    for array in [*found.arrays.values(), *found.summary.values(), found.store.tokens, found.store.starts]:
        while isinstance(array.base, np.ndarray):
            array = array.base
        assert isinstance(array.base, mmap.mmap)


def test_the_verbs_build_it_once_and_show_it(loaded: Any, home: Path) -> None:
    built = loaded("index.build tokens=2000 examples=3")["result"]
    assert (built["tokens"], built["features"]) == (2000, tiny.LATENTS)
    (folder,) = (home / "index").iterdir()
    before = tiny.snapshot(folder)
    made = (folder / "meta.json").stat().st_mtime_ns
    assert loaded("index.build tokens=2000 examples=3")["result"] == built
    assert (folder / "meta.json").stat().st_mtime_ns == made, "an index that is here is not built again"
    loaded("index.build tokens=2000 examples=3", fresh=True)
    assert tiny.snapshot(folder) == before
    info = loaded("index.info")["result"]
    assert (info["on_this_machine"], info["kind"], info["enriched"]) == (True, "sparse", None)
    shown = loaded("features.show 3")["result"]["corpus"]
    assert shown["tokens"] == 2000
    assert [row["low"] for row in shown["quantiles"]] == sorted(
        (row["low"] for row in shown["quantiles"]), reverse=True
    )
    assert shown["random"]
    suggested = loaded("labels.suggest 1 2 3")["result"]["labels"]
    assert [row["index"] for row in suggested] == [1, 2, 3]
    assert {row["status"] for row in suggested} <= {"suggested", "silent", "nothing stands out"}


def test_a_damaged_index_is_built_again(loaded: Any, home: Path) -> None:
    loaded("index.build tokens=2000 examples=3")
    (folder,) = (home / "index").iterdir()
    before = tiny.snapshot(folder)
    raw = bytearray((folder / "values.bin").read_bytes())
    raw[5] ^= 1
    (folder / "values.bin").write_bytes(raw)
    loaded("index.build tokens=2000 examples=3")
    assert tiny.snapshot(folder) == before


def test_a_dry_run_says_the_cost_and_does_nothing(loaded: Any, home: Path, sessions: Path) -> None:
    before = tiny.snapshot(home) if home.exists() else {}
    log = (sessions / "s" / "log.jsonl").read_bytes()
    result = loaded("index.build demo tokens=1500 dry_run=true")["result"]
    assert result["dry_run"] is True
    assert result["built"] is False
    assert result["seconds"] > 0
    assert (tiny.snapshot(home) if home.exists() else {}) == before
    assert (sessions / "s" / "log.jsonl").read_bytes() == log
    loaded("index.build demo tokens=1500")
    assert loaded("index.build demo tokens=1500 dry_run=true")["result"]["built"] is True
    (folder,) = (home / "index").iterdir()
    arrays = sum(path.stat().st_size for path in folder.iterdir() if path.suffix != ".json")
    assert result["disk_bytes"] == pytest.approx(arrays, rel=0.1)


def test_the_stated_memory_is_kept_within_a_fifth(loaded: Any, sessions: Path, tmp_path: Path) -> None:
    loaded(f"sae.load {tiny.make_sae(tmp_path / 'wide', d_sae=4096)} tokens=0")
    line = ["index", "build", "demo", "--tokens", "40000", "--examples", "50"]
    stated = run_alone("s", sessions, *line, "--dry-run")[0]["memory_bytes"]
    peak = run_alone("s", sessions, *line)[1]
    assert peak <= 1.2 * stated
    assert stated <= 1.2 * peak


def test_a_store_of_another_tokenizer_is_refused(loaded: Any, tmp_path: Path, home: Path) -> None:
    from workbench.corpus.store import open_name

    path = tmp_path / "a.txt"
    path.write_text("the cat won\nthe dog lost\n")
    loaded(f"corpus.import {path} name=pets")
    assert any("made sentences of the demo's" in text for text in loaded("index.build tokens=1000")["warnings"])
    reply = loaded("index.build pets")
    assert not any("made sentences" in text for text in reply["warnings"])
    assert any("was of corpus 'demo' and is of 'pets' from now on" in text for text in reply["warnings"])
    assert not any("from now on" in text for text in loaded("index.build pets")["warnings"])
    back = loaded("index.build tokens=1000")["warnings"]  # a bare build reads the demo's
    assert any("'pets' and is of 'demo'" in text and "index build pets" in text for text in back)
    built = loaded("index.build pets")["result"]
    assert (built["corpus"], built["documents"]) == ("pets", 2)
    meta = open_name(home, "pets").folder / "meta.json"
    meta.write_text(meta.read_text().replace(open_name(home, "pets").meta["tokenizer"], "sha256:other"))
    from workbench.errors import MismatchError

    with pytest.raises(MismatchError, match="another tokenizer"):
        loaded("index.build pets")
