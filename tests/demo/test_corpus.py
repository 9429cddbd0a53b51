"""The corpus: determined by its seed alone, slice by slice, with exact probabilities and true spans."""

import math
from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.demo import lexicon
from workbench.demo.corpus import CONCEPTS, derivations, document, documents
from workbench.demo.grammar import Choice, Option, Template, fixed
from workbench.demo.sentences import TEMPLATES


def test_a_seed_and_an_index_decide_a_document():
    assert document(3, 17) == document(3, 17)
    assert document(3, 17) != document(4, 17)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 50), st.integers(0, 10_000))
def test_a_slice_is_the_same_wherever_one_begins(seed, start):
    whole = list(islice(documents(seed, start), 6))
    assert list(islice(documents(seed, start + 4), 2)) == whole[4:]


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_a_text_has_one_derivation_and_nats_is_its_cost(seed, index):
    made = document(seed, index)
    costs = derivations(made.text)
    assert len(costs) == 1
    assert costs[0] == pytest.approx(made.nats, abs=1e-9)


def test_the_grammar_reads_what_it_cannot_write_in_no_way():
    assert derivations("Two days from Monday is Thursday. Two days from Monday is Wednesday.") == []
    assert derivations("Maria felt glad.") == []


def test_nats_of_a_hand_checked_template():
    slots = {
        "colour": fixed(Choice([Option("red", {"c": 0}), Option("blue", {"c": 1})], [3, 1])),
        "thing": lambda state: Choice([Option("box")]) if state["c"] else Choice([Option("cup"), Option("hat")]),
    }
    template = Template("A {colour} {thing}.", slots)
    cost = {text: list(template.read(text, 0, {})) for text in ("A red hat.", "A blue box.", "A blue cup.")}
    assert cost["A red hat."][0][1] == pytest.approx(-math.log(3 / 8))
    assert cost["A blue box."][0][1] == pytest.approx(-math.log(1 / 4))
    assert cost["A blue cup."] == []


def test_the_probabilities_of_a_sub_grammar_sum_to_one():
    """All near-day sentences, listed: their exact probabilities are a distribution."""
    template = TEMPLATES["near_day"].options[0]
    total = 0.0
    for a in lexicon.DAYS:
        for b in lexicon.DAYS:
            for c in lexicon.DAYS:
                (found,) = template.read(f"{a} or {b} or {c}.", 0, {})
                total += math.exp(-found[1])
    assert total == pytest.approx(1.0, abs=1e-12)


def test_near_days_lie_near():
    template = TEMPLATES["near_day"].options[0]
    cost = {name: next(template.read(f"Monday or {name} or Monday.", 0, {}))[1] for name in lexicon.DAYS}
    assert cost["Monday"] < cost["Tuesday"] == pytest.approx(cost["Sunday"])
    assert cost["Tuesday"] < cost["Wednesday"] < cost["Thursday"]
    same, next_ = 0.3829249225480262, 0.24173033745712888  # P(|Z| < 1/2), P(1/2 < Z < 3/2)
    assert cost["Tuesday"] - cost["Monday"] == pytest.approx(math.log(same / next_), abs=1e-6)


def test_spans_tile_the_text_and_every_concept_is_planted():
    seen = Counter()
    for made in islice(documents(11), 2000):
        assert 2 <= len(made.sentences) <= 6
        assert " ".join(made.text[s.start : s.end] for s in made.sentences) == made.text
        seen.update(sentence.concept for sentence in made.sentences)
    assert set(seen) == set(CONCEPTS)
    assert min(seen.values()) > 50


def test_the_outcome_of_a_story_decides_its_feelings():
    wrong = {"achievement": set(lexicon.SAD), "failure": set(lexicon.GLAD)}
    for made in islice(documents(12), 2000):
        for sentence in made.sentences:
            if sentence.concept in wrong:
                spoken = set(made.text[sentence.start : sentence.end].replace(".", "").split())
                assert not spoken & wrong[sentence.concept]


def test_words_of_opposite_outcome_are_different_words():
    pairs = [
        (lexicon.GLAD, lexicon.SAD),
        (lexicon.REJOICED, lexicon.GRIEVED),
        (lexicon.WON, lexicon.LOST),
        (lexicon.PRAISED, lexicon.BLAMED),
        (lexicon.SPLENDID, lexicon.DREADFUL),
        (lexicon.SUCCESS, lexicon.DEFEAT),
    ]
    assert all(not set(good) & set(bad) for good, bad in pairs)
