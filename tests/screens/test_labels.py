"""Rows of the Labels screen: scores with their baselines, blind mode, where a label is from."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.feature_text import card_lines
from screens.labels import HIDDEN, LabelsPage, _best, _origin, _row, _score_line
from screens.widgets.lines import Lines, cell_text
from tests.screens.stage import play, press, recorded, reply_to, text_of
from workbench.engine.fake import FakeEngine


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
    assert _best([score()]) == "0.90 offline"
    assert _best([score(), score("claude-haiku-5-5", 0.7)]) == "0.70"
    assert _best([]) == ""


def test_blind_mode_hides_the_text_the_score_and_the_source() -> None:
    assert cells(ITEM) == ["#7", "won · [red]prize[/red]", "0.90 offline", "offline", "suggested", "3"]
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
