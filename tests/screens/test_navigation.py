"""Getting about: jumps by number, marks, the session's lines recalled, the tour, and the investigator's own keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.keymap import Keymap, all_keys, checked, read
from screens.keys import ACTIONS
from screens.overlays import tour
from screens.places.marks import Marks
from screens.start import first_start
from tests.screens.stage import assert_fits, play, press, recorded_engine, reply_to, settle, text_of, type_line

TOP, SECOND = (row["feature"] for row in reply_to("features.list", offset=0, sort="score", filter="")["rows"][:2])
NUMBER = SECOND.rpartition("#")[2]


# --- jumps


@pytest.mark.parametrize("keys", ["number_sign", "colon"])
def test_a_number_goes_to_its_feature(keys: str) -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, keys)
        await type_line(pilot, NUMBER)
        assert app.trail.here.screen == "feature"
        assert [params["feature"] for name, params, _ in engine.asked if name == "features.show"] == [NUMBER]
        await press(pilot, "number_sign")
        await type_line(pilot, "love")
        assert "'love' is no feature: type its number" in text_of(app)

    play(scenario, engine=engine)


def test_the_lines_of_the_session_are_recalled() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        lines = [item["line"] for item in reply_to("session.show")["log"]]
        await press(pilot, "colon", "up")
        assert app.line.text == lines[-1]
        await press(pilot, "up")
        assert app.line.text == lines[-2]

    play(scenario)


# --- marks


def test_a_mark_goes_back_to_the_row_and_is_saved_with_the_view() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "apostrophe")
        assert "no place is marked yet" in text_of(app)
        await press(pilot, "3", "j", "M")
        await press(pilot, "full_stop")
        assert "'.' is no letter or digit" in text_of(app)
        await press(pilot, "a")
        assert f"a is Select sae#{NUMBER}: ' a goes there" in text_of(app)
        await press(pilot, "k", "enter", "M", "b", "9", "apostrophe")
        assert f"a Select sae#{NUMBER} · b Feature" in text_of(app)
        await press(pilot, "z")
        assert "there is no mark 'z': a Select" in text_of(app)
        assert app.line.question is None, "the prompt takes no further key"
        await press(pilot, "apostrophe", "a")
        assert app.trail.here.screen == "select"
        assert app.page.copyable() == SECOND
        await press(pilot, "apostrophe", "b")
        assert (app.trail.here.screen, app.trail.here.subject) == ("feature", TOP)
        app.saved_view.save_now()
        await settle(pilot)

    play(scenario, engine=engine, size=(100, 24))
    again = Marks.from_view(engine.views["demo"]["marks"])
    assert {letter: mark.screen for letter, mark in again.items()} == {"a": "select", "b": "feature"}


@pytest.mark.parametrize("saved", [
    None, 3, {"ab": ["select", "", {}]}, {"a": ["nowhere", "", {}]}, {"a": ["select", 1, {}]}, {"a": "select"},
    {"a": ["select", "", None]},
])  # fmt: skip
def test_damaged_marks_are_passed_over(saved: Any) -> None:
    assert Marks.from_view(saved) == {}


# --- the tour


def test_every_card_fits_and_the_last_gives_the_screen_back() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "colon")
        await type_line(pilot, "tour")
        for card, (title, points) in enumerate(tour.CARDS, start=1):
            shown = " ".join(text_of(app).split())
            assert f"{title} ({card} of {len(tour.CARDS)})" in shown
            assert points[-1][1].split()[-1] in shown, "the end of the card is out of sight"
            assert_fits(app)
            await press(pilot, "enter")
        assert app.over == ""

    play(scenario)


def test_the_tour_begins_a_first_start_and_is_left_by_any_key_that_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CONFIG", str(tmp_path / "config"))
    assert first_start(None, None)
    assert not first_start("demo", None)
    assert not first_start(None, "user@box")

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app._tour = True
        app.greet()
        await settle(pilot)
        assert "What this is (1 of 6)" in text_of(app)
        await press(pilot, "3")
        assert "discoveries" in text_of(app)
        app.greet()
        await settle(pilot)
        assert app.over == "", "it is not shown twice"

    play(scenario)
    assert not first_start(None, None), "never again after"


def test_a_settings_folder_that_cannot_be_written_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("a file where the folder should be")
    monkeypatch.setenv("WORKBENCH_CONFIG", str(tmp_path / "config"))
    tour.note_seen()
    assert not tour.was_seen()


# --- the investigator's own keys


def keymap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Keymap:
    monkeypatch.setenv("WORKBENCH_CONFIG", str(tmp_path))
    (tmp_path / "keys.toml").write_text(text)
    return read()


def test_own_keys_are_obeyed_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = keymap(tmp_path, monkeypatch, 'act.label = "Z"\n[lines]\ndown = "down,N"\n')
    assert own == Keymap({"act.label": "Z", "lines.down": "down,N"}, [])

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.keymap = own
        app.set_keymap(own.keys)
        await press(pilot, "3", "N")
        assert app.page.copyable() == SECOND
        await press(pilot, "j")
        assert app.page.copyable() == SECOND, "the usual key is free"
        assert "Z label" in text_of(app)
        await press(pilot, "Z")
        assert f"label #{NUMBER}:" in text_of(app)
        await press(pilot, "escape", "question_mark")
        assert "down N" in text_of(app)

    play(scenario, size=(100, 50))


@pytest.mark.parametrize(("text", "problem", "kept"), [
    ('act.lable = "Z"', "keys.toml: there is no action 'act.lable'; did you mean act.label?", {}),
    ('act.label = "j"', "keys.toml: j of act.label is the key of lines.down; act.label stays l", {}),
    ('act.label = "s"', "keys.toml: s of act.label is the key of act.steer; act.label stays l", {}),
    ('lines.down = "l"', "keys.toml: l of lines.down is the key of act.label; lines.down stays", {}),
    ('act.label = "lll"', "keys.toml: 'lll' of act.label is no key", {}),
    ("act.label = 3", "keys.toml: 3 of act.label is no key", {}),
    ("act.label = ", "keys.toml: Invalid value", {}),
    ('act.label = "s"\nact.steer = "l"', "", {"act.label": "s", "act.steer": "l"}),
    ('heat.down = "n"', "n of heat.down is the key of act.new", {}),
    ('heat.digits = "space"', "", {"heat.digits": "space"}),
])  # fmt: skip
def test_what_cannot_be_obeyed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, problem: str, kept: dict[str, str]
) -> None:
    own = keymap(tmp_path, monkeypatch, text)
    assert own.keys == kept
    assert bool(own.problems) == bool(problem)
    if problem:
        assert problem in own.problems[0]


def test_a_key_whose_sign_has_another_name_is_told_anew_too() -> None:
    own = Keymap({"app.filter": "f2", "app.jump": "minus"})
    assert own.shown("/ #") == "f2 -"


def test_problems_of_the_keymap_are_shown_at_the_start() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.keymap = Keymap({}, ["keys.toml: there is no action 'act.lable'; did you mean act.label?"])
        app.greet()
        await settle(pilot)
        assert "there is no action 'act.lable'" in text_of(app)

    play(scenario)


def test_the_usual_keys_do_not_clash_among_themselves() -> None:
    usual = all_keys()
    assert {f"act.{name}" for name in ACTIONS} <= usual.keys()
    assert checked(dict(usual), Path("keys.toml")).problems == []
