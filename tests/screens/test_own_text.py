"""Sentences of one's own: features while one types, two sentences aligned, a key to steer."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.feature.own_text_rows import diff_sentences
from screens.painting.text import number, short_id
from screens.widgets.lines import Lines
from tests.screens.stage import assert_fits, assert_golden, play, press, recorded, reply_to, settle, text_of, type_line
from workbench.engine.fake import FakeEngine
from workbench.errors import UsageError

ONE, OTHER = "The team won the race.", "The team lost the race."
active, different = reply_to("features.activate"), reply_to("features.diff")
SIZES = ((80, 24), (120, 40))


class Typed(FakeEngine):
    """Answers every sentence on the way to the recorded ones."""

    def __init__(self) -> None:
        super().__init__(recorded())
        self.texts: list[tuple[str, ...]] = []

    async def request(self, verb: Any, **more: Any) -> dict[str, Any]:
        params = verb.params()
        if verb.dotted == "features.activate":
            self.texts.append((params["text"],))
            if "!" in params["text"]:
                raise UsageError("no exclamation", "Mend it.")
            return {"result": active}
        if verb.dotted == "features.diff":
            self.texts.append((params["text_a"], params["text_b"]))
            return {"result": different}
        return await super().request(verb, **more)


@pytest.mark.parametrize("size", SIZES)
def test_features_follow_while_one_types(size: tuple[int, int]) -> None:
    engine = Typed()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "i", "T", "h")
        assert engine.texts == [("T",), ("Th",)]
        assert short_id(active["features"][0]["feature"]) in text_of(app)
        await type_line(pilot, ONE[2:])
        assert engine.texts[-1] == (ONE,)
        text, row = text_of(app), active["features"][0]
        line = next(line for line in text.split("\n") if short_id(row["feature"]) in line and "›" in line)
        assert number(row["maximum"]) in line
        assert f"of {active['active']} that fire on its {len(active['tokens'])} tokens" in text
        assert_fits(app)
        assert_golden(app, "own-sentence")
        await press(pilot, "e")
        await type_line(pilot, OTHER)
        assert engine.texts[-1] == (ONE, OTHER)
        text = text_of(app)
        assert f"of {different['differing']} that differ" in text
        assert "max 1st" in text
        assert "max 2nd" in text
        place = next(place for place, column in enumerate(different["columns"]) if not column["same"])
        assert f" {place}  won>lost" in text  # the change is there, the maxima are those of the whole sentences
        assert_fits(app)
        assert_golden(app, "own-sentences")
        await press(pilot, "j", "s")
        feature = different["features"][1]["feature"]
        assert app.line.text == f"steer.clamp '{feature}' prompt='{ONE}' strength=1"
        await press(pilot, "escape", "enter")
        assert (app.over, app.trail.here) == ("", type(app.trail.here)("feature", feature))

    play(scenario, size=size, engine=engine)


def test_one_question_at_a_time_and_an_error_stands_where_the_features_would() -> None:
    engine = Typed()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "i", "exclamation_mark")
        assert "no exclamation" in text_of(app)
        await press(pilot, "backspace", "a")
        assert "no exclamation" not in text_of(app)
        await press(pilot, "escape", "escape")
        assert app.over == ""

    play(scenario, engine=engine)


def test_a_line_is_shown_there_with_its_sentences() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command(f"features.diff '{ONE}' '{OTHER}'")
        await press(pilot, "enter")
        await settle(pilot)
        assert app.over == "try"
        for fact in (ONE, OTHER, f"of {different['differing']} that differ"):
            assert fact in text_of(app)

    play(scenario)


def test_help_explains_the_page_and_gives_it_back() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command(f"features.diff '{ONE}' '{OTHER}'")
        await press(pilot, "enter", "question_mark")
        assert "the tokens are aligned" in " ".join(text_of(app).split())
        await press(pilot, "escape")
        assert app.over == "try"
        assert f"of {different['differing']} that differ" in text_of(app)

    play(scenario)


def test_a_token_that_one_sentence_has_not_leaves_a_gap() -> None:
    columns = [
        {"a": 0, "b": 0, "token_a": "we", "token_b": "we", "same": True},
        {"a": None, "b": 1, "token_a": None, "token_b": " all", "same": False},
    ]
    item = {"values_a": [1.0, None], "values_b": [0.5, 2.0], "maximum_a": 1.0, "maximum_b": 2.0}
    first, second = diff_sentences({"columns": columns}, item)
    assert first.tokens == ("we", "·   ")
    assert first.values == (1.0, 0.0)
    assert (second.tokens, second.values) == (("we", " all"), (0.5, 2.0))


class Turning(Typed):
    """Other features lead with every letter: the order is that of the recorded ones, turned by their number."""

    async def request(self, verb: Any, **more: Any) -> dict[str, Any]:
        result = (await super().request(verb, **more))["result"]
        if verb.dotted not in ("features.activate", "features.diff"):
            return {"result": result}
        by = len(self.texts) % len(result["features"])
        return {"result": {**result, "features": [*result["features"][by:], *result["features"][:by]]}}


@pytest.mark.parametrize("key", ["i", "e"])
def test_the_cursor_stays_at_the_top_until_it_is_moved_and_then_follows_its_feature(key: str) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        lines = app.query_one("#own-features", Lines)
        await press(pilot, "i", "T", "enter")
        if key == "e":
            await press(pilot, "e")
        else:
            await press(pilot, "i")
        await press(pilot, "h", "e", "y")
        shown = different if key == "e" else active
        leading = lines.key_at(0)
        assert leading != shown["features"][0]["feature"]
        assert (lines.cursor, lines.key) == (0, leading)
        await press(pilot, "enter", "j")
        followed = lines.key
        assert followed != leading
        await press(pilot, key, "a")
        assert lines.key == followed
        assert lines.cursor == 0  # the next one leads by now

    play(scenario, engine=Turning())
