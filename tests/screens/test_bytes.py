"""What the app sends over the line, counted through a pseudo-terminal of 120x40."""

from __future__ import annotations

import pytest

from benchmarks.terminal import ROWS, allowed, walk
from tests.screens.on_a_pty import Terminal

pytestmark = pytest.mark.slow


def test_a_key_costs_few_bytes_and_rest_costs_none() -> None:
    with Terminal(120, 40, rows=ROWS) as terminal:
        counts = walk(terminal)
        assert terminal.read(timeout=2.0) == b""  # nothing runs, nothing blinks

    over = {name: count for name, count in counts.items() if count > allowed(name, 120, 40)}
    print(counts)
    assert not over, f"more bytes than allowed: {over} of {counts}"
    assert counts["screen: page of heat"] and counts["step: token"], "the heat was not measured"
