"""Text for cells: nothing hostile reaches the terminal, and widths are kept."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.painting.text import chance, fit, in_app, number, percent, short_id, size, token_name, visible


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=40), st.integers(1, 60))
def test_fit_fills_exactly_the_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=40))
def test_visible_text_holds_no_control_character(text: str) -> None:
    shown = visible(text)
    assert all(sign.isprintable() for sign in shown)
    shown.encode("utf-8")  # no unpaired surrogate is left


def test_hostile_signs_are_spelled_out() -> None:
    assert visible("a\x1b[31mb\n\t\u202e\x00") == "a␛[31mb⏎⇥⟨202e⟩␀"


def test_markup_is_text() -> None:
    assert visible("[bold red]x[/]") == "[bold red]x[/]"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (2.3142, "2.314"), (-0.5, "-0.500"), (12.345, "12.35"), (0.0, "0.000"), (sys.float_info.max, "inf"),
     (-sys.float_info.max, "-inf"), (0.00001, "1e-05"), (1234.5, "1234.5")],
)  # fmt: skip
def test_numbers_keep_to_seven_cells(value: float | None, shown: str) -> None:
    assert number(value) == shown
    assert len(shown) <= 7


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.0123, "0.012"), (0.000999, "1e-3"), (3.2e-7, "3e-7"), (0, "<1e-9"), (1.0, "1.000")],
)
def test_chances_keep_to_six_cells(value: float | None, shown: str) -> None:
    assert chance(value) == shown


def test_percent_of_small_shares_keeps_a_digit() -> None:
    assert [percent(share) for share in (None, 0, 0.5, 0.012, 0.00004)] == ["–", "0%", "50%", "1.2%", "0.004%"]


def test_short_id_is_the_number() -> None:
    assert short_id("demo/blocks.1.hook_resid_post/sae#417") == "#417"


def test_advice_for_the_shell_becomes_a_line_of_the_app() -> None:
    assert in_app("Make one: `workbench features contrast achievement`.") == "Make one: :features.contrast achievement."
    assert in_app("See `workbench --help`.") == "See `workbench --help`."
    assert in_app("`workbench stimuli edit x --pairs order --of 'a b'`") == ":stimuli.edit x pairs=order of='a b'"
    assert in_app("Sentences to add to --category; repeat") == "Sentences to add to category=; repeat"
    assert in_app("Add --exclude-site NAME, or --top 5.") == "Add exclude_site=NAME, or top=5."
    assert in_app("unless --no-index says so; --session NAME") == "unless index=false says so; --session NAME"
    assert in_app("Repeat with --retry.") == "Repeat with retry=true."
    assert in_app("`workbench index build --dry-run`") == "`workbench index build --dry-run`"


@pytest.mark.parametrize(("token", "shown"), [(" ", "␣"), ("  ", "␣␣"), ("", ""), (" won", " won"), ("\n", "⏎")])
def test_a_token_that_is_named_is_seen(token: str, shown: str) -> None:
    assert token_name(token) == shown


@pytest.mark.parametrize(("count", "shown"), [(0, "0 B"), (999, "999 B"), (12_345, "12.3 kB"), (4_000_000, "4.0 MB")])
def test_the_size_of_a_file(count: int, shown: str) -> None:
    assert size(count) == shown
