"""What the investigator left is found again: a steering on J and K, the newest job first, whole names on Home."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.feature.page import FeaturePage
from screens.feature.steering import steering_facts
from screens.line.routes import show_result
from screens.painting.text import short_id, short_space
from tests.screens.stage import assert_fits, play, press, recorded, reply_to, text_of
from workbench.engine.fake import FakeEngine

FIRST, SECOND = (row["feature"] for row in reply_to("features.list", offset=0, sort="score", filter="")["rows"][:2])


def test_a_steering_is_kept_on_the_way_to_the_next_feature_and_back() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "s", "enter")
        steered = text_of(app).split("\n")[6:20]
        assert any("clamped to" in line or "control" in line for line in steered)
        await press(pilot, "J")
        assert "was not steered yet here" in text_of(app)
        assert "s writes the line with the values of the last one" in text_of(app)
        await press(pilot, "K")
        assert text_of(app).split("\n")[6:20] == steered
        await press(pilot, "w")
        assert "ln(after / before)" in " ".join(text_of(app).split())
        assert ":steer.clamp" in text_of(app)

    play(scenario)


def test_a_stored_steering_opens_with_its_own_feature() -> None:
    """The card above the pane is that of the steered feature, not of the one looked at before."""
    stored = {"seq": 8, "line": f"steer.clamp '{FIRST}' stimuli=achievement", "provenance": {}, "stale": False,
              "withdrawn": False, "warnings": [], "do": "steer.clamp", "result": reply_to("steer.clamp")}  # fmt: skip
    reply = {"command": "session.result", "params": {"line": 8}, "result": stored, "artifact": None, "seconds": 0.0,
             "provenance": {}, "warnings": [], "session": "demo", "figures": []}  # fmt: skip
    line = {"do": "session.result", "params": {"line": 8}, "session": "demo", "reply": reply}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "j", "enter")
        assert app.page.subject == SECOND
        show_result(app, {"seq": 8, "line": stored["line"]})
        await press(pilot, "g")
        assert text_of(app).split("\n")[1].startswith(f" {short_id(FIRST)} ")
        assert "control" in text_of(app)

    play(scenario, engine=FakeEngine([*recorded(), line]))


def test_r_shows_what_a_feature_steered_before_came_to() -> None:
    known, steered = recorded(), reply_to("steer.clamp")
    item = {"seq": 8, "feature": FIRST, "line": f"steer.clamp '{FIRST}' stimuli=achievement"}
    for one in known:
        if one["do"] == "session.show" and "reply" in one:
            one["reply"]["result"]["steers"] = [item]
    stored = {**item, "provenance": {}, "stale": False, "withdrawn": False, "warnings": [], "do": "steer.clamp",
              "result": steered}  # fmt: skip
    reply = {"command": "session.result", "params": {"line": 8}, "result": stored, "artifact": None, "seconds": 0.0,
             "provenance": {}, "warnings": [], "session": "demo", "figures": []}  # fmt: skip
    line = {"do": "session.result", "params": {"line": 8}, "session": "demo", "reply": reply}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter")
        app.query_one(FeaturePage).turn_pane("steer")
        await press(pilot, "g")
        told = text_of(app)
        assert "R shows the stored result" in told
        assert "not steered yet" not in told
        assert f":{item['line']}"[:60] in told
        await press(pilot, "R")
        assert "control" in text_of(app)
        assert "clamped to" in text_of(app)

    play(scenario, engine=FakeEngine([*known, line]))


def test_s_proposes_the_values_of_the_last_steering() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "s")
        asked = app.line.text
        await press(pilot, "enter", "J", "s")
        assert app.line.text == asked.replace(FIRST, SECOND).replace(" strength=1", "")  # a default is not written

    play(scenario)


def test_w_counts_the_random_features_that_a_steering_was_compared_with() -> None:
    result = reply_to("steer.clamp")
    facts = dict(steering_facts(result))
    assert f"{len(result['random_features']['draws'])} random features" in facts["control"]
    assert "no random features were asked for" in dict(steering_facts({**result, "random_features": None}))["control"]


def test_jobs_stand_newest_first_and_those_of_the_session_are_marked() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "8")
        rows = [line for line in text_of(app).split("\n") if " j" in line[:6]][1:]  # without the names
        assert [line.split()[0 if line[0] == " " else 1] for line in rows] == ["j4", "j3", "j2", "j1"]
        assert all("• demo" in line for line in rows)
        app.session = "another"
        await press(pilot, "r")
        assert "•" not in text_of(app)

    play(scenario)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_home_has_room_for_the_features_and_spells_the_session_out(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        lines = text_of(app).split("\n")
        assert all("…" not in line for line in lines[2:6])
        assert any(line.startswith(" open session demo: ") for line in lines)  # wherever the cursor is
        assert any("demo/blocks.1.resid_post/sae · example" in line for line in lines[2:6])
        assert any("demo/blocks.1.hook_resid_post/sae · changed 20" in line for line in lines)
        assert_fits(app)

    play(scenario, size=size)


def test_only_the_hook_is_left_out_of_a_name() -> None:
    assert short_space("demo/blocks.1.hook_resid_post/sae") == "demo/blocks.1.resid_post/sae"
    assert short_space("minilm") == "minilm"


def test_without_watched_words_the_tokens_that_moved_stand_first() -> None:
    """The means have nothing to tell of words that nobody named, and would fill the pane of a small terminal."""
    known = recorded()
    for one in known:
        if one["do"] == "steer.clamp" and "reply" in one:
            for prompt in one["reply"]["result"]["prompts"]:
                prompt["words"] = []

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "s", "enter")
        shown = text_of(app)
        assert "up most:" in shown
        assert "random, least" not in shown.split("up most:")[0]

    play(scenario, engine=FakeEngine(known))
