"""Rankings: best first, undefined never ranked, ties said, every number one that JSON can say."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.features.rankings import NUMBERS, STATUSES, Ranking, holding, plain

NAN = math.nan


def ranking(scores: list[float], effects: list[float] | None = None, q: list[float] | None = None) -> Ranking:
    """A ranking with these scores; NaN is undefined."""
    score = np.array(scores, dtype=np.float64)
    numbers = {name: np.where(np.isnan(score), np.nan, 0.5) for name in NUMBERS}
    numbers["score"] = score
    numbers["effect"] = score if effects is None else np.array(effects)
    numbers["q"] = numbers["q"] if q is None else np.array(q)
    return Ranking("m/s/sae", numbers, np.where(np.isnan(score), "constant", "ok"))


def test_the_largest_size_comes_first_whatever_its_sign() -> None:
    assert ranking([1.0, -3.0, 2.0]).order().tolist() == [1, 2, 0]


def test_undefined_features_are_in_no_order() -> None:
    found = ranking([NAN, 1.0, NAN, 2.0])
    for sort in ("score", "effect", "q", "index"):
        assert sorted(found.order(sort).tolist()) == [1, 3]


def test_an_undefined_feature_has_a_status_and_no_numbers() -> None:
    (row,) = ranking([NAN, 1.0]).rows(np.array([0]))
    assert row["status"] == "constant"
    assert row["rank"] is None
    assert all(row[name] is None for name in NUMBERS)
    assert row["tie"] is False


def test_an_infinite_separation_is_first_and_json_can_say_it() -> None:
    found = ranking([5.0, math.inf, -math.inf, NAN])
    rows = found.rows(found.order())
    assert [row["index"] for row in rows] == [1, 2, 0]
    assert [row["score"] for row in rows[:2]] == [sys.float_info.max, -sys.float_info.max]
    assert [row["tie"] for row in rows] == [True, True, False]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_infinite_scores_are_ordered_by_effect() -> None:
    found = ranking([math.inf, math.inf, -math.inf], effects=[0.1, 0.3, -0.2])
    assert found.order().tolist() == [1, 2, 0]


def test_ties_are_said_and_ordered_by_number() -> None:
    found = ranking([2.0, 1.0, -2.0 * (1 + 1e-12), 3.0], effects=[1.0, 1.0, 1.0, 1.0])
    rows = found.rows(np.arange(4))
    assert [row["tie"] for row in rows] == [True, False, True, False]
    assert ranking([1.0, 1.0, 1.0]).order().tolist() == [0, 1, 2]


def test_a_direction_leaves_only_features_of_its_sign() -> None:
    found = ranking([1.0, -3.0, 2.0, NAN, 0.0])
    assert found.order(direction="positive").tolist() == [2, 0]
    assert found.order(direction="negative").tolist() == [1]


@given(st.lists(st.integers(0, 10**7), max_size=40), st.text("0123456789", min_size=1, max_size=8))
def test_numbers_that_hold_digits_are_those_in_whose_text_they_stand(numbers: list[int], digits: str) -> None:
    found = holding(np.array(numbers, dtype=np.int64), digits)
    assert found.tolist() == [digits in str(number) for number in numbers]


@pytest.mark.parametrize("text", ["x", "4x", "", "²", "٤", "9" * 30])
def test_no_number_holds_what_is_no_digits(text: str) -> None:
    assert not holding(np.arange(50), text).any()


def test_orders_other_than_by_score() -> None:
    found = ranking([1.0, -3.0, 2.0], effects=[9.0, -1.0, 5.0], q=[0.5, 0.01, 0.01])
    assert found.order("effect").tolist() == [0, 2, 1]
    assert found.order("q").tolist() == [1, 2, 0]
    assert found.order("index").tolist() == [0, 1, 2]


def test_rows_carry_id_rank_and_label() -> None:
    rows = ranking([1.0, 2.0]).rows(np.array([1, 0]), first_rank=11, labels={1: "wins"})
    assert [(row["rank"], row["feature"], row["label"]) for row in rows] == [
        (11, "m/s/sae#1", "wins"),
        (12, "m/s/sae#0", ""),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(NAN, None), (math.inf, sys.float_info.max), (-math.inf, -sys.float_info.max), (0.0, 0.0), (np.float32(0.5), 0.5)],
)
def test_numbers_are_what_json_can_hold(value: float, expected: float | None) -> None:
    assert plain(value) == expected


scores = st.lists(st.one_of(st.floats(-9, 9), st.sampled_from([NAN, math.inf, -math.inf, 1.0, -1.0])), max_size=30)


@given(scores)
def test_every_defined_feature_is_ranked_once_and_sizes_never_rise(values: list[float]) -> None:
    found = ranking(values)
    order = found.order()
    assert sorted(order.tolist()) == [index for index, value in enumerate(values) if not math.isnan(value)]
    sizes = [abs(values[index]) for index in order]
    assert sizes == sorted(sizes, reverse=True)


@given(scores)
def test_a_rank_is_the_place_in_the_order_and_an_undefined_feature_has_none(values: list[float]) -> None:
    found = ranking(values)
    assert [found.rank(index) for index in found.order()] == list(range(1, len(found.order()) + 1))
    assert all(found.rank(index) is None for index, value in enumerate(values) if math.isnan(value))


@given(scores)
def test_a_stored_ranking_is_the_same(values: list[float]) -> None:
    found = ranking(values)
    again = Ranking.from_arrays("m/s/sae", found.arrays())
    assert again.status.tolist() == found.status.tolist()
    assert set(again.status.tolist()) <= set(STATUSES)
    assert again.rows(again.order()) == found.rows(found.order())


def test_a_one_sided_ranking_puts_the_largest_first_and_takes_its_sign_from_the_effect() -> None:
    two_sided = ranking([-9.0, 1.0, 2.0], effects=[1.0, -1.0, 3.0])
    found = Ranking(two_sided.space, two_sided.numbers, two_sided.status, one_sided=True)
    assert found.order().tolist() == [2, 1, 0]
    assert found.order(direction="positive").tolist() == [2, 0]
    assert found.order(direction="negative").tolist() == [1]
    again = Ranking.from_arrays(found.space, found.arrays())
    assert again.one_sided
    assert again.order().tolist() == [2, 1, 0]
    assert "one_sided" not in two_sided.arrays(), "stored rankings of before stay as they are"
    assert not Ranking.from_arrays(two_sided.space, two_sided.arrays()).one_sided


def test_equal_scores_of_different_sign_tie_in_a_two_sided_ranking_only() -> None:
    both = ranking([1.0, -1.0])
    assert [row["tie"] for row in both.rows(both.order())] == [True, True]
    one = Ranking(both.space, both.numbers, both.status, one_sided=True)
    assert [row["tie"] for row in one.rows(one.order())] == [False, False]
