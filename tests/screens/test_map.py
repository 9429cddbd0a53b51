"""`m` shows the map of a ranking over the screen: a place a column, what survives in bold with a star."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.select.map_view import CELL, cell_facts, map_rows
from screens.widgets.lines import cell_text
from tests.screens.stage import assert_fits, play, press, recorded, reply_to, settle, text_of
from workbench.engine.fake import FakeEngine

TOP = reply_to("features.list", offset=0, direction="both", sort="score", filter="")["rows"][0]["feature"]


def answer(places: int = 3) -> dict[str, Any]:
    """A result of `features.map`, in the shape of docs/wire.md."""
    row = {"feature": TOP, "index": 419, "label": "", "t": [1.25, None, -30.0] + [0.5] * (places - 3),
           "effect": [0.1] * places, "p_fwer": [0.9, None, 0.001] + [1.0] * (places - 3), "q": [0.5] * places,
           }  # fmt: skip
    told = {"over": "position", "places": [str(place + 1) for place in range(places)], "sentences": [100] * places,
            "tested": 990, "undefined": 10, "discoveries": 3, "family_wise": 1, "features": [row]}  # fmt: skip
    return {"ranking": {"seq": 3, "stimuli": "achievement", "alpha": 0.05, "statistic": "welch"}, "map": told}


def engine(places: int = 3) -> FakeEngine:
    params = {"features": [], "ranking": 3, "shown": 12}  # m asks for the map of the ranking in front
    reply = {"command": "features.map", "params": params, "result": answer(places), "artifact": None, "seconds": 0.1,
             "provenance": {}, "warnings": [], "session": "demo", "figures": []}  # fmt: skip
    stored = {
        "command": "session.result",
        "params": {"line": 3},
        "result": {"line": "features.contrast x", "provenance": {}},
        "artifact": None,
        "seconds": 0.0,
        "provenance": {},
        "warnings": [],
        "session": "demo",
        "figures": [],
    }
    line = {"do": "session.result", "params": {"line": 3}, "session": "demo", "reply": stored}
    map_ = {"do": "features.map", "params": params, "session": "demo", "reply": reply}
    return FakeEngine([*recorded(), map_, line])


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


def test_the_places_scroll_with_the_cursor() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "m")
        assert "1 to 9 of 30 places" in text_of(app)
        assert "›1 " in text_of(app).split("\n")[1]
        await pilot.press(*["right"] * 10, "left")
        await settle(pilot)
        assert "3 to 11 of 30 places" in text_of(app)
        assert "›10" in text_of(app).split("\n")[1]
        assert_fits(app)
        await pilot.press(*["L"] * 40)
        await settle(pilot)
        assert "22 to 30 of 30 places" in text_of(app)
        await pilot.press(*["H"] * 40)
        await settle(pilot)
        assert "1 to 9 of 30 places" in text_of(app)

    play(scenario, engine=engine(30))


def test_w_explains_the_cell_under_both_cursors() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "m", "right", "right")
        before = text_of(app).split("\n")[1:22]
        await press(pilot, "w")
        assert "at position 3" in text_of(app)
        await press(pilot, "question_mark", "escape", "escape")
        assert (app.over, text_of(app).split("\n")[1:22]) == ("map", before)  # the cell that was asked about
        await press(pilot, "escape")
        assert (app.over, app.trail.here.screen) == ("", "select")

    play(scenario, engine=engine())
    row = dict(cell_facts(answer(), TOP, 2))
    assert row["observed"].startswith("t -30.0")
    assert row["fwer"].startswith("0.001: by the largest value of all 990 cells")
    assert dict(cell_facts(answer(), TOP, 1))["observed"].startswith("t –")


def test_only_what_survives_has_a_star_and_what_is_undefined_a_dash() -> None:
    _, row = map_rows(answer(), 9)
    assert [cell_text(cell).strip() for cell in row.cells] == ["#419", "1.2", "–", "-30*"]


def test_a_small_number_fits_its_cell_without_an_exponent() -> None:
    found = answer()
    found["map"]["features"][0]["t"] = [-0.08, 0.004, 99.95]
    _, row = map_rows(found, 9)
    texts = [cell_text(cell) for cell in row.cells[1:]]
    assert texts[0] == "-0.08 "
    assert all(len(text) <= CELL for text in texts)
    assert not any("e" in text for text in texts)
