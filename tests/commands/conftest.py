"""What several files of tests of the verbs begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import tiny


@pytest.fixture
def wins(loaded: Any, tmp_path: Path) -> Any:
    """`do` in a session with the stimulus set `wins`."""
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    return loaded
