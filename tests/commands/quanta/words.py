"""A corpus of a few words for the tests of quanta, and the token store that becomes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests import tiny

TEXTS = [
    "the cat won the prize today", "", "a dog", "the sun lost the game again and again and again",
    "happy moon", "dark </script> dog", "the prize of the cat\nis bright", "a",
]  # fmt: skip


def write_corpus(path: Path, texts: list[str], copies: int = 6) -> Path:
    made = [f"{text} {word}".strip() if text else "" for word in ("", *tiny.WORDS[: copies - 1]) for text in texts]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in made))
    return path


def store_of(home: Path) -> Any:
    from workbench.corpus.store import open_name

    return open_name(home, "words")
