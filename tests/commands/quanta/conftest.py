"""The steps to quanta on the tiny model, each fixture one further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.commands.quanta.words import TEXTS, write_corpus


@pytest.fixture
def corpus(do: Any, tiny_files: Path, tmp_path: Path) -> Any:
    """`do`, with the tiny model and the corpus `words` in session `s`."""
    do("session.new s", None)
    do(f"model.load {tiny_files / 'model'} device=cpu")
    do(f"corpus.import {write_corpus(tmp_path / 'words.jsonl', TEXTS)} name=words")
    return do


@pytest.fixture
def taken(corpus: Any) -> Any:
    corpus("quanta.losses words")
    return corpus


@pytest.fixture
def similar(taken: Any) -> Any:
    taken("quanta.select threshold=100 filter=none n=24 skip=3")
    taken("quanta.similarity pairs=10")
    return taken


@pytest.fixture
def clustered(similar: Any) -> Any:
    similar("quanta.cluster n_clusters=4 sweep=2 sweep=8 seeds=1")
    return similar
