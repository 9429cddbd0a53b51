"""The Feature screen on the index: windows, neighbours, two features side by side, a held key."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.feature.feature_text import beside, corpus_sentences
from screens.feature.page import FeaturePage
from screens.painting.text import number
from screens.widgets.heatmap import Heatmap
from tests.screens.long_ranking import LongRanking
from tests.screens.stage import (
    asked,
    assert_fits,
    assert_golden,
    play,
    press,
    recorded,
    reply_to,
    settle,
    text_of,
    type_line,
)
from workbench.engine.fake import FakeEngine
from workbench.verbs import Verb

SIZES = ((80, 24), (120, 40))
rows = reply_to("features.list", offset=0, direction="both", sort="score", filter="")["rows"]
first, second = (reply_to("features.show", feature=rows[place]["feature"]) for place in (0, 1))
near = reply_to("features.neighbours")
SPACE = first["space"]


@pytest.mark.parametrize("size", SIZES)
def test_o_turns_from_the_strongest_windows_to_fifths_and_random_ones(size: tuple[int, int]) -> None:
    corpus = first["corpus"]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "o")
        assert "corpus: demo, strongest" in text_of(app)
        assert f"doc {corpus['examples'][0]['document']}" in text_of(app)
        await press(pilot, "o")
        row = corpus["quantiles"][0]
        assert "corpus: demo, by fifth" in text_of(app)
        assert f"{number(row['low'], 2)}–{number(row['high'], 2)}" in text_of(app)
        assert f"1 of {sum(len(one['examples']) for one in corpus['quantiles'])}" in text_of(app)
        assert_fits(app)
        assert_golden(app, "feature-fifths")
        await press(pilot, "o")
        assert "corpus: demo, random" in text_of(app)
        assert f"1 of {len(corpus['random'])}" in text_of(app)
        await press(pilot, "o")
        assert "corpus: demo, strongest" in text_of(app)

    play(scenario, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_neighbours_of_both_kinds_and_enter_opens_one(size: tuple[int, int]) -> None:
    engine = FakeEngine(recorded())
    closest = near["cosine"][0]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter")
        assert not asked(engine, "features.neighbours"), "neighbours are counted when they are looked at"
        await press(pilot, "tab", "tab")
        text = text_of(app)
        assert "by decoder cosine" in text
        line = next(line for line in text.split("\n") if f" #{closest['index']} " in line)
        assert number(closest["cosine"]) in line
        assert_fits(app)
        assert_golden(app, "feature-neighbours")
        await press(pilot, "G")
        last = near["coactive"][-1]
        assert f"#{last['index']} " in text_of(app)
        assert number(last["phi"]) in text_of(app)
        await press(pilot, "g", "j", "enter")
        assert asked(engine, "features.show")[-1]["feature"] == f"{near['space']}#{closest['index']}"

    play(scenario, size=size, engine=engine)


@pytest.mark.parametrize("size", SIZES)
def test_two_features_side_by_side_scroll_together(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "J", "K")
        assert app.query_one(FeaturePage).subject == first["feature"]
        await press(pilot, "equals_sign", "tab", "enter")  # tab takes the feature visited before
        assert app.over == "pair"
        text = text_of(app)
        assert first["feature"] in text
        assert second["feature"] in text
        assert_fits(app)
        assert_golden(app, "pair")
        left, right = app.query_one("#pair-left-heat", Heatmap), app.query_one("#pair-right-heat", Heatmap)
        await press(pilot, "j", "j", "j")
        assert left.cursor == right.cursor == 3
        assert left.sentence and right.sentence
        assert left.sentence.tokens == right.sentence.tokens, "one line is one sentence on both sides"
        assert left.sentence.values != right.sentence.values
        await press(pilot, "v", "o")
        assert left.digits and right.digits
        for corpus in (first["corpus"], second["corpus"]):
            assert f"doc {corpus['examples'][0]['document']}" in text_of(app)
        await press(pilot, "escape")
        assert (app.over, app.trail.here.screen) == ("", "feature")

    play(scenario, size=size)


class TwoSaes(FakeEngine):
    """Knows the same feature in another SAE, as the engine tells it: no test there, a corpus and labels of its own."""

    OTHER = f"{SPACE.rpartition('/')[0]}/other-sae#{first['index']}"

    def __init__(self) -> None:
        super().__init__(recorded())

    async def request(self, verb: Verb, **options: Any) -> dict[str, Any]:
        if verb.dotted != "features.show" or verb.params()["feature"] != self.OTHER:
            return await super().request(verb, **options)
        told = "the latest ranking is of other features: rank these with `workbench features contrast`"
        own = {"feature": self.OTHER, "space": self.OTHER.rpartition("#")[0], "label": None, "missing": [told]}
        return {"result": {**second, **own, "test": None, "ranking": None, "stimuli": None}}


@pytest.mark.parametrize("size", SIZES)
def test_the_same_feature_in_two_saes(size: tuple[int, int]) -> None:
    engine = TwoSaes()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "equals_sign")
        for key in engine.OTHER:
            app.line.press(events.Key(key, key))
        await press(pilot, "enter")
        assert app.over == "pair"
        text = text_of(app)
        assert first["feature"] in text
        assert engine.OTHER in text
        for shown in (first, second):  # sentences that only one of them was tested on say nothing of the other
            assert f"doc {shown['corpus']['examples'][0]['document']}" in text
        assert text.count("corpus, strongest") == 2
        assert_fits(app)
        assert_golden(app, "pair-two-saes")
        await press(pilot, "o", "o", "o")
        assert "the latest ranking is of other features" in " ".join(text_of(app).split())

    play(scenario, size=size, engine=engine)


def test_beside_asks_for_what_was_typed() -> None:
    engine = FakeEngine(recorded())

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "equals_sign")
        await type_line(pilot, "99999")
        assert asked(engine, "features.show")[-1]["feature"] == "99999"

    play(scenario, engine=engine)


def test_sentences_are_paired_by_their_text_in_the_first_ones_order() -> None:
    def line(text: str, value: float) -> dict[str, Any]:
        return {"category": "c", "tokens": [text], "values": [value], "pooled": value}

    left = {"name": "s", "lines": [line("a", 3.0), line("b", 2.0), line("c", 1.0)]}
    right = {"name": "s", "lines": [line("c", 9.0), line("a", 8.0)]}
    one, other = beside(left, right)
    assert [sentence.text for sentence in one] == ["a", "b", "c"]
    assert [sentence.values for sentence in other] == [(8.0,), (), (9.0,)]
    one, other = beside(left, {**right, "name": "t"})
    assert [sentence.text for sentence in other] == ["c", "a"], "other sentences are not paired"


class SlowEngine(LongRanking):
    """Answers any feature, a while after it was asked."""

    def __init__(self, rows: int, wait: float) -> None:
        super().__init__(rows)
        self.wait = wait
        self.at_once = self.most_at_once = 0

    async def request(self, verb: Verb, *, session: str | None, **more: Any) -> dict[str, Any]:
        if verb.dotted != "features.show":
            reply = await super().request(verb, session=session, **more)
            if verb.dotted == "features.list":  # each row a feature of its own
                for place, row in enumerate(reply["result"]["rows"], start=verb.params()["offset"]):
                    row["feature"] = f"{SPACE}#{1000 + place}"
            return reply
        self.asked.append((verb.dotted, verb.params(), session))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.wait)
        self.at_once -= 1
        feature = verb.params()["feature"]
        return {"result": {**first, "feature": feature, "index": int(feature.rpartition("#")[2])}}


def test_a_held_key_asks_for_few_features_and_ends_on_the_last() -> None:
    engine = SlowEngine(150, 0.2)
    begin, steps = 90, 25  # beyond the rows that were at hand

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3")
        app.visit("feature", f"{SPACE}#{1000 + begin}")
        await settle(pilot)
        page, seen = app.query_one(FeaturePage), set()
        before = len(asked(engine, "features.show"))
        for _ in range(steps):
            app.action_act("next_feature")  # as a held key does: without waiting for what it brings
            await asyncio.sleep(0.01)
            seen.add(page.shown["feature"])
        await settle(pilot)
        assert app.query_one("#ranking").cursor == begin + steps  # type: ignore[attr-defined]
        assert page.shown["feature"] == page.subject == f"{SPACE}#{1000 + begin + steps}"
        assert page.subject in text_of(app)
        assert len(asked(engine, "features.show")) - before < steps, "questions in between are left out"
        assert engine.most_at_once == 1
        assert len(seen) > 1, "features are seen while the key is held"

    play(scenario, engine=engine)


def test_without_a_ranking_features_are_walked_by_number() -> None:
    engine = SlowEngine(3, 0.0)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.visit("feature", f"{SPACE}#300")
        await settle(pilot)
        await press(pilot, "J", "J", "K")
        assert f"{SPACE}#301" in text_of(app)
        app.visit("feature", f"{SPACE}#0")
        await settle(pilot)
        await press(pilot, "K")
        assert "this is the first feature" in text_of(app)

    play(scenario, engine=engine)


def test_a_slice_says_that_it_is_one_and_remarks_are_shown() -> None:
    about = {"phrases": ["[b]victory[/b]"], "of": "sha256:1", "of_name": "demo", "share": 0.1}
    exchanges = recorded()
    for exchange in exchanges:
        if exchange["do"] == "features.show":
            exchange["reply"]["result"]["corpus"]["enriched"] = about
            exchange["reply"]["result"] |= {"tags": ["odd\x1b[31m"], "note": "fires at the end"}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter")
        assert "SLICE with [b]victory[/b] of demo" in text_of(app)
        assert "odd␛[31m" in text_of(app)
        assert "note fires at the end" in text_of(app)
        assert_fits(app)

    play(scenario, engine=FakeEngine(exchanges))


def test_each_kind_of_window_is_its_own() -> None:
    corpus = first["corpus"]
    counts = {which: len(corpus_sentences(corpus, which)) for which in ("top", "fifths", "random")}
    assert counts == {
        "top": len(corpus["examples"]),
        "fifths": sum(len(one["examples"]) for one in corpus["quantiles"]),
        "random": len(corpus["random"]),
    }
    for sentence, one in zip(corpus_sentences(corpus, "random"), corpus["random"], strict=True):
        assert sentence.value == one["values"][one["peak"]]


class Unranked(FakeEngine):
    """Knows no ranking, until there is one."""

    ranked = False

    async def request(self, verb: Verb, **more: Any) -> dict[str, Any]:
        reply = await super().request(verb, **more)
        if verb.dotted != "features.show" or self.ranked:
            return reply
        missing = ["no ranking in this session. Make one: `workbench features contrast X`."]
        without = {"stimuli": None, "test": None, "ranking": None, "missing": missing}
        return {**reply, "result": {**reply["result"], **without}}


def test_without_a_ranking_the_corpus_is_in_front_until_there_is_one_or_another_pane_is_chosen() -> None:
    engine = Unranked(recorded())
    example = first["corpus"]["examples"][0]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        page = app.query_one(FeaturePage)
        await press(pilot, "3", "enter")
        assert page.pane == "corpus"
        assert page.main.has_focus
        assert f"doc {example['document']}" in text_of(app)
        assert page.state()["pane"] == "stimuli"  # not chosen: the view that is saved does not keep it
        engine.ranked = True
        await press(pilot, "r")
        assert page.pane == "stimuli"
        engine.ranked = False
        await press(pilot, "tab", "shift+tab", "r")
        assert page.pane == "stimuli"
        assert ":features.contrast X" in text_of(app)

    play(scenario, engine=engine)
