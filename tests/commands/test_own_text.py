"""`features.activate`, `diff` and `common` against plain encodings of the same sentences, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from workbench.errors import InputFileError, MismatchError, UnknownNameError, UsageError

pytestmark = [pytest.mark.slow]
TEXT = "the cat won the prize"
HOSTILE = "\x1b[31mcat\u202e [b]won[/] \x00 <b>&"


@pytest.fixture
def dense(tiny_model: Any, tiny_space: Any) -> Any:
    """A sentence as (tokens, features)."""

    def encode(text: str) -> np.ndarray:
        tokens = tiny_model.tokenize(text)
        (acts,) = tiny_model.read([tokens], tiny_space.site)
        found: np.ndarray = tiny_space.encode(acts).numpy()[np.array(tokens.is_text)]
        return found

    return encode


def test_every_feature_of_a_sentence(loaded: Any, dense: Any) -> None:
    loaded("labels.set 5 text=five")
    found = loaded(f"features.activate '{TEXT}' top=200 each=10")["result"]
    expected = dense(TEXT)
    assert "".join(found["tokens"]) == TEXT
    assert found["active"] == int((expected > 0).any(axis=0).sum()) == len(found["features"])
    order = sorted(np.flatnonzero(expected.any(axis=0)).tolist(), key=lambda number: -expected[:, number].max())
    assert [row["index"] for row in found["features"]] == order
    for row in found["features"]:
        own = expected[:, row["index"]]
        assert row["values"] == pytest.approx(own.tolist(), abs=1e-4)
        assert (row["maximum"], row["at"]) == (pytest.approx(own.max(), abs=1e-4), int(own.argmax()))
        assert row["mean"] == pytest.approx(own.mean(), abs=1e-4)
        assert (row["density"], row["surprise"]) == (None, None)
    for token, row in zip(expected, found["by_token"], strict=True):
        assert row["active"] == (token > 0).sum() == tiny.ACTIVE
        best = np.argsort(-token)[: tiny.ACTIVE]
        assert [number for number, _ in row["features"]] == best.tolist()
    assert set(found["labels"]) <= {"5"}
    by_mean = loaded(f"features.activate '{TEXT}' sort=mean top=3")["result"]["features"]
    assert [row["index"] for row in by_mean] == np.argsort(-expected.mean(axis=0))[:3].tolist()


def test_named_features_are_shown_even_if_silent(loaded: Any, dense: Any) -> None:
    expected = dense(TEXT).max(axis=0)
    silent, strong = int(np.flatnonzero(expected == 0)[0]), int(expected.argmax())
    found = loaded(f"features.activate '{TEXT}' features={silent} features={strong}")["result"]
    assert [row["index"] for row in found["features"]] == [strong, silent]
    assert found["features"][1]["maximum"] == 0
    assert {number for row in found["by_token"] for number, _ in row["features"]} == {strong}


def test_surprise_needs_an_index_and_is_large_for_what_the_corpus_never_has(loaded: Any) -> None:
    with pytest.raises(UsageError, match="surprise needs the corpus index"):
        loaded(f"features.activate '{TEXT}' sort=surprise")
    loaded("index.build tokens=2000")
    rows = loaded(f"features.activate '{TEXT}' sort=surprise top=50")["result"]["features"]
    bits = [row["surprise"] for row in rows]
    assert bits == sorted(bits, reverse=True)
    assert 0 <= bits[-1] < bits[0] <= np.log2(2500)
    assert all(0 <= row["density"] <= 1 for row in rows)


def test_raw_units_are_ranked_by_size(loaded: Any, tiny_model: Any, tiny_space: Any) -> None:
    raw = loaded(f"features.activate '{TEXT}' sae=raw top=3")["result"]
    tokens = tiny_model.tokenize(TEXT)
    (acts,) = tiny_model.read([tokens], tiny_space.site)
    units = acts.numpy()[np.array(tokens.is_text)]
    best = np.argsort(-np.abs(units).max(axis=0))[:3]
    assert [row["index"] for row in raw["features"]] == best.tolist()
    assert raw["features"][0]["maximum"] == pytest.approx(units.flat[np.abs(units).argmax()], abs=1e-4)


@pytest.mark.parametrize("text", [HOSTILE, "un\udc80sound \ud800", "\u202eabc\u202c", "=cmd|' /C calc'!A0", "a" * 20])
def test_hostile_text_is_read_as_text(loaded: Any, text: str) -> None:
    import shlex

    reply = loaded(f"features.activate {shlex.quote(text)} top=1")
    found = reply["result"]
    assert "".join(found["tokens"]) == found["text"]
    assert len(found["by_token"]) == len(found["tokens"])
    broken = any(0xD800 <= ord(letter) < 0xE000 for letter in text)
    assert bool([line for line in reply["warnings"] if "surrogate" in line]) == broken
    assert (found["text"] == text) != broken
    found["text"].encode("utf-8")
    pair = loaded(f"features.diff {shlex.quote(text)} {shlex.quote(text)}")["result"]
    assert (pair["identical"], pair["differing"], pair["only_a"], pair["only_b"]) == (True, 0, 0, 0)


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("features.activate ''", UsageError, "no words"),
        ("features.activate ' \t '", UsageError, "no words"),
        ("features.activate '" + "the cat " * 40 + "'", UsageError, "tokens, the model reads"),
        ("features.activate cat features=9999", UnknownNameError, "no feature '9999'"),
        ("features.activate cat features=other/sae#3", UnknownNameError, "another space"),
        ("features.activate cat sae=nowhere/at-all", InputFileError, "nowhere/at-all"),
        ("features.activate cat site=blocks.0.hook_resid_post", UsageError, "raw"),
        ("features.activate cat sae=raw site=blocks.99.hook_resid_post", UsageError, "99"),
        ("features.diff cat ''", UsageError, "no words"),
        ("features.common", UsageError, "no sentences"),
        ("features.common nothing", UnknownNameError, "nothing"),
        ("features.common text=cat file=/nowhere.txt", InputFileError, "no file"),
        ("features.common text=cat against=bad", UsageError, "class of a stimulus set"),
        ("features.common text=cat text=''", UsageError, "no words"),
    ],
)
def test_sentences_and_features_that_cannot_be_read_are_refused_by_name(
    loaded: Any, line: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises((kind, MismatchError) if kind is InputFileError else kind, match=said):
        loaded(line)


def test_a_label_says_what_it_stood_for_before(loaded: Any) -> None:
    told = [loaded(f"labels.set 5 '{text}'")["result"]["before"] for text in ("one", "two", "", "")]
    assert told == ["", "one", "two", ""]


def test_a_minimal_pair_is_aligned_and_ranked_by_the_largest_change(loaded: Any, dense: Any) -> None:
    one, other = "the cat won the prize", "the dog won the prize today"
    found = loaded(f"features.diff '{one}' '{other}' top=200")["result"]
    assert [(column["a"], column["b"], column["same"]) for column in found["columns"]] == [
        (0, 0, True), (1, 1, False), (2, 2, True), (3, 3, True), (4, 4, True), (None, 5, False),
    ]  # fmt: skip
    a, b = dense(one), dense(other)
    change = np.concatenate([b[:5] - a, b[5:]])
    largest = np.abs(change).max(axis=0)
    expected = np.lexsort((np.arange(len(largest)), -largest))
    assert found["differing"] == len(found["features"])
    assert [row["index"] for row in found["features"]] == expected[: found["differing"]].tolist()
    for row in found["features"]:
        at = int(np.abs(change[:, row["index"]]).argmax())
        assert (row["at"], row["gap"]) == (at, at == 5)
        assert row["change"] == pytest.approx(change[at, row["index"]], abs=1e-3)
    assert found["columns"][0]["distance"] == 0  # what stands before the first change cannot know of it
    assert found["only_b"] == int(((b > 0).any(axis=0) & ~(a > 0).any(axis=0)).sum())
    assert {row["index"] for row in found["features"] if row["only"] == "a"} == set(
        np.flatnonzero((a > 0).any(axis=0) & ~(b > 0).any(axis=0)).tolist()
    )


def test_what_a_class_has_in_common(loaded: Any, dense: Any, tmp_path: Path) -> None:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    reply = loaded("features.common wins:good share=0.5 control_share=0.4 limit=500")
    found = reply["result"]
    active = [np.array([(dense(text) > 0).any(axis=0) for text in side]) for side in (tiny.GOOD, tiny.BAD)]
    share, control = (side.mean(axis=0) for side in active)
    assert {row["index"] for row in found["rows"]} == set(np.flatnonzero((share >= 0.5) & (control <= 0.4)).tolist())
    assert found["total"] == len(found["rows"]) > 0
    assert (found["sentences"], found["controls"], found["needed"], found["allowed"]) == (9, 9, 5, 3)
    for row in found["rows"]:
        assert row["share"] == pytest.approx(share[row["index"]], abs=1e-6)
        assert row["control_share"] == pytest.approx(control[row["index"]], abs=1e-6)
        assert row["without"] == np.flatnonzero(~active[0][:, row["index"]]).tolist()
    gains = [row["share"] - row["control_share"] for row in found["rows"]]
    assert gains == sorted(gains, reverse=True)
    assert any("no corpus index" in line for line in reply["warnings"])
    assert not any("much in common by chance" in line for line in reply["warnings"])


def test_few_sentences_and_no_controls_are_said(loaded: Any, tmp_path: Path) -> None:
    loaded("index.build tokens=2000")
    path = tmp_path / "mine.txt"
    path.write_text("the cat won\nthe dog won\n")
    reply = loaded(f"features.common text='the cat won' file={path}")
    assert reply["result"]["sentences"] == 3
    assert reply["result"]["source"] == "1 given, mine.txt"
    said = " ".join(reply["warnings"])
    for part in ("much in common by chance", "no control sentences", "twice or more"):
        assert part in said
    row = reply["result"]["rows"][0]
    assert 0 <= row["expected"] <= 1
    assert row["control_share"] is None
    undecodable = tmp_path / "bytes.txt"
    undecodable.write_bytes(b"the cat \xff\xfe won\n")
    with pytest.raises(InputFileError, match="not UTF-8 text: line 1 has the byte 0xff after") as caught:
        loaded(f"features.common file={undecodable}")
    assert "--undecodable replace" in caught.value.hint  # and it has that option
    replaced = loaded(f"features.common file={undecodable} undecodable=replace")["result"]
    assert replaced["texts"] == ["the cat \ufffd\ufffd won"]
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(InputFileError, match="has no sentence"):
        loaded(f"features.common file={tmp_path / 'empty.txt'}")


def test_the_largest_replies_fit_the_wire(do: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    from workbench.engine.wire import MESSAGE_LIMIT

    monkeypatch.setattr(tiny, "CONTEXT", 1200)
    tiny.make_model(tmp_path / "long")
    tiny.make_sae(tmp_path / "wide", d_sae=4096, k=64)
    do("session.new s", None)
    do(f"model.load {tmp_path / 'long'} device=cpu")
    do(f"sae.load {tmp_path / 'wide'}")
    path = tmp_path / "np.json"
    path.write_text(json.dumps([{"index": number, "description": "\x01" * 500} for number in range(4096)]))
    do(f"labels.import {path}")
    for number in range(3):
        do(f"features.note {number} '{'n' * 5000}'")
    words = [tiny.WORDS[(7 * at + at // 20) % 20] for at in range(1024)]
    lines = [
        f"features.activate '{' '.join(words)}' top=200 each=10",
        f"features.diff '{' '.join(words[:512])}' '{' '.join(words[512:])}' top=200",
        f"features.common text='{' '.join(words)}' share=0.1 limit=500",
        "features.search \x01 limit=100",
        f"features.search by_sentence='{' '.join(words)}' limit=100",
        "features.tags limit=200",
        "labels.show",
    ]
    for line in lines:
        reply = do(line)
        size = len(json.dumps({"id": 1, "result": reply}, ensure_ascii=False).encode())
        assert size < MESSAGE_LIMIT, (line[:40], size)
    assert any("fit one reply" in warning for warning in do(lines[0])["warnings"])
    with pytest.raises(UsageError, match=r"1,025 tokens"):
        do(f"features.activate '{' '.join(words)} the'")
