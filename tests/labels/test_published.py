"""Published explanations: every form of file, what binds them to the loaded features, and files that are not so."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.errors import InputFileError, MismatchError
from workbench.labels.published import Explanation, bound_to, read_explanations
from workbench.saes.neuronpedia import checked_id, page

ROW = {"modelId": "gpt2-small", "layer": "8-res-jb", "index": "3", "description": "words about winning",
       "explanationModelName": "gpt-4o-mini", "typeName": "oai_token-act-pair"}  # fmt: skip
OTHER = {**ROW, "index": 5, "description": "  the\nend "}
BOTH = [("gpt-4o-mini", 3, "words about winning"), ("gpt-4o-mini", 5, "the end")]


def read(content: str | bytes) -> list[Explanation]:
    return read_explanations(content if isinstance(content, bytes) else content.encode(), "a file")


def told(found: list[Explanation]) -> list[tuple[str, int, str]]:
    return [(one.by, one.index, one.text) for one in found]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([ROW, OTHER]),
        json.dumps([ROW, OTHER], indent=2),
        json.dumps(ROW) + "\n\n" + json.dumps(OTHER) + "\n",
        json.dumps({"modelId": "gpt2-small", "layer": "8-res-jb", "explanations": [ROW, OTHER]}),
        json.dumps({"features": [{**ROW, "description": 0, "explanations": [ROW]}, OTHER]}),
        "\ufeff" + json.dumps([ROW, OTHER]),
        gzip.compress(json.dumps([ROW, OTHER]).encode()),
        gzip.compress(json.dumps(ROW).encode() + b"\n") + gzip.compress(json.dumps(OTHER).encode()),
    ],
)
def test_forms_of_a_file(content: str | bytes) -> None:
    found = read(content)
    assert told(found) == BOTH
    assert {(one.model, one.layer) for one in found} == {("gpt2-small", "8-res-jb")}


def test_a_features_page_gives_its_number_to_its_explanations() -> None:
    content = {"modelId": "m", "layer": "0-x", "index": "12", "explanations": [{"description": "one", "typeName": "t"}]}
    assert read(json.dumps(content)) == [Explanation(12, "one", "", "t", "m", "0-x")]
    assert told(read('{"3": "three", "10": "ten"}')) == [("", 3, "three"), ("", 10, "ten")]
    assert read('[{"feature": "demo/x/sae#417", "text": "t"}]')[0].index == 417


def test_hostile_text_stays_text_and_long_text_is_cut() -> None:
    (one,) = read('[{"index": 1, "description": "\\u001b[31m<b>[red] \\ud800 ' + "x" * 900 + '"}]')
    assert one.text.startswith("\x1b[31m<b>[red] \ufffd xxx")
    assert len(one.text) == 500
    one.text.encode("utf-8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no JSON"),
        (b"not json", "no JSON"),
        (b"{}", "has no description"),
        (b"[]", "holds no explanation"),
        (b"[3]", "no object"),
        (b'[{"index": 1}]', "no description"),
        (b'[{"index": "x1", "description": "a"}]', "'x1'"),
        (b'[{"index": true, "description": "a"}]', "''"),
        (b'[{"index": -1, "description": "a"}]', "'-1'"),
        (b'{"index": 1, "description": "a"}\n{broken\n', "line 2"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (gzip.compress(json.dumps([ROW]).encode())[:-9], "middle of its packing"),
        (b"\x1f\x8bnot gzip at all", "cannot be unpacked"),
        (b"[" * 100_000, "nested too deeply|no JSON"),
    ],
)
def test_a_file_that_is_no_list_of_explanations_is_refused_with_the_reason(content: bytes, said: str) -> None:
    with pytest.raises(InputFileError, match=said):
        read(content)


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.labels.published.MOST_BYTES", 1 << 20)
    with pytest.raises(InputFileError, match="when unpacked"):
        read(gzip.compress(b" " * (2 << 20)))


@pytest.mark.parametrize(
    ("model", "layer", "listed", "bound"),
    [
        ("gpt2-small", "8-res-jb", "gpt2-small/8-res-jb", "sae"),
        ("", "8-res-jb", "gpt2-small/8-res-jb", "sae"),
        ("gpt2-small", "7-res-jb", "gpt2-small/8-res-jb", ""),
        ("other", "8-res-jb", "gpt2-small/8-res-jb", ""),
        ("gpt2-small", "8-res-jb", "", "layer"),
        ("gpt2-small", "7-res-jb", "", ""),
        ("gpt2-small", "80-res", "", ""),
        ("", "", "gpt2-small/8-res-jb", "no"),
        ("", "gpt2/blocks.8.hook_resid_pre/mine", "", "sae"),
        ("gpt2", "blocks.8.hook_resid_pre/mine", "", "sae"),
        ("gpt2", "blocks.8.hook_resid_pre/theirs", "", "layer"),
    ],
)
def test_explanations_are_bound_by_sae_or_layer_or_not_at_all(model: str, layer: str, listed: str, bound: str) -> None:
    one = Explanation(0, "x", "", "", model, layer)
    assert bound_to(one, "gpt2/blocks.8.hook_resid_pre/mine", "blocks.8.hook_resid_pre", listed) == bound


def test_only_an_id_makes_a_link() -> None:
    assert page("gpt2-small/8-res-jb", 7) == "https://www.neuronpedia.org/gpt2-small/8-res-jb/7"
    for bad in ("", "x", "a/b/c", "a/../b", "javascript:a/b", "a/b?c", "a/b\n", None, 3, "../x", "a b/c"):
        assert checked_id(bad) == ""


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(rows))
    return path


@pytest.mark.slow
def test_imported_explanations_are_labels_behind_the_sessions_own(loaded: Any, tmp_path: Path) -> None:
    rows = [{**ROW, "layer": "1-res-x", "index": number, "description": f"about {number}"} for number in (3, 5, 5, 400)]
    rows[2]["description"] = "second"
    reply = loaded(f"labels.import {write(tmp_path / 'np.json', rows)}")
    found = reply["result"]
    assert (found["read"], found["features"], found["beyond"], found["bound"]) == (3, 2, 1, "layer")
    assert found["named"] == {"model": "gpt2-small", "layer": "1-res-x"}
    assert found["by"] == {"gpt-4o-mini": 3}
    assert len(reply["warnings"]) == 2
    loaded("labels.set 3 mine")
    shown = {row["index"]: (row["text"], row["source"]) for row in loaded("labels.show")["result"]["labels"]}
    assert shown == {3: ("mine", "investigator"), 5: ("about 5", "imported")}
    five = loaded("features.show 5")["result"]
    assert five["label"] == {"text": "about 5", "source": "imported", "status": "published"}
    assert [one["text"] for one in five["explanations"]] == ["about 5", "second"]
    assert five["explanations"][0]["by"] == "gpt-4o-mini"
    assert five["link"] == ""
    assert loaded("features.show 3")["result"]["label"]["text"] == "mine"
    loaded(f"report out={tmp_path / 'r.md'}")
    assert "np.json" in (tmp_path / "r.md").read_text()
    loaded(f"session.undo {reply['seq']}")
    assert [row["index"] for row in loaded("labels.show")["result"]["labels"]] == [3]


@pytest.mark.slow
def test_explanations_of_another_layer_are_refused_unless_asked_for(loaded: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "np.json", [ROW])
    with pytest.raises(MismatchError, match="is of gpt2-small/8-res-jb"):
        loaded(f"labels.import {path}")
    reply = loaded(f"labels.import {path} unbound=true")
    assert (reply["result"]["read"], reply["result"]["bound"]) == (1, "no")
    assert any("taken as they are" in line for line in reply["warnings"])
    with pytest.raises(MismatchError, match="explains no feature"):
        loaded(f"labels.import {write(tmp_path / 'far.json', [{'index': 999, 'description': 'x'}])}")


@pytest.mark.slow
def test_an_sae_with_an_id_is_bound_by_it_and_linked(do: Any, tiny_files: Path, tmp_path: Path) -> None:
    folder = tiny.make_sae(tmp_path / "listed")
    config = json.loads((folder / "cfg.json").read_text())
    config["metadata"]["neuronpedia_id"] = "tiny-model/1-res-x"
    (folder / "cfg.json").write_text(json.dumps(config))
    do("session.new s", None)
    do(f"model.load {tiny_files / 'model'} device=cpu")
    assert do(f"sae.load {folder}")["result"]["neuronpedia"] == "tiny-model/1-res-x"
    assert do("features.show 5")["result"]["link"] == "https://www.neuronpedia.org/tiny-model/1-res-x/5"
    rows = [{**ROW, "modelId": "tiny-model", "layer": layer} for layer in ("1-res-x", "1-res-y")]
    reply = do(f"labels.import {write(tmp_path / 'np.json', rows)}")
    assert (reply["result"]["read"], reply["result"]["bound"]) == (1, "sae")
    assert any("of other features" in line for line in reply["warnings"])
    with pytest.raises(MismatchError, match="the loaded features are tiny-model/1-res-x"):
        do(f"labels.import {write(tmp_path / 'other.json', [{**ROW, 'layer': '1-res-y'}])}")
