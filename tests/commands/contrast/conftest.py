"""Stimulus sets for a contrast on the tiny model: pairs, and two crossed factors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import tiny


@pytest.fixture
def pairs(loaded: Any, tmp_path: Path) -> Any:
    """Eight pairs, one sentence of each class alone, a target span in all but one sentence."""
    good = [{"text": text, "item": f"p{place}", "span": _span(text, "won")} for place, text in enumerate(tiny.GOOD)]
    bad = [{"text": text, "item": f"p{place}", "span": _span(text, "lost")} for place, text in enumerate(tiny.BAD)]
    good[8]["item"], bad[8]["item"] = "alone", ""
    del bad[0]["span"]
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'pairs.json', {'good': good, 'bad': bad})}")
    return loaded


@pytest.fixture
def crossed(loaded: Any, tmp_path: Path) -> Any:
    """Four cells of six: winning or losing, cats or dogs."""
    cells = {
        f"{outcome}-{animal}": [f"the {animal} {verb} {place} {thing}" for place in ("the", "a")
                                for thing in ("prize", "game", "moon")]
        for outcome, verb in (("win", "won"), ("lose", "lost")) for animal in ("cat", "dog")
    }  # fmt: skip
    factors = {name: dict(zip(("outcome", "animal"), name.split("-"), strict=True)) for name in cells}
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'cross.json', cells, factors=factors)} positive=win-dog")
    return loaded


def _span(text: str, word: str) -> list[int]:
    start = text.index(word)
    return [start, start + len(word)]
