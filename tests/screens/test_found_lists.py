"""Queries that find features are lists of features in the app: enter opens one, and `[` comes back."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.results.page import asked_by, view_of
from screens.widgets.lines import cell_text
from tests.screens.stage import assert_fits, play, press, recorded, reply_to, settle, text_of
from workbench.engine.fake import FakeEngine

SPACE = "demo/blocks.1.hook_resid_post/sae"
FIRST = f"{SPACE}#419"
MATCH = {"exact": True, "score": 1.0, "share": None, "window": None}
HITS = [
    {"feature": FIRST, "index": 419, "label": "things that went well", "density": 0.0123, "score": 1.0, "exact": True,
     "matches": [{**MATCH, "where": "label", "text": "things that went well"},
                 {**MATCH, "where": "token", "text": " won", "share": 0.41}]},
    {"feature": f"{SPACE}#7", "index": 7, "label": "", "density": None, "score": 0.5, "exact": False,
     "matches": [{**MATCH, "where": "token", "text": " wo\x1b[31mn", "exact": False, "score": 0.5, "share": 0.2}]},
]  # fmt: skip
SEARCH = {"query": "won", "by_sentence": "", "space": SPACE, "total": 57, "offset": 0, "tokens": [], "hits": HITS,
          "missing": []}  # fmt: skip
SHARED = {"space": SPACE, "sentences": 12, "controls": 36, "source": "achievement:win", "control_source": "the rest",
          "threshold": 0.0, "share": 0.8, "control_share": 0.0, "needed": 10, "allowed": 0, "active": 300, "total": 1,
          "texts": [], "rows": [
              {"feature": FIRST, "index": 419, "label": "", "count": 11, "share": 0.917, "control_count": 0,
               "control_share": 0.0, "mean": 2.5, "control_mean": 0.0, "density": 0.01, "expected": 0.11,
               "without": [3]}]}  # fmt: skip
TAGS = {"tags": [{"tag": "winning", "features": 1}], "offset": 0, "total": 1, "features": [
    {"feature": FIRST, "index": 419, "space": SPACE, "label": "", "tags": ["winning"], "note": "look", "stale": False}
]}  # fmt: skip
ASKED = {
    "features.search won": SEARCH,
    "features.common achievement": SHARED,
    "features.tags": TAGS,
    f"features.neighbours '{FIRST}'": reply_to("features.neighbours"),
}
WANTED = {
    "features.search": ("57 features for", "#419", "things that went well", "token won 41 %", "1.2%"),
    "features.common": ("in at most 0 of 36 controls", "11/12", "0/36", "11%"),
    "features.tags": ("1 tag, 1 feature", "winning", "#419", "look"),
    "features.neighbours": ("neighbours of", "by decoder cosine", "together"),
}


class Finding(FakeEngine):
    """Answers the queries above beside what was recorded, and counts them."""

    def __init__(self) -> None:
        super().__init__(recorded())
        self.found: list[str] = []

    async def request(self, verb: Any, **more: Any) -> dict[str, Any]:
        for line, result in ASKED.items():
            if line.partition(" ")[0] == verb.dotted:
                self.found.append(verb.dotted)
                return {"command": verb.dotted, "params": verb.params(), "result": result, "figures": [],
                        "artifact": None, "seconds": 0.1, "provenance": {"version": "1.0"}, "warnings": [],
                        "session": "demo"}  # fmt: skip
        return await super().request(verb, **more)


@pytest.mark.parametrize("line", list(ASKED))
@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
def test_a_query_for_features_is_a_list_whose_rows_open_the_feature(line: str, size: tuple[int, int]) -> None:
    engine = Finding()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command(line)
        await press(pilot, "enter")
        await settle(pilot)
        shown = text_of(app)
        assert app.trail.here.screen == "result"
        assert "hits[0]" not in shown
        for fact in WANTED[line.partition(" ")[0]]:
            assert fact in shown
        assert_fits(app)
        await press(pilot, "w")
        assert app.over == "why"
        await press(pilot, "escape")
        await press(pilot, "enter")
        assert app.trail.here.screen == "feature"
        assert app.trail.here.subject.startswith(f"{SPACE}#")
        await press(pilot, "left_square_bracket")
        assert app.trail.here.screen == "result"
        assert engine.found.count(line.partition(" ")[0]) == 1  # it was at hand: asked once
        await press(pilot, "escape")
        assert app.trail.here.screen == "home"

    play(scenario, size=size, engine=engine)


def test_enter_on_a_tag_opens_its_list() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command("features.tags")
        await press(pilot, "enter")
        await settle(pilot)
        await press(pilot, "g", "j", "enter")
        assert app.trail.here.subject == ":features.tags winning"
        assert "look" in text_of(app)
        await press(pilot, "escape")
        assert app.trail.here.subject == ":features.tags"

    play(scenario, engine=Finding())


def test_a_label_that_its_column_cuts_is_told_whole_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TAGS["features"][0], "label", "things that went well")  # type: ignore[index]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command("features.tags")
        await press(pilot, "enter")
        await settle(pilot)
        *rows, count = [line for line in text_of(app).split("\n") if line.strip()][:-2]
        assert "things that went well" in count
        assert any(line.startswith("›") and "things that went we…" in line for line in rows)

    play(scenario, engine=Finding())


def test_hidden_labels_stay_hidden_where_the_label_is_what_answers() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.blind.turn()
        app.open_command("features.search won")
        await press(pilot, "enter")
        await settle(pilot)
        assert "57 features" in text_of(app)
        assert "went well" not in text_of(app)
        assert "(hidden)" in text_of(app)

    play(scenario, engine=Finding())


def test_the_score_of_a_hit_has_its_unit_in_its_header() -> None:
    by_sentence = {**SEARCH, "query": "", "by_sentence": "We won."}
    for result, unit in (
        (SEARCH, "likeness"), (by_sentence, "bits"), ({**by_sentence, "missing": ["no index"]}, "activation"),
    ):  # fmt: skip
        view = view_of({"do": "features.search", "result": result}, 80)
        names = next(row for row in view.rows if row.key == "row:names")
        assert cell_text(names.cells[1]) == unit


@pytest.mark.parametrize(
    "line", [":session.undo", ":features.list", ":no.such", "features.tags", ":features.search 'x"]
)
def test_a_saved_view_can_ask_nothing_but_such_a_query(line: str) -> None:
    assert asked_by(line) is None


def test_the_query_of_a_saved_view_is_asked_again() -> None:
    verb = asked_by(":features.search won")
    assert verb is not None
    assert verb.params()["query"] == "won"
