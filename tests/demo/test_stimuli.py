"""The shipped stimulus sets: their sizes, distinct sentences, no length to go by, one distribution under null."""

import json

import numpy as np
import pytest

import workbench.demo as demo
from workbench.demo import lexicon
from workbench.demo.measure import auc
from workbench.demo.stimulus_sets import equal_lengths, stimulus_sets

NAMES = ("achievement", "weekdays", "months", "two-by-two", "null")


@pytest.fixture(scope="module")
def sets():
    return {name: json.loads((demo.stimuli_dir() / f"{name}.json").read_text()) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_sentences_are_distinct_and_name_and_keys_are_there(sets, name):
    content = sets[name]
    assert content["name"] == name
    assert content["description"]
    assert content["positive"] is None or content["positive"] in content["categories"]
    texts = [text for texts in content["categories"].values() for text in texts]
    assert len(set(texts)) == len(texts)
    assert all(text == text.strip() and text for text in texts)


def test_the_sets_have_their_sizes(sets):
    sizes = {name: [len(texts) for texts in sets[name]["categories"].values()] for name in NAMES}
    assert sizes["achievement"] == [50, 50]
    assert sizes["weekdays"] == [7] * 7
    assert sizes["months"] == [12] * 12
    assert sizes["two-by-two"] == [24] * 4
    assert sizes["null"] == [48, 48]


def test_every_word_is_a_token_of_the_demo(sets, tokenizer):
    for content in sets.values():
        for texts in content["categories"].values():
            for text in texts:
                spelled = [token for token in tokenizer.encode(text).tokens if len(token) == 1 and token.isalpha()]
                assert set(spelled) <= {"A", "I"}


def test_length_does_not_tell_achievement_from_failure(sets):
    categories = sets["achievement"]["categories"]
    lengths = np.array([[len(text)] for texts in categories.values() for text in texts], dtype=float)
    assert auc(lengths, np.arange(100) < 50)[0] == pytest.approx(0.5, abs=0.02)


def test_equal_lengths_pairs_texts_of_one_length_once():
    assert equal_lengths(["aa", "b", "cc"], ["xx", "y", "zz"], 3) == [("aa", "xx"), ("b", "y"), ("cc", "zz")]
    with pytest.raises(ValueError, match="only 1 of 2"):
        equal_lengths(["aa", "bb"], ["xx"], 2)


def test_steering_words_are_the_planted_ones(sets):
    steering = sets["achievement"]["steering"]
    assert len(steering["prompts"]) >= 3
    assert set(steering["raise"]) == set(lexicon.GLAD)
    assert set(steering["lower"]) == set(lexicon.SAD)


def test_the_factors_of_two_by_two_are_crossed(sets):
    factors = sets["two-by-two"]["factors"]
    assert set(factors) == set(sets["two-by-two"]["categories"])
    assert len({tuple(sorted(levels.items())) for levels in factors.values()}) == 4
    assert all(set(levels) == {"outcome", "topic"} for levels in factors.values())


def test_a_trained_sentence_is_not_drawn():
    free = stimulus_sets(5, frozenset())
    taken = frozenset(free["achievement"]["categories"]["achievement"][:5])
    again = stimulus_sets(5, taken)
    assert not taken & set(again["achievement"]["categories"]["achievement"])


@pytest.mark.slow
def test_the_recipe_draws_the_shipped_sets_and_none_was_trained_on(sets):
    from workbench.demo.build import Recipe, trained_sentences

    recipe = Recipe()
    trained = trained_sentences(recipe.model)
    assert stimulus_sets(recipe.stimulus_seed, trained) == sets
    drawn = [text for texts in sets["achievement"]["categories"].values() for text in texts]
    assert not trained & set(drawn)
