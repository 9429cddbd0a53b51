"""What the app sends over the line, counted through a pseudo-terminal of 120x40."""

from __future__ import annotations

import pytest

from tests.screens.on_a_pty import Terminal

pytestmark = pytest.mark.slow

STEP, PAGE = 5_000, 15_000


def test_a_key_costs_few_bytes_and_rest_costs_none() -> None:
    with Terminal(120, 40, rows=100_000) as terminal:
        terminal.read(rest=3.0)
        counts = {}
        for screen in "234578912":
            counts[f"screen {screen}"] = terminal.press(screen)
            counts[f"step on {screen}"] = terminal.press("j")
        for name, keys in (("page", "\x1b[6~"), ("last of 100,000", "G"), ("list of commands", "p")):
            terminal.press("3")
            counts[f"screen: {name}"] = terminal.press(keys)
        terminal.press("\x1b")
        terminal.press("3")
        terminal.press("g")
        counts["screen: feature"] = terminal.press("\r")
        counts["screen: digits"] = terminal.press("v")
        counts["screen: page of heat"] = terminal.press("\x1b[6~")
        counts["step: token"] = terminal.press("\x1b[C")
        counts["step: a letter on the line"] = terminal.press(":") + terminal.press("f")
        terminal.press("\x1b")
        assert terminal.read(timeout=2.0) == b""  # nothing runs, nothing blinks

    allowed = {name: PAGE if name.startswith("screen") else STEP for name in counts}
    over = {name: count for name, count in counts.items() if count > allowed[name]}
    print(counts)
    assert not over, f"more bytes than allowed: {over} of {counts}"
    assert counts["screen: page of heat"] and counts["step: token"], "the heat was not measured"
