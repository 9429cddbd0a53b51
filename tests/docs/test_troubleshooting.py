"""The errors on the troubleshooting page are those that the program writes, word for word between the values."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from commands.registry import VERBS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
ERRORS = re.findall(r"^error: (.*)$", PAGE, re.MULTILINE)
SHORTEST = 8


@pytest.fixture(scope="module")
def written() -> str:
    """Every text in the source, values of f-strings as `…`, one a line."""
    found = []
    for room in ("workbench", "commands"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
                    found.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return "\n".join(found)


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_quoted_as_it_is_written(error: str, written: str) -> None:
    # the message and the hint are two texts; a value may hold anything
    pieces = [piece.strip(" .(),") for piece in re.split(r"…|(?<=[\w)])\. (?=[A-Z])", error)]
    assert any(len(piece) >= SHORTEST for piece in pieces)
    lost = [piece for piece in pieces if len(piece) >= SHORTEST and piece not in written]
    assert not lost


def test_a_wrong_quotation_would_be_found(written: str) -> None:
    assert "the disk is full (writing" in written
    assert "the disk is half full (writing" not in written


def test_every_verb_on_the_page_is_there() -> None:
    named = re.findall(r"`workbench (\w+)(?: (\w+))?", PAGE)
    known = {name.replace(".", " ") for name in VERBS} | set(VERBS)
    assert named
    assert all(" ".join(parts).strip() in known or parts[0] in known for parts in named), named
