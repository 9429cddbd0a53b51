"""Keys: they issue commands, go back and forward, explain themselves where they do nothing, and lose nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from commands.labels import LabelsSet
from commands.line import format_line, parse_line
from commands.session import SessionNew
from screens.app import WorkbenchApp
from screens.keys import ACTIONS, SCREENS
from screens.overlays.help import EVERYWHERE
from screens.sessions.home import HomePage
from screens.widgets.painted import Paragraph
from tests.screens.stage import (
    asked,
    play,
    press,
    recorded,
    recorded_engine,
    reply_to,
    settle,
    text_of,
    type_line,
)
from workbench.engine.fake import FakeEngine
from workbench.errors import UsageError

top = reply_to("features.list", offset=0, direction="both", sort="score", filter="")["rows"][0]["feature"]


def test_every_letter_acts_or_explains_itself_on_every_screen() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for screen in sorted(SCREENS):
            for name, key in ACTIONS.items():
                app.visit(screen)
                await settle(pilot)
                if name in ("demo", "contrast", "find", "suggest", "cancel", "check"):
                    continue  # these carry something out at once; they have their own tests
                app.status.show(message="")
                before = text_of(app)
                await press(pilot, key)
                assert text_of(app) != before or name in ("refresh", "sign", "order"), f"{key} on {screen} is silent"
                if app.line.question:
                    await press(pilot, "escape")

    play(scenario)


@pytest.mark.parametrize(("screen", "key", "reason"), [
    ("1", "l", "labels: put the cursor"), ("1", "c", "open Stimuli"), ("9", "s", "open it (4)"),
    ("3", "x", "open Jobs"),
    ("1", "C", "open Stimuli"), ("1", "x", "open Stimuli"),
    ("5", "s", "open the cluster"), ("3", "J", "open Feature"), ("4", "slash", "nothing to filter"),
])  # fmt: skip
def test_a_key_that_does_nothing_says_why(screen: str, key: str, reason: str) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, screen, key)
        assert reason in text_of(app)

    play(scenario)


def test_contrast_is_issued_from_the_set_under_the_cursor_and_shown_in_select() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "2", "c")
        assert asked(engine, "features.contrast")[0]["stimuli"] == "achievement"
        assert app.trail.here.screen == "select"
        assert ":features.contrast achievement" in text_of(app)

    play(scenario, engine=engine)


def test_a_sentence_is_left_out_by_its_text_not_by_its_place() -> None:
    engine = recorded_engine()
    second = reply_to("stimuli.show", set="achievement")["rows"][1]["text"]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "2", "enter", "j", "x")
        (edit,) = asked(engine, "stimuli.edit")
        assert (edit["set"], edit["exclude"], edit["include"]) == ("achievement", [second], [])

    play(scenario, engine=engine)


def test_adding_and_rewriting_a_sentence_begin_on_the_line() -> None:
    engine = recorded_engine()
    first = reply_to("stimuli.show", set="achievement")["rows"][0]["text"]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "2", "a")
        await type_line(pilot, "It's won")
        await press(pilot, "a", "tab")
        await type_line(pilot, "we 'lost")
        await press(pilot, "e")
        await type_line(pilot, " Twice.")
        await press(pilot, "e", "enter")  # as it was: nothing to do
        added, other, rewritten = asked(engine, "stimuli.edit")
        assert (added["add"], added["category"]) == (["It's won"], "achievement")
        assert (other["add"], other["category"]) == (["we 'lost"], "failure")
        assert (rewritten["replace"], rewritten["text"]) == (first, f"{first} Twice.")
        await press(pilot, "n")
        await press(pilot, *"mine")
        assert app.line.text == "stimuli.new mine category=concept category=other"
        await press(pilot, "escape", "n", "enter")
        assert "name" in app.line.error  # without one there is no set
        assert not asked(engine, "stimuli.new")

    play(scenario, engine=engine)


def test_a_warning_names_the_line_that_mends_it_as_it_is_typed_here() -> None:
    exchanges = recorded()
    for one in exchanges:
        if one["do"] == "features.contrast" and "reply" in one:
            one["reply"]["warnings"] = ["none in 'x': `workbench stimuli edit wins --category x --add TEXT`"]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "2", "c")
        assert "warning: none in 'x': :stimuli.edit wins category=x add=TEXT" in text_of(app)

    play(scenario, engine=FakeEngine(exchanges))


def test_the_check_stands_below_the_sentences_and_opens_in_full() -> None:
    warnings = reply_to("stimuli.check", set="months")["warnings"]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "2", "j")
        assert f"check: {len(warnings)} warnings (C shows all): {warnings[0][:20]}" in text_of(app)
        await press(pilot, "C")
        shown = text_of(app)
        assert "AUC" in shown and "smallest p" in shown and "stimuli.check" in shown
        assert all(warning[:30] in shown for warning in warnings)
        await press(pilot, "escape")
        assert app.trail.here.screen == "stimuli"

    play(scenario, engine=recorded_engine(), size=(120, 60))


def test_labelling_issues_a_command_with_the_feature_id() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "l")
        await type_line(pilot, "things that went well")
        assert asked(engine, "labels.set") == [{"feature": top, "text": "things that went well", "of": "features"}]
        assert ":labels.set" in text_of(app)

    play(scenario, engine=engine)


def test_finding_clusters_shows_them() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "5", "f")
        assert asked(engine, "clusters.find")
        assert "nearest by decoder cosine" in text_of(app)

    play(scenario, engine=engine)


def test_a_finished_job_cannot_be_cancelled_and_a_running_one_can() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "8", "x")  # newest first: j4 waits above it
        assert asked(engine, "engine.cancel") == [{"job": "j3"}]
        await press(pilot, "escape", "8", "G", "x")
        assert "j1 is done already" in text_of(app)

    play(scenario, engine=engine)


def test_back_and_forward_through_visited_places() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "7")
        await press(pilot, "left_square_bracket")
        assert app.trail.here.screen == "feature"
        await press(pilot, "backspace")
        assert app.trail.here.screen == "select"
        await press(pilot, "right_square_bracket")
        assert (app.trail.here.screen, app.trail.here.subject) == ("feature", top)
        await press(pilot, "right_square_bracket", "right_square_bracket")
        assert "last place visited" in text_of(app)

    play(scenario)


def test_escape_goes_one_level_back_each_time() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "question_mark")
        assert app.over == "help"
        await press(pilot, "escape")
        assert (app.over, app.trail.here.screen) == ("", "feature")
        await press(pilot, "escape")
        assert app.trail.here.screen == "select"
        await press(pilot, "escape", "escape")
        assert "q quits" in text_of(app)

    play(scenario)


def test_next_and_previous_feature_walk_the_ranking() -> None:
    rows = reply_to("features.list", offset=0, direction="both", sort="score", filter="")["rows"]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "J")
        assert rows[1]["feature"] in text_of(app)
        await press(pilot, "K", "K")
        assert rows[0]["feature"] in text_of(app)
        assert "first of the ranking" in text_of(app)

    play(scenario)


def test_sign_order_and_filter_are_queries_not_commands() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "t")
        assert "positive only" in text_of(app)
        await press(pilot, "t", "t", "o")
        assert "by effect" in text_of(app)
        await press(pilot, "o", "o", "o")
        await press(pilot, "slash")
        await type_line(pilot, "nosuchlabel")
        assert "No feature matches 'nosuchlabel'" in text_of(app)
        await press(pilot, "escape")
        assert "1 of " in text_of(app)
        assert asked(engine, "features.list")[-1]["filter"] == ""

    engine = FakeEngine([*_with_orders()])
    play(scenario, engine=engine)


def _with_orders() -> list[dict[str, Any]]:
    """The recorded answers, and the ranking again for the orders that were not recorded."""
    found = recorded()
    plain = next(item for item in found if item["do"] == "features.list" and item["params"]["offset"] == 0)
    return found + [{**plain, "params": {**plain["params"], "sort": order}} for order in ("q", "index")]


def test_the_view_is_saved_and_taken_up_again() -> None:
    engine = recorded_engine()

    async def leave(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "j", "j", "enter", "tab")
        await asyncio.sleep(0.7)
        await settle(pilot)

    play(leave, engine=engine)
    view = engine.views["demo"]
    rows = reply_to("features.list", offset=0, direction="both", sort="score", filter="")["rows"]
    assert view["screen"] == "feature"
    assert view["subject"] == rows[2]["feature"]

    again = recorded_engine()
    for exchange in again._answers.values():
        for item in exchange:
            if item["do"] == "session.show":
                item["reply"]["result"]["view"] = view

    async def back(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        text = text_of(app)
        assert rows[2]["feature"] in text
        assert "doc " in text
        await press(pilot, "escape")
        assert app.page.lines.key == rows[2]["feature"]  # type: ignore[attr-defined]

    play(back, engine=again)


def test_copy_says_which_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "9", "y")
        assert "OSC 52" in text_of(app)
        assert app.clipboard == "labels.set" or app.clipboard.split()[0] in ("labels.set", "steer.clamp")

    play(scenario)


def test_what_is_spelled_out_below_the_sessions_is_the_one_under_the_cursor() -> None:
    exchanges = recorded()
    listed = [one["reply"]["result"] for one in exchanges if one["do"] == "session.list" and "reply" in one]
    for result in listed:
        result["sessions"].reverse()  # the open session is no longer the first
    (title,) = {one["title"] for result in listed for one in result["sessions"] if one["name"] == "demo"}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        home = app.query_one(HomePage)
        assert home.lines.key == "demo"
        assert home.query_one(Paragraph).text.split("\n")[0] == title

    play(scenario, engine=FakeEngine(exchanges))


def test_q_on_home_quits() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "q")
        assert app.trail.here.screen == "home"
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running or app._exit

    play(scenario)


def test_every_binding_has_an_id_and_help_names_the_keys() -> None:
    from screens.feature.page import FeaturePage
    from screens.widgets.heatmap import Heatmap
    from screens.widgets.lines import Lines

    bindings = [binding for owner in (WorkbenchApp, FeaturePage, Heatmap, Lines) for binding in owner.BINDINGS]
    names = [binding.id for binding in bindings]  # type: ignore[union-attr]
    assert all(names)
    assert len(set(names)) == len(names)
    told = " ".join(key for key, _ in EVERYWHERE)
    assert all(key in told for key in (":", "/", "?", "[", "]", "y", "p"))


def test_another_session_shows_nothing_of_the_one_before() -> None:
    nothing = {
        **reply_to("session.show"),
        **dict.fromkeys(("model", "sae", "index", "clusters")),
        "stimuli": {},
        "view": {},
        "rankings": [],
        "steers": [],
        "log": [],
        **{"name": "fresh", "labels": 0, "notes": ""},
    }

    class Empty(FakeEngine):
        async def request(self, verb: Any, *, session: str | None, **how: Any) -> dict[str, Any]:
            if session != "fresh":
                return await super().request(verb, session=session, **how)
            if verb.dotted == "session.show":
                return {"command": "session.show", "result": nothing, "session": "fresh"}
            if verb.dotted in ("features.list", "features.show", "labels.show", "clusters.list"):
                raise UsageError("nothing here yet", "Make it.")
            return await super().request(verb, session="demo", **how)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for screen in "345":
            await press(pilot, screen)
        assert "#" in text_of(app)
        app.enter_session("fresh")
        await settle(pilot)
        for screen in "3457":
            await press(pilot, screen)
            shown = text_of(app)
            assert "discoveries" not in shown
            assert "#419" not in shown
            assert "achievement" not in shown, shown

    play(scenario, engine=Empty(recorded()), size=(120, 40))


@pytest.mark.parametrize(("name", "told"), [("demo", "a session 'demo' already"), ("a/b", "'a/b' is no name")])
def test_a_refused_name_of_a_session_stays_on_the_line(name: str, told: str) -> None:
    refusal = {"kind": "usage", "message": "'a/b' is no name", "hint": "Letters and digits."}
    answer = {"do": "session.new", "params": SessionNew(name="a/b").params(), "session": "demo", "error": refusal}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "n")
        app.line._insert(name)
        await press(pilot, "enter")
        assert app.line.question is not None
        assert (app.line.text, told in app.line.error) == (name, True)
        assert told in text_of(app)

    play(scenario, engine=FakeEngine([answer, *recorded()]))


HOSTILE = ("it's", 'say "it\'s"', "a  b", "# 1", "a\nb", "ü😀 日本", "\\ $HOME `x` !", "'", "text=x", ":", "[1]")


def test_what_the_log_shows_can_be_run_again_and_pasted() -> None:
    verbs = [LabelsSet(feature="7", text=text) for text in HOSTILE]
    exchanges = recorded()
    for one in exchanges:
        if one["do"] == "session.show":
            line = one["reply"]["result"]["log"][0]
            one["reply"]["result"]["log"] = [
                {**line, "seq": at, "line": format_line(verb)} for at, verb in enumerate(verbs, start=1)
            ]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "9", "g")
        for verb in verbs:
            await press(pilot, "enter")
            assert parse_line(app.line.text) == verb
            await press(pilot, "escape")
            app.post_message(events.Paste(f":{app.page.copyable()}\n"))
            await settle(pilot)
            assert parse_line(app.line.text) == verb, "pasted"
            await press(pilot, "escape", "j")
        assert """:labels.set 7 "it's\"""" in text_of(app)

    play(scenario, engine=FakeEngine(exchanges), size=(120, 40))
