"""Bars, sectors and colour maps: drawn as valid SVG from hostile names, and exact in CSV."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from workbench.figures import Figure, above_noise, pixel_ink, pixel_mark
from workbench.reports.figure_csv import figure_csv
from workbench.reports.svg import figure_svg

HOSTILE = "<script>alert(1)</script>"
FIGURES: dict[str, dict[str, Any]] = {
    "bars": {"names": ["no change", HOSTILE], "values": [15.5, -3.25], "low": [15.0, -4.0], "high": [16.0, -2.5]},
    "sectors": {"names": ["Monday", HOSTILE], "radii": [0.0, 1.0], "values": [[0, 0, 0, 0], [0, 1, 1, 0]]},
    "colours": {"rows": ["Monday", HOSTILE], "columns": ["1", "2"], "scale": 4.0,
                "values": [[[1.0, 0.5, 0.0], [0.5, 0.5, 0.5]], [None, [0.25, 0.5, 0.5]]]},
}  # fmt: skip


def figure(kind: str) -> Figure:
    return Figure(kind=kind, title="a title", x_label="logits", data=FIGURES[kind])  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", FIGURES)
def test_the_drawing_is_well_formed_and_names_stay_text(kind: str) -> None:
    drawn = figure_svg(figure(kind))
    root = ElementTree.fromstring(drawn)
    assert "script>" not in re.sub(r"&lt;/?script&gt;", "", drawn)
    assert "nan" not in drawn.lower()
    assert root.find("{http://www.w3.org/2000/svg}desc") is not None


def test_a_ring_of_one_name_is_closed_and_others_are_as_many_parts_as_stretches() -> None:
    paths = re.findall(r'<path d="(M[^"]+Z)"', figure_svg(figure("sectors")))
    assert len(paths) == 4  # the whole ring in one, then 0, 1 1, 0
    assert paths[0].count("Z") == 2  # two halves: an arc from a point to itself is nothing


def test_bars_and_their_intervals_are_where_the_axis_says() -> None:
    rects = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', figure_svg(figure("bars")))
    (first, width), (second, other) = ((float(x), float(w)) for x, w in rects)
    assert second + other == pytest.approx(first, abs=0.2)  # they meet at zero
    assert width / other == pytest.approx(15.5 / 3.25, rel=0.02)


def test_colours_are_the_components_and_pairs_never_asked_are_left_out() -> None:
    drawn = figure_svg(figure("colours"))
    assert re.findall(r'fill="(#\w+)"', drawn) == ["#ff8000", "#808080", "#408080"]


def test_every_pixel_says_without_colour_what_it_is() -> None:
    drawn = figure_svg(figure("colours"))
    assert re.findall(r'fill="(black|white)"[^>]*>([^<]+)</text>', drawn) == [
        ("black", "R9"), ("black", "·"), ("black", "r4"),
    ]  # fmt: skip
    assert pixel_mark([0.5, 0.0, 0.6]) == "g9"
    assert pixel_ink([0.1, 0.0, 0.3]) == "white"
    assert above_noise([2.9, 1.0, 1.9], [1.4, 1.3, 1.2]) == "R B above it"
    assert above_noise([0.0] * 3, [0.0] * 3) == "none above it"


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("bars", ["no change", "15.5", "15.0", "16.0"]),
        ("sectors", ["1.0", "90.0", HOSTILE]),
        ("colours", ["Monday", "1", "4.0", "0.0", "-4.0"]),
    ],
)
def test_the_csv_has_every_number(kind: str, row: list[str]) -> None:
    assert row in list(csv.reader(io.StringIO(figure_csv(figure(kind)))))
