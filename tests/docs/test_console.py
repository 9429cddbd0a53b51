"""What counts as the same output: words alike, whole numbers alike, decimals close."""

from __future__ import annotations

import pytest

from tests.docs.console import missing, says, steps

PAGE = """
```console
$ one --two 3
...
  a 1.50
$ four
```
text
```sh
$ not this
```
```console
$ five
six
```
"""


def test_commands_are_read_with_what_is_quoted_of_them() -> None:
    assert [(step.command, step.quoted) for step in steps(PAGE)] == [
        ("one --two 3", ["  a 1.50"]), ("four", []), ("five", ["six"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        ("#459 t 26.77 <1e-9", True),
        ("  #459   t 26.79   <1e-9 ", True),
        ("#458 t 26.77 <1e-9", False),
        ("#459 t 36.77 <1e-9", False),
        ("#459 t -26.77 <1e-9", False),
        ("#459 t 26.77 <1e-8", False),
        ("#459 t 26.77 <1e-9 more", False),
    ],
)
def test_numbers_are_compared(shown: str, same: bool) -> None:
    assert says("#459 t 26.77 <1e-9", shown) is same


def test_the_rest_of_a_line_may_be_left_out() -> None:
    assert says("one two ...", "one  two three")
    assert not says("one two ...", "one three two")


def test_quoted_lines_stand_in_their_order() -> None:
    assert missing(["a", "b"], "a\nx\nb\n") == []
    assert missing(["b", "a"], "a\nx\nb\n") == ["a"]
