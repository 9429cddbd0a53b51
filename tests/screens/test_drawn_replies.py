"""Results of circles and energies are tables and pictures in the app, the same that the shell prints."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from commands.render import as_lines
from screens.app import WorkbenchApp
from screens.overlays.reply_view import ReplyPage
from screens.widgets.lines import cell_text
from tests.screens.stage import assert_fits, play, press, recorded, text_of
from workbench.engine.fake import FakeEngine

HEAD = {"prompt": "One day from Monday is", "answers": [" Monday"], "leading_space": True,
        "names": ["Monday", "Tuesday", "\x1b[31mWed"], "right": 9, "problems": 9}  # fmt: skip
SWEEP = {**HEAD, "site": "blocks.1.hook_resid_post", "of": "answer", "name": "Monday", "r2": 1.0, "held_out_r2": 0.9,
         "radii": [0.0, 0.5, 1.0], "angles": 3, "points": 27, "agreement": [0.33, 0.9, 1.0], "chance": 1 / 3,
         "margin": [0.1, 2.0, 3.0], "sectors": [[0, 0, 0], [0, 1, 2], [0, 1, 2]], "nearest": [0, 1, 2]}  # fmt: skip
COLOURS = [[[1.0, 0.5, 0.5], [0.5, 0.5, 0.5]], [[0.5, 0.0, 0.5], None]]
EXPLAIN = {**HEAD, "site": "blocks.1.hook_resid_post", "at": "last", "components": 5, "explained": 0.9, "rows": 9,
           "chosen_by": "hand", "rejected": {"c": -0.1},
           "rungs": [{"group": "a", "r2": 0.5, "held_out_r2": 0.4, "gain": 0.4, "rank": 3}],
           "maps": [{"title": "all of it", "scale": 2.0, "strength": [1.0, 0.5, 0.2], "noise": [0.1, 0.1, 0.1],
                     "colours": COLOURS}]}  # fmt: skip


def reply(command: str, params: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    return {"command": command, "params": params, "result": result, "artifact": None, "seconds": 0.1,
            "provenance": {}, "warnings": [], "session": "demo", "figures": []}  # fmt: skip


def test_the_tasks_are_a_table_over_the_screen() -> None:
    from commands.circle import CircleTasks

    params = CircleTasks().params()
    row = {"task": "weekdays", "status": "ok", "right_of_all_tokens": 9, "chance": 3, "preamble": "", "said": [],
           "off_by": {}, **HEAD}  # fmt: skip
    why = {"task": "months", "status": "not possible", "why": "the answers are not one token each"}
    told = reply("circle.tasks", params, {"model": "demo", "tasks": [row, why]})
    engine = FakeEngine([*recorded(), {"do": "circle.tasks", "params": params, "session": "demo", "reply": told}])

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "colon", *"circle.tasks", "enter")
        shown = text_of(app)
        assert "9 of 9" in shown
        assert "not one token" in " ".join(shown.split())
        assert_fits(app)
        await press(pilot, "escape")
        assert "9 of 9" not in text_of(app)

    play(scenario, engine=engine)


def test_a_stored_sweep_is_what_the_shell_prints_and_hostile_names_stay_text() -> None:
    from screens.results.page import VIEWS

    view = VIEWS["circle.sweep"](SWEEP, 80)
    shown = [cell_text(row.cells[0]) for row in view.rows]
    assert "M Monday, T Tuesday" in " ".join(" ".join(shown).split())
    assert not any("\x1b" in line for line in shown)
    assert all(len(line) <= 76 for line in shown)
    assert "likeliest name" in view.about.facts[0][1]


def test_every_result_of_a_circle_or_an_energy_has_a_view() -> None:
    from commands.registry import VERBS
    from screens.results.page import VIEWS

    wanted = {name for name in VERBS if name.startswith(("circle.", "geometry."))} - {"circle.tasks"}  # a query
    assert wanted <= set(VIEWS)


def test_the_disc_has_each_letter_where_its_angle_is() -> None:
    drawn = as_lines(reply("circle.sweep", {}, SWEEP), 80)
    disc = [line for line in drawn if set(line.strip()) <= set("MTW") and line.strip()]
    middle, top, bottom = disc[len(disc) // 2], disc[2], disc[-3]
    assert middle.strip()[-1] == "M"  # angle 0 is to the right
    assert set(top.strip()) == {"T", "M"} or set(top.strip()) == {"T"}
    assert "W" in bottom


def test_residual_maps_are_readable_without_colour() -> None:
    drawn = as_lines(reply("circle.explain", {}, EXPLAIN), 80)
    rows = [line.strip() for line in drawn if "R9" in line or "g9" in line]
    assert [row.split()[-1] for row in rows] == [
        "R9·",
        "g9",
    ]  # full red; zero; full below zero in green; a pair that was never asked
    assert any("full colour 2 " in line for line in drawn)


def test_w_says_what_the_numbers_of_every_drawn_result_are() -> None:
    from screens.results.drawn import DEFINITIONS, TITLES, view

    clusters = {"clusters.find", "clusters.rank", "clusters.demo", "clusters.import"}
    assert clusters | set(TITLES) == set(DEFINITIONS)
    for command in DEFINITIONS:
        (name, said), *_ = view(command, {}, 80).about.facts
        assert (name, said) == ("definition", DEFINITIONS[command])
    assert "disc" in DEFINITIONS["clusters.rank"]


def test_w_on_clusters_by_vote_says_how_halves_of_the_documents_agree() -> None:
    from screens.clusters.page import cluster_facts

    vote = {"runs": 100, "splits": 6, "least": 11, "most": 45, "chosen": 40, "agreement": 0.87}
    found = {"method": "activation", "consensus": vote, "n_clusters": 40, "k": 2, "tau": 0.5, "stability": []}
    found |= {"affinity": None, "total": 3, "singletons": 2}
    item = {"cluster": 1, "size": 9, "cosine": 0.1, "returns": 0.62}
    told = dict(cluster_facts(found, item))
    assert told["cluster"] == "activations alike over tokens · 40 by vote · halves agree 0.87"
    assert "0.87" in told["null"]
    assert "11 to 45" in told["null"]
    assert "0.62 (Jaccard)" in told["null"]
    plain = {"method": "graph", "k": 2, "tau": 0.5, "total": 3, "singletons": 2}
    assert dict(cluster_facts(plain, item))["null"].startswith("none")


def test_columns_beyond_the_screen_are_said_and_seen_with_the_arrows() -> None:
    null = {"energy_mean": 58123456.7, "energy_sd": 912345.6, "cosine_mean": -0.16}
    place = {"place": "blocks.0.hook_resid_post", "status": "ok", "why": "", "energy": 60.68, "mean_cosine": -0.16,
             "smallest_cosine": -0.85, "largest_cosine": 0.73, "label_shuffle": null, "coordinate_shuffle": null,
             "gram": []}  # fmt: skip
    result = {"kernel": "exp", "s": None, "n": 7, "of": "means", "places": [place], "references": {"simplex": 54.6},
              "optima": [], "fits": [], "remark": "", "curve": None}  # fmt: skip

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.show_over("reply")
        app.query_one(ReplyPage).show_reply(reply("geometry.energy", {}, result))
        await pilot.pause()
        assert "columns cut: ← →" in text_of(app)
        assert "0.73" not in text_of(app)
        await press(pilot, "right", "right", "right")
        assert "most" in text_of(app)
        assert "0.73" in text_of(app)
        assert "cells" in text_of(app)
        assert_fits(app)
        await press(pilot, "left", "left", "left")
        assert "columns cut: ← →" in text_of(app)

    play(scenario, size=(80, 24))


def test_the_shell_says_that_columns_are_left_out_or_cut() -> None:
    from rich.console import Console

    from commands.render.tables import table

    def drawn(width: int) -> str:
        console = Console(width=width, color_system=None)
        with console.capture() as page:
            table(console, [(f"column {at}", True) for at in range(6)], [[f"{at}.12345 …" for at in range(6)]])
        return page.get()

    assert "cut to 40 columns" in drawn(40)
    assert "cut to" not in drawn(80)  # an ellipsis of the text itself is none of the width


def test_a_dry_run_says_in_the_app_what_the_shell_says() -> None:
    from commands.index import IndexBuild

    params = IndexBuild(dry_run=True).params()
    cost = {"dry_run": True, "built": False, "features": 512, "tokens": 200_000, "corpus": "demo", "seconds": 61.0,
            "memory_bytes": 123_456_789, "disk_bytes": 98_765_432}  # fmt: skip
    told = reply("index.build", params, cost)
    engine = FakeEngine([{"do": "index.build", "params": params, "session": "demo", "reply": told}, *recorded()])

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.open_command("index.build dry_run=true")
        await press(pilot, "enter")
        shown = " ".join(text_of(app).split())
        for line in as_lines(told, 76):
            assert " ".join(line.split()) in shown
        assert "123456789" not in shown

    play(scenario, engine=engine)
