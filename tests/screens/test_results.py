"""Results of probes, comparisons, replications and RSA over sets on their screen, and 2x2 rankings turned by effect."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import pytest
from textual.pilot import Pilot

from commands.render import as_lines
from screens.app import WorkbenchApp
from screens.painting.glyphs import curves
from screens.painting.text import chance, number, short_id
from screens.results import compare, probe, replicate, rsa_sets
from screens.results.page import ResultPage, view_of
from screens.results.tables import View, span, with_interval
from screens.select.page import SelectPage
from screens.widgets.lines import cell_text
from tests.screens.stage import TRANSCRIPT, assert_fits, assert_golden, play, press, reply_to, text_of
from tests.transcripts.record_selection import CLUSTERS, COMPARE, CONTRAST, FACTORIAL, PROBE, REPLICATE, RSA
from workbench.engine.fake import FakeEngine, load_transcript

SIZES = ((80, 24), (120, 40))
LINES = {"probe": PROBE, "compare": COMPARE, "replicate": REPLICATE, "rsa-sets": RSA}


@cache
def exchanges() -> list[dict[str, Any]]:
    return load_transcript(TRANSCRIPT.with_name("selection.json"))


def engine() -> FakeEngine:
    return FakeEngine(copy.deepcopy(exchanges()))


def stored(line: int) -> dict[str, Any]:
    """What `session.result` says of a log line."""
    for one in exchanges():
        if one["do"] == "session.result" and one["params"]["line"] == line:
            found: dict[str, Any] = copy.deepcopy(one["reply"]["result"])
            return found
    raise LookupError(line)


def said(view: View) -> str:
    """All the text of a view."""
    return "\n".join(" ".join(cell_text(cell).strip() for cell in row.cells) for row in view.rows)


def told(view: View, key: str) -> dict[str, str]:
    return dict(view.told[key].facts)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", LINES)
def test_a_result_opens_by_its_line(name: str, size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command(f"session.result {LINES[name]}")
        await press(pilot, "enter")
        assert (app.trail.here.screen, app.trail.here.subject) == ("result", str(LINES[name]))
        assert "w why" in text_of(app)
        assert_fits(app)
        assert_golden(app, f"result-{name}")
        await press(pilot, "w")
        shown = text_of(app)
        assert app.over == "why"
        for fact in ("definition", "n ", "null", "from", f":{stored(LINES[name])['line']}"[:50]):
            assert fact in shown
        assert_fits(app)

    play(scenario, size=size, engine=engine())


@pytest.mark.parametrize("line", (PROBE, COMPARE, REPLICATE, RSA))
def test_it_opens_when_its_command_is_done_and_the_trail_comes_back_to_it(line: int) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command(stored(line)["line"])
        await press(pilot, "enter")
        assert (app.trail.here.screen, app.trail.here.subject) == ("result", str(line))
        before = text_of(app).split("\n")[1:12]  # a warning may lie over the rest
        await press(pilot, "1", "left_square_bracket")
        assert text_of(app).split("\n")[1:12] == before

    play(scenario, engine=engine())


def test_r_in_the_log_shows_the_result_of_the_line_under_the_cursor() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "9", "k", "k")  # from the last line, clusters.find, up past the replication
        await press(pilot, "R")
        assert (app.trail.here.screen, app.trail.here.subject) == ("result", str(COMPARE))
        await press(pilot, "escape")
        assert app.trail.here.screen == "log"

    play(scenario, engine=engine())


def test_a_result_without_a_layout_is_what_the_shell_prints() -> None:
    printed = as_lines({"command": "clusters.find", "result": stored(CLUSTERS)["result"]}, 76)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "9", "R")
        assert app.trail.here.subject == str(CLUSTERS)
        shown = [line[2:] for line in text_of(app).split("\n")]
        assert all(line[:70] in " ".join(shown) for line in printed[1:6])
        await press(pilot, "w")
        assert ":clusters.find" in text_of(app)

    play(scenario, engine=engine())


def test_a_result_that_the_shell_has_no_table_for_is_shown_value_by_value() -> None:
    one = {**stored(CLUSTERS), "do": "features.untold", "result": {"tau": 0.5, "singletons": 3}}
    assert [cell_text(cell) for row in view_of(one, 80).rows for cell in row.cells] == ["tau", "0.5", "singletons", "3"]


def test_a_result_too_old_for_its_table_is_shown_value_by_value() -> None:
    one = {**stored(CLUSTERS), "result": {"size": 3}}
    assert [cell_text(cell) for row in view_of(one, 80).rows for cell in row.cells] == ["size", "3"]


def test_a_table_of_the_shell_keeps_its_numbers_whole_on_a_narrow_screen() -> None:
    ranked = reply_to("clusters.rank")
    first = said(view_of({**stored(CLUSTERS), "do": "clusters.rank", "result": ranked}, 80))
    assert f"{ranked['rows'][0]['separability']:.2f}" in first
    assert "…" not in first


def test_a_line_that_is_gone_says_so() -> None:
    known = [one for one in exchanges() if one["do"] != "session.result"]
    error = {"kind": "input_file", "message": "session 'demo' has no log line 77", "hint": "See `session show`."}
    gone = {"do": "session.result", "params": {"line": 77}, "session": "demo", "error": error}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.visit("result", "77")
        await press(pilot, "j")
        assert "has no log line 77" in text_of(app)

    play(scenario, engine=FakeEngine([*copy.deepcopy(known), gone]))


# --- what each view says


def test_a_probe_has_a_curve_for_each_method_and_all_metrics_with_their_intervals() -> None:
    found = stored(PROBE)["result"]
    view = probe.view(found, 80)
    point = found["sweep"][0]
    row = next(row for row in view.rows if row.key == "sweep:0")
    assert [cell_text(cell) for cell in row.cells[2:]] == [with_interval(point[name]) for name in probe.METRICS]
    assert "a mean_difference  b random" in said(view)
    assert sum(row.key.startswith("fold:") for row in view.rows) == found["folds"] + 1
    assert number(found["exact"]["folds"][0]["gap"], 5) in said(view)
    case = found["case"]
    assert f"{case['ablation']['classes'][0]['increase_percent']:+.3f}%" in said(view)
    assert case["feature"] in view.features.values()
    assert "held-out" in told(view, "case:alone:0")["definition"]


def test_a_probe_of_tokens_says_why_nothing_was_silenced_and_that_there_is_no_p() -> None:
    found = stored(PROBE)["result"]
    found["case"] |= {"ablation": None, "ablation_reason": "losses by class are of whole sentences", "metrics": None}
    found |= {"design": "tokens", "discoveries": None, "p_reason": "an order at random", "exact": None}
    view = probe.view(found, 80)
    assert "not silenced: losses by class are of whole sentences" in said(view)
    assert "no p: an order at random" in view.head[2][0]
    assert "exact best" not in said(view)


def test_the_leaky_accuracy_is_called_a_warning_and_the_two_tests_are_told_apart() -> None:
    found = stored(COMPARE)["result"]
    view = compare.view(found, 80)
    text = said(view)
    assert "LEAKY! is a warning, never a result" in text
    assert text.index(compare.ON_STIMULI) < text.index(compare.ON_CORPUS)
    one = found["tests"][0]
    pair = f"{one['a']} | {one['b']}"
    assert "Nadeau" in told(view, f"accuracy:{pair}")["definition"]
    assert "DeLong" in told(view, f"target:{pair}")["definition"]
    arm = told(view, f"arm:{one['a']}")
    assert "3 label shuffles" in arm["null"]
    assert "no histogram" in arm["null"]


def test_a_comparison_without_a_known_concept_says_that_the_second_test_was_not_made() -> None:
    found = stored(COMPARE)["result"]
    for one in found["tests"]:
        one["target"] = None
    for one in found["arms"]:
        one |= {"concept_auc": None, "on_concept": None}
    assert "not tested: nobody planted this concept" in said(compare.view(found, 80))


def test_a_replication_stands_beside_the_first_result() -> None:
    found = stored(REPLICATE)["result"]
    view = replicate.view(found, 80)
    row = found["rows"][0]
    cells = next(one for one in view.rows if one.key == f"row:{row['feature']}").cells
    assert [cell_text(cell) for cell in cells[:7]] == [
        f"#{row['index']}", number(row["first"]["score"], 1), number(row["first"]["d"], 2), chance(row["first"]["q"]),
        f"#{row['second']['index']}", number(row["second"]["score"], 1), number(row["second"]["d"], 2),
    ]  # fmt: skip
    assert f"{found['held']} of {found['agreement']['first']} held" in view.head[1][0]
    why = view.told[f"row:{row['feature']}"]
    assert (why.feature, why.ranking) == (row["feature"], CONTRAST)


def test_what_was_lost_reversed_or_not_testable_is_named() -> None:
    found = stored(REPLICATE)["result"]
    for one, outcome in zip(found["rows"], ("lost", "reversed", "not testable"), strict=False):
        one["outcome"] = outcome
    found["rows"][2]["second"] = None
    found["match"] |= {"reciprocal": 3, "correlation": 0.5, "cosine": None}
    view = replicate.view(found, 120)
    for outcome in ("lost", "reversed", "not testable"):
        assert f" {outcome} " in said(view)
    assert "no partner" in told(view, f"row:{found['rows'][2]['feature']}")["second"]


def test_w_on_a_replicated_feature_draws_its_null_again() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.visit("result", str(REPLICATE))
        await press(pilot, "j")
        key = f"row:{stored(REPLICATE)['result']['rows'][0]['feature']}"
        app.query_one(ResultPage).lines.put_cursor(key)
        await press(pilot, "w", "G")
        shown = text_of(app)
        assert app.over == "why"
        assert "(0 + 1) / (200 + 1)" in shown
        assert ":features.contrast achievement" in shown

    play(scenario, engine=engine())


@pytest.mark.parametrize(("listed", "said_new"), [(0, "0 new"), (6, "6 new"), (10, "10 or more new")])
def test_a_replication_counts_as_new_what_it_lists(listed: int, said_new: str) -> None:
    found = stored(REPLICATE)["result"]
    found["new"] = [{**found["rows"][0]["first"], "index": at} for at in range(listed)]
    view = replicate.view(found, 80)
    assert view.head[1][0].endswith(f" · {said_new}")
    assert sum(row.key.startswith("fresh:") and row.key != "fresh:names" for row in view.rows) == listed


def test_sets_of_units_keep_their_order_and_say_when_they_are_undefined() -> None:
    found = stored(RSA)["result"]
    found["rows"][1] |= {"status": "constant", "score": None, "effect": None, "p": None, "q": None, "p_fwer": None}
    view = rsa_sets.view(found, 80)
    names = [cell_text(row.cells[0]) for row in view.rows if row.key.startswith("set:")][1:]
    assert names == [one["name"].replace(".hook_", ".") for one in found["rows"]]
    assert "constant" in said(view)
    assert told(view, "set:1")["not tested"] == "constant"
    assert "one-sided" in told(view, "set:0")["p"]


def test_hostile_text_stays_text() -> None:
    found = stored(REPLICATE)["result"]
    found["rows"][0]["label"] = "[b]\x1b[31mred"
    found["first"]["stimuli"] = "\x1b]0;x"
    assert "\x1b" not in said(replicate.view(found, 80)) + replicate.view(found, 80).head[0][0]


def test_an_rsa_ranking_of_features_has_no_view_of_sets() -> None:
    one = stored(RSA)
    one["result"]["rows"] = [{"rank": 1, "feature": "x#1", "score": 0.5}]
    assert "  features.rsa" in view_of(one, 80).head[0][0]


@pytest.mark.parametrize(("low", "high", "shown"), [(0.914, 0.98, ".91….98"), (-0.3, 1.0, "-.30…1.0"), (None, 1, "–")])
def test_an_interval_takes_eight_cells(low: float | None, high: float | None, shown: str) -> None:
    assert span(low, high) == shown


def test_curves_end_at_the_edges_and_the_first_named_lies_on_top() -> None:
    lines = curves([("a", [(0, 0.0), (2, 1.0)]), ("b", [(0, 0.0), (2, 0.0)])], 5, 3)
    assert lines == ["    a", "  ·  ", "a···b"] or lines == ["   ·a", "  ·  ", "a···b"]
    assert lines[2][0] == "a"
    assert curves([], 4, 2) == ["    ", "    "]


# --- 2x2


def test_e_turns_through_both_main_effects_and_the_interaction() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command(f"features.list ranking={FACTORIAL}")
        await press(pilot, "enter")
        seen = []
        for _ in range(4):
            seen.append((app.query_one(SelectPage).lines.key, text_of(app).split("\n")[1]))
            assert text_of(app).split("\n")[5].startswith("›    1")
            await press(pilot, "j", "E")
        assert seen[3] == seen[0]
        assert ["(3 of 3, E)" in seen[0][1], "(1 of 3, E)" in seen[1][1], "(2 of 3, E)" in seen[2][1]] == [True] * 3
        assert len({key for key, _ in seen}) == 3
        assert "E effect" in text_of(app).split("\n")[-1]

    play(scenario, engine=engine())


def test_the_volcano_the_feature_and_w_follow_the_effect() -> None:
    rows = next(
        one["reply"]["result"]["rows"]
        for one in exchanges()
        if one["do"] == "features.list" and one["params"].get("effect") == "outcome"
    )

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command(f"features.list ranking={FACTORIAL} effect=outcome")
        await press(pilot, "enter")
        assert app.query_one("#volcano")._points[rows[0]["feature"]][0] == rows[0]["effect"]  # type: ignore[attr-defined]
        await press(pilot, "w")
        assert "outcome achievement, less outcome failure" in " ".join(text_of(app).split())
        await press(pilot, "escape", "enter")
        assert f"t {number(rows[0]['score'], 2)}" in text_of(app)
        assert short_id(rows[0]["feature"]) in text_of(app)

    play(scenario, size=(120, 40), engine=engine())


def test_e_says_where_it_means_something() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "E")
        assert "this ranking has no effects" in text_of(app)

    play(scenario, engine=engine())


def test_another_ranking_opens_at_its_first_rank() -> None:
    """Not on the row where the feature under the cursor happens to stand in it."""

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "j", "j")
        app.open_command(f"features.list ranking={FACTORIAL}")
        await press(pilot, "enter")
        assert app.query_one(SelectPage).lines.cursor == 0

    play(scenario, engine=engine())


# --- other figures


def test_w_on_a_probes_ranking_says_definition_n_and_line_without_a_null() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "w")
        shown = text_of(app)
        assert "difference of the class means" in shown
        assert "its draws are not kept" in shown
        assert ":features.probe achievement" in shown

    play(scenario, engine=engine())


def test_w_on_clusters_says_what_the_cosine_is_and_which_line_found_them() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "5", "w")
        assert "mean over all pairs" in text_of(app)
        assert ":clusters.find" in text_of(app)
        await press(pilot, "escape", "enter", "w")
        assert "mean direction of the cluster" in " ".join(text_of(app).split())

    play(scenario, engine=engine())
