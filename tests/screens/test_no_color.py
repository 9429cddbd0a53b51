"""NO_COLOR: no colour is sent, and heat is still told by weight, underline, reverse and digits."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.widgets.heatmap import Heatmap
from tests.screens.stage import play, press, text_of


def test_heat_is_readable_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter")
        styles: list[Style] = [
            segment.style
            for y in range(1, 6)
            for segment in app.query_one("#feature-stimuli", Heatmap).render_line(y)
            if segment.style is not None
        ]
        assert any(style.underline or style.reverse for style in styles)
        assert all(style.color is None and style.bgcolor is None for style in styles)
        digits = text_of(app).split("\n")[7].strip()
        assert set(digits) <= set("12345678 "), "levels stand as digits below the tokens"
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                assert segment.style is None or segment.style.color is None or segment.style.color.is_default

    play(scenario)
