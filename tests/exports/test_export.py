"""Exports read back with other readers, and held against what the session shows; files whole or not at all."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.errors import StorageError, UnknownNameError, UsageError
from workbench.exports.rows import COLUMNS
from workbench.exports.writing import format_of, write_rows

HOSTILE = "=cmd|' /C calc'!A0, \"quoted\"\n<b>[bold]\x1b \u202e"


@pytest.mark.parametrize(
    ("name", "asked", "form"),
    [
        ("a.csv", "", "csv"), ("a.CSV.gz", "", "csv"), ("a.parquet", "", "parquet"), ("a.jsonl.gz", "", "jsonl"),
        ("a.json", "", "neuronpedia"), ("a.txt", "csv", "csv"), ("a.json", "jsonl", "jsonl"),
    ],
)  # fmt: skip
def test_the_ending_says_the_form_unless_it_is_named(name: str, asked: str, form: str) -> None:
    assert format_of(Path(name), asked) == form


@pytest.mark.parametrize(("name", "said"), [("a", "no ending"), ("a.xlsx", "no ending"), ("a.parquet.gz", "packs")])
def test_an_ending_that_says_nothing_is_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        format_of(Path(name), "")


def blank(**known: Any) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS), **known}


def test_csv_keeps_hostile_text_in_its_cell_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_rows(path, "csv", [blank(index=3, label=HOSTILE, effect=-1.5), blank(index=4, note="+1")])
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["index"] for row in rows] == ["3", "4"]
    assert rows[0]["label"] == "'" + HOSTILE
    assert rows[0]["effect"] == "-1.5"  # a number is no formula
    assert rows[1]["note"] == "'+1"


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.json", "a.jsonl.gz"])
def test_a_failure_midway_leaves_the_older_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"older")

    def rows() -> Iterator[dict[str, Any]]:
        yield blank(index=1)
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        write_rows(path, format_of(path, ""), rows())
    assert path.read_bytes() == b"older"
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_the_same_rows_give_the_same_packed_bytes(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_rows(tmp_path / name, "jsonl", [blank(index=1)])
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_full_disk_is_said_and_leaves_nothing() -> None:
    with tiny.small_disk() as disk:
        tiny.fill(disk)
        before = sorted(disk.iterdir())
        with pytest.raises(StorageError, match="the disk is full"):
            write_rows(disk / "a.jsonl", "jsonl", (blank(index=number, note="x" * 1000) for number in range(200)))
        assert sorted(disk.iterdir()) == before


@pytest.fixture
def worked(loaded: Any, tmp_path: Path) -> Any:
    """A session with a ranking, an index, a label, a tag, a note and an imported explanation."""
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    loaded("features.contrast wins permutations=50")
    loaded("index.build tokens=2000")
    path = tmp_path / "np.json"
    explained = {"index": 5, "description": "published", "explanationModelName": "gpt", "typeName": "np_max"}
    path.write_text(json.dumps([explained, {**explained, "index": 9}]))
    loaded(f"labels.import {path}")
    loaded("labels.set 5 'my own'")
    loaded("features.tag 5,7 'my list'")
    loaded("features.note 7 'look again'")
    return loaded


@pytest.mark.slow
def test_tables_say_what_the_session_shows(worked: Any, tmp_path: Path) -> None:
    from pyarrow import parquet

    done = worked(f"features.export {tmp_path / 'a.parquet'}")["result"]
    rows = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert (done["features"], done["columns"], done["missing"]) == (tiny.LATENTS, list(COLUMNS), [])
    assert done["bytes"] == (tmp_path / "a.parquet").stat().st_size
    assert [row["index"] for row in rows] == list(range(tiny.LATENTS))
    ranked = {row["index"]: row for row in worked("features.list limit=500")["result"]["rows"]}
    for row in rows:
        shown = worked(f"features.show {row['index']}")["result"]
        assert row["feature"] == shown["feature"]
        assert (row["density"], row["fired"]) == (shown["corpus"]["density"], shown["corpus"]["fired"])
        assert row["label"] == ("" if shown["label"] is None else shown["label"]["text"])
        for name in ("score", "effect", "p", "q"):
            assert row[name] == shown["test"][name]
        assert row["rank"] == (ranked[row["index"]]["rank"] if row["index"] in ranked else None)
        assert json.loads(row["top_logits"]) == shown["logits"]["top"]
    assert (rows[5]["label"], rows[5]["label_source"], rows[9]["label_source"]) == (
        "my own",
        "investigator",
        "imported",
    )
    assert (json.loads(rows[7]["tags"]), rows[7]["note"]) == (["my list"], "look again")
    worked(f"features.export {tmp_path / 'a.csv'} tag='my list'")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        few = list(csv.DictReader(file))
    assert [row["index"] for row in few] == ["5", "7"]
    assert [float(row["density"]) for row in few] == [rows[5]["density"], rows[7]["density"]]


@pytest.mark.slow
def test_json_has_windows_histogram_and_logits_and_is_read_again(worked: Any, tmp_path: Path) -> None:
    worked(f"features.export {tmp_path / 'a.jsonl.gz'} features=5 windows=2")
    (line,) = gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()).decode().splitlines()
    full, shown = json.loads(line), worked("features.show 5")["result"]
    assert full["windows"] == shown["corpus"]["examples"][:2]
    assert (full["histogram"], full["quantiles"]) == (shown["corpus"]["histogram"], shown["corpus"]["quantiles"])
    assert [one["text"] for one in full["explanations"]] == ["my own", "published"]

    worked(f"features.export {tmp_path / 'a.json'} labelled=true")
    objects = json.loads((tmp_path / "a.json").read_text())
    assert [one["index"] for one in objects] == ["5", "9"]
    five = objects[0]
    assert f"{five['modelId']}/{five['layer']}#5" == shown["feature"]
    assert five["pos_str"] == [token for token, _ in shown["logits"]["top"]]
    assert five["frac_nonzero"] == shown["corpus"]["density"]
    assert sum(five["freq_hist_data_bar_heights"]) == shown["corpus"]["fired"]
    assert len(five["freq_hist_data_bar_values"]) == len(five["freq_hist_data_bar_heights"])
    for activation, window in zip(five["activations"], shown["corpus"]["examples"], strict=True):
        assert (activation["tokens"], activation["values"]) == (window["tokens"], window["values"])
        assert activation["maxValue"] == max(window["values"])
        assert activation["values"][activation["maxValueTokenIndex"]] == activation["maxValue"]
    worked("labels.set 5 ''")
    again = worked(f"labels.import {tmp_path / 'a.json'}")["result"]
    assert (again["read"], again["features"], again["bound"]) == (3, 2, "sae")
    assert worked("features.show 5")["result"]["label"]["text"] == "my own"


@pytest.mark.slow
def test_without_an_index_or_a_ranking_it_says_what_is_missing(loaded: Any, tmp_path: Path) -> None:
    done = loaded(f"features.export {tmp_path / 'a.csv'} features=3")["result"]
    assert (done["features"], len(done["missing"])) == (1, 2)
    for line, kind, said in (
        (f"features.export {tmp_path / 'a.json'}", UsageError, "needs the corpus index"),
        (f"features.export {tmp_path / 'a.txt'}", UsageError, "no ending"),
        ("features.export ''", UsageError, "no file"),
        (f"features.export {tmp_path / 'b.csv'} features=999", UnknownNameError, "999"),
        (f"features.export {tmp_path / 'b.csv'} tag=none-such", UnknownNameError, "none-such"),
        (f"features.export {tmp_path / 'b.csv'} labelled=true", UsageError, "no feature is asked for"),
    ):
        with pytest.raises(kind, match=said):
            loaded(line)
    assert [path.name for path in tmp_path.glob("*.*") if path.suffix in (".csv", ".json", ".txt")] == ["a.csv"]
