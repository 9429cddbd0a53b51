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
from workbench.stimuli.crossing import crossed_factors
from workbench.stimuli.importers import import_set, read_set
from workbench.stimuli.sets import Stimulus, StimulusSet, from_dict

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
    "twice in one": (as_json(good=["we won", "we won"]), ["'we won' twice", "sentence 1 of 'good', sentence 2 of"]),
    "several twice": (as_json(good=["a", "b", "a"], bad=["a", "b"]), ["'a'", "and 2 more that repeat another"]),
    "twice in two": (as_json(good=["we won", "we lost"]), ["'we lost'", "twice", "'good'", "'bad'"]),
    "lone surrogate": ('{"good": ["a\\ud800", "b"], "bad": ["c", "d"]}', ["sentence 1", "surrogate", "'good'"]),
    "surrogate in a name": ('{"g\\ud800": ["a", "b"], "bad": ["c", "d"]}', ["category"]),
    "a category without name": (as_json(**{"": ["a", "b"]}), ["category named ''"]),
    "a category twice": ('{"good": ["a", "b"], "bad": ["c", "d"], "good": ["e", "f"]}', ["'good' twice"]),
    "a target elsewhere": (as_json(good=["a", {"text": "we won", "target": "lost"}]), ["'lost'", "not in", "tence 2"]),
    "a target twice": (as_json(good=["a", {"text": "we won we", "target": "we"}]), ["'we'", "2 times", "sentence 2"]),
    "a span too long": (as_json(good=["a", {"text": "we won", "span": [3, 7]}]), ["3 to 7", "6 characters"]),
    "a span of nothing": (as_json(good=["a", {"text": "we won", "span": [3, 3]}]), ["3 to 3"]),
    "a span of one": (as_json(good=["a", {"text": "we won", "span": [3]}]), ["span", "[3]"]),
    "a span of words": (as_json(good=["a", {"text": "we won", "span": ["a", "b"]}]), ["span", "'a'"]),
    "a span of fractions": (as_json(good=["a", {"text": "we won", "span": [0.5, 1]}]), ["span", "0.5"]),
    "an object without text": (as_json(good=["a", {"sentence": "we won"}]), ["sentence 2", "no text"]),
    "an id of its own kind": (as_json(good=["a", {"text": "b", "id": [1]}]), ["id of sentence 2", "[1]"]),
    "an id twice": (as_json(good=[{"text": "a", "id": 1}, {"text": "b", "id": "1"}]), ["id '1' twice", "'good'"]),
    "half an id": (as_json(good=["a", {"text": "b", "id": "\ud800"}]), ["id of sentence 2", "half"]),
    "a nuisance of words": (as_json(good=["a", {"text": "b", "nuisances": {"f": "x"}}]), ["'f'", "'x'"]),
    "a nuisance without end": (as_json(good=["a", {"text": "b", "nuisance:f": "inf"}]), ["'f'", "inf"]),
    "nuisances is a list": (as_json(good=["a", {"text": "b", "nuisances": [1]}]), ["nuisances", "[1]"]),
    "include is perhaps": (as_json(good=["a", {"text": "b", "include": "perhaps"}]), ["include", "'perhaps'"]),
    "factors of no category": (json.dumps({"categories": PAIR, "factors": {"x": {"f": "l"}}}), ["'factors'", "'x'"]),
    "factors is a list": (json.dumps({"categories": PAIR, "factors": [1]}), ["'factors'"]),
    "all but one excluded": (as_json(good=["a", {"text": "b", "include": False}]), ["'good'", "1 sentence"]),
    "positive is a number": (json.dumps({"categories": PAIR, "positive": 3}), ["'positive'", "3"]),
    "description is a list": (json.dumps({"categories": PAIR, "description": ["x"]}), ["'description'"]),
    "steering is a text": (json.dumps({"categories": PAIR, "steering": "x"}), ["'steering'"]),
    "prompts is a text": (json.dumps({"categories": PAIR, "steering": {"prompts": "x"}}), ["'steering'"]),
    "categories is a list": (json.dumps({"categories": [1]}), ["'categories'", "no list"]),
    "bytes": (b"\xff\xfe\x00", ["UTF-8"]),
    "latin": ('{"good": ["caf\u00e9", "b"], "bad": ["c", "d"]}'.encode("latin-1"), ["UTF-8", "line 1 has the byte"]),
}  # fmt: skip
BAD_LINES = {
    "not json": ('{"category": "good", "text": "a"}\nbad\n', ["line 2", "not JSON"]),
    "a list": ("[1]\n", ["line 1", "no category"]),
    "no category": ('{"text": "a"}\n', ["line 1", "no category"]),
    "no text": ('{"category": "good", "text": 3}\n', ["line 1", "no text"]),
    "one category": ('{"category": "good", "text": "a"}\n\n{"category": "good", "text": "b"}\n', ["1 category"]),
    "a key twice": ('{"category": "good", "text": "a", "text": "b"}\n', ["line 1", "'text' twice"]),
}
BAD_TABLES = {
    "a target elsewhere": ("category,text,target\ngood,we won,lost\n", ["line 2", "'lost'", "not in"]),
    "half a span": ("category,text,span_start,span_end\ngood,we won,3,\n", ["line 2", "span"]),
    "a nuisance of words": ("category,text,nuisance:f\ngood,we won,high\n", ["line 2", "'f'", "'high'"]),
    "a column twice": ("category,text,id,id\ngood,we won,1,2\n", ["'id' twice"]),
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


@pytest.mark.parametrize("case", BAD_LINES)
def test_bad_json_lines_are_named_with_their_fault(tmp_path: Path, case: str) -> None:
    content, says = BAD_LINES[case]
    with pytest.raises(InputFileError) as caught:
        read_set(write(tmp_path, "bad.jsonl", content), "bad")
    assert "bad.jsonl" in caught.value.message
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
def test_tables_are_read_by_their_separator(tmp_path: Path, name: str, separator: str) -> None:
    rows = [" text ,category,note".replace(",", separator)]
    rows += [f'"{text}"{separator}{category}{separator}-' for category, texts in PAIR.items() for text in texts]
    found = read_set(write(tmp_path, name, "\ufeff" + "\r\n".join(rows)), "x")
    assert {category: list(texts) for category, texts in found.categories} == PAIR


def test_a_csv_of_a_spreadsheet_that_writes_semicolons(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(
        '\ufeff"category";text\r\ngood;we won, at last\r\ngood;they won\r\nbad;we lost\r\nbad;they lost\r\n'
    )
    found = read_set(path, "s")
    assert (found.counts, found.everything[0].text) == ({"good": 2, "bad": 2}, "we won, at last")


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


FULL = {
    "text": "we won the cup", "category": "good", "id": "a1", "item": "1", "fold": "A", "target": "won",
    "factor:tone": "glad", "nuisance:frequency": 2.5, "include": False,
}  # fmt: skip
EXPECTED = Stimulus(
    "we won the cup", "good", "a1", (("tone", "glad"),), "1", "A", (3, 6), (("frequency", 2.5),), include=False
)


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "tsv"])
def test_every_form_carries_every_column(tmp_path: Path, form: str) -> None:
    rows = [FULL, *({"category": category, "text": text} for category, texts in PAIR.items() for text in texts)]
    if form == "json":
        content = json.dumps({"good": [FULL, *PAIR["good"]], "bad": PAIR["bad"]})
    elif form == "jsonl":
        content = "\n".join(json.dumps(row) for row in rows)
    else:
        mark = "," if form == "csv" else "\t"
        lines = [[str(row.get(column, "")) for column in FULL] for row in rows]
        content = "\n".join(mark.join(line) for line in [list(FULL), *lines])
    found = read_set(write(tmp_path, f"x.{form}", content), "x")
    assert found.everything[0] == EXPECTED
    assert found.counts == {"good": 2, "bad": 2}
    assert all(not one.columns() for one in found.everything[1:])


def test_spans_by_position_and_numbers_as_names(tmp_path: Path) -> None:
    row = {"text": "we won", "span": [3, 6], "id": 7, "factors": {"tone": 1}}
    found = read_set(write(tmp_path, "x.json", as_json(good=[row, "b"])), "x")
    assert (found.stimuli[0].target, found.stimuli[0].id, found.stimuli[0].factors) == ("won", "7", (("tone", "1"),))
    table = "category,text,span_start,span_end\ngood,we won,0,2\ngood,b,,\nbad,c,,\nbad,d,,\n"
    found = read_set(write(tmp_path, "x.csv", table), "x")
    assert [one.target for one in found.stimuli] == ["we", "", "", ""]


def test_what_the_file_does_not_say_is_said(tmp_path: Path) -> None:
    (notice,) = import_set(write(tmp_path, "x.json", as_json()), "x").notices
    assert "'good', the first, was taken" in notice
    assert "workbench stimuli edit x --positive" in notice
    assert import_set(write(tmp_path, "x.json", as_json()), "x", "bad").notices == ()
    table = "category,text,note\ngood,a,1\ngood,b,1\nbad,c,1\nbad,d,1\n"
    assert "'note'" in import_set(write(tmp_path, "x.csv", table), "x", "bad").notices[0]


CELLS = {
    f"{outcome}_{end}": [f"{outcome} {end} {n}" for n in "ab"] for outcome in ("win", "loss") for end in ("x", "y")
}


def test_names_that_cross_factors_give_them(tmp_path: Path) -> None:
    path = write(tmp_path, "x.json", json.dumps(CELLS))
    found = import_set(path, "x", "win_x")
    assert found.set.factors == {"A": ["win", "loss"], "B": ["x", "y"]}
    assert "A: win, loss; B: x, y" in found.notices[0]
    named = import_set(path, "x", "win_x", factors=("outcome", "end")).set
    assert named.factors == {"outcome": ["win", "loss"], "end": ["x", "y"]}
    assert named.digest == StimulusSet.of("x", CELLS.items()).digest


@pytest.mark.parametrize(
    "names",
    [["a_x", "a_y", "b_x"], ["a_x", "a_y", "b_x", "c"], ["a_x", "b_y"], ["p_true", "p_false"], ["a", "b", "c", "d"],
     ["a_x", "a_y", "b_x", "b_z"], ["a_", "a_x", "b_", "b_x"]],
)  # fmt: skip
def test_names_that_cross_nothing_give_no_factors(names: list[str]) -> None:
    assert crossed_factors(names) == {}


def test_three_crossed_factors_and_a_word_common_to_all() -> None:
    names = [f"set-{a}-{b}-{c}" for a in "pq" for b in "rs" for c in "tuv"]
    found = crossed_factors(names)
    assert found["set-p-s-v"] == (("A", "p"), ("B", "s"), ("C", "v"))
    assert crossed_factors(names, ("one", "two")) == {}


def test_factor_names_that_nothing_bears_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "x.json", as_json())
    with pytest.raises(InputFileError, match="cross no 2 factors"):
        import_set(path, "x", factors=("a", "b"))
    with pytest.raises(InputFileError, match=r"'a'.*twice"):
        import_set(write(tmp_path, "y.json", json.dumps(CELLS)), "x", factors=("a", "a"))


def test_an_id_in_both_categories_is_a_pair(tmp_path: Path) -> None:
    rows = {category: [{"text": text, "id": n} for n, text in enumerate(texts)] for category, texts in PAIR.items()}
    found = import_set(write(tmp_path, "x.json", json.dumps(rows)), "x", "good")
    assert [one.item for one in found.set.stimuli] == ["0", "1", "0", "1"]
    assert "2 ids" in found.notices[0]


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public stimulus files are not here")
@pytest.mark.parametrize("path", sorted(PUBLIC.glob("*.json")), ids=lambda path: path.stem)
def test_public_sets_come_in_as_they_are(path: Path) -> None:
    found = read_set(path, path.stem)
    content = json.loads(path.read_text("utf-8"))
    content = content.get("categories", content)
    assert {category: list(texts) for category, texts in found.categories} == content


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public stimulus files are not here")
def test_the_paired_public_set_and_the_crossed_one_are_recognised() -> None:
    paired = import_set(PUBLIC / "premise-truth-paired.json", "premises")
    assert all(not one.item for one in paired.set.stimuli), "a suggestion is never taken silently"
    assert "look like matched pairs" in paired.notices[-1]
    for name in ("achievements-vs-failures", "context-strength-length-confounded"):
        assert not any("pairs" in notice for notice in import_set(PUBLIC / f"{name}.json", "x").notices)
    crossed = import_set(PUBLIC / "achievements-x-continuations-2x2.json", "x").set
    assert crossed.factors == {"A": ["achievements", "failures"], "B": ["continuations", "discontinuations"]}


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


def test_a_column_that_most_likely_means_another_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("category,text,pair,mood\ngood,a,1,x\ngood,b,2,x\nbad,c,1,x\nbad,d,2,x\n")
    notices = import_set(path, "pairs").notices
    told = next(text for text in notices if "not read" in text)
    assert "'pair', 'mood'; write 'pair' as 'item' if that is what it is" in told
    assert "'mood' as" not in told
