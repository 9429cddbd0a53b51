"""The feature index against dense arrays: every count, total, maximum, histogram and window."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from tests.peak import run_alone
from workbench.errors import Cancelled, InputFileError, StorageError, UsageError
from workbench.index.read import EDGES, HISTOGRAM_BINS, FeatureIndex, open_index

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
EXAMPLES = 4


def nothing(done: int, total: int, text: str) -> None: ...


def documents(count: int = 40) -> list[str]:
    draw = random.Random(0)
    texts = [" ".join(draw.choices(tiny.WORDS, k=draw.randint(1, 24))) for _ in range(count)]
    texts[7] = "the cat won " * 40  # longer than the context: cut
    texts[9] = texts[10] = texts[11] = "bright sun"  # the same window three times
    return texts


def build(folder: Path, model: Any, space: Any, texts: list[str], tokens: int = 10**6, **options: Any) -> FeatureIndex:
    from workbench.index.build import build_index

    settings = {"tokens": tokens, "examples": EXAMPLES, "about": {"corpus": "toy"}, "tick": nothing, **options}
    build_index(model, space, texts, folder, **settings)
    return FeatureIndex(folder)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, tiny_model: Any, tiny_space: Any) -> FeatureIndex:
    return build(tmp_path_factory.mktemp("index") / "one", tiny_model, tiny_space, documents())


@pytest.fixture(scope="module")
def dense(tiny_model: Any, tiny_space: Any) -> list[tuple[list[int], np.ndarray]]:
    """(ids, (tokens, features)) of each document, one by one through the plain model, BOS as 0."""
    import torch

    rows = []
    for text in documents():
        ids = tiny_model.tokenizer(text)["input_ids"][: tiny.CONTEXT]
        with torch.no_grad():
            out = tiny_model.plain(input_ids=torch.tensor([ids]), output_hidden_states=True)
        acts = tiny_space.encode(out.hidden_states[2])[0].numpy()
        acts[0] = 0.0
        rows.append((ids, acts))
    return rows


def test_counts_totals_and_maxima(found: FeatureIndex, dense: Any) -> None:
    acts = np.concatenate([rows for _, rows in dense])
    assert found.meta["tokens"] == len(acts)
    assert found.meta["documents"] == len(dense)
    assert found.meta["alive"] == int((acts > 0).any(axis=0).sum())
    assert found.meta["mean_l0"] == pytest.approx((acts > 0).sum() / (len(acts) - len(dense)), abs=1e-3)
    np.testing.assert_array_equal(found.summary["fired"], (acts > 0).sum(axis=0))
    np.testing.assert_allclose(found.summary["total"], acts.sum(axis=0, dtype=np.float64), rtol=1e-5)
    np.testing.assert_allclose(found.summary["maximum"], acts.max(axis=0), rtol=1e-5)
    assert found.density(3) == pytest.approx((acts[:, 3] > 0).mean())


def test_tokens_and_documents_are_all_there(found: FeatureIndex, dense: Any) -> None:
    np.testing.assert_array_equal(found.arrays["tokens"], np.concatenate([ids for ids, _ in dense]))
    np.testing.assert_array_equal(np.diff(found.arrays["starts"]), [len(ids) for ids, _ in dense])
    assert len(found.arrays["pointers"]) == found.meta["tokens"] + 1
    assert found.arrays["pointers"][-1] == found.meta["entries"] == len(found.arrays["values"])


def test_histograms(found: FeatureIndex, dense: Any) -> None:
    acts = np.concatenate([rows for _, rows in dense])
    np.testing.assert_array_equal(found.summary["histogram"].sum(axis=1), found.summary["fired"])
    for feature in range(tiny.LATENTS):
        values = acts[:, feature][acts[:, feature] > 0]
        expected = np.histogram(np.clip(values, 0, EDGES[-2]), bins=EDGES[: HISTOGRAM_BINS + 1])[0]
        assert np.abs(expected - found.summary["histogram"][feature]).sum() <= 2  # a value on an edge, by a last bit
        shown = found.histogram(feature)
        assert sum(shown["counts"]) == len(values)
        assert len(shown["edges"]) == len(shown["counts"]) + bool(shown["counts"])


def test_the_strongest_windows_one_for_each_document(found: FeatureIndex, dense: Any) -> None:
    peaks = np.array([rows.max(axis=0) for _, rows in dense])  # (documents, features)
    for feature in range(tiny.LATENTS):
        windows = found.examples(feature)
        strongest = np.sort(peaks[:, feature][peaks[:, feature] > 0])[::-1][:EXAMPLES]
        kept = found.summary["best"][feature]
        np.testing.assert_allclose(kept[kept > 0], strongest, rtol=1e-5)
        assert len({window["document"] for window in windows}) == len(windows) <= EXAMPLES
        for window in windows:
            _, rows = dense[window["document"]]
            place = int(rows[:, feature].argmax())
            assert window["values"][window["peak"]] == pytest.approx(rows[place, feature], abs=1e-3)
            begin = place - window["peak"]
            assert begin >= 1, "BOS is not shown"
            expected = rows[begin : begin + len(window["values"]), feature]
            assert window["values"] == pytest.approx(expected.tolist(), abs=1e-3)
            assert len(window["tokens"]) == len(window["values"])


def test_windows_that_read_the_same_are_shown_once(found: FeatureIndex) -> None:
    for feature in range(tiny.LATENTS):
        texts = [tuple(window["tokens"]) for window in found.examples(feature)]
        assert len(texts) == len(set(texts))


def test_a_window_reads_as_its_text(found: FeatureIndex) -> None:
    texts = documents()
    for feature in range(0, tiny.LATENTS, 5):
        for window in found.examples(feature):
            assert "".join(window["tokens"]) in texts[window["document"]]


def test_token_totals(found: FeatureIndex, dense: Any) -> None:
    tokens, acts = np.concatenate([ids for ids, _ in dense]), np.concatenate([rows for _, rows in dense])
    for feature in range(0, tiny.LATENTS, 3):
        ids, sums = found.token_totals(feature)
        expected = np.bincount(tokens, weights=acts[:, feature])
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


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_batches_of_other_sizes_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Any, tiny_space: Any, found: FeatureIndex, batch: int
) -> None:
    monkeypatch.setattr("workbench.index.build.BATCH", batch)
    other = build(tmp_path / "other", tiny_model, tiny_space, documents())
    for name, values in found.summary.items():
        if name not in ("document", "position"):
            np.testing.assert_allclose(other.summary[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
    # windows whose strengths are equal up to the last bit may change places, no others
    best = found.summary["best"]
    gaps = np.abs(np.diff(best, axis=1, prepend=np.inf, append=-np.inf))
    alone = (np.minimum(gaps[:, :-1], gaps[:, 1:]) > 1e-4) & (np.arange(EXAMPLES) < EXAMPLES - 1)
    for name in ("document", "position"):
        np.testing.assert_array_equal(other.summary[name][alone], found.summary[name][alone], err_msg=name)
    assert alone.sum() > tiny.LATENTS
    for name, values in found.arrays.items():
        np.testing.assert_allclose(other.arrays[name], values, rtol=1e-4, err_msg=name)


def test_the_token_budget_is_kept_to_the_token(tmp_path: Path, tiny_model: Any, tiny_space: Any, dense: Any) -> None:
    cut = build(tmp_path / "cut", tiny_model, tiny_space, documents(), tokens=101)
    assert cut.meta["tokens"] == 101
    np.testing.assert_array_equal(cut.arrays["tokens"], np.concatenate([ids for ids, _ in dense])[:101])
    fired = (np.concatenate([rows for _, rows in dense])[:101] > 0).sum(axis=0)
    np.testing.assert_array_equal(cut.summary["fired"], fired)


def test_a_tokenizer_without_bos_loses_no_first_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Any, tiny_space: Any
) -> None:
    whole = tiny_model.tokenizer

    class Bare:
        """The tokenizer as GPT-2's own: nothing put in front."""

        all_special_ids = whole.all_special_ids
        decode, batch_decode = whole.decode, whole.batch_decode
        convert_ids_to_tokens = whole.convert_ids_to_tokens

        def __call__(self, text: Any, **options: Any) -> Any:
            return whole(text, **{**options, "add_special_tokens": False})

    monkeypatch.setattr(tiny_model, "tokenizer", Bare())
    texts = ["cat won", "sun lost"]
    index = build(tmp_path / "bare", tiny_model, tiny_space, texts)
    assert index.meta["mean_l0"] == pytest.approx(tiny.ACTIVE, abs=1.0)
    for feature in np.flatnonzero(index.summary["fired"]):
        for window in index.examples(int(feature)):
            assert "".join(window["tokens"]) == texts[window["document"]]
            assert window["peak"] >= 0
            assert window["values"][window["peak"]] == max(window["values"])


def test_a_full_disk_leaves_no_half_index(tiny_model: Any, tiny_space: Any) -> None:
    with tiny.small_disk("32k") as disk:
        with pytest.raises(StorageError, match="the disk is full"):
            build(disk / "one", tiny_model, tiny_space, documents())
        assert list(disk.iterdir()) == []


def test_a_read_only_cache_is_named(tiny_model: Any, tiny_space: Any) -> None:
    with tiny.small_disk() as disk:
        tiny.read_only(disk)
        with pytest.raises(StorageError, match=str(disk)):
            build(disk / "one", tiny_model, tiny_space, documents())


def test_a_cancelled_pass_leaves_no_half_index_and_keeps_the_old_one(
    tmp_path: Path, tiny_model: Any, tiny_space: Any
) -> None:
    old = build(tmp_path / "one", tiny_model, tiny_space, ["the cat won"])

    def stop(done: int, total: int, text: str) -> None:
        if done:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        build(tmp_path / "one", tiny_model, tiny_space, documents(200), tick=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert FeatureIndex(tmp_path / "one").meta == old.meta


def test_an_empty_corpus_and_raw_units_are_refused(tmp_path: Path, tiny_model: Any, tiny_space: Any) -> None:
    from workbench.saes.space import load_space

    with pytest.raises(InputFileError, match="no text"):
        build(tmp_path / "one", tiny_model, tiny_space, [])
    with pytest.raises(UsageError, match="raw units"):
        build(tmp_path / "one", tiny_model, load_space("raw", tiny.SITE, tiny_model), documents())
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_is_not_on_this_machine_is_none(home: Path, found: FeatureIndex) -> None:
    assert open_index(home, {"key": "0" * 32}) is None


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
    assert loaded("index.info")["result"]["on_this_machine"] is True
    shown = loaded("features.show 3")["result"]
    assert shown["corpus"]["tokens"] == 2000
    suggested = loaded("labels.suggest 1 2 3")["result"]["labels"]
    assert [row["index"] for row in suggested] == [1, 2, 3]
    assert {row["status"] for row in suggested} <= {"suggested", "silent"}


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
