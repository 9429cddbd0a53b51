"""Comparing a replay with the record: integers exact, floats within tolerance, orderings up to ties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from workbench.session.replay import compare, compare_arrays

ROWS = [
    {"feature": "s#1", "rank": 1, "score": 3.0, "q": 0.01},
    {"feature": "s#2", "rank": 2, "score": -2.0, "q": 0.02},
    {"feature": "s#3", "rank": 3, "score": 2.0, "q": 0.02},
    {"feature": "s#4", "rank": 4, "score": 1.0, "q": 0.5},
]


def fields(recorded: Any, recomputed: Any, tolerance: Any = None) -> list[str]:
    return [found.field for found in compare(recorded, recomputed, tolerance)]


def permuted(*places: int) -> list[dict[str, Any]]:
    return [{**ROWS[place], "rank": number} for number, place in enumerate(places, start=1)]


@pytest.mark.parametrize(
    ("recorded", "recomputed"),
    [(1, 1), (1.0, 1.0 + 1e-5), (0.0, 1e-7), (None, None), ("a", "a"), ([], []), ({"a": [1]}, {"a": [1]}), (3, 3.0)],
)
def test_numbers_within_the_tolerance_are_equal(recorded: Any, recomputed: Any) -> None:
    assert fields(recorded, recomputed) == []


@pytest.mark.parametrize(
    ("recorded", "recomputed"),
    [
        (1, 2), (1_000_000, 1_000_001), (1.0, 1.001), (0.0, 1e-5), (None, 0), (None, 0.0), ("a", "b"), (True, 1),
        (False, 0), ([1], [1, 2]), ({"a": 1}, {"b": 1}), (1, "1"), ([1], {"0": 1}),
    ],
)  # fmt: skip
def test_other_numbers_kinds_and_shapes_are_different(recorded: Any, recomputed: Any) -> None:
    assert fields(recorded, recomputed)
    assert fields(recomputed, recorded)


def test_a_difference_names_its_field_and_both_values() -> None:
    (found,) = compare({"rows": [{"feature": "s#1", "q": 0.1}]}, {"rows": [{"feature": "s#1", "q": 0.2}]})
    assert (found.field, found.recorded, found.recomputed) == ("result.rows[s#1].q", 0.1, 0.2)


def test_the_tolerance_of_a_field_is_its_own() -> None:
    recorded, recomputed = {"p": 0.1, "effect": 0.1}, {"p": 0.101, "effect": 0.101}
    assert fields(recorded, recomputed, {"p": (0.02, 0.0)}) == ["result.effect"]


def test_the_tolerance_of_a_list_is_that_of_its_items() -> None:
    recorded, recomputed = {"p": [0.1], "effect": [0.1]}, {"p": [0.101], "effect": [0.101]}
    assert fields(recorded, recomputed, {"p": (0.02, 0.0)}) == ["result.effect[0]"]


def test_a_missing_field_is_a_difference() -> None:
    assert fields({"a": 1, "b": 2}, {"a": 1}) == ["result.b"]


def test_a_field_that_came_with_a_later_version_is_none() -> None:
    assert fields({"a": 1}, {"a": 1, "b": None}) == []


def test_tied_rows_may_change_places() -> None:
    assert fields(ROWS, permuted(0, 2, 1, 3)) == []


def test_rows_that_do_not_tie_may_not() -> None:
    assert len(fields(ROWS, permuted(1, 0, 2, 3))) >= 1
    assert all("place" in field for field in fields(ROWS, permuted(1, 0, 2, 3)))


def test_a_changed_number_is_found_in_a_row_that_moved() -> None:
    moved = permuted(0, 2, 1, 3)
    moved[1] = {**moved[1], "q": 0.3}
    assert fields(ROWS, moved) == ["result[s#3].q"]


def test_a_missing_row_is_a_difference() -> None:
    other = [*ROWS[:2], {**ROWS[2], "feature": "s#9"}, ROWS[3]]
    assert "result[s#3]" in fields(ROWS, other)
    assert fields(ROWS, ROWS[:3]) == ["result (length)"]


def test_a_row_that_ties_with_the_last_may_fall_off_the_end_of_a_cut_list() -> None:
    recorded = ROWS[:2]
    assert fields(recorded, [ROWS[0], ROWS[2]]) == []
    assert fields(recorded, [ROWS[0], ROWS[3]]) != []


def test_words_are_compared_by_name_and_place() -> None:
    words = [{"word": "won", "before": 0.1}, {"word": "lost", "before": 0.2}]
    assert fields(words, words[::-1]) != []


@given(
    st.lists(st.tuples(st.integers(0, 99), st.floats(-5, 5, allow_nan=False)), max_size=8, unique_by=lambda row: row[0])
)
def test_a_ranking_equals_itself(pairs: list[tuple[int, float]]) -> None:
    rows = [{"feature": f"s#{index}", "score": score} for index, score in pairs]
    assert fields(rows, rows) == []


def arrays(folder: Path, **content: np.ndarray) -> Path:
    folder.mkdir(exist_ok=True)
    save_file(content, folder / "numbers.safetensors")
    return folder


def differences(tmp_path: Path, old: dict[str, Any], new: dict[str, Any], **options: Any) -> list[str]:
    one, two = arrays(tmp_path / "one", **old), arrays(tmp_path / "two", **new)
    return [found.field for found in compare_arrays(one, two, **options)]


NUMBERS = np.array([1.0, np.nan, np.inf, -np.inf])


def test_equal_arrays_with_undefined_and_infinite_numbers(tmp_path: Path) -> None:
    assert differences(tmp_path, {"x": NUMBERS}, {"x": NUMBERS}) == []


def test_a_changed_number_shows_by_how_much(tmp_path: Path) -> None:
    one, two = arrays(tmp_path / "a", x=np.array([1.0, np.inf])), arrays(tmp_path / "b", x=np.array([1.5, np.inf]))
    (found,) = compare_arrays(one, two)
    assert (found.field, found.recomputed) == ("numbers/x (largest difference)", pytest.approx(0.5))


@pytest.mark.parametrize(
    "other", [np.array([1.0, 2.0, np.inf, -np.inf]), np.array([1.0, np.nan, -np.inf, -np.inf]), np.zeros(3)]
)
def test_other_arrays_differ(tmp_path: Path, other: np.ndarray) -> None:
    assert differences(tmp_path, {"x": NUMBERS}, {"x": other})


def test_other_integers_differ(tmp_path: Path) -> None:
    assert differences(tmp_path, {"x": np.array([1, 2])}, {"x": np.array([1, 3])})
    assert differences(tmp_path, {"x": np.array([100_000])}, {"x": np.array([100_001])})


def test_missing_files_and_arrays_differ(tmp_path: Path) -> None:
    assert differences(tmp_path, {"x": NUMBERS, "y": NUMBERS}, {"x": NUMBERS}) == ["numbers/y"]
    assert differences(tmp_path, {"x": NUMBERS}, {"x": NUMBERS, "y": NUMBERS}) == []
    (tmp_path / "two" / "numbers.safetensors").unlink()
    assert [found.field for found in compare_arrays(tmp_path / "one", tmp_path / "two")] == ["numbers.safetensors"]


def test_loose_arrays_are_compared_by_their_totals(tmp_path: Path) -> None:
    one = {"values": np.array([0.1, 0.2, 0.3]), "features": np.array([1, 2, 3])}
    two = {"values": np.array([0.1, 0.5]), "features": np.array([1, 2])}
    assert differences(tmp_path, one, two, loose=("numbers",)) == []
    assert differences(tmp_path, one, {**two, "values": np.array([0.1, 0.6])}, loose=("numbers",)) != []
