"""From samples to clusters: selection, similarities, clusters, their orders and edits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from tests.commands.quanta.words import store_of
from workbench.errors import Cancelled, UnknownNameError, UsageError
from workbench.quanta import NATS_PER_BIT

pytestmark = pytest.mark.slow


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
def test_clusters_are_listed_in_the_order_that_is_asked_for(clustered: Any, sort: str) -> None:
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
