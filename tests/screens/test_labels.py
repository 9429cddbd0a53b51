"""Rows of the Labels screen: scores with their baselines, blind mode, where a label is from."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from textual.pilot import Pilot

from screens import verbs
from screens.app import WorkbenchApp
from screens.feature.feature_text import card_lines
from screens.labels.page import HIDDEN, LabelsPage, _row
from screens.labels.text import best_score as _best
from screens.labels.text import origin as _origin
from screens.labels.text import score_line as _score_line
from screens.line.doing import request
from screens.select.page import SelectPage
from screens.widgets.lines import Lines, cell_text
from tests.screens.stage import assert_fits, assert_golden, play, press, recorded, reply_to, text_of
from tests.screens.test_why import answer as why_answer
from workbench.engine.fake import FakeEngine
from workbench.errors import UsageError, WorkbenchError


def score(scorer: str = "offline", value: float = 0.9) -> dict[str, Any]:
    number = {"value": value, "low": value - 0.05, "high": value + 0.04}
    half = {"value": 0.5, "low": 0.45, "high": 0.55}
    margin = {"value": value - 0.5, "low": value - 0.6, "high": value - 0.4}
    return {"scorer": scorer, "protocol": "detection", "negatives": "random", "accuracy": number, "margin": margin,
            "other": half, "random": half}  # fmt: skip


ITEM = {"feature": "demo/x/sae#7", "index": 7, "text": "won · [red]prize[/red]", "source": "offline", "seq": 3,
        "status": "suggested", "stale": False, "scores": [score()], "by": None}  # fmt: skip


def cells(item: dict[str, Any], blind: bool = False) -> list[str]:
    return [cell_text(cell) for cell in _row(item, blind).cells]


def test_an_offline_score_is_marked_and_a_models_comes_first() -> None:
    assert _best([score()]) == "0.90 by words"
    assert _best([score(), score("claude-haiku-5-5", 0.7)]) == "0.70"
    assert _best([]) == ""


def test_blind_mode_hides_the_text_the_score_and_the_source() -> None:
    assert cells(ITEM) == ["#7", "won · [red]prize[/red]", "0.90 by words", "offline", "suggested", "3"]
    assert cells(ITEM, blind=True) == ["#7", HIDDEN, "", "", "suggested", "3"]


def test_both_baselines_stand_beside_the_score() -> None:
    assert _score_line(score()) == (
        "offline detection, random windows: 0.90 [0.85, 0.94]; another's label 0.50, random windows 0.50; "
        "above the other +0.40 [+0.30, +0.50]"
    )


def test_who_said_it_when_and_for_how_much() -> None:
    by = {"model": "claude-haiku-5-5", "date": "2026-11-21T10:00:00Z", "prompt": "sha256:0123456789abcdef",
          "usage": {"input_tokens": 1500, "output_tokens": 20}}  # fmt: skip
    assert _origin(by) == ["by claude-haiku-5-5 on 2026-11-21, 1500 tokens in, 20 out, prompt 0123456789ab"]
    assert _origin(None) == []


def test_a_record_of_an_older_version_has_no_scores() -> None:
    old = {key: value for key, value in ITEM.items() if key not in ("scores", "by")}
    assert cells(old)[2] == ""


def test_a_label_of_ones_own_is_there_to_be_edited_and_a_suggestion_is_not() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        offered = {}
        await press(pilot, "7")
        for _ in reply_to("labels.show")["labels"]:
            item = app.query_one(LabelsPage)._items[app.query_one("#label-list", Lines).key]
            await press(pilot, "l")
            offered[item["source"]] = (app.line.text, item["text"])
            await press(pilot, "escape", "j")
        assert offered["investigator"][0] == offered["investigator"][1] != ""
        assert offered["offline"][0] == ""

    play(scenario)


def test_a_features_card_says_what_its_label_is_worth_beside_another_features() -> None:
    label = {"text": "won · prize", "source": "offline", "status": "suggested"}
    line = card_lines({"feature": "demo/x/sae#7", "label": label, "label_scores": [score(value=0.9)]}, "")[1]
    assert "".join(text for text, _ in line).endswith("offline, suggested; offline detection 0.90, another's 0.50)")
    unscored = card_lines({"feature": "demo/x/sae#7", "label": label, "label_scores": []}, "")[1]
    assert "".join(text for text, _ in unscored).endswith("(offline, suggested)")


def test_w_says_what_a_score_is_and_which_line_gave_the_label_but_not_to_the_blind() -> None:
    first = reply_to("labels.show")["labels"][0]
    params = {"line": first["seq"]}
    stored = {"line": "labels.suggest", "provenance": {"seed": 7}}
    reply = {"command": "session.result", "params": params, "result": stored, "artifact": None, "seconds": 0.0,
             "provenance": {}, "warnings": [], "session": "demo", "figures": []}  # fmt: skip
    line = {"do": "session.result", "params": params, "session": "demo", "reply": reply}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "7", "g", "w")
        shown = " ".join(text_of(app).split())
        assert "balanced accuracy of telling windows" in shown
        assert ":labels.suggest" in shown
        assert "seed 7" in shown
        await press(pilot, "escape", "B", "w")
        assert app.over == ""
        assert "w would tell them" in text_of(app)

    play(scenario, engine=FakeEngine([*recorded(), line]))


# --- what is asked, hidden, rated, compared


def replying(do: str, result: dict[str, Any], params: dict[str, Any] | None = None) -> dict[str, Any]:
    """An exchange made by hand."""
    body = {"command": do, "params": params or {}, "result": result, "artifact": None, "seconds": 0.0,
            "provenance": {}, "warnings": [], "session": "demo", "figures": []}  # fmt: skip
    return {"do": do, "params": params or {}, "session": "demo", "reply": body}


class Listening(FakeEngine):
    """Answers from a transcript, and keeps what it was asked."""

    def __init__(self, exchanges: list[dict[str, Any]], changed: dict[str, dict[str, Any]] | None = None) -> None:
        super().__init__(exchanges)
        self.heard_verbs: list[Any] = []
        self.changed = changed or {}

    async def request(self, verb: Any, **options: Any) -> dict[str, Any]:
        self.heard_verbs.append(verb)
        if verb.dotted in self.changed:
            return {**replying(verb.dotted, self.changed[verb.dotted])["reply"], "params": verb.params()}
        return await super().request(verb, **options)


def failing() -> dict[str, Any]:
    """`labels.show` with two failures of different kinds."""
    shown = reply_to("labels.show")
    first = {"feature": "demo/x/sae#12", "index": 12, "of": "features", "what": "suggest", "model": "claude-haiku-5-5",
             "error": "the language model refused. Repeat with --retry, or label it by hand.", "seq": 9}  # fmt: skip
    groups = [
        {"what": "suggest", "of": "features", "model": "claude-haiku-5-5", "protocol": None, "negatives": None,
         "count": 1},
        {"what": "score", "of": "clusters", "model": "m2", "protocol": "rubric", "negatives": "hard", "count": 1},
    ]  # fmt: skip
    return {**shown, "failed": [first], "failures": 2, "failed_groups": groups}


JOB = {"job": "j9", "do": "labels.suggest", "line": "labels.suggest labeller=anthropic", "session": "demo",
       "state": "running", "done": 420, "total": 1000, "seconds": 30.0, "detached": False, "error": None,
       "text": "asking claude-haiku-5-5 · 14.2/s · 41 s left · $0.0123 of $5 · 2 errors"}  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_queue_stands_above_the_labels_and_x_cancels_it(size: tuple[int, int]) -> None:
    engine = Listening(recorded(), {"labels.show": failing(), "engine.cancel": {"job": "j9", "state": "running"}})

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "7")
        assert not app.query_one("#label-queue").display or "420" not in text_of(app)
        app.link.heard({"event": "job", "job": JOB})
        await press(pilot, "3", "5")  # the user goes elsewhere while it runs
        app.link.heard({"event": "job", "job": {**JOB, "done": 430}})
        app.link.heard({"event": "job", "job": {**JOB, "job": "j10", "session": "another"}})
        app.link.heard({"event": "job", "job": {**JOB, "job": "j11", "do": "index.build"}})
        await press(pilot, "7")
        text = text_of(app)
        assert "430 of 1,000" in text
        assert "14.2/s" in text
        assert "2 have no answer: r asks again" in text
        assert_fits(app)
        assert_golden(app, "labels-queue")
        await press(pilot, "x")
        assert [verb.params() for verb in engine.heard_verbs if verb.dotted == "engine.cancel"] == [{"job": "j9"}]
        app.link.heard({"event": "job", "job": {**JOB, "state": "cancelled"}})
        await pilot.pause()
        assert "430 of" not in text_of(app)

    play(scenario, size=size, engine=engine)


def test_r_asks_again_for_all_that_had_no_answer_and_for_nothing_else() -> None:
    engine = Listening(recorded(), {"labels.show": failing(), "labels.suggest": {"labels": []},
                                    "labels.score": {"scores": []}})  # fmt: skip

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "7", "r")
        made = [verb for verb in engine.heard_verbs if verb.dotted in ("labels.suggest", "labels.score")]
        assert [(verb.dotted, verb.of, verb.model, verb.failed) for verb in made] == [
            ("labels.suggest", "features", "claude-haiku-5-5", True), ("labels.score", "clusters", "m2", True),
        ]  # fmt: skip
        assert made[1].protocol == ("rubric",)
        assert made[1].negatives == "hard"

    play(scenario, engine=engine)


def test_blind_mode_hides_labels_on_every_screen_until_one_is_rated() -> None:
    shown = reply_to("labels.show")["labels"]
    pages = {one["reply"]["result"]["feature"] for one in recorded() if one["do"] == "features.show"}
    place, first = next((at, item) for at, item in enumerate(shown) if item["feature"] in pages)
    rated = {"feature": first["feature"], "index": first["index"], "rating": 2, "concept": "c", "blind": True}
    engine = Listening(recorded(), {"labels.rate": rated})

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        words = [str(item["text"])[:18] for item in shown]
        await press(pilot, "7", "B")
        for screen in ("7", "3", "5"):
            await press(pilot, screen)
            assert not [text for text in words if text in text_of(app)], f"screen {screen} shows a label"
        await press(pilot, "7", "g", *["j"] * place, "enter")
        assert app.trail.here.screen == "feature"
        assert "(hidden)" in text_of(app)
        assert not [text for text in words if text in text_of(app)]
        await press(pilot, "7", "S")
        assert "achievement" in text_of(app)
        await press(pilot, "7")
        await press(pilot, "enter")
        assert "a rating is 0, 1, 2 or 3" in text_of(app)
        await press(pilot, "backspace", "2", "enter")
        (verb,) = [verb for verb in engine.heard_verbs if verb.dotted == "labels.rate"]
        assert (verb.feature, verb.rating, verb.blind, verb.concept) == (first["feature"], 2, True, "achievement")
        assert [text for text in words if text in text_of(app)] == [words[place]], "the rated one is revealed, no other"
        await press(pilot, "B")
        assert all(text in text_of(app) for text in words)

    play(scenario, engine=engine)


@pytest.mark.parametrize("screen", ["3", "5", "7"])
def test_in_blind_mode_no_filter_tells_which_hidden_labels_contain_a_word(screen: str) -> None:
    engine = Listening(recorded())

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, screen, "/", *"won", "enter")
        page: Any = app.page
        assert page.wanted == "won"
        await press(pilot, "7", "B")
        engine.heard_verbs.clear()
        await press(pilot, screen)
        assert page.wanted == "", "what a filter left before would tell them too"
        await press(pilot, "/")
        assert "what matches would tell them" in text_of(app)
        assert app.line.question is None
        assert not [verb for verb in engine.heard_verbs if getattr(verb, "filter", "")]
        await press(pilot, "7", "B", screen, "/", *"won", "enter")
        assert page.wanted == "won"

    play(scenario, engine=engine)


def test_in_blind_mode_a_search_looks_everywhere_but_in_labels() -> None:
    engine = Listening(recorded())

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.blind.turn()
        with contextlib.suppress(WorkbenchError):  # nothing of it was recorded: what is asked counts
            await request(app, verbs.FeaturesSearch(query="won"))
        (asked,) = [verb for verb in engine.heard_verbs if verb.dotted == "features.search"]
        assert asked.where == ("note", "tag", "token", "logit", "window")
        for refused in (verbs.FeaturesSearch(query="won", where=("label",)), verbs.FeaturesList(filter="won")):
            with pytest.raises(UsageError, match="labels are hidden"):
                await request(app, refused)
        assert len([verb for verb in engine.heard_verbs if verb.dotted == "features.search"]) == 1

    play(scenario, engine=engine)


@pytest.mark.parametrize("line", ["labels.compare 7", "features.why 7", "labels.score"])
def test_a_line_typed_in_blind_mode_tells_no_hidden_label(line: str) -> None:
    told = {
        "labels.compare": compared(ITEM),
        "features.why": why_answer(test={**why_answer()["test"], "label": ITEM["text"]}),
        "labels.score": {"of": "features", "scores": [{"index": 7, "text": ITEM["text"]}]},
    }

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        replies: list[dict[str, Any]] = []
        for blind in (False, True):
            app.blind.on = blind
            await app.carry_out(verbs.parse_line(line), replies.append)
        open_reply, blind_reply = (json.dumps(reply["result"], ensure_ascii=False) for reply in replies)
        assert ITEM["text"] in open_reply
        assert ITEM["text"] not in blind_reply
        app.blind.reveal("features", 7)
        await app.carry_out(verbs.parse_line(line), replies.append)
        assert replies[2]["result"] == replies[0]["result"], "what was rated is told"

    play(scenario, engine=Listening(recorded(), told))


def test_blind_mode_ends_with_no_row_in_sight_and_takes_the_neighbours_labels_along() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "tab", "tab")
        labelled = [item["label"] for item in reply_to("features.neighbours")["cosine"] if item["label"]]
        assert labelled
        assert labelled[0][:12] in text_of(app)
        await press(pilot, "7", "B", "4")
        assert labelled[0][:12] not in text_of(app)
        await press(pilot, "7")
        app.query_one("#label-list", Lines).show([])
        await press(pilot, "B")
        assert not app.blind.on

    play(scenario)


def test_a_status_is_no_suggested_label_and_a_hidden_label_neither() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3")
        page = app.query_one(SelectPage)
        for known in ({"label": "", "status": "constant"}, {"label": HIDDEN, "status": "ok"}):
            page._known[page.lines.key] = known
            await press(pilot, "l", "tab")
            assert app.line.text == ""
            await press(pilot, "escape")

    play(scenario)


def compared(item: dict[str, Any]) -> dict[str, Any]:
    by = {"model": "claude-haiku-5-5", "date": "2026-11-21T10:00:00Z", "prompt": "sha256:0123456789abcdef",
          "usage": {"input_tokens": 1500, "output_tokens": 20}}  # fmt: skip
    rows = [
        {"source": "offline", "text": item["text"], "status": "suggested", "seq": 6, "scores": [score()], "by": None},
        {"source": "claude-haiku-5-5", "text": "words of [red]joy[/red] after a win", "status": "suggested", "seq": 11,
         "scores": [score("claude-haiku-5-5", 0.83)], "by": by},
    ]  # fmt: skip
    rating = {"rating": 3, "concept": "achievement", "blind": True}
    return {"of": "features", "features": [{"feature": item["feature"], "index": item["index"], "labels": rows,
                                            "rating": rating}]}  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_labels_of_different_models_side_by_side_and_one_of_them_accepted(size: tuple[int, int]) -> None:
    first = reply_to("labels.show")["labels"][0]
    engine = Listening(recorded(), {"labels.compare": compared(first), "labels.accept": {"text": ""}})

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "7", "g", "equals_sign", "j")
        text = text_of(app)
        assert "words of [red]joy[/red] after a win" in text
        assert "0.83" in text
        assert "rated 3 of 3 against “achievement”, blind" in text
        assert "1500 tokens in" in text
        assert_fits(app)
        assert_golden(app, "labels-beside")
        await press(pilot, "A")
        (verb,) = [verb for verb in engine.heard_verbs if verb.dotted == "labels.accept"]
        assert (verb.feature, verb.source) == (first["feature"], "claude-haiku-5-5")
        assert app.over == ""
        await press(pilot, "B", "equals_sign")
        assert app.over == "", "what is hidden is not compared"

    play(scenario, size=size, engine=engine)


def test_labels_of_clusters_and_quanta_have_marks_of_their_own_and_open_there() -> None:
    rows = [
        {**ITEM, "feature": "clusters/abc#3", "of": "clusters", "index": 3},
        {**ITEM, "feature": "quanta/abc#5", "of": "quanta", "index": 5},
        {**ITEM, "feature": "clusters/old#1", "of": "clusters", "index": 1, "stale": True},
    ]
    engine = Listening(recorded(), {"labels.show": {"labels": rows, "offset": 0, "total": 3},
                                    "labels.set": {"text": "x"}})  # fmt: skip

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "7", "g")
        assert [cells(row)[0] for row in rows] == ["c3", "q5", "c1"]
        await press(pilot, "l", "x", "enter")
        (verb,) = [verb for verb in engine.heard_verbs if verb.dotted == "labels.set"]
        assert (verb.feature, verb.of, verb.text) == ("clusters/abc#3", "clusters", "x")
        await press(pilot, "enter")
        assert (app.trail.here.screen, app.trail.here.subject) == ("clusters", "3")
        await press(pilot, "7", "G", "enter")
        assert app.trail.here.screen == "labels"

    play(scenario, engine=engine)


def test_a_cluster_is_labelled_on_its_own_screen() -> None:
    done = {"labels.suggest": {"labels": []}, "labels.set": {"text": ""}, "labels.accept": {"text": ""}}
    engine = Listening(recorded(), done)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "5", "g", "a", "A", "l", "w", "o", "n", "enter")
        first = app.query_one("#cluster-list", Lines).key
        made = [verb for verb in engine.heard_verbs if verb.dotted in done]
        assert [verb.dotted for verb in made] == ["labels.suggest", "labels.accept", "labels.set"]
        assert {verb.of for verb in made} == {"clusters"}
        assert made[0].features == (first,)
        assert (made[2].feature, made[2].text) == (first, "won")

    play(scenario, engine=engine)
