"""Figures become SVG and CSV from one description."""

from __future__ import annotations

import csv
import io
import math
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.reports.example import HOSTILE, SCRIPT
from workbench.figures import Figure
from workbench.reports import figure_csv, figure_svg
from workbench.reports.axes import Scale, extent, ticks
from workbench.reports.heat import LEVELS, level
from workbench.reports.sheet import NARROW, WIDE
from workbench.reports.text import number_of

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {
    "scatter": Figure(
        kind="scatter", title=SCRIPT, x_label="x", y_label=HOSTILE[1],
        data={"x": [0.0, 1.0, 2.0], "y": [0.0, 3.0, 1.0],
              "names": ["a", SCRIPT, "]]>"], "groups": ["other", "hit", "hit"]},
    ),
    "curve": Figure(kind="curve", title="c", x_label="strength", y_label="nats",
                    data={"x": [0, 1, 2], "series": {"up": [0, 1, 2], SCRIPT: [0, -1, -2]}}),
    "histogram": Figure(kind="histogram", title="h", data={"edges": [1, 2, 4], "counts": [3, 1]}),
    "matrix": Figure(kind="matrix", title="m", data={"rows": ["\0", "b"], "columns": ["a", "b"],
                                                    "values": [[1.0, -0.5], [-0.5, 1.0]]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", FIGURES)
def test_drawings_are_whole_xml_with_title_and_description(kind: str) -> None:
    root = ElementTree.fromstring(figure_svg(FIGURES[kind], "f"))
    assert root.attrib["role"] == "img"
    ids = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    assert set(root.attrib["aria-labelledby"].split()) <= ids
    assert not list(root.iter(f"{SVG}script"))


@pytest.mark.parametrize("room", [WIDE, NARROW])
@pytest.mark.parametrize("kind", FIGURES)
def test_drawings_stay_inside_their_frame(kind: str, room: int) -> None:
    root = ElementTree.fromstring(figure_svg(FIGURES[kind], width=room))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert width <= room
    for element in root.iter():
        assert 0 <= float(element.attrib.get("x", 0)) <= width
        assert 0 <= float(element.attrib.get("y", 0)) <= height


def test_bars_are_as_high_as_their_counts() -> None:
    root = ElementTree.fromstring(figure_svg(FIGURES["histogram"]))
    heights = [float(bar.attrib["height"]) for bar in root.iter(f"{SVG}rect")]
    assert math.isclose(heights[0], 3 * heights[1], rel_tol=0.01)


def test_a_band_is_drawn_behind_its_curve_and_stands_in_the_csv() -> None:
    data = {"x": [0, 1], "series": {"up": [0.0, 1.0]}, "band": {"up": [[0.0, 0.1, 0.2], [-4.0, 0.0, 4.0]]}}
    figure = Figure(kind="curve", title="c", x_label="strength", data=data)
    root = ElementTree.fromstring(figure_svg(figure))
    kinds = [element.attrib.get("class", "") for element in root.iter(f"{SVG}path")]
    assert kinds.index("band s0") < kinds.index("stroke s0")
    places = [float(number) for number in re.findall(r"[ML][\d.]+ ([\d.]+)", drawn_band(root))]
    zero = (places[1] + places[2]) / 2  # -4 and 4 at strength 1
    assert math.isclose(places[3], zero, abs_tol=0.11)  # the lower end at strength 0
    assert figure_csv(figure).splitlines()[0] == 'strength,up,"up, low","up, high"'
    assert figure_csv(figure).splitlines()[2] == "1,1.0,-4.0,4.0"


def drawn_band(root: ElementTree.Element) -> str:
    return next(element.attrib["d"] for element in root.iter(f"{SVG}path") if "band" in element.attrib.get("class", ""))


@pytest.mark.parametrize(("names", "slanted"), [(["a", "b"], False), (["Wednesday", "Thursday"], True)])
def test_long_names_of_columns_are_slanted_so_that_they_do_not_meet(names: list[str], slanted: bool) -> None:
    data = {"rows": names, "columns": names, "values": [[1.0, 0.5], [0.5, 1.0]]}
    root = ElementTree.fromstring(figure_svg(Figure(kind="matrix", title="m", data=data)))
    turned = [element.text for element in root.iter(f"{SVG}text") if "rotate" in element.attrib.get("transform", "")]
    assert turned == (names if slanted else [])


def test_every_discovery_is_named_and_the_rest_are_dots() -> None:
    root = ElementTree.fromstring(figure_svg(FIGURES["scatter"]))
    titles = [title.text for group in root.iter(f"{SVG}g") for title in group.iter(f"{SVG}title")]
    assert titles == [SCRIPT, "]]>"]
    assert sum(path.attrib.get("class") == "dots" for path in root.iter(f"{SVG}path")) == 1


@pytest.mark.parametrize(
    "figure",
    [
        Figure(kind="scatter", title="", data={"x": [], "y": [], "names": None, "groups": None}),
        Figure(kind="curve", title="", data={"x": [], "series": {}}),
        Figure(kind="histogram", title="", data={"edges": [], "counts": []}),
        Figure(kind="matrix", title="", data={"rows": [], "columns": [], "values": []}),
        Figure(kind="scatter", title="", data={"x": [5.0], "y": [1e300], "names": None, "groups": None}),
    ],
)
def test_empty_and_single_figures_are_drawn(figure: Figure) -> None:
    ElementTree.fromstring(figure_svg(figure))


def test_a_legend_too_long_for_its_paper_takes_more_lines() -> None:
    names = [f"a series with a long name {place}" for place in range(4)]
    figure = Figure(kind="curve", title="c", data={"x": [0, 1], "series": {name: [0, 1] for name in names}})
    for width in (WIDE, NARROW):
        root = ElementTree.fromstring(figure_svg(figure, width=width))
        told = [element for element in root.iter(f"{SVG}text") if element.text in names]
        assert [element.text for element in told] == names
        assert len({element.attrib["y"] for element in told}) == (2 if width == WIDE else 4)
        assert all(float(element.attrib["x"]) + 6.6 * len(names[0]) <= width for element in told)


def test_a_point_is_named_once_and_never_over_another() -> None:
    data = {"x": [0.0, 1.0, 1.0, 1.02], "y": [0.0, 3.0, 2.0, 3.0], "names": ["", "twice", "twice", "b" * 20],
            "groups": ["hit"] * 4}  # fmt: skip
    root = ElementTree.fromstring(figure_svg(Figure(kind="scatter", title="s", data=data)))
    named = {element.text: element for element in root.iter(f"{SVG}text")}
    assert sum(element.text == "twice" for element in root.iter(f"{SVG}text")) == 1
    assert named["twice"].attrib["text-anchor"] == "end"  # to its right lies the other point


def test_an_axis_that_need_not_begin_at_zero_shows_small_differences() -> None:
    data = {"x": [0, 1], "series": {"energy": [60.0, 61.0]}}
    for zero in (True, False):
        figure = Figure(kind="curve", title="c", data={**data, "zero": zero})
        root = ElementTree.fromstring(figure_svg(figure))
        told = [element for element in root.iter(f"{SVG}text") if element.attrib["text-anchor"] == "end"]
        low = min(float(element.text or "") for element in told)
        assert (low == 0) == zero


def test_tables_have_no_drawing() -> None:
    with pytest.raises(ValueError, match="has no drawing"):
        figure_svg(Figure(kind="table", title="", data={"columns": [], "rows": []}))


@pytest.mark.parametrize(
    ("shown", "read"),
    [("−5.490", -5.49), ("+0.679", 0.679), ("1.31×10⁻³", 0.00131), ("60,000", 60000), ("–", ""), ("<10⁻⁹", "<10⁻⁹"),
     ("4 of 6", "4 of 6"), ("", "")],
)  # fmt: skip
def test_a_number_as_shown_is_read_again(shown: str, read: object) -> None:
    assert number_of(shown) == read and type(number_of(shown)) is type(read)


def test_scale_maps_ends_onto_ends() -> None:
    scale = Scale(-2, 2, 100, 0)
    assert [scale(value) for value in (-2, 0, 2)] == [100, 50, 0]
    assert Scale(1, 1, 0, 10)(1) == 0


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.7, 12), (1e-9, 2e-9), (0, 1e6), (5, 5)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    found = ticks(low, high)
    assert len(found) <= 13
    slack = 1e-6 * max(abs(low), abs(high))
    assert all(low - slack <= value <= high + slack for value in found)


def test_extent_leaves_out_what_is_not_finite() -> None:
    assert extent([math.nan, math.inf], zero=False) == (0.0, 1.0)
    low, high = extent([1.0, 3.0, math.inf], zero=True)
    assert low == 0 and 3 < high < 4


def test_heat_has_a_step_for_every_activation() -> None:
    assert [level(value, 8.0) for value in (0, 0.001, 1, 4, 8)] == [0, 1, 1, 4, LEVELS]
    assert level(-8.0, 8.0) == LEVELS
    assert level(1.0, 0.0) == 0


def test_csv_holds_the_numbers_unrounded_and_no_formula() -> None:
    tokens = Figure(
        kind="tokens", title="t",
        data={"lines": [{"title": "=cmd", "tokens": list(HOSTILE), "values": [1 / 3] * len(HOSTILE)}], "maximum": 1},
    )  # fmt: skip
    rows = list(csv.reader(io.StringIO(figure_csv(tokens), newline="")))
    assert len(rows) == len(HOSTILE) + 1
    assert {row[4] for row in rows[1:]} == {repr(1 / 3)}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert {row[1] for row in rows[1:]} == {"'=cmd"}


@pytest.mark.parametrize("kind", FIGURES)
def test_csv_rows_have_the_same_width(kind: str) -> None:
    widths = {len(row) for row in csv.reader(io.StringIO(figure_csv(FIGURES[kind]), newline=""))}
    assert len(widths) == 1


def test_reports_do_not_load_torch() -> None:
    code = "import sys, workbench.reports; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
