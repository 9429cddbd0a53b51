"""What becomes of clusters of predictions: files, pages, stimulus sets, labels of a probe."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from tests.commands.quanta.words import store_of
from workbench.errors import MismatchError, UnknownNameError, UsageError
from workbench.quanta import NATS_PER_BIT

pytestmark = pytest.mark.slow


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

    text = (Path(__file__).parents[3] / "docs" / "quanta.md").read_text("utf-8")
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
