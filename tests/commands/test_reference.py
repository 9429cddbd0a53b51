"""The command reference is what the registry says, and its examples are lines that the parsers take."""

from __future__ import annotations

import re
import shlex

import pytest

from commands.cli import find_verb, parse_verb
from commands.line import parse_line
from commands.reference import PLACE, reference
from commands.registry import VERBS, lookup
from commands.shell.usage import EXAMPLES, example

PAGE = PLACE.read_text("utf-8")


def test_the_page_is_written_anew_after_every_change() -> None:
    assert reference() == PAGE, "write it again: python -m commands.reference"


@pytest.mark.parametrize("name", VERBS)
def test_an_example_is_a_line_of_its_verb(name: str) -> None:
    verb, words = find_verb(shlex.split(example(name))[1:])
    assert verb is lookup(name)
    parse_verb(verb, words)


def test_the_page_shows_every_verb_with_the_same_line_for_shell_and_app() -> None:
    sections = re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
    assert [section.partition("\n")[0] for section in sections] == [name.replace(".", " ") for name in VERBS]
    for name, section in zip(VERBS, sections, strict=True):
        shell = section.partition("```sh\nworkbench ")[2].partition("\n")[0]
        verb, words = find_verb(shlex.split(shell))
        line = re.search(r"`:(.*)`$", section, re.MULTILINE)
        assert (line is None) == (verb.place == "front"), name
        assert line is None or parse_line(line[1]) == parse_verb(verb, words), name
        rows = re.findall(r"^\| `(\w+)`", section, re.MULTILINE)
        assert rows == list(lookup(name).model_fields), name


def test_no_example_is_left_of_a_verb_that_is_gone() -> None:
    assert set(EXAMPLES) <= set(VERBS)
