"""A stimulus set keeps all that is known of its sentences, and what only sentences ever were keeps its digest."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from workbench.errors import UsageError
from workbench.stimuli.sets import Stimulus, StimulusSet, from_dict, shipped_set

DIGESTS = {
    "achievement": "sha256:eea8d5a9f30f178a7889893c6e852cc06c60083d74318b6d43ae3ddc247afe48",
    "months": "sha256:857fa33246ec736d0ec353df511237a6089d32e918431e4ccad3a677bed25a7c",
    "null": "sha256:f2d23bb4c58e67aeee038c5cee7f411d0a8f8fe49fd2319535e79c23bd3c3acf",
    "two-by-two": "sha256:32b668b2914ac0462fa673fd007e622cc2133bfcc85d078e9c56ea3bb79f0b89",
    "weekdays": "sha256:31a017616acb11607943c34dcbea4d138ab9d0d0f6efd40ef9f304d5c4c6e019",
}
"""As recorded in sessions made before a sentence had columns."""
FULL = Stimulus(
    "we won", "good", id="a1", factors=(("tone", "glad"),), item="1", fold="A", span=(3, 6),
    nuisances=(("frequency", 2.5),), include=False,
)  # fmt: skip
PLAIN = StimulusSet.of("x", {"good": ["we won", "we did"], "bad": ["we lost", "it failed"]}.items(), positive="good")


def with_first(**changes: object) -> StimulusSet:
    first, *rest = PLAIN.stimuli
    return replace(PLAIN, stimuli=(replace(first, **changes), *rest))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", DIGESTS)
def test_shipped_sets_keep_their_digest(name: str) -> None:
    assert shipped_set(name).digest == DIGESTS[name]


def test_every_column_survives_the_stored_form() -> None:
    found = StimulusSet("x", (FULL, *PLAIN.stimuli), "good", "d", declared=("good", "bad", "empty"))
    again = from_dict("x", json.loads(json.dumps(found.as_dict())))
    assert again.names == ("good", "bad", "empty")
    assert set(again.stimuli) == set(found.stimuli)
    assert again.everything[0] == FULL
    assert again.digest == found.digest


def test_a_plain_set_is_stored_as_it_always_was() -> None:
    assert PLAIN.as_dict() == {
        "name": "x", "description": "", "positive": "good", "steering": None,
        "categories": {"good": ["we won", "we did"], "bad": ["we lost", "it failed"]},
    }  # fmt: skip
    assert set(PLAIN.entry()) == {"name", "digest", "positive", "description", "categories", "steering"}


@pytest.mark.parametrize(
    "changes",
    [{"id": "1"}, {"item": "1"}, {"fold": "1"}, {"span": (0, 2)}, {"nuisances": (("f", 1.0),)}, {"include": False},
     {"factors": (("tone", "glad"),)}],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_every_column_counts_in_the_digest(changes: dict[str, object]) -> None:
    assert with_first(**changes).digest != PLAIN.digest


def test_excluded_sentences_are_kept_but_not_counted() -> None:
    found = with_first(include=False)
    assert found.counts == {"good": 1, "bad": 2}
    assert [text for _, text in found.rows] == ["we did", "we lost", "it failed"]
    assert [one.text for one in found.included] == [text for _, text in found.rows]
    assert [one.text for one in found.everything] == [one.text for one in PLAIN.stimuli]


def test_rows_stand_category_by_category_whatever_the_order_of_the_sentences() -> None:
    mixed = replace(PLAIN, stimuli=(PLAIN.stimuli[2], PLAIN.stimuli[0], PLAIN.stimuli[3], PLAIN.stimuli[1]))
    assert mixed.rows == PLAIN.rows
    assert mixed.digest == PLAIN.digest


def test_factors_come_from_the_categories_of_a_file() -> None:
    found = shipped_set("two-by-two")
    assert found.factors == {"outcome": ["achievement", "failure"], "topic": ["place", "food"]}
    assert all("-".join(level for _, level in one.factors) == one.category for one in found.stimuli)
    assert from_dict("y", found.as_dict()).factors == found.factors


def test_a_set_without_sentences_can_be_kept_but_not_analysed() -> None:
    empty = StimulusSet("x", (), "good", declared=("good", "bad"))
    assert empty.counts == {"good": 0, "bad": 0}
    assert from_dict("x", empty.as_dict()).names == ("good", "bad")
    with pytest.raises(UsageError, match="no sentence in category 'good'") as caught:
        empty.ready()
    assert "stimuli edit x" in caught.value.hint
    with pytest.raises(UsageError, match="fewer than two"):
        StimulusSet.of("x", [("good", ["a"])]).ready()
    assert PLAIN.ready() is PLAIN
