"""Editing: every change gives a whole set or says why not; the session keeps the versions, and undo goes back."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest

from tests import tiny
from workbench.errors import InputFileError, UnknownNameError, UsageError
from workbench.stimuli import edits
from workbench.stimuli.prompts import beginnings
from workbench.stimuli.sets import Stimulus, StimulusSet

FOUND = StimulusSet(
    "x",
    (Stimulus("we won the cup", "good", id="g1", span=(3, 6)), Stimulus("we did it", "good", fold="A"),
     Stimulus("we lost the cup", "bad", id="b1"), Stimulus("it failed", "bad")),
    "good",
)  # fmt: skip


def texts(found: StimulusSet) -> list[str]:
    return [one.text for one in found.everything]


def test_a_sentence_is_named_by_text_id_or_beginning() -> None:
    for wanted in ("we won the cup", "g1", "we w"):
        assert edits.find_sentence(FOUND, wanted).id == "g1"
    same = replace(FOUND, stimuli=(*FOUND.stimuli, Stimulus("it", "bad", id="we did it")))
    assert edits.find_sentence(same, "it").text == "it", "the very text goes before a beginning"
    assert edits.find_sentence(same, "we did it").fold == "A", "and before an id"


@pytest.mark.parametrize(("wanted", "says"), [("we", "3 sentences"), ("nosuch", "'nosuch'"), ("", "''"), (" ", "' '")])
def test_a_sentence_that_is_none_or_several_is_refused(wanted: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        edits.find_sentence(FOUND, wanted)
    assert caught.value.hint


def test_add_remove_rewrite_exclude() -> None:
    assert texts(edits.with_sentences(FOUND, "good", ["hurrah"]))[2] == "hurrah"
    more = edits.with_sentences(FOUND, "third", ["so so"])
    assert more.counts == {"good": 2, "bad": 2, "third": 1}
    assert texts(edits.without(FOUND, ["b1", "it"])) == ["we won the cup", "we did it"]
    assert edits.without(FOUND, ["b1", "it"]).counts == {"good": 2, "bad": 0}, "an emptied category stays"
    out = edits.with_inclusion(FOUND, ["g1"], False)
    assert (out.counts["good"], texts(out)) == (1, texts(FOUND))
    assert edits.with_inclusion(out, ["g1"], True) == FOUND
    again = edits.with_text(FOUND, "g1", "they won a cup")
    assert (again.stimuli[0].id, again.stimuli[0].target) == ("g1", "won")
    assert edits.with_text(FOUND, "g1", "we won the cup") is FOUND


def test_items_targets_and_ids_are_set_and_impossible_ones_refused() -> None:
    found = edits.with_column(FOUND, ["g1", "b1"], "item", "7")
    assert [one.item for one in found.everything] == ["7", "", "7", ""]
    found = edits.with_column(found, ["b1"], "target", "lost")
    assert found.everything[2].target == "lost"
    assert edits.with_column(found, ["b1"], "target", "").everything[2].span is None
    with pytest.raises(UsageError, match="'won' stands 0 times"):
        edits.with_column(FOUND, ["b1"], "target", "won")
    with pytest.raises(UsageError, match="'g1' would stand twice"):
        edits.with_column(FOUND, ["we did"], "id", "g1")


def test_pairs_by_order_and_none() -> None:
    paired = edits.with_pairs(FOUND, "order")
    assert [one.item for one in paired.everything] == ["1", "2", "1", "2"]
    assert edits.with_pairs(paired, "none") == FOUND


def test_what_would_spoil_a_set_is_refused() -> None:
    with pytest.raises(UsageError, match="already"):
        edits.with_sentences(FOUND, "good", ["it failed"])
    with pytest.raises(UsageError, match="already"):
        edits.with_sentences(FOUND, "good", ["new", "new"])
    with pytest.raises(InputFileError, match="empty"):
        edits.with_sentences(FOUND, "good", [" "])
    with pytest.raises(InputFileError, match="surrogate"):
        edits.with_sentences(FOUND, "good", ["\ud800"])
    with pytest.raises(UsageError, match="no category"):
        edits.with_sentences(FOUND, "", ["a"])
    with pytest.raises(UsageError, match="'won' stands 0 times"):
        edits.with_text(FOUND, "g1", "we did")
    with pytest.raises(UsageError, match="already"):
        edits.with_text(FOUND, "g1", "it failed")
    with pytest.raises(UnknownNameError, match="goood"):
        edits.with_positive(FOUND, "goood")
    with pytest.raises(UsageError, match="good 2, bad 1"):
        edits.with_pairs(edits.without(FOUND, ["b1"]), "order")


def test_a_new_set_has_two_different_named_categories() -> None:
    found = edits.new_set("n", ["a", "b"], [["x y"], ["z"]], "")
    assert (found.positive, found.rows) == ("a", [("a", "x y"), ("b", "z")])
    assert edits.new_set("n", ["a", "b"], [], "b").counts == {"a": 0, "b": 0}
    for categories in (["a"], ["a", "a"], [], ["a", " "]):
        with pytest.raises(UsageError):
            edits.new_set("n", categories, [], "")


def test_beginnings_of_sentences_alternate_between_the_categories() -> None:
    assert beginnings(FOUND) == ("we won", "it", "we lost", "we")
    long = StimulusSet.of("x", {"a": [f"w{n} " + "so " * 40 for n in range(9)], "b": ["one"]}.items())
    assert len(beginnings(long)) == 6
    assert beginnings(long)[:2] == ("w0" + " so" * 7, "w2" + " so" * 7), "the other category has no second sentence"
    assert all(one.text.startswith(beginnings(replace(FOUND, stimuli=(one,)))[0]) for one in FOUND.stimuli)


@pytest.mark.slow
def test_the_verbs_keep_versions_that_undo_takes_back(loaded: Any) -> None:
    made = loaded("stimuli.new wins category=good category=bad first='the cat won' second='the dog lost'")
    assert made["result"]["categories"] == {"good": 1, "bad": 1}
    loaded("stimuli.edit wins add='the sun won' add='the moon won' category=good")
    edited = loaded("stimuli.edit wins add='the sun lost' add='the moon lost' category=bad pairs=order")
    assert edited["result"]["pairs"]["status"] == "complete"
    loaded("stimuli.edit wins exclude='the cat' of='the dog' target=dog positive=bad prompt='the cat' raises=won")
    shown = loaded("stimuli.show wins")["result"]
    assert (shown["positive"], shown["categories"], shown["total"]) == ("bad", {"good": 2, "bad": 3}, 6)
    assert shown["rows"][0] == {"category": "good", "text": "the cat won", "item": "1", "include": False}
    assert shown["rows"][3]["span"] == [4, 7]
    assert shown["steering"] == {"prompts": ["the cat"], "raise": ["won"], "lower": []}
    loaded("session.undo")
    assert loaded("stimuli.show wins")["result"]["positive"] == "good"


@pytest.mark.slow
def test_a_shipped_set_is_edited_in_the_sessions_own_version(loaded: Any) -> None:
    reply = loaded("stimuli.edit null positive=second")
    assert any("own version" in told for told in reply["warnings"])
    own = [found for found in loaded("stimuli.list")["result"]["sets"] if found["name"] == "null"]
    assert [(found["origin"], found["positive"]) for found in own] == [("session", "second")]
    assert not any("own version" in told for told in loaded("stimuli.edit null positive=first")["warnings"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("stimuli.new 'a b'", "'a b'"),
        ("stimuli.new ../x", "'../x'"),
        ("stimuli.new null", "already"),
        ("stimuli.new x category=a", "two different categories"),
        ("stimuli.new x category=a category=b positive=c", "'c'"),
        (f"stimuli.new x first='{'the cat ' * tiny.CONTEXT}'", "tokens"),
        ("stimuli.edit nosuch positive=x", "'nosuch'"),
        ("stimuli.edit null", "nothing"),
        ("stimuli.edit null positive=first", "nothing"),
        ("stimuli.edit null positive=firsst", "'firsst'"),
        ("stimuli.edit null replace=x", "--text"),
        ("stimuli.edit null item=3", "--of"),
        ("stimuli.edit null of=x", "--of"),
        ("stimuli.edit null add=x", "no category"),
        ("stimuli.edit null remove=nosuch", "'nosuch'"),
        ("stimuli.edit null level=nosuch", "'nosuch'"),
        ("stimuli.edit null level=words", "words is level already in 'null' (AUC 0.50)"),
        (f"stimuli.edit null category=first add='{'the cat ' * tiny.CONTEXT}'", "tokens"),
    ],
)
def test_a_refused_edit_leaves_the_session_as_it_was(loaded: Any, sessions: Any, line: str, says: str) -> None:
    before = tiny.snapshot(sessions)
    with pytest.raises(UsageError) as caught:
        loaded(line)
    assert caught.value.exit_code == 2
    assert says in str(caught.value)
    assert tiny.snapshot(sessions) == before


@pytest.mark.slow
def test_an_empty_set_is_kept_but_not_analysed(loaded: Any) -> None:
    reply = loaded("stimuli.new later")
    assert reply["result"]["categories"] == {"concept": 0, "other": 0}
    assert any("no sentence yet" in told for told in reply["warnings"])
    with pytest.raises(UsageError, match="no sentence in category 'concept'"):
        loaded("features.contrast later")
    assert loaded("stimuli.check later")["result"]["warnings"]


@pytest.mark.slow
def test_hostile_text_is_kept_as_it_is(loaded: Any) -> None:
    text = "[red]\u202e\u001b[31m<b>{x}'\"$(id)"
    loaded("stimuli.new odd")
    loaded(f"stimuli.edit odd category=concept {shlex.quote('add=' + text)}")
    assert loaded("stimuli.show odd")["result"]["rows"][0]["text"] == text


@pytest.mark.slow
def test_levelling_through_the_verb(loaded: Any) -> None:
    long = " ".join(f"first='the {noun} won the prize again today'" for noun in ("cat", "dog", "sun", "moon"))
    short = " ".join(f"second='a {noun} lost'" for noun in ("cat", "dog", "sun", "moon"))
    loaded(f"stimuli.new uneven {long} {short}")
    spare = " ".join(f"add='{noun} won'" for noun in ("cat", "dog", "sun", "moon"))
    loaded(f"stimuli.edit uneven category=concept {spare}")
    loaded("stimuli.edit uneven " + " ".join(f"exclude='{noun} won'" for noun in ("cat", "dog", "sun", "moon")))
    reply = loaded("stimuli.edit uneven level=words")
    assert len(reply["result"]["swaps"]) == 2
    assert reply["result"]["categories"] == {"concept": 4, "other": 4}
    row = next(row for row in loaded("stimuli.check uneven")["result"]["confounds"] if row["measure"] == "words")
    assert row["auc"] == 0.5


@pytest.mark.slow
def test_steering_on_a_set_without_prompts_takes_beginnings_and_says_so(loaded: Any, tmp_path: Any) -> None:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')} positive=good")
    reply = loaded("steer.clamp 3 stimuli=wins value=2 draws=0")
    assert [item["prompt"] for item in reply["result"]["prompts"]][:2] == ["the cat won", "a cat"]
    assert any("no prompts to steer on" in told for told in reply["warnings"])
    loaded("stimuli.edit wins prompt='the cat'")
    reply = loaded("steer.clamp 3 stimuli=wins value=2 draws=0")
    assert [item["prompt"] for item in reply["result"]["prompts"]] == ["the cat"]
    assert not any("no prompts" in told for told in reply["warnings"])
