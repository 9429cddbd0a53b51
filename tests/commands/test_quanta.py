"""`quanta.*` on the tiny model: losses against a plain loop, the way through all verbs, every kind of bad input."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from workbench.errors import Cancelled, MismatchError, UnknownNameError, UsageError, WorkbenchError
from workbench.quanta import NATS_PER_BIT, present_bigram, present_trigram
from workbench.session import SessionRecord

pytestmark = [pytest.mark.slow]

TEXTS = [
    "the cat won the prize today", "", "a dog", "the sun lost the game again and again and again",
    "happy moon", "dark </script> dog", "the prize of the cat\nis bright", "a",
]  # fmt: skip


def write_corpus(path: Path, texts: list[str], copies: int = 6) -> Path:
    made = [f"{text} {word}".strip() if text else "" for word in ("", *tiny.WORDS[: copies - 1]) for text in texts]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in made))
    return path


@pytest.fixture
def corpus(do: Any, tiny_files: Path, tmp_path: Path) -> Any:
    """`do`, with the tiny model and the corpus `words` in session `s`."""
    do("session.new s", None)
    do(f"model.load {tiny_files / 'model'} device=cpu")
    do(f"corpus.import {write_corpus(tmp_path / 'words.jsonl', TEXTS)} name=words")
    return do


@pytest.fixture
def taken(corpus: Any) -> Any:
    corpus("quanta.losses words")
    return corpus


@pytest.fixture
def similar(taken: Any) -> Any:
    taken("quanta.select threshold=100 filter=none n=24 skip=3")
    taken("quanta.similarity pairs=10")
    return taken


@pytest.fixture
def clustered(similar: Any) -> Any:
    similar("quanta.cluster n_clusters=4 sweep=2 sweep=8 seeds=1")
    return similar


def store_of(home: Path) -> Any:
    from workbench.corpus.store import open_name

    return open_name(home, "words")


# --- losses


def test_losses_are_those_of_one_document_at_a_time(taken: Any, home: Path, tiny_model: Any) -> None:
    import torch

    from workbench.predictions.losses import Losses
    from workbench.predictions.numbering import Numbering

    store = store_of(home)
    numbering = Numbering.of(store, tiny_model.context, 10**6)
    found = Losses(home, numbering).read(tiny_model.info["digest"])
    expected: list[float] = []
    for document in range(int(store.meta["documents"])):
        ids = store.tokens[store.starts[document] : store.starts[document + 1]][: tiny_model.context].tolist()
        if len(ids) < 2:
            continue
        with torch.no_grad():
            logits = tiny_model.plain(torch.tensor([ids])).logits[0].double()
        expected += torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="none").tolist()
    assert found == pytest.approx(np.array(expected), abs=1e-4)


def test_filters_and_answers_are_in_the_same_numbering(taken: Any, home: Path) -> None:
    from workbench.predictions.losses import Losses
    from workbench.predictions.numbering import Numbering

    store = store_of(home)
    numbering = Numbering.of(store, 20, 10**6)
    losses = Losses(home, numbering)
    losses.take_filters(lambda *_: None)
    rows = [store.tokens[a:b][:20] for a, b in zip(store.starts, store.starts[1:], strict=False)]
    for name, mark in (("present-trigram", present_trigram), ("present-bigram", present_bigram)):
        assert losses.dropped(name).tolist() == [bool(x) for row in rows for x in mark(row)]
        assert losses.dropped(name).any()
    assert numbering.answers().tolist() == [int(token) for row in rows for token in row[1:]]


def test_the_result_tells_nats_and_bits_and_a_second_model_beside(corpus: Any, tmp_path: Path) -> None:
    other = tiny.make_model(tmp_path / "other", seed=9)
    result = corpus(f"quanta.losses words models={other}")["result"]
    assert len({row["digest"] for row in result["models"]}) == len({row["name"] for row in result["models"]}) == 2
    for row in result["models"]:
        assert row["mean_bits"] == pytest.approx(row["mean"] / NATS_PER_BIT)
    name = result["models"][1]["name"]
    low = corpus("quanta.counts threshold=100 filter=none")["result"]
    pair = corpus(f"quanta.counts threshold=100 filter=none high='{name}' high_threshold=6")["result"]
    assert 0 < pair["left"] < low["left"]
    assert pair["models"] == low["models"] == [row["name"] for row in result["models"]]
    assert sum(pair["high_histogram"]["counts"]) == low["left"]
    assert sum(pair["high_histogram"]["kept"]) == sum(pair["histogram"]["kept"]) == pair["left"]
    assert low["high_histogram"] is None
    back = corpus(f"quanta.counts threshold=100 filter=none model='{name}' high='{low['model']}' high_threshold=6")
    assert (back["result"]["model"], back["result"]["high"]) == (name, low["model"])
    with pytest.raises(MismatchError, match="low here and high there"):
        corpus(f"quanta.counts high='{result['models'][0]['name']}'")
    with pytest.raises(UnknownNameError, match="nobody"):
        corpus("quanta.counts model=nobody")


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(
    corpus: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.predictions import losses as module

    monkeypatch.setattr(module, "CHUNK", 40)

    def stop(done: int, total: int, text: str) -> None:
        if done > 20 and "losses" in text:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        corpus("quanta.losses words", progress=stop)
    part = next((home / "quanta" / "losses").rglob("*.part"))
    assert part.stat().st_size > 0
    seen: list[int] = []
    corpus("quanta.losses words", progress=lambda done, total, text: seen.append(done) if "losses" in text else None)
    assert min(seen) > 15, "documents that were read are read again"
    resumed = next((home / "quanta" / "losses").rglob("*.f32"))
    raw = resumed.read_bytes()
    resumed.unlink()
    corpus("quanta.losses words")
    assert resumed.read_bytes() == raw


def test_a_corpus_changed_under_a_half_made_run_is_refused(
    corpus: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.predictions import losses as module

    monkeypatch.setattr(module, "CHUNK", 40)

    def stop(done: int, total: int, text: str) -> None:
        if done > 20:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        corpus("quanta.losses words", progress=stop)
    path = store_of(home).folder / "tokens.bin"
    raw = bytearray(path.read_bytes())
    raw[4] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(MismatchError, match="not those that this run began with"):
        corpus("quanta.losses words")
    assert next((home / "quanta" / "losses").rglob("*.part")).exists(), "nothing is lost"


# --- bad input


def test_an_encoder_is_refused(do: Any, tmp_path: Path) -> None:
    do("session.new s", None)
    do(f"model.load {tiny.make_bert(tmp_path / 'bert')} device=cpu")
    with pytest.raises(MismatchError, match="encoder"):
        do("quanta.losses demo tokens=100")


def test_contexts_longer_than_the_model_are_refused(corpus: Any) -> None:
    with pytest.raises(MismatchError, match=f"longer than model reads|longer than .* reads \\({tiny.CONTEXT}\\)"):
        corpus(f"quanta.losses words context={tiny.CONTEXT + 1}")


def test_fewer_samples_than_n_says_what_each_condition_leaves(taken: Any) -> None:
    with pytest.raises(UsageError, match=r"of the 90000 samples asked for: \d+ predictions") as caught:
        taken("quanta.select threshold=100 n=90000")
    assert "threshold" in caught.value.hint


def test_a_role_the_model_has_not_got_is_refused(similar: Any) -> None:
    with pytest.raises(UsageError, match="'unembedding'"):  # tied: it counts as embedding
        similar("quanta.similarity include=unembedding")


def test_steps_in_the_wrong_order_name_the_step_before(corpus: Any) -> None:
    for line, verb in (("quanta.counts", "losses"), ("quanta.select", "losses"), ("quanta.similarity", "select"),
                       ("quanta.cluster", "similarity"), ("quanta.list", "cluster"), ("quanta.show 0", "cluster"),
                       ("quanta.split 0", "cluster"), ("quanta.stimuli x cluster=0", "cluster")):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            corpus(line)
        assert f"quanta {verb}" in caught.value.hint, line


def test_another_model_than_that_of_the_losses_is_refused(similar: Any, tmp_path: Path) -> None:
    similar(f"model.load {tiny.make_model(tmp_path / 'other', seed=3)} device=cpu")
    with pytest.raises(MismatchError, match="chosen by the losses of"):
        similar("quanta.similarity")


def test_gradients_that_are_no_numbers_are_named_and_what_was_done_is_kept(
    taken: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.quanta import gradients as module

    taken("quanta.select threshold=100 filter=none n=12 skip=5")
    plain = module.sample_gradients

    def spoilt(model: Any, parameters: Any, contexts: Any, first: int = 0, **options: Any) -> Any:
        for number, gradient in enumerate(plain(model, parameters, contexts, first, **options), first):
            if number == 7:
                raise ValueError("the gradient of sample 7 is not finite (loss nan)")
            yield gradient

    monkeypatch.setattr(module, "sample_gradients", spoilt)
    with pytest.raises(WorkbenchError, match="sample 7 is not finite") as caught:
        taken("quanta.similarity pairs=0")
    assert "kept" in caught.value.hint
    monkeypatch.setattr(module, "sample_gradients", plain)
    done: list[int] = []
    taken(
        "quanta.similarity pairs=0", progress=lambda at, total, text: done.append(at) if text == "gradients" else None
    )
    assert done[0] == 8, "the seven that were made are not made again"


def test_a_corpus_of_the_same_name_with_other_text_is_refused(similar: Any, tmp_path: Path) -> None:
    similar(f"corpus.import {write_corpus(tmp_path / 'other.jsonl', TEXTS[:3])} name=words")
    for line in ("quanta.select threshold=100 n=5", "quanta.similarity mode=sketch"):
        with pytest.raises(MismatchError, match="changed since its losses were taken"):
            similar(line)


def test_work_beyond_the_budgets_is_refused_with_what_would_do(similar: Any) -> None:
    with pytest.raises(UsageError, match="GiB") as caught:
        similar("quanta.similarity mode=factored memory=0.0001")
    needed = float(re.search(r"--memory ([\d.]+)", caught.value.hint)[1])  # type: ignore[index]
    similar(f"quanta.similarity mode=factored memory={needed}")
    with pytest.raises(UsageError, match="minutes"):
        similar("quanta.similarity mode=sketch minutes=0.0000001")


# --- the way through


def test_selection_is_the_librarys(taken: Any, home: Path, sessions: Path) -> None:
    from safetensors.numpy import load_file

    reply = taken("quanta.select threshold=8 unit=bits filter=present-trigram skip=2 n=10")
    arrays = load_file(sessions / "s" / reply["artifact"] / "samples.safetensors")
    assert (np.diff(arrays["number"]) > 0).all()
    assert (arrays["loss"] < 8 * NATS_PER_BIT).all()
    store = store_of(home)
    for document, position, answer in zip(arrays["document"], arrays["position"], arrays["answer"], strict=True):
        assert store.tokens[store.starts[document] + position] == answer
    again = taken("quanta.select threshold=8 unit=bits filter=present-trigram skip=2 n=10")
    assert again["result"] == reply["result"]
    shown = reply["result"]["histogram"]
    assert sum(shown["counts"]) == reply["result"]["predictions"]
    assert sum(shown["kept"]) == reply["result"]["left"]


@pytest.mark.parametrize("options", ["", "mode=factored rank=30", "mode=sketch dimension=4000", "absolute=true",
                                     "include=final_norm", "dtype=bfloat16", "of=logits equal=true",
                                     "mode=factored rank=30 equal=true"])  # fmt: skip
def test_similarities_are_checked_exactly_and_say_what_they_rest_on(similar: Any, options: str) -> None:
    result = similar(f"quanta.similarity pairs=30 {options}")["result"]
    assert result["check"]["pairs"] == 30
    assert result["check"]["beyond_bound"] == 0
    assert result["check"]["difference"] <= result["bound"]
    assert not any("wte" in name or "wpe" in name for name in result["parameters"])
    assert any("ln_f" in name for name in result["parameters"]) == ("final_norm" in options)
    assert result["passes"] == 24


def test_a_dry_run_does_nothing(similar: Any, home: Path) -> None:
    before = tiny.snapshot(home)
    told = similar("quanta.similarity mode=sketch dry_run=true")["result"]
    assert told["passes"] == 24
    assert told["seconds"] > 0
    assert told["memory_bytes"] > told["rows_bytes"] > 0
    assert tiny.snapshot(home) == before


def test_a_stopped_similarity_goes_on(taken: Any, home: Path) -> None:
    from workbench.predictions.similarities import open_matrix

    taken("quanta.select threshold=100 filter=none n=12 skip=5")

    def stop(done: int, total: int, text: str) -> None:
        if text == "gradients" and done == 6:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        taken("quanta.similarity pairs=0", progress=stop)
    done: list[int] = []
    taken(
        "quanta.similarity pairs=0", progress=lambda at, total, text: done.append(at) if text == "gradients" else None
    )
    assert done[0] == 6
    folders = [path.name for path in (home / "quanta" / "similarity").iterdir()]
    resumed = np.array(open_matrix(home, folders[0]))
    taken("quanta.similarity pairs=0 seed=1")  # another folder, made in one go
    other = next(path.name for path in (home / "quanta" / "similarity").iterdir() if path.name not in folders)
    assert np.array_equal(resumed, open_matrix(home, other))
    assert not list((home / "quanta" / "similarity").rglob("state*")), "the state of a finished run is removed"


def test_activations_are_the_baseline(similar: Any, tiny_model: Any, home: Path) -> None:
    with pytest.raises(UsageError, match="no weight matrix"):
        similar("quanta.similarity of=activations equal=true")
    result = similar("quanta.similarity of=activations")["result"]
    assert result["dimension"] == tiny.LAYERS * 4 * tiny.WIDTH
    assert result["check"] is None
    assert -1 <= result["q05"] <= result["median"] <= result["q95"] <= 1


def test_clusters_are_seeded_ranked_and_tell_their_stability(clustered: Any) -> None:
    first = clustered("quanta.cluster n_clusters=4 sweep=2 sweep=8 seeds=1")["result"]
    again = clustered("quanta.cluster n_clusters=4 sweep=2 sweep=8 seeds=1")["result"]
    assert first == again
    assert [row["rank"] for row in first["largest"]] == [1, 2, 3, 4]
    sizes = [row["size"] for row in first["largest"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == 24
    assert sorted(row["cluster"] for row in first["largest"]) == [0, 1, 2, 3]
    assert {row["setting"] for row in first["stability"]} == {"seed 1", "n_clusters 3", "n_clusters 5"}
    assert [row["n_clusters"] for row in first["sweep"]] == [2, 4, 8]
    with pytest.raises(UsageError, match="25 clusters of 24 samples"):
        clustered("quanta.cluster n_clusters=25")


@pytest.mark.parametrize("affinity", ["angular", "squared"])
def test_a_sweep_is_the_partition_of_its_own_number(clustered: Any, affinity: str) -> None:
    alone = clustered(f"quanta.cluster n_clusters=8 affinity={affinity} seeds=0")["result"]
    sweep = clustered(f"quanta.cluster n_clusters=3 sweep=8 affinity={affinity} seeds=0")["result"]
    assert sweep["sweep"][-1]["largest"] == alone["largest"][0]["size"]


def test_show_has_every_sample_with_its_answer_and_nearest_clusters(clustered: Any) -> None:
    rows = clustered("quanta.list")["result"]["clusters"]
    numbers = []
    for row in rows:
        shown = clustered(f"quanta.show {row['cluster']} before=300 after=0 limit=100")["result"]
        assert len(shown["samples"]) == row["size"]
        numbers += [sample["number"] for sample in shown["samples"]]
        counted = Counter(sample["answer"] for sample in shown["samples"])
        assert dict(shown["answers"]) == dict(counted.most_common(12)) or len(counted) > 12
        assert all(sample["after"] == [] and len(sample["before"]) == sample["position"] for sample in shown["samples"])
        matrix = np.array(shown["matrix"])
        assert matrix.shape == (row["size"], row["size"])
        if row["size"] > 1:
            off = matrix[~np.eye(row["size"], dtype=bool)].mean()
            assert off == pytest.approx(row["cohesion"], abs=2e-3)
    assert len(set(numbers)) == 24
    with pytest.raises(UnknownNameError, match="no cluster 99"):
        clustered("quanta.show 99")


@pytest.mark.parametrize("sort", ["cohesion", "separation", "entropy", "number"])
def test_orders(clustered: Any, sort: str) -> None:
    rows = clustered(f"quanta.list sort={sort}")["result"]["clusters"]
    key = "cluster" if sort == "number" else sort
    values = [row[key] for row in rows if row[key] is not None]
    assert values == sorted(values, reverse=sort in ("cohesion", "separation"))
    assert len(rows) == 4


def test_split_merge_label_and_undo(clustered: Any) -> None:
    def clusters() -> dict[int, int]:
        return {row["cluster"]: row["size"] for row in clustered("quanta.list")["result"]["clusters"]}

    before = clusters()
    largest = max(before, key=before.__getitem__)
    clustered(f"quanta.label {largest} 'what comes next' note='seen twice'")
    parts = clustered(f"quanta.split {largest} into=2")["result"]["into"]
    assert largest not in clusters()
    assert sum(clusters()[part] for part in parts) == before[largest]
    others = [number for number in before if number != largest][:2]
    merged = clustered(f"quanta.merge {others[0]} {others[1]}")["result"]["into"][0]
    assert clusters()[merged] == before[others[0]] + before[others[1]]
    assert clustered("quanta.list")["result"]["edits"] == 2
    clustered("session.undo")
    assert set(others) <= set(clusters())
    clustered("session.undo")
    assert clusters() == before
    row = next(row for row in clustered("quanta.list filter=next")["result"]["clusters"])
    assert (row["cluster"], row["label"], row["note"]) == (largest, "what comes next", "seen twice")
    with pytest.raises(UsageError, match="is one cluster already"):
        clustered(f"quanta.merge {largest} {largest}")


# --- files and stimuli


def test_jsonl_has_every_sample_once_with_every_letter(clustered: Any, tmp_path: Path, home: Path) -> None:
    out = tmp_path / "all.jsonl"
    clustered(f"quanta.export {out} format=jsonl after=100")
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == len({row["number"] for row in rows}) == 24
    store = store_of(home)
    for row in rows:
        text = "".join([*row["before"], row["answer"], *row["after"]]).removeprefix(tiny.BOUNDARY)
        assert text == store.raw(row["document"]).decode()


def test_spans_are_read_as_token_labels(clustered: Any, tmp_path: Path, tiny_model: Any) -> None:
    from workbench.stimuli.token_labels import _marks, by_spans

    row = clustered("quanta.list")["result"]["clusters"][0]
    out = tmp_path / "spans.jsonl"
    clustered(f"quanta.export {out} format=spans cluster={row['cluster']}")
    marked = 0
    for text, spans in by_spans(out.read_text(), "spans.jsonl"):
        marked += int(_marks(tiny_model.tokenize(text), spans).sum())
    shown = clustered(f"quanta.show {row['cluster']} limit=100")["result"]["samples"]
    assert marked == sum(bool(sample["answer"].strip()) for sample in shown)
    with pytest.raises(UsageError, match="one cluster"):
        clustered(f"quanta.export {out} format=spans")


def test_the_page_has_all_samples_and_executes_none_of_their_text(clustered: Any, tmp_path: Path) -> None:
    out = tmp_path / "all.html"
    clustered(f"quanta.export {out}")
    page = out.read_text()
    assert page.count("</script>") == 2
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])  # type: ignore[index]
    assert sum(len(cluster["samples"]) for cluster in data) == 24
    assert "http" not in page.replace("http-equiv", "")


def test_the_commands_of_the_public_page_are_its_settings(clustered: Any, tmp_path: Path) -> None:
    from commands.line import parse_line

    text = (Path(__file__).parents[2] / "docs" / "quanta.md").read_text("utf-8")
    block = re.search(r"## The settings of the public page.*?```\n(.*?)```", text, re.S)[1]  # type: ignore[index]
    words = [line.removeprefix("workbench ").replace("quanta ", "quanta.", 1) for line in block.splitlines()]
    lines = [re.sub(r" --([\w-]+) (\S+)", lambda found: f" {found[1].replace('-', '_')}={found[2]}", line)
             for line in words]  # fmt: skip
    select, similarity, cluster, export = (parse_line(line).params() for line in lines)
    assert select["threshold"] * NATS_PER_BIT == pytest.approx(0.1, rel=1e-15)
    assert (select["unit"], select["filter"], select["skip"], select["n"]) == ("bits", "present-trigram", 50, 10_000)
    assert (similarity["mode"], similarity["of"], similarity["include"]) == ("exact", "gradients", ["final_norm"])
    assert (cluster["n_clusters"], cluster["affinity"], cluster["seed"]) == (400, "angular", 0)
    assert (export["before"], export["after"], export["samples"], export["format"]) == (300, 0, -1, "html")
    out = tmp_path / "page.jsonl"
    clustered(f"quanta.export {out} format=jsonl before=300 after=0")
    for row in map(json.loads, out.read_text().splitlines()):
        assert len(row["before"]) == row["position"], "contexts here are shorter than 300: all of what was before"
        assert row["after"] == []


def test_contexts_become_stimuli_for_contrast_and_probe(clustered: Any, tiny_files: Path) -> None:
    rows = clustered("quanta.list")["result"]["clusters"]
    one, other = rows[0]["cluster"], rows[1]["cluster"]
    made = clustered(f"quanta.stimuli pair cluster={one} against={other}")["result"]
    assert made["positive"] == f"cluster-{one}"
    assert set(made["categories"]) == {f"cluster-{one}", f"cluster-{other}"}
    clustered(f"quanta.stimuli rest cluster={one} answer=true")
    short = clustered(f"quanta.stimuli short cluster={one} before=1")
    left_out = sum(int(re.search(r"(\d+) of \d+ contexts", text)[1]) for text in short["warnings"] if " of " in text)  # type: ignore[index]
    in_both = sum(2 * int(text.split()[0]) for text in short["warnings"] if "both categories" in text)
    assert left_out > 0, "single tokens repeat"
    assert sum(short["result"]["categories"].values()) + left_out + in_both == 24, "every sample is accounted for"
    clustered(f"sae.load {tiny_files / 'sae'}")
    ranked = clustered("features.contrast pair window=last permutations=20")["result"]
    assert ranked["positive"] == f"cluster-{one}"
    with pytest.raises(UsageError, match="already"):
        clustered(f"quanta.stimuli pair cluster={one}")
    with pytest.raises(UsageError, match="against itself"):
        clustered(f"quanta.stimuli x cluster={one} against={one}")


QUICK = "permutations=20 most=2 folds=3 exact=0 sweep=f_stat"


def test_clusters_are_labels_of_a_probe(clustered: Any, tiny_files: Path, tiny_model: Any, home: Path) -> None:
    import torch

    clustered(f"sae.load {tiny_files / 'sae'}")
    rows = clustered("quanta.list")["result"]["clusters"]
    one, other = rows[0], rows[1]
    result = clustered(f"features.probe quanta={one['cluster']} {QUICK} sae=raw method=f_stat top=500")["result"]
    assert result["categories"] == {"positive": one["size"], "rest": 24 - one["size"]}
    assert result["positive"] == f"cluster {one['cluster']}"
    samples = [
        {**sample, "in": row is one}
        for row in rows
        for sample in clustered(f"quanta.show {row['cluster']} limit=100")["result"]["samples"]
    ]
    x, store = [], store_of(home)
    for sample in samples:  # of whole documents, from the plain model
        ids = torch.tensor(store.tokens[store.starts[sample["document"]] : store.starts[sample["document"] + 1]])
        with torch.no_grad():
            states = tiny_model.plain(ids[None, :20].long(), output_hidden_states=True).hidden_states
        x.append(states[2][0, sample["position"] - 1].numpy())
    inside = np.array([sample["in"] for sample in samples])
    effects = np.array(x)[inside].mean(0) - np.array(x)[~inside].mean(0)
    for row in result["rows"]:
        assert row["effect"] == pytest.approx(effects[row["index"]], abs=1e-4)
    pair = clustered(f"features.probe quanta={one['cluster']} against={other['cluster']} {QUICK}")["result"]
    assert pair["categories"] == {"positive": one["size"], "rest": other["size"]}
    both = clustered(f"features.probe quanta={one['cluster']} quanta={other['cluster']} {QUICK}")["result"]
    assert both["categories"]["positive"] == one["size"] + other["size"]


def test_clusters_that_cannot_be_labels_are_refused(clustered: Any, tiny_files: Path, tmp_path: Path) -> None:
    clustered(f"sae.load {tiny_files / 'sae'}")
    largest = clustered("quanta.list")["result"]["clusters"][0]["cluster"]
    for line, error, said in ((f"quanta=99 {QUICK}", UnknownNameError, "no cluster 99"),
                              (f"quanta={largest} against={largest}", UsageError, "both sides"),
                              (f"quanta={largest} against=words", UsageError, "no cluster's number"),
                              (f"words quanta={largest}", UsageError, "stimuli and quanta"),
                              (" ".join(f"quanta={at}" for at in range(4)), UsageError, "0 samples")):  # fmt: skip
        with pytest.raises(error, match=said):
            clustered(f"features.probe {line}")
    clustered(f"model.load {tiny.make_model(tmp_path / 'other', seed=3)} device=cpu")
    with pytest.raises(MismatchError, match="the clusters are of predictions of"):
        clustered(f"features.probe quanta={largest} sae=raw")


def test_a_replay_gives_the_same(clustered: Any) -> None:
    clustered("quanta.split 0 into=2")
    result = clustered("replay s check=true", None)["result"]
    assert result["differences"] == []
    assert result["recomputed"] == result["total"]


# --- replayed, where something cannot be computed again


def rewrite(sessions: Path, verb: str, **fields: Any) -> int:
    """Change fields of a verb's only log line; gives its number."""
    path, seq = sessions / "s" / "log.jsonl", 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line.get("do") == verb:
            line.update(fields)
            seq = line["seq"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return seq


def test_a_line_over_the_limit_takes_those_that_rest_on_it_along(clustered: Any, sessions: Path) -> None:
    clustered("quanta.label 0 first")
    long = rewrite(sessions, "quanta.similarity", seconds=100.0)
    result = clustered("replay check=true")["result"]
    recorded = {item["do"]: item["reason"] for item in result["recorded"]}
    assert result["equal"]
    assert set(recorded) == {"quanta.similarity", "quanta.cluster"}
    assert recorded["quanta.similarity"].startswith("it took 100 s")
    assert recorded["quanta.cluster"].startswith(f"it rests on line {long} (quanta.similarity)")
    assert result["recomputed"] == result["total"] - 2  # the label, which comes later, among them
    assert not clustered("replay check=true max_seconds=1000")["result"]["recorded"]


def test_a_corpus_over_the_limit_leaves_the_rest_to_the_record(taken: Any, sessions: Path) -> None:
    long = rewrite(sessions, "corpus.import", seconds=100.0)
    recorded = {item["do"]: item["reason"] for item in taken("replay check=true")["result"]["recorded"]}
    assert recorded["quanta.losses"].startswith(f"it rests on line {long} (corpus.import)")


def test_a_line_that_fails_is_a_difference_and_the_others_go_on(clustered: Any, sessions: Path) -> None:
    params = SessionRecord(sessions / "s").done("quanta.select")[0].params
    wrong = rewrite(sessions, "quanta.select", params={**params, "threshold": 1e-9})
    result = clustered("replay")["result"]
    assert [(one["seq"], one["field"], one["recorded"]) for one in result["differences"]] == [(wrong, "outcome", "ok")]
    assert result["differences"][0]["recomputed"].startswith("error: ")
    assert (result["recomputed"], result["recorded"]) == (result["total"] - 1, [])


# --- taken back


def test_edits_of_a_withdrawn_clustering_are_not_served(clustered: Any, sessions: Path) -> None:
    first = SessionRecord(sessions / "s").done("quanta.cluster")[-1].seq
    clustered("quanta.label 0 first")
    merged = clustered("quanta.merge 1 2")["seq"]
    clustered("labels.set 0 another of=quanta")
    undone = clustered(f"session.undo {first}")["result"]
    assert undone["stale"] == [first + 1, merged, merged + 1]
    shown = clustered("session.show")["result"]
    assert [row["seq"] for row in shown["log"] if row["stale"]] == undone["stale"]
    assert "clusters" not in shown["quanta"]
    for line in ("quanta.list", "quanta.show 0", "quanta.export x.html"):
        with pytest.raises(UsageError, match="no clusters of predictions"):
            clustered(line)
    assert [row["stale"] for row in clustered("labels.show of=quanta")["result"]["labels"]] == [True]


def test_undoing_a_clustering_gives_the_one_before_it(clustered: Any) -> None:
    before = clustered("quanta.list")["result"]
    second = clustered("quanta.cluster n_clusters=6 seeds=0")["seq"]
    clustered("quanta.merge 1 2")
    clustered(f"session.undo {second}")
    assert clustered("quanta.list")["result"] == before


def test_scores_rest_on_the_labels_they_are_of(clustered: Any, sessions: Path) -> None:
    other = clustered("labels.set 1 unrelated of=quanta")["seq"]
    label = clustered("labels.set 0 prize of=quanta")["seq"]
    clustered("labels.score 0 of=quanta each=1")
    uses = SessionRecord(sessions / "s").done("labels.score")[-1].uses
    assert label in uses
    assert other not in uses


# --- sent to a colleague


def test_quanta_are_read_where_a_session_was_sent(
    clustered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("quanta.list", "quanta.show 0", "quanta.counts threshold=100 filter=present-bigram n=2")
    here = [clustered(line)["result"] for line in asked]
    sent = clustered(f"session.export s {tmp_path / 'x.zip'}")
    assert sent["result"]["quanta"]
    assert not sent["warnings"]
    assert not clustered(f"session.export s {tmp_path / 'y.zip'} index=false")["result"]["quanta"]
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "elsewhere"))
    clustered(f"session.import {tmp_path / 'x.zip'} with")
    clustered(f"session.import {tmp_path / 'y.zip'} without")
    assert [clustered(line, "with")["result"] for line in asked] == here
    with pytest.raises(MismatchError, match="not on this machine"):
        clustered("quanta.show 0", "without")
    clustered(f"quanta.export {tmp_path / 'page.html'}", "with")
    clustered(f"session.export with {tmp_path / 'z.zip'}")
    clustered(f"session.import {tmp_path / 'z.zip'} further")
    assert clustered("quanta.show 0", "further")["result"] == here[1]
    clustered("quanta.merge 0 1", "with")
    assert not (tmp_path / "elsewhere" / "corpora").exists(), "a colleague's corpus went among this user's own"


def test_similarities_that_are_too_large_stay_behind_and_it_is_said(
    clustered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commands.handlers.session import files as session_files

    monkeypatch.setattr(session_files, "MATRIX_LIMIT", 10)
    sent = clustered(f"session.export s {tmp_path / 'x.zip'}")
    assert [warning.partition(" have ")[0] for warning in sent["warnings"]] == ["the similarities"]
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "elsewhere"))
    clustered(f"session.import {tmp_path / 'x.zip'} with")
    shown = clustered("quanta.show 0", "with")["result"]
    assert shown["samples"]
    assert shown["matrix"] is None


@pytest.mark.parametrize("key", ["../../../secrets", "/etc", "", ".."])
def test_a_key_that_is_a_path_sends_nothing(clustered: Any, sessions: Path, tmp_path: Path, key: str) -> None:
    entry = SessionRecord(sessions / "s").state.get("quanta/similarity")
    rewrite(sessions, "quanta.similarity", sets={"quanta/similarity": {**entry, "key": key}})
    sent = clustered(f"session.export s {tmp_path / 'x'}")
    assert "names no similarity" in sent["warnings"][0]
    assert not (tmp_path / "x" / "stores" / "quanta" / "similarity").exists()
    assert clustered("quanta.show 0")["result"]["matrix"] is None
