"""Keys that once did nothing, or said nothing: they act, or say why not."""

from __future__ import annotations

from rich.cells import cell_len
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.overlays.help import EVERYWHERE
from tests.screens.stage import play, press, recorded_engine, text_of
from tests.screens.test_labels import Listening, recorded

RATED = {"labels.rate": {"feature": "", "rating": 2, "label": "", "concept": "", "blind": True, "before": None}}


def test_a_key_that_nothing_hears_says_so() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "v")
        assert "v shows heat levels as digits on the sentences of a feature" in text_of(app)
        await press(pilot, "z")
        assert "z does nothing here: ? names the keys" in text_of(app)

    play(scenario, engine=recorded_engine(), size=(120, 40))


def test_undo_names_the_line_that_it_would_take_back() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        last = [line for line in app.summary["log"] if line["outcome"] == "ok" and not line["withdrawn"]][-1]
        await press(pilot, "3", "u")
        assert app.line.text == f"session.undo {last['seq']}"
        assert f"enter takes back line {last['seq']}: {last['line'][:40]}" in text_of(app)

    play(scenario, engine=recorded_engine(), size=(120, 40))


def test_in_blind_mode_a_feature_is_rated_where_it_is_read() -> None:
    engine = Listening(recorded(), RATED)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "4", "S")
        assert "in blind mode" in text_of(app)
        await press(pilot, "7", "g", "B", "enter", "S", "2", "enter")
        (verb,) = [verb for verb in engine.heard_verbs if verb.dotted == "labels.rate"]
        assert (verb.feature, verb.of, verb.rating, verb.blind) == (app.trail.here.subject, "features", 2, True)
        assert not app.blind.hides("features", int(verb.feature.rpartition("#")[2]))

    play(scenario, engine=engine)


def test_a_suggestion_of_which_nothing_came_is_told() -> None:
    row = {"index": 3, "windows": 20, "text": "", "tokens": [], "status": "nothing stands out"}
    engine = Listening(recorded(), {"labels.suggest": {"of": "clusters", "labels": [row]}})

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "5", "g", "a")
        assert "cluster 3: nothing stands out" in text_of(app)

    play(scenario, engine=engine)


def test_the_lines_of_help_fit_eighty_columns() -> None:
    assert [meaning for _, meaning in EVERYWHERE if cell_len(meaning) > 80 - 22] == []
