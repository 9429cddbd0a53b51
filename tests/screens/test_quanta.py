"""The Quanta screen on recorded replies: facts, goldens at three sizes, keys, hostile tokens."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.quanta.page import QuantaPage
from screens.quanta.text import cluster_row, side_lines
from screens.stimuli.page import StimuliPage
from screens.widgets.lines import cell_text
from screens.widgets.samples import folded, sample_lines
from tests.screens.stage import assert_fits, assert_golden, play, press, text_of, type_line
from workbench.engine.fake import FakeEngine, load_transcript
from workbench.errors import MismatchError

SIZES = ((80, 24), (120, 40), (200, 60))
EXCHANGES = load_transcript(Path(__file__).parent.parent / "transcripts" / "quanta.json")


def replies(do: str, **params: Any) -> list[dict[str, Any]]:
    return [
        exchange["reply"]["result"]
        for exchange in EXCHANGES
        if exchange["do"] == do and "reply" in exchange and params.items() <= exchange["params"].items()
    ]


LISTED = replies("quanta.list", sort="size", filter="")[0]


def engine(stage: str) -> FakeEngine:
    """An engine on which everything is done, or only the losses are taken, or nothing is."""
    kept = []
    for exchange in EXCHANGES:
        if exchange["do"] == "quanta.list" and ("error" in exchange) != (stage != "clusters"):
            continue
        if exchange["do"] == "quanta.counts" and ("error" in exchange) != (stage == "nothing"):
            continue
        kept.append(exchange)
    return FakeEngine(kept)


@pytest.mark.parametrize("size", SIZES)
def test_the_list_of_clusters(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6")
        text = text_of(app)
        assert "6 clusters of 90 predictions" in text
        assert "by gradients (factored)" in text
        assert "things that stop" in text
        for item in LISTED["clusters"]:
            wanted = [str(item["cluster"]), str(item["size"]), cell(item, 2)]
            assert any(line.removeprefix("›").split()[:3] == wanted for line in text.split("\n")), wanted
        assert_fits(app)
        assert_golden(app, "quanta")

    play(scenario, size=size, engine=engine("clusters"))


def cell(item: dict[str, Any], place: int) -> str:
    return cell_text(cluster_row(item, 200).cells[place]).strip()


@pytest.mark.parametrize("size", SIZES)
def test_one_cluster_in_context(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6", "enter")
        first = LISTED["clusters"][0]["cluster"]
        shown = replies("quanta.show", cluster=first, before=60)[0]
        text = text_of(app)
        assert f"cluster {first}" in text
        assert f"document {shown['samples'][0]['document']}, token {shown['samples'][0]['position']}" in text
        assert ("nearest clusters" in text) == (size[0] >= 110)
        assert_fits(app)
        assert_golden(app, "quanta-cluster")

    play(scenario, size=size, engine=engine("clusters"))


@pytest.mark.parametrize("size", SIZES[:2])
def test_counts_follow_threshold_filter_and_skip(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6")
        assert_golden(app, "quanta-counts")
        await press(pilot, "right")
        assert f"{replies('quanta.counts', threshold=0.2, filter='present-trigram')[0]['below']:,} below" in text_of(
            app
        )
        await press(pilot, "t", "greater_than_sign")
        told = replies("quanta.counts", threshold=0.2, filter="present-bigram", skip=2)[0]
        assert f"{told['found']:,} with one in 2 taken" in text_of(app)
        assert_fits(app)
        await press(pilot, "enter")
        assert "quanta.select threshold=0.2 filter=present-bigram skip=2" in text_of(app)

    play(scenario, size=size, engine=engine("losses"))


def of_models(low: str, high: str) -> list[dict[str, Any]]:
    """What an engine with the losses of two models says of each pair, at two thresholds of the second one."""
    plain = next(one for one in EXCHANGES if one["do"] == "quanta.counts" and "reply" in one)
    made = []
    for model, other, limit in (("", "", 2.0), (low, high, 2.0), (low, high, 5.0), (high, "", 2.0)):
        one = copy.deepcopy(plain)
        one["params"] |= {"model": model, "high": other, "high_threshold": limit}
        counts = one["reply"]["result"]
        counts |= {"models": [low, high], "model": model or low, "high": other}
        counts |= {"high_threshold": limit if other else None, "left": int(4000 / limit)}
        counts["high_histogram"] = counts["histogram"] if other else None
        made.append(one)
    return made


@pytest.mark.parametrize("size", SIZES[:2])
def test_low_here_high_there(size: tuple[int, int]) -> None:
    behind = FakeEngine([*(one for one in EXCHANGES if not (one["do"] == "quanta.list" and "reply" in one)
                           and one["do"] != "quanta.counts"), *of_models("demo", "demo@early")])  # fmt: skip

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6", "h")
        text = text_of(app)
        assert "2,000 left, above 2 nats in demo@early" in text
        assert "in demo@early, of what is low" in text
        assert_fits(app)
        assert_golden(app, "quanta-pair")
        await press(pilot, "up")
        assert "800 left, above 5 nats in demo@early" in text_of(app)
        await press(pilot, "enter")
        assert "quanta.select model=demo high=demo@early high_threshold=5" in text_of(app)
        await press(pilot, "escape", "h")
        assert "predictions of demo@early" in text_of(app)

    play(scenario, size=size, engine=behind)


def test_one_model_is_no_pair() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6", "h")
        assert ":quanta.losses models=REF" in text_of(app)

    play(scenario, engine=engine("losses"))


def test_a_cluster_is_probed_and_its_stimuli_contrasted() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6", "F")
        first, second = (item["cluster"] for item in LISTED["clusters"][:2])
        assert f":features.probe quanta={first}" in text_of(app)
        await press(pilot, "escape", "g", "space", "space", "F")
        assert f":features.probe quanta={first} quanta={second}" in text_of(app)
        await press(pilot, "escape")
        app.summary = {**app.summary, "stimuli": {f"cluster-{app.page.lines.key}": {}}}  # type: ignore[attr-defined]
        await press(pilot, "c")
        assert f":features.contrast cluster-{app.page.lines.key} window=last" in text_of(app)  # type: ignore[attr-defined]

    play(scenario, engine=engine("clusters"))


def test_answers_that_do_not_fit_are_left_out_whole() -> None:
    item = {**LISTED["clusters"][0], "label": "", "answers": [["·Saturday", 12], ["·Tuesday", 3], ["x" * 60, 1]]}
    assert cell_text(cluster_row(item, 80).cells[5]) == "·Saturday 12  ·Tuesday 3"
    assert cell_text(cluster_row(item, 140).cells[5]).endswith("x 1")


def test_without_losses_the_screen_says_what_to_do() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6")
        assert ":quanta.losses" in text_of(app)
        await press(pilot, "o")
        assert "no clusters of predictions yet" in text_of(app)

    play(scenario, engine=engine("nothing"))


def test_enter_types_the_step_that_comes_next() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6")
        assert "Four steps" in text_of(app)
        for done, line in (({}, ":quanta.losses demo"), ({"losses": True, "samples": True}, ":quanta.similarity"),
                           ({"losses": True, "samples": True, "similarity": True}, ":quanta.cluster")):  # fmt: skip
            app.summary["quanta"] = done
            await press(pilot, "enter")
            assert line in text_of(app)
            await press(pilot, "escape")

    play(scenario, engine=engine("nothing"))


def test_keys_work_over_the_matrix_and_after_it() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6", "enter")
        first = app.page.subject
        await press(pilot, "m")
        assert "nearest clusters" in text_of(app)
        await press(pilot, "right")
        second = app.page.subject
        assert second != first
        await press(pilot, "escape", "left")
        assert app.page.subject == first

    play(scenario, engine=engine("clusters"))


def test_the_side_panel_beside_the_samples_is_said() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6", "enter", "m")
        assert "beside the samples already" in text_of(app)

    play(scenario, engine=engine("clusters"), size=(120, 40))


def test_clusters_that_cannot_be_shown_are_not_said_to_be_lacking() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6")
        page = app.page
        assert isinstance(page, QuantaPage)
        page.show_failure(MismatchError("the corpus 'demo' of the losses is not on this machine", "Take them again."))
        await press(pilot, "c")
        assert "no cluster is shown: the screen says why" in text_of(app)
        assert "no clusters of predictions yet" not in text_of(app)

    play(scenario, engine=engine("clusters"))


def test_arrows_go_from_cluster_to_cluster_and_escape_back_to_the_list() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        order = [str(item["cluster"]) for item in LISTED["clusters"]]
        await press(pilot, "6", "enter")
        for cluster in order[1:]:
            await press(pilot, "right")
            assert app.page.subject == cluster
        await press(pilot, "right")
        assert "this is the last cluster" in text_of(app)
        await press(pilot, "left")
        assert app.page.subject == order[-2]
        await press(pilot, "escape")
        assert f"{len(order)} clusters of" in text_of(app)

    play(scenario, engine=engine("clusters"))


def test_wider_contexts_are_asked_for() -> None:
    behind = engine("clusters")

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.visit("quanta", "1")
        await press(pilot, "greater_than_sign")
        assert [params["before"] for do, params, _ in behind.asked if do == "quanta.show"][-1] == 100

    play(scenario, engine=behind)


def test_order_filter_merge_split_and_stimuli() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6", "o")
        assert "sorted by cohesion" in text_of(app)
        app.page.sort = "size"  # type: ignore[attr-defined] # the orders between were not recorded
        await press(pilot, "slash")
        await type_line(pilot, "stop")
        assert "1 of 1" in text_of(app)
        await press(pilot, "escape", "g", "space", "space", "e")
        merged = " ".join(str(item["cluster"]) for item in LISTED["clusters"][:2])
        assert f":quanta.merge {merged}" in text_of(app)
        await press(pilot, "escape", "c")
        assert "quanta.stimuli cluster-" in text_of(app)
        await press(pilot, "escape", "enter", "e")
        assert "quanta.split" in text_of(app)

    play(scenario, engine=engine("clusters"))


def test_the_matrix_takes_the_place_of_the_samples_on_a_narrow_screen() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6", "enter", "m")
        text = text_of(app)
        assert "similarities" in text
        assert "nearest clusters" in text
        assert_fits(app)
        await press(pilot, "escape")
        assert "document" in text_of(app)

    play(scenario, engine=engine("clusters"))


SAMPLE = {"sample": 0, "document": 3, "position": 2, "loss": 0.01, "cut": True, "after": [";\n"]}


def test_a_hostile_token_is_text_and_loses_nothing() -> None:
    lines = sample_lines({**SAMPLE, "before": ["[bold]", "a\nb", "\x1b[31m"], "answer": "</b>\n"}, 60)
    text = "".join(piece for line in lines[1:] for piece, _ in line)
    assert text == "…[bold]a⏎b␛[31m</b>⏎;⏎"


def test_long_pieces_are_folded_and_nothing_is_lost() -> None:
    pieces: list[Any] = [("ab ", None), ("x" * 25, None), ("你好" * 6, None), ("end", None)]
    lines = folded(pieces, 10)
    assert "".join(text for line in lines for text, _ in line) == "ab " + "x" * 25 + "你好" * 6 + "end"
    from rich.cells import cell_len

    assert all(cell_len("".join(text for text, _ in line)) <= 10 for line in lines)


def test_a_cluster_of_one_and_missing_similarities_are_drawn() -> None:
    shown = {**replies("quanta.show", cluster=0)[0], "matrix": None}
    assert any("not on this machine" in text for line in side_lines(shown) for text, _ in line)
    assert any("one member" in text for line in side_lines({**shown, "matrix": [[1.0]]}) for text, _ in line)


def test_w_says_what_the_numbers_of_a_cluster_are_and_which_line_made_it() -> None:
    log = next(one["reply"]["result"]["log"] for one in EXCHANGES if one["do"] == "session.show" and "reply" in one)
    made = [one for one in log if one["do"] in ("quanta.cluster", "quanta.split", "quanta.merge")][-1]
    params = {"line": made["seq"]}
    stored = {"line": made["line"], "provenance": {"seed": 7}}
    reply = {"command": "session.result", "params": params, "result": stored, "artifact": None, "seconds": 0.0,
             "provenance": {}, "warnings": [], "session": "demo", "figures": []}  # fmt: skip
    line = {"do": "session.result", "params": params, "session": "demo", "reply": reply}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6", "w")
        shown = " ".join(text_of(app).split())
        assert "mean cosine inside the cluster" in shown
        assert f"cluster {LISTED['clusters'][0]['cluster']}: cohesion" in shown
        assert f":{made['line']}" in shown
        await press(pilot, "escape")
        assert app.trail.here.screen == "quanta"

    play(scenario, engine=FakeEngine([*(one for one in EXCHANGES if one["do"] != "session.result"
                                        and not (one["do"] in ("quanta.list", "quanta.counts") and "error" in one)),
                                      line]))  # fmt: skip


def test_who_makes_a_stimulus_set_of_a_cluster_stays_to_contrast_it() -> None:
    made = {"name": "cluster-0", "warnings": []}

    behind = engine("clusters")
    usual = behind.request

    async def request(verb: Any, **more: Any) -> dict[str, Any]:
        if verb.dotted == "quanta.stimuli":
            return {"command": verb.dotted, "params": verb.params(), "result": made, "seq": 9, "session": "demo"}
        return await usual(verb, **more)

    behind.request = request  # type: ignore[method-assign]

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "6", "c", "enter")
        assert app.trail.here.screen == "quanta"
        assert "cluster-0 is made: c contrasts it, 2 shows it" in text_of(app)
        assert app.query_one(StimuliPage).subject == "cluster-0"
        await press(pilot, "9")
        app.open_command("quanta.stimuli cluster-0 cluster=0")
        await press(pilot, "enter")
        assert (app.trail.here.screen, app.trail.here.subject) == ("stimuli", "cluster-0")

    play(scenario, engine=behind)
