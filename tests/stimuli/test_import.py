"""Stimulus files: good ones come in as they are; a bad one is named with its fault, and nothing changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import tiny
from workbench.errors import InputFileError, UnknownNameError, UsageError
from workbench.stimuli.importers import read_set
from workbench.stimuli.sets import StimulusSet, from_dict

PUBLIC = Path(__file__).parents[3] / "shared" / "data" / "stimuli"
PAIR = {"good": ["we won", "we did it"], "bad": ["we lost", "it failed"]}


def as_json(**categories: Any) -> str:
    return json.dumps({**PAIR, **categories})


BAD = {
    "empty": ("", ["is empty"]),
    "blank": (" \n\t ", ["is empty"]),
    "not json": ("achievement: we won", ["is not JSON"]),
    "half json": ('{"good": ["we won"', ["is not JSON"]),
    "deep json": ("[" * 100_000, ["is not JSON"]),
    "a list": ("[]", ["no JSON object"]),
    "a text": ('"good"', ["no JSON object"]),
    "null": ("null", ["no JSON object"]),
    "no category": ("{}", ["0 categor"]),
    "one category": ('{"good": ["a", "b"]}', ["1 category", "good"]),
    "a category is a text": (as_json(good="we won"), ["'good'", "no list"]),
    "a sentence is a number": (as_json(good=["we won", 7]), ["'good'", "no list"]),
    "a sentence is null": (as_json(good=["we won", None]), ["'good'", "no list"]),
    "one sentence": (as_json(good=["we won"]), ["'good'", "1 sentence"]),
    "no sentence": (as_json(good=[]), ["'good'", "0 sentence"]),
    "an empty sentence": (as_json(good=["we won", ""]), ["sentence 2", "'good'", "empty"]),
    "a blank sentence": (as_json(good=["we won", " \u00a0 "]), ["sentence 2", "'good'", "empty"]),
    "twice in one": (as_json(good=["we won", "we won"]), ["'we won'", "twice", "'good'"]),
    "twice in two": (as_json(good=["we won", "we lost"]), ["'we lost'", "twice", "'good'", "'bad'"]),
    "lone surrogate": ('{"good": ["a\\ud800", "b"], "bad": ["c", "d"]}', ["sentence 1", "surrogate", "'good'"]),
    "surrogate in a name": ('{"g\\ud800": ["a", "b"], "bad": ["c", "d"]}', ["category"]),
    "a category without name": (as_json(**{"": ["a", "b"]}), ["category named ''"]),
    "a category twice": ('{"good": ["a", "b"], "bad": ["c", "d"], "good": ["e", "f"]}', ["'good' twice"]),
    "positive is a number": (json.dumps({"categories": PAIR, "positive": 3}), ["'positive'", "3"]),
    "description is a list": (json.dumps({"categories": PAIR, "description": ["x"]}), ["'description'"]),
    "steering is a text": (json.dumps({"categories": PAIR, "steering": "x"}), ["'steering'"]),
    "prompts is a text": (json.dumps({"categories": PAIR, "steering": {"prompts": "x"}}), ["'steering'"]),
    "categories is a list": (json.dumps({"categories": [1]}), ["'categories'", "no list"]),
    "bytes": (b"\xff\xfe\x00", ["UTF-8"]),
    "latin": ('{"good": ["caf\u00e9", "b"], "bad": ["c", "d"]}'.encode("latin-1"), ["UTF-8", "byte"]),
}  # fmt: skip
BAD_TABLES = {
    "no columns": ("we won\nwe lost\n", ["no column 'category'", "we won"]),
    "other columns": ("category,sentence\ngood,we won\n", ["no column 'text'", "sentence"]),
    "no text": ("category,text\ngood\nbad,x\n", ["line 2"]),
    "no category": ("category,text\ngood,a\n ,b\n", ["line 3"]),
    "a comma unquoted": ("category,text\ngood,well, we won\ngood,b\nbad,c\nbad,d\n", ["line 2", "'well'"]),
    "only the first line": ("category,text\n", ["0 categor"]),
    "a far too long field": ("category,text\ngood," + "x" * 200_000 + "\n", ["line"]),
    "empty sentence": ("category,text\ngood,a\ngood,\nbad,c\nbad,d\n", ["sentence 2", "empty"]),
}


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_named_with_its_fault(tmp_path: Path, case: str) -> None:
    content, says = BAD[case]
    with pytest.raises(InputFileError) as caught:
        read_set(write(tmp_path, "bad.json", content), "bad")
    assert "bad.json" in caught.value.message
    for part in says:
        assert part in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.hint
    str(caught.value).encode()  # can be printed


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_bad_table_is_named_with_its_fault(tmp_path: Path, case: str) -> None:
    content, says = BAD_TABLES[case]
    with pytest.raises(InputFileError) as caught:
        read_set(write(tmp_path, "bad.csv", content), "bad")
    assert "bad.csv" in caught.value.message
    for part in says:
        assert part in caught.value.message
    assert caught.value.hint


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nosuch.json", tmp_path):
        with pytest.raises(InputFileError, match=path.name):
            read_set(path, "bad")


def test_an_unknown_positive_gets_the_nearest_category(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="'goood'") as caught:
        read_set(write(tmp_path, "x.json", as_json()), "x", "goood")
    assert "good" in caught.value.hint
    assert caught.value.exit_code == 2


def test_json_keeps_order_spaces_and_every_letter(tmp_path: Path) -> None:
    texts = {"b": [" leading", "trailing ", "tab\there"], "a": ["\u202eüñ😀", "line\nbreak"]}
    found = read_set(write(tmp_path, "x.json", json.dumps(texts)), "x")
    assert {category: list(rows) for category, rows in found.categories} == texts
    assert [category for category, _ in found.categories] == ["b", "a"]
    assert found.positive == "b"


def test_the_long_form_says_more(tmp_path: Path) -> None:
    steering = {"prompts": ["we"], "raise": ["won"], "lower": ["lost"]}
    body = {"categories": PAIR, "positive": "bad", "description": "d", "steering": steering}
    found = read_set(write(tmp_path, "x.json", json.dumps(body)), "x")
    assert (found.positive, found.description) == ("bad", "d")
    assert found.steering.as_dict() == steering
    assert read_set(write(tmp_path, "x.json", json.dumps(body)), "x", "good").positive == "good"


@pytest.mark.parametrize(("name", "separator"), [("x.csv", ","), ("x.tsv", "\t"), ("X.CSV", ",")])
def test_tables(tmp_path: Path, name: str, separator: str) -> None:
    rows = [" text ,category,note".replace(",", separator)]
    rows += [f'"{text}"{separator}{category}{separator}-' for category, texts in PAIR.items() for text in texts]
    found = read_set(write(tmp_path, name, "\ufeff" + "\r\n".join(rows)), "x")
    assert {category: list(texts) for category, texts in found.categories} == PAIR


def test_a_quoted_field_may_hold_separators_and_line_breaks(tmp_path: Path) -> None:
    text = 'category,text\ngood,"well, we\nwon"\ngood,b\nbad,"he said ""no"""\nbad,d\n'
    found = read_set(write(tmp_path, "x.csv", text), "x")
    assert found.categories == (("good", ("well, we\nwon", "b")), ("bad", ('he said "no"', "d")))


@given(st.dictionaries(st.text(min_size=1).filter(str.strip), st.lists(st.text(), min_size=1), min_size=1, max_size=3))
def test_a_set_survives_its_own_form_and_its_digest_is_of_its_content(categories: dict[str, list[str]]) -> None:
    found = StimulusSet.of("x", categories.items(), positive="p", description="d")
    again = from_dict("y", json.loads(json.dumps(found.as_dict())))
    assert again.categories == found.categories
    assert again.digest == found.digest


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public stimulus files are not here")
@pytest.mark.parametrize("path", sorted(PUBLIC.glob("*.json")), ids=lambda path: path.stem)
def test_public_sets_come_in_as_they_are(path: Path) -> None:
    found = read_set(path, path.stem)
    content = json.loads(path.read_text("utf-8"))
    content = content.get("categories", content)
    assert {category: list(texts) for category, texts in found.categories} == content


@pytest.mark.slow
@pytest.mark.parametrize("case", [*BAD, *BAD_TABLES, "too long", "unknown positive", "missing"])
def test_a_refused_import_leaves_the_session_as_it_was(loaded: Any, sessions: Path, tmp_path: Path, case: str) -> None:
    content, more = as_json(), ""
    if case in BAD or case in BAD_TABLES:
        content = (BAD | BAD_TABLES)[case][0]
    elif case == "too long":
        content = as_json(good=["we won", "the cat won " * tiny.CONTEXT])
    elif case == "unknown positive":
        more = " positive=goood"
    path = write(tmp_path, "bad.csv" if case in BAD_TABLES else "bad.json", content)
    if case == "missing":
        path.unlink()
    before = tiny.snapshot(sessions)
    with pytest.raises(UsageError) as caught:
        loaded(f"stimuli.import {path}{more}")
    assert caught.value.exit_code == 2
    assert (path.name in caught.value.message) or "'goood'" in caught.value.message
    assert tiny.snapshot(sessions) == before


@pytest.mark.slow
def test_a_sentence_longer_than_the_context_is_shown_with_its_length(loaded: Any, tmp_path: Path) -> None:
    fits = ["the " * 10 + "cat " * (tiny.CONTEXT - 12) + "won", "the cat won"]  # with BOS and spaces, to the last token
    tokens = 1 + len(fits[0].split())
    assert tokens == tiny.CONTEXT
    path = tiny.write_stimuli(tmp_path / "long.json", {"good": [text.strip() for text in fits], "bad": ["a", "b"]})
    assert loaded(f"stimuli.import {path}")["result"]["total"] == 4
    path = tiny.write_stimuli(tmp_path / "long.json", {"good": [fits[0] + " again", "x"], "bad": ["a", "b"]})
    with pytest.raises(InputFileError, match=rf"'good' of .*long\.json: a sentence has {tokens + 1} tokens") as caught:
        loaded(f"stimuli.import {path}")
    assert str(tiny.CONTEXT) in caught.value.message
    assert "Shorten" in caught.value.hint


@pytest.mark.slow
def test_an_imported_set_travels_with_the_session(loaded: Any, sessions: Path, tmp_path: Path) -> None:
    path = tiny.write_stimuli(tmp_path / "my wins.json")
    reply = loaded(f"stimuli.import '{path}' positive=bad")
    assert reply["result"]["name"] == "my-wins"
    path.unlink()
    assert not Path(reply["params"]["file"]).is_absolute()
    assert (sessions / "s" / reply["params"]["file"]).is_file()
    shown = loaded("stimuli.show my-wins")["result"]
    assert (shown["positive"], shown["total"]) == ("bad", len(tiny.GOOD) + len(tiny.BAD))
    assert shown["digest"] == reply["result"]["digest"]
    assert "my-wins" in [found["name"] for found in loaded("stimuli.list")["result"]["sets"]]
