"""Matched pairs: counted where the set names them, suggested where its order does, never taken silently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.errors import UsageError
from workbench.stimuli.pairs import find_pairs, pair_by_order
from workbench.stimuli.sets import Stimulus, StimulusSet
from workbench.stimuli.words import likeness, word_table, words_of

TOPICS = ["paris rome", "ice steam", "gold lead", "bees honey", "moon tide", "iron rust"]


def matched(order: list[int] | None = None) -> StimulusSet:
    """Two categories whose sentences share their topic; the second in another order where one is given."""
    second = [TOPICS[at] for at in order or range(len(TOPICS))]
    return StimulusSet.of("x", {"true": [f"{t} is" for t in TOPICS], "false": [f"{t} is not" for t in second]}.items())


def with_items(true: list[str], false: list[str]) -> StimulusSet:
    stimuli = [Stimulus(f"true {n}", "true", item=item) for n, item in enumerate(true)]
    return StimulusSet("x", (*stimuli, *(Stimulus(f"false {n}", "false", item=i) for n, i in enumerate(false))))


def test_whole_pairs_are_complete() -> None:
    found = find_pairs(with_items(["a", "b"], ["b", "a"]))
    assert (found.status, found.pairs, found.words("x")) == ("complete", 2, [])


def test_an_item_without_partner_has_a_status_and_a_word() -> None:
    found = find_pairs(with_items(["a", "b", "c", "c"], ["b", "a", ""]))
    assert (found.status, found.pairs, found.without) == ("incomplete", 2, 1)
    assert found.uneven == (("c", {"true": 2, "false": 0}),)
    (told,) = found.words("x")
    assert "1 items" in told and "'c': 2 in 'true', 0 in 'false'" in told and "1 sentences have no item" in told
    assert found.as_dict()["uneven"] == [{"item": "c", "sentences": {"true": 2, "false": 0}}]


def test_an_excluded_partner_leaves_an_item_uneven() -> None:
    whole = with_items(["a", "b"], ["b", "a"])
    first, *rest = whole.stimuli
    found = find_pairs(replace(whole, stimuli=(replace(first, include=False), *rest)))
    assert (found.status, found.pairs) == ("incomplete", 1)


def test_order_suggests_pairs_only_where_it_fits() -> None:
    suggested = find_pairs(matched()).suggestion
    assert suggested is not None
    assert (suggested.pairs, suggested.best) == (6, 6)
    assert suggested.likeness > suggested.otherwise
    assert "--pairs order" in find_pairs(matched()).words("x")[0]
    assert find_pairs(matched([1, 2, 3, 4, 5, 0])).suggestion is None, "the pairs are there, but not in order"
    assert find_pairs(StimulusSet.of("x", {"a": list("pqrst"), "b": list("uvwxy")}.items())).suggestion is None


def test_unequal_counts_suggest_nothing_and_cannot_be_paired_in_order() -> None:
    one_less = replace(matched(), stimuli=matched().stimuli[:-1])
    assert find_pairs(one_less).suggestion is None
    with pytest.raises(UsageError, match="true 6, false 5"):
        pair_by_order(one_less)
    assert pair_by_order(matched())["false", "gold lead is not"] == "3"


def test_likeness_is_the_weighted_share_of_common_words() -> None:
    held, words = word_table(["a b", "a b", "a c", "..."])
    assert words == ["a", "b", "c"]
    found = likeness(held)
    a, b, c = np.log1p(4 / np.array([3, 2, 1]))
    np.testing.assert_allclose(found[0], [1, 1, a / (a + b + c), 0], atol=1e-12)
    assert found[3, 3] == 0, "a sentence without words resembles nothing"


def test_words_are_letters_and_digits_of_any_script() -> None:
    assert words_of("Don't [b]STOP[/b] the 72-10 über-Straße_x!") == [
        "don't", "b", "stop", "b", "the", "72", "10", "über", "strasse", "x",
    ]  # fmt: skip
