"""A cluster's planes: points walked with the keys, marks that need no colour, the cosines, the page to write."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.clusters.planes import PlanesPage
from screens.painting.text import short_id
from screens.widgets.lines import Lines
from screens.widgets.scatter import MARKS, Scatter
from tests.screens.stage import (
    assert_fits,
    assert_golden,
    play,
    press,
    recorded,
    recorded_engine,
    reply_to,
    text_of,
    type_line,
)
from workbench.engine.fake import FakeEngine

SIZES = ((80, 24), (120, 40), (200, 60))
planes = reply_to("clusters.planes")
TO_PLANES = ("5", "P")


@pytest.mark.parametrize("size", SIZES)
def test_planes_with_their_legend_and_the_context_of_a_point(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, *TO_PLANES)
        text = text_of(app)
        for fact in (
            "cluster 0: 13 features",
            "plane 1-2 of 4",
            "of variance",
            "bits, M",
            "current token",
            "any other",
        ):
            assert fact in text, fact
        token, count = planes["current"]["tokens"][0]
        assert any(line.rstrip().endswith(str(count)) and f"a {token}" in line for line in text.split("\n"))
        assert "[" in text
        assert "H L plane" in text
        assert_fits(app)
        assert_golden(app, "planes")
        await press(pilot, "L", "t")
        assert "plane 2-3 of 4" in text_of(app)
        assert "next token" in text_of(app)

    play(scenario, size=size)


def test_w_says_what_the_indices_are_and_gives_the_plane_back() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, *TO_PLANES, "L", "w")
        shown = text_of(app)
        assert "separability in bits" in " ".join(shown.split())
        assert f"S {planes['planes'][1]['separability']:.3f} bits" in shown
        assert ":clusters.planes 0" in shown
        assert_fits(app)
        await press(pilot, "escape")
        assert app.over == "planes"
        assert "plane 2-3 of 4" in text_of(app)

    play(scenario)


@pytest.mark.parametrize("size", SIZES)
def test_the_ring_of_the_names_given_stands_with_the_plane_and_in_w(size: tuple[int, int]) -> None:
    exchanges = recorded()
    rings = [{"axes": plane["axes"], "r2": 0.9 + at / 100, "roundness": 0.2 + at / 10, "points": 120}
             for at, plane in enumerate(planes["planes"])]  # fmt: skip
    for exchange in exchanges:
        if exchange["do"] == "clusters.planes":
            exchange["reply"]["result"]["rings"] = rings

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, *TO_PLANES)
        assert "ring R2 0.900, roundness 0.200" in text_of(app)
        await press(pilot, "L")
        assert "ring R2 0.910, roundness 0.300" in text_of(app)
        assert_fits(app)
        await press(pilot, "w")
        shown = " ".join(text_of(app).split())
        assert "R2 0.910: how much of the names' mean points" in shown
        assert "roundness 0.300" in shown
        assert_fits(app)

    play(scenario, engine=FakeEngine(exchanges), size=size)


def test_the_keys_walk_around_and_the_context_follows() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, *TO_PLANES)
        scatter = app.query_one(Scatter)
        assert scatter.cursor == 0
        await press(pilot, "j")
        here = scatter.cursor
        assert here != 0
        assert f"point {here + 1} of {planes['points']}" in text_of(app)
        point = reply_to("clusters.point", at=planes["places"][here])
        assert f"[{point['tokens'][point['peak']]}]" in text_of(app)
        await press(pilot, "k")
        assert scatter.cursor == 0
        await press(pilot, "escape")
        assert "clusters," in text_of(app)

    play(scenario, size=(120, 40))


def test_marks_are_letters_and_every_point_is_drawn() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, *TO_PLANES)
        scatter = app.query_one(Scatter)
        signs = "".join(sign for line in scatter._cells for sign, _ in line)
        columns, rows = scatter._places(scatter.size.width, scatter.size.height)
        cells = {(row // 4, column // 2) for column, row in zip(columns, rows, strict=True)}
        drawn = sum(sign in MARKS or "⠀" < sign <= "⣿" or sign == "◉" for sign in signs)
        assert drawn == len(cells)

    play(scenario, size=(120, 40))


def test_the_page_is_written_with_what_is_shown() -> None:
    engine = recorded_engine()

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, *TO_PLANES, "o")
        asked = next(params for do, params, _ in engine.asked if do == "clusters.export")
        shown = next(params for do, params, _ in engine.asked if do == "clusters.planes")
        assert {name: asked[name] for name in shown} == shown
        assert (asked["colour"], asked["out"]) == ("current", "")
        assert "written:" in text_of(app)

    play(scenario, engine=engine)


def test_a_cluster_without_points_says_why() -> None:
    exchanges = recorded()
    for exchange in exchanges:
        if exchange["do"] == "clusters.planes":
            told: dict[str, Any] = exchange["reply"]["result"]
            told |= {"status": "silent", "points": 0, "active": 0, "planes": [], "scores": [], "places": []}

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, *TO_PLANES)
        assert "there are no points" in text_of(app)
        await press(pilot, "j", "L", "o", "enter")
        assert app.query_one(PlanesPage).result["status"] == "silent"
        assert_fits(app)

    play(scenario, engine=FakeEngine(exchanges))


def test_a_point_opens_its_strongest_feature() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, *TO_PLANES, "enter")
        strongest = reply_to("clusters.point", at=planes["places"][0])["features"][0][0]
        assert app.trail.here.subject.endswith(f"#{strongest}")

    play(scenario)


@pytest.mark.parametrize("size", SIZES)
def test_cosines_of_the_members(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "5", "m")
        shown = reply_to("clusters.show", cluster=0)
        for item in shown["features"][:5]:
            assert short_id(item["feature"]) in text_of(app)
        assert "mean cosine" in text_of(app)
        assert_fits(app)
        assert_golden(app, "cosines")

    play(scenario, size=size)


def test_o_turns_through_the_orders() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "5")
        for sort in ("cosine", "irreducibility", "label"):
            await press(pilot, *"jjjj", "o")  # wherever the cursor was, the new order is seen from its top
            assert app.query_one("#cluster-list", Lines).cursor == 0
            listed = reply_to("clusters.list", sort=sort)["clusters"]
            rows = [line.lstrip("› ").split()[0] for line in text_of(app).split("\n")[4:9]]
            assert rows == [str(item["cluster"]) for item in listed[:5]]
            assert f"by {sort}" in text_of(app)
        await press(pilot, "o")
        assert " · by " not in text_of(app)

    play(scenario)


def test_a_line_with_a_threshold_is_shown_as_asked() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "colon")
        await type_line(pilot, "clusters.planes 0")
        assert "plane 1-2 of 4" in text_of(app)

    play(scenario)
