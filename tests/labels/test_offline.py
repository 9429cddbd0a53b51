"""The offline labeller: the words that stand out under a feature, with no model and no key."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labels.windows import window
from workbench.labels.offline import WORDS, log_odds, suggest
from workbench.labels.windows import ExplainWindows
from workbench.labels.words import lemma, near, words_of

NOUNS = ["dog", "cat", "tree", "house", "river", "stone", "lamp", "road", "bird", "cup"]
CORPUS = [f"the {NOUNS[n % 10]} stood near the {NOUNS[n % 7]} and the {NOUNS[n % 3]} was old" for n in range(300)]


def explain(texts: list[str], corpus: list[str] | None = None) -> ExplainWindows:
    contrast = tuple(window(text) for text in corpus or CORPUS)
    return ExplainWindows(tuple(window(text) for text in texts), (), contrast)


def test_what_stands_everywhere_loses_by_the_contrast() -> None:
    texts = [f"the {NOUNS[n % 10]} and the {NOUNS[n % 7]} won the prize near the lamp" for n in range(40)]
    found = suggest(explain(texts))
    assert found is not None
    named = found.text.split(" · ")
    assert {"won", "prize"} <= set(named)
    assert not {"the", "and", "near", "old"} & set(named)
    assert found.covered == 1.0


def test_forms_of_one_word_count_together_under_the_commonest() -> None:
    texts = ["the dog was winning"] * 3 + ["the dog wins now"] * 2 + ["the cat was winning here"] * 15
    found = suggest(explain(texts))
    assert found is not None
    assert found.text.split(" · ")[0] == "winning"


def test_a_name_keeps_its_capital() -> None:
    found = suggest(explain(["the dog stood near Monday"] * 20))
    assert found is not None
    assert found.text.split(" · ")[0] == "Monday"


def test_a_short_context_is_named_where_it_says_more_than_its_words() -> None:
    corpus = CORPUS + ["the cup was of stone and a road of sand"] * 60 + ["a cup and a lamp"] * 60
    found = suggest(explain([f"the {NOUNS[n % 10]} and a cup of sand" for n in range(30)], corpus))
    assert found is not None
    assert any(term in found.text.split(" · ") for term in ("cup of", "of sand"))


def test_a_feature_that_fires_as_the_corpus_reads_has_no_label() -> None:
    assert suggest(explain(CORPUS[:50])) is None


def test_at_most_a_few_terms() -> None:
    found = suggest(explain(["alpha beta , gamma . delta ; epsilon : zeta ! eta ? theta ( iota"] * 20))
    assert found is not None
    assert found.text.count("·") == WORDS - 1
    assert len(found.tokens) <= 2 * WORDS


def test_the_odds_are_those_of_the_formula() -> None:
    here, there = Counter(a=30, b=70), Counter(a=10, b=990)
    expected = math.log(30.5 / 70.5) - math.log(10.5 / 990.5) - 2 * math.sqrt(1 / 30.5 + 1 / 10.5)
    assert log_odds(here, there)["a"] == pytest.approx(expected)


def test_what_was_seen_too_seldom_is_left_out() -> None:
    assert log_odds(Counter(a=2, b=3), Counter(b=5), least=3).keys() == {"b"}


@given(st.permutations([f"the {noun} won the prize" for noun in NOUNS]))
def test_the_order_of_the_windows_means_nothing(texts: list[str]) -> None:
    assert suggest(explain(texts)) == suggest(explain(sorted(texts)))


@pytest.mark.parametrize(
    ("words", "stem"),
    [(["celebrate", "celebrated", "celebrating"], "celebrat"), (["Monday", "Mondays"], "monda"), (["won"], "won")],
)
def test_forms_of_a_word_have_one_stem(words: list[str], stem: str) -> None:
    assert {lemma(word) for word in words} == {stem}


def test_words_are_cut_at_punctuation_and_counted_with_it() -> None:
    assert words_of('He said: "I\'ll go."') == ("he", "said", ":", '"', "i'll", "go", ".", '"')


def test_no_half_word_at_the_edges_of_a_context() -> None:
    tokens = ["xan", "tipp", "e", " won", " the", " pri", "ze", " now"]
    assert near(tokens, 3, 1, 2) == " won the prize"
