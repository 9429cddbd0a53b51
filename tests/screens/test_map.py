"""`m` shows the map of a ranking over the screen: a place a column, what survives in bold with a star."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.map_view import map_rows
from screens.widgets.lines import cell_text
from tests.screens.stage import assert_fits, play, press, recorded, reply_to, text_of
from workbench.engine.fake import FakeEngine

TOP = reply_to("features.list", offset=0, direction="both", sort="score", filter="")["rows"][0]["feature"]


def answer(places: int = 3) -> dict[str, Any]:
    """A result of `features.map`, in the shape of docs/wire.md."""
    row = {"feature": TOP, "index": 419, "label": "", "t": [1.25, None, -30.0] + [0.5] * (places - 3),
           "effect": [0.1] * places, "p_fwer": [0.9, None, 0.001] + [1.0] * (places - 3), "q": [0.5] * places,
           }  # fmt: skip
    told = {"over": "position", "places": [str(place + 1) for place in range(places)], "sentences": [100] * places,
            "tested": 990, "undefined": 10, "discoveries": 3, "family_wise": 1, "features": [row]}  # fmt: skip
    return {"ranking": {"stimuli": "achievement", "alpha": 0.05, "statistic": "welch"}, "map": told}


def engine(places: int = 3) -> FakeEngine:
    params = {"features": [], "ranking": 3, "shown": 12}  # m asks for the map of the ranking in front
    reply = {"command": "features.map", "params": params, "result": answer(places), "artifact": None, "seconds": 0.1,
             "provenance": {}, "warnings": [], "session": "demo", "figures": []}  # fmt: skip
    return FakeEngine([*recorded(), {"do": "features.map", "params": params, "session": "demo", "reply": reply}])


def test_m_shows_the_map_and_enter_opens_its_feature() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "m")
        shown = text_of(app)
        assert "-30*" in shown
        assert "990 cells, 1 with fwer < 0.05" in shown
        assert_fits(app)
        await press(pilot, "j", "enter")
        assert app.trail.here.screen == "feature"
        assert app.trail.here.subject == TOP

    play(scenario, engine=engine())


def test_places_that_do_not_fit_are_counted() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "m")
        assert "21 places do not fit" in text_of(app)
        assert_fits(app)

    play(scenario, engine=engine(30))


def test_only_what_survives_has_a_star_and_what_is_undefined_a_dash() -> None:
    _, row = map_rows(answer(), 9)
    assert [cell_text(cell).strip() for cell in row.cells] == ["#419", "1.2", "–", "-30*"]
