"""A rating is read only where there is exactly one."""

from __future__ import annotations

import pytest

from workbench.labels import parse_rating


@pytest.mark.parametrize(
    ("reply", "rating"),
    [
        ("2", 2),
        (" 0\n", 0),
        ("Rating: 3.", 3),
        ("**1**", 1),
        ("I give it (2), since it fits.", 2),
        ("3, of 50 examples", 3),
        ("", None),
        ("none", None),
        ("4", None),
        ("12", None),
        ("2 or 3", None),
        ("2 and again 2", None),
        ("2.5", None),
        ("0,5", None),
        ("2/3", None),
        ("3/10", None),
        ("-1", None),
        ("v2", None),
        ("2nd", None),
        ("２", None),
    ],
)
def test_exactly_one_standalone_digit(reply: str, rating: int | None) -> None:
    assert parse_rating(reply) == rating
