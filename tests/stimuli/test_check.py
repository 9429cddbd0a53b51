"""The check of a design: it sees what was planted, is silent where nothing was, and needs no model."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from commands.render import as_lines
from tests import tiny
from workbench.corpus.source import open_corpus
from workbench.models.tokenizer_file import token_counts
from workbench.stimuli.check import Measure, check_design, plain_measures
from workbench.stimuli.frequency import WordCounts
from workbench.stimuli.leveling import exchanged, exchanges
from workbench.stimuli.sets import Stimulus, StimulusSet, shipped_set

NOUNS = ["cat", "dog", "sun", "moon", "tree", "lake", "hill", "bird", "fish", "road", "door", "lamp"]


def long_and_short() -> StimulusSet:
    """The positive side is longer in every sentence."""
    good = [f"the {noun} won a very very great {other}" for noun, other in pairwise(NOUNS)]
    bad = [f"a {noun} lost {other}" for noun, other in zip(NOUNS, [*NOUNS[2:], "sea"], strict=False)]
    return StimulusSet.of("x", {"good": good, "bad": bad}.items(), positive="good")


def checked(found: StimulusSet, **more: Any) -> dict[str, Any]:
    return check_design(found, plain_measures(found), **more)


def row_of(body: dict[str, Any], measure: str) -> dict[str, Any]:
    return next(row for row in body["confounds"] if row["measure"] == measure)


def test_a_length_that_tells_the_sides_is_told_in_words() -> None:
    body = checked(long_and_short())
    for measure in ("characters", "words"):
        row = row_of(body, measure)
        assert (row["auc"], row["accuracy"], row["side"]) == (1.0, 1.0, "good")
    assert (row_of(body, "words")["mean"], row_of(body, "words")["mean_rest"]) == (8.0, 4.0)
    assert any(
        "length in characters alone tells 'good'" in told and "accuracy 1.00" in told for told in body["warnings"]
    )
    assert any("stands in 100% of 'good' and 0% of the rest" in told for told in body["warnings"])
    assert body["bag_of_words"]["accuracy"] == 1.0


def test_a_set_without_confounds_is_not_warned_of() -> None:
    body = checked(shipped_set("null"))
    assert body["warnings"] == []
    assert body["swaps"] == []


def test_the_demos_achievement_set_is_level_in_length_but_not_in_words() -> None:
    body = checked(shipped_set("achievement"))
    assert row_of(body, "characters")["auc"] == 0.5
    assert [told for told in body["warnings"] if "length" in told] == []
    assert body["bag_of_words"]["accuracy"] > 0.7


def test_few_sentences_are_told_with_what_they_can_show() -> None:
    found = StimulusSet.of("x", {"p": ["a b", "c d", "e f"], "q": ["g h", "i j", "k l"]}.items(), positive="p")
    body = checked(found, features=1000)
    assert (body["design"]["labellings"], body["design"]["smallest_p"]) == (10, 0.1)
    assert body["design"]["effect_of_features"] > body["design"]["effect"] > 3
    assert any("admit 20 labellings, 10 different ones (mirror images" in told for told in body["warnings"])
    assert any("only effects of d = 3.07" in told for told in body["warnings"])


def test_pairs_are_counted_and_their_reach_is_said() -> None:
    stimuli = [
        Stimulus(f"{noun} is {word}", side, item=noun) for noun in NOUNS for side, word in (("t", "so"), ("f", "not"))
    ]
    body = checked(StimulusSet("x", tuple(stimuli), "t"))
    assert (body["pairs"]["status"], body["pairs"]["pairs"]) == ("complete", 12)
    assert body["design"]["smallest_p_paired"] == 1 / 2**11
    beyond, shift = scipy_stats.t.isf(0.025, 11), body["design"]["effect_paired"] * math.sqrt(12)
    assert scipy_stats.nct.sf(beyond, 11, shift) == pytest.approx(0.8, abs=1e-4)
    assert body["repeats_total"] == 0, "partners are alike on purpose"


def test_repeats_within_a_side_are_found() -> None:
    found = StimulusSet.of("x", {"p": ["The cat won!", "the cat, won", "a b"], "q": ["c d", "e f", "g h"]}.items())
    body = checked(found, positive="p")
    assert body["repeats_total"] == 1
    assert body["repeats"][0]["same_words"] is True
    assert any("nearly repeat" in told and "The cat won!" in told for told in body["warnings"])


def test_without_a_positive_category_every_one_is_looked_at_and_p_pays_for_it() -> None:
    words = {
        "a": ["x" * n for n in range(30, 40)],
        "b": ["y" * n for n in range(20, 30)],
        "c": ["z" * n for n in range(20, 30)],
    }
    body = checked(StimulusSet.of("x", words.items()))
    row = row_of(body, "characters")
    assert row["side"] == "a"
    alone = row_of(checked(StimulusSet.of("x", words.items()), positive="a"), "characters")
    assert row["p"] == pytest.approx(3 * alone["p"])
    assert any("no category is named positive" in told for told in body["warnings"])


def test_two_level_factors_are_the_sides_of_a_crossed_set() -> None:
    assert checked(shipped_set("two-by-two"))["sides"] == ["outcome: achievement", "topic: place"]


@pytest.mark.parametrize("found", [
    StimulusSet("x", (), "p", declared=("p", "q")),
    StimulusSet.of("x", {"p": ["a"], "q": []}.items()),
    StimulusSet.of("x", {"p": ["..."], "q": ["!!"]}.items(), positive="p"),
])  # fmt: skip
def test_a_set_that_is_hardly_one_is_checked_all_the_same(found: StimulusSet) -> None:
    body = checked(found)
    assert body["warnings"]
    json.dumps(body, allow_nan=False)


def test_a_nuisance_of_the_sets_own_is_a_confound_too() -> None:
    stimuli = [
        Stimulus(f"{side} {noun}", side, nuisances=(("valence", float(n + 20 * (side == "p"))),) if n else ())
        for side in "pq" for n, noun in enumerate(NOUNS)
    ]  # fmt: skip
    row = row_of(checked(StimulusSet("x", tuple(stimuli), "p")), "valence")
    assert (row["auc"], row["known"], row["unit"]) == (1.0, 22, "its own")


def spared() -> StimulusSet:
    """As `long_and_short`, with excluded sentences of the other length."""
    spare = [Stimulus(f"{noun} wins", "good", include=False) for noun in NOUNS]
    return replace(long_and_short(), stimuli=(*long_and_short().stimuli, *spare))


def test_swaps_for_excluded_sentences_level_the_length() -> None:
    body = checked(spared())
    assert body["swaps"]
    assert body["swaps"][0]["measure"] == "characters"
    assert any("--level characters" in told for told in body["warnings"])
    after = exchanged(spared(), exchanges(spared(), plain_measures(spared())[0].values, "good"))
    assert after.counts == spared().counts
    now = row_of(checked(after), "characters")
    assert now["auc"] == pytest.approx(body["swaps"][-1]["auc"])
    assert abs(now["auc"] - 0.5) < 0.1


def test_pairs_are_exchanged_whole() -> None:
    rng = np.random.default_rng(0)
    longer = {(side, n): 4 if side == "p" and n < 12 else 0 for side in "pq" for n in range(24)}
    stimuli = [
        Stimulus(f"{side}{n} " + "x" * int(rng.integers(3, 9) + longer[side, n]), side, item=str(n), include=n < 12)
        for n in range(24) for side in "pq"
    ]  # fmt: skip
    found = StimulusSet("x", tuple(stimuli), "p")
    values = [float(len(one.text)) for one in found.everything]
    swaps = exchanges(found, values, "p")
    assert swaps and all(
        len({one.item for one in swap.out}) == 1 and len(swap.out) == len(swap.into) == 2 for swap in swaps
    )
    after = exchanged(found, swaps)
    assert {one.item for one in after.included if one.category == "p"} == {
        one.item for one in after.included if one.category == "q"
    }
    assert row_of(checked(after), "characters")["auc"] == pytest.approx(swaps[-1].auc)
    assert abs(swaps[-1].auc - 0.5) < abs(row_of(checked(found), "characters")["auc"] - 0.5)


def test_word_frequency_is_the_zipf_scale(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("the the the cat\nThe dog\n")
    counts = WordCounts(open_corpus(str(tmp_path / "c.txt")))
    assert counts.total == 6
    assert counts.zipf("the") == pytest.approx(math.log10(5 / 10 * 1e9))
    assert counts.zipf("nosuch") == pytest.approx(math.log10(1 / 10 * 1e9))
    assert counts.of_sentence("The nosuch!") == pytest.approx((counts.zipf("the") + counts.zipf("nosuch")) / 2)
    assert counts.known(["the nosuch", "cat"]) == pytest.approx(2 / 3)
    assert math.isnan(counts.of_sentence("..."))


@pytest.mark.slow
def test_tokens_are_counted_as_the_model_does(tiny_files: Path, tiny_model: Any, tmp_path: Path) -> None:
    texts = ["the cat won", " two  spaces ", "Ünïcode 😀 and\ttabs", "the " * 12]
    counts = token_counts({"ref": str(tiny_files / "model")}, texts)
    assert counts == [sum(tiny_model.tokenize(text).is_text) for text in texts]
    from workbench.models.loading import load_model

    bert = tiny.make_bert(tmp_path / "bert")  # its file asks to cut at 8 tokens and to pad
    loaded = load_model({"ref": str(bert), "device": "cpu"})
    assert token_counts({"ref": str(bert)}, texts) == [sum(loaded.tokenize(text).is_text) for text in texts]


def test_a_model_without_such_a_file_gives_no_counts(tmp_path: Path) -> None:
    assert token_counts({"ref": str(tmp_path / "gone")}, ["a"]) is None
    assert token_counts({"ref": "nobody/nothing-of-this-name", "digest": ""}, ["a"]) is None


def test_the_check_never_imports_torch(sessions: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom commands.handlers.stimuli import check\n"
        "from commands.stimuli import StimuliCheck\nfrom workbench.lab import Lab\n"
        f"lab = Lab(None, sessions=Path({str(sessions)!r}))\n"
        "print(check(StimuliCheck(set='achievement', corpus='demo'), lab).result['sources'])\n"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    sources, heavy = done.stdout.strip().split("\n")
    assert heavy == "[]"
    assert "'frequency': 'demo'" in sources


@pytest.mark.slow
def test_the_verb_uses_what_the_session_has(loaded: Any, tmp_path: Path) -> None:
    path = tiny.write_stimuli(tmp_path / "wins.json")
    (tmp_path / "words.txt").write_text("\n".join(tiny.GOOD + tiny.BAD))
    loaded(f"stimuli.import {path}")
    found = loaded(f"stimuli.check wins corpus={tmp_path / 'words.txt'}")["result"]
    assert found["design"]["features"] == tiny.LATENTS
    assert [row["measure"] for row in found["confounds"]] == [
        "characters",
        "words",
        "tokens",
        "tokens a word",
        "word frequency",
    ]
    assert found["sources"] == {"tokens": "model", "frequency": "words", "known_words": 1.0}
    few = loaded("stimuli.check wins corpus=demo")["result"]
    assert "word frequency" in [row["measure"] for row in few["confounds"]] or few["sources"]["known_words"] < 0.8
    from workbench.errors import UnknownNameError

    with pytest.raises(UnknownNameError, match="goood"):
        loaded("stimuli.check wins positive=goood")
    with pytest.raises(UnknownNameError, match="winz"):
        loaded("stimuli.check winz")


def test_unknown_numbers_have_a_status_and_no_number() -> None:
    found = long_and_short()
    nothing = Measure("nothing", "none", [math.nan] * len(found.stimuli))
    (row,) = check_design(found, [nothing])["confounds"]
    assert (row["status"], row["auc"], row["accuracy"], row["p"]) == ("too_few", None, None, None)


def test_a_very_large_set_is_checked_in_what_is_cheap_and_says_the_rest() -> None:
    rng = np.random.default_rng(0)
    stimuli = tuple(
        Stimulus(f"{side}{n} " + "w " * int(rng.integers(1, 30)), side, nuisances=(("rated", float(rng.normal())),))
        for side in "pq" for n in range(20_000)
    )  # fmt: skip
    body = checked(StimulusSet("x", stimuli, "p"))
    assert (body["words"], body["bag_of_words"], body["repeats"]) == ([], None, [])
    assert row_of(body, "rated")["auc"] == pytest.approx(0.5, abs=0.02)
    assert 0 < body["design"]["smallest_p"] < 1e-300
    assert any("more than 2,000 sentences" in told for told in body["warnings"])
    json.dumps(body, allow_nan=False)


def test_the_table_says_of_the_very_rows_that_are_warned_of_that_they_are() -> None:
    """`ok` beside a p of .002 and a warning below would contradict each other."""
    marks = set()
    for found in (long_and_short(), shipped_set("achievement")):
        body = checked(found)
        shown = as_lines({"command": "stimuli.check", "result": body}, 120)
        for row in body["confounds"]:
            (line,) = [one for one in shown if one.startswith(f"{row['measure']} ") and f" {row['side']} " in one][:1]
            warned = any(told.startswith((f"length in {row['measure']} alone", f"{row['measure']} alone"))
                         for told in body["warnings"])  # fmt: skip
            assert line.split()[-1] == ("warned" if warned else "ok"), line
            marks.add(line.split()[-1])
    assert marks == {"warned", "ok"}
