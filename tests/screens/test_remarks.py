"""Tags and notes that are typed on the Feature screen."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from commands.features import TAG
from screens.app import WorkbenchApp
from screens.feature import remarks
from tests.screens.stage import asked, assert_fits, play, press, recorded, recorded_engine, reply_to, text_of, type_line
from workbench.engine.fake import FakeEngine
from workbench.verbs import Verb

rows = reply_to("features.list", offset=0, direction="both", sort="score", filter="")["rows"]
FEATURE = rows[0]["feature"]


class Marking(FakeEngine):
    """Keeps tags and notes as the engine does, and shows them with the feature."""

    def __init__(self, tags: list[str], note: str = "") -> None:
        super().__init__(recorded())
        self.tags, self.note = tags, note

    async def request(self, verb: Verb, **options: Any) -> dict[str, Any]:
        params = verb.model_dump()
        if verb.dotted == "features.tags":
            return {"result": {"tags": [{"tag": "winning", "features": 3}, {"tag": "weak", "features": 1}]}}
        if verb.dotted == "features.tag":
            kept = [tag for tag in self.tags if tag != params["tag"]]
            self.tags = kept if params["remove"] else sorted([*kept, params["tag"]])
        elif verb.dotted == "features.note":
            self.note = params["text"]
        if verb.dotted in ("features.tag", "features.note"):
            self.asked.append((verb.dotted, params, "demo"))
            return {"result": {}, "seconds": 0.0, "session": "demo"}
        reply = await super().request(verb, **options)
        if verb.dotted == "features.show":
            reply = {**reply, "result": {**reply["result"], "tags": self.tags, "note": self.note}}
        return reply


def test_t_puts_tags_on_and_takes_them_off() -> None:
    engine = Marking(["old"])

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter")
        assert "T tag  n note" in text_of(app), "the foot names the keys"
        await press(pilot, "T")
        assert "has old; -NAME takes one off; tab: winning, weak" in text_of(app)
        await press(pilot, "w", "e", "tab", "comma")
        await type_line(pilot, " -old")
        assert asked(engine, "features.tag") == [
            {"feature": FEATURE, "tag": "weak", "remove": False},
            {"feature": FEATURE, "tag": "old", "remove": True},
        ]
        line = next(line for line in text_of(app).split("\n") if line.startswith(" tags"))
        assert line.split() == ["tags", "weak"]
        assert_fits(app)

    play(scenario, engine=engine)


def test_what_is_no_tag_and_what_it_has_not_is_refused() -> None:
    engine = Marking([])

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "T")
        await type_line(pilot, "a/b")
        assert "'a/b' is no tag: letters and digits" in text_of(app)
        await press(pilot, *["backspace"] * 3)
        await type_line(pilot, "-gone")
        assert "it has no tag 'gone': none at all" in text_of(app)
        await press(pilot, "escape")
        assert not asked(engine, "features.tag")
        assert not app.line.question

    play(scenario, engine=engine)


def test_n_writes_a_note_and_an_unchanged_one_is_left_alone() -> None:
    engine = Marking([], "fires\nat ends")

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "n")
        assert "note #" in text_of(app)
        assert app.line.text == "fires at ends"
        await press(pilot, "enter")
        assert not asked(engine, "features.note")
        await press(pilot, "n")
        await type_line(pilot, " only")
        assert asked(engine, "features.note") == [{"feature": FEATURE, "text": "fires at ends only"}]
        assert "note fires at ends only" in " ".join(text_of(app).split())

    play(scenario, engine=engine)


def test_elsewhere_n_is_the_session_note_typed_as_it_is() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "n")
        await type_line(pilot, "it's about food")
        assert asked(engine, "session.note") == [{"text": "it's about food"}]

    play(scenario, engine=engine)


def test_the_rule_for_tags_is_the_verbs() -> None:
    assert f"^{remarks.TAG.pattern}$" == TAG
