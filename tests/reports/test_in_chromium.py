"""The page in a real browser: no request, no error, no hostile text carried out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from tests.reports.axe import SEVERE, axe_source, violations
from tests.reports.chromium import Chromium, find_chromium
from tests.reports.example import SCRIPT, lab_of
from workbench.figures import Figure
from workbench.reports import figure_svg, write_report
from workbench.reports.sheet import NARROW
from workbench.session.record import SessionRecord

pytestmark = pytest.mark.slow


SHOWN = """(() => {
  document.querySelectorAll('details').forEach(fold => fold.open = true)
  return [...document.querySelectorAll('figure')].filter(one => one.querySelector('svg')).map(one => {
    const shown = [...one.querySelectorAll('.scroll')].filter(each => each.checkVisibility());
    return {drawings: shown.length, scrolls: shown.some(each => each.scrollWidth > each.clientWidth)}})})()"""
"""Of each figure, folded ones opened: how many drawings of it are seen, and whether one scrolls sideways."""


@pytest.fixture
def browser() -> Iterator[Chromium]:
    program = find_chromium()
    if program is None:
        message = "chromium is not installed (apt-get install chromium)"
        if os.environ.get("WORKBENCH_REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with Chromium(program) as found:
        yield found


def test_a_hostile_report_is_inert(browser: Chromium, hostile_page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(hostile_page, encoding="utf-8")
    browser.open(path)
    requested = [event["request"]["url"] for event in browser.of_kind("Network.requestWillBeSent")]
    assert requested == [path.as_uri()]
    assert browser.of_kind("Log.entryAdded") == []
    assert browser.of_kind("Runtime.consoleAPICalled") == []
    assert browser.of_kind("Runtime.exceptionThrown") == []
    assert browser.evaluate("document.title") == f"Prizes {SCRIPT}"
    assert browser.evaluate("document.scripts.length + document.images.length") == 0
    assert SCRIPT in browser.evaluate("document.body.innerText")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 1200])
def test_the_page_fits_its_window(
    browser: Chromium, hostile_page: str, tmp_path: Path, width: int, scheme: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text(hostile_page, encoding="utf-8")
    browser.look(width, scheme)
    browser.open(path)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    drawn = browser.evaluate(SHOWN)
    assert drawn and {figure["drawings"] for figure in drawn} == {1}
    assert [figure for figure in drawn if figure["scrolls"]] == []
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_keyboard_reaches_the_report_first(browser: Chromium, page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    browser.open(path)
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert browser.evaluate("document.activeElement.textContent") == "Skip to the report"


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (400, "dark")])
def test_axe_finds_nothing_serious(
    browser: Chromium, hostile_page: str, tmp_path: Path, width: int, scheme: str
) -> None:
    source = axe_source()
    path = tmp_path / "report.html"
    path.write_text(hostile_page, encoding="utf-8")
    browser.look(width, scheme)
    browser.open(path)
    browser.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert [one for one in violations(browser, source) if one["impact"] in SEVERE] == []


def test_axe_would_find_something(browser: Chromium, tmp_path: Path) -> None:
    source = axe_source()
    path = tmp_path / "bad.html"
    path.write_text("<!doctype html><html><body><img src='data:,'><p style='color:#ccc'>pale</p></body></html>")
    browser.open(path)
    assert {"image-alt", "color-contrast"} <= {one["rule"] for one in violations(browser, source)}


def test_the_style_sheet_leaves_series_and_sectors_apart(browser: Chromium, tmp_path: Path) -> None:
    curve = Figure(kind="curve", title="c", data={"x": [0, 1], "series": {"a": [0, 1], "b": [1, 0], "c": [1, 1]}})
    sectors = Figure(kind="sectors", title="s", data={"names": ["a", "b"], "radii": [1.0], "values": [[0, 0, 1, 1]]})
    style = resources.files("workbench.reports").joinpath("page.css").read_text("utf-8")
    path = tmp_path / "figures.html"
    path.write_text(f"<!doctype html><style>{style}</style>{figure_svg(curve)}{figure_svg(sectors)}", "utf-8")
    browser.open(path)
    strokes = "[...document.querySelectorAll('.stroke')].map(one => getComputedStyle(one).stroke)"
    shades = "[...document.querySelectorAll('.sector')].map(one => getComputedStyle(one).fillOpacity)"
    assert len(set(browser.evaluate(strokes))) == 3
    assert len(set(browser.evaluate(shades))) == 2


CUT = """[...document.querySelectorAll('svg')].flatMap(drawing => {
  const paper = drawing.getBoundingClientRect();
  return [...drawing.querySelectorAll('text')].filter(text => {
    const place = text.getBoundingClientRect();
    return place.left < paper.left || place.right > paper.right || place.top < paper.top || place.bottom > paper.bottom
  }).map(text => text.textContent)})"""


def test_no_letter_of_a_matrix_is_cut_off(browser: Chromium, tmp_path: Path) -> None:
    names = ["Wednesday", "Monday", "Sunday"]
    cells = [[1.0, -0.5, 0.2]] * 3
    figure = Figure(kind="matrix", title="m", data={"rows": names, "columns": names, "values": cells})
    path = tmp_path / "figure.html"
    path.write_text(f"<!doctype html>{figure_svg(figure)}{figure_svg(figure, width=NARROW)}", "utf-8")
    browser.open(path)
    assert browser.evaluate(CUT) == []


@pytest.mark.parametrize("name", ["achievement", "weekdays"])
def test_the_shipped_sessions_make_pages_that_fit_and_read(
    browser: Chromium, home: Path, tmp_path: Path, name: str
) -> None:
    record = SessionRecord(Path(__file__).parents[2] / "sessions" / name)
    text = write_report(record, lab_of(record), "html")
    assert len(text.encode()) < 3_000_000
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    for width in (1200, 400):
        browser.look(width, "dark")
        browser.open(path)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert [event["request"]["url"] for event in browser.of_kind("Network.requestWillBeSent")] == [path.as_uri()]
    assert [one for one in violations(browser, axe_source()) if one["impact"] in SEVERE] == []


def test_paper_is_white_and_has_what_is_folded(browser: Chromium, page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    browser.open(path)
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.call("Emulation.setEmulatedMedia", media="print", features=dark)
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.evaluate("document.querySelector('details table').checkVisibility()")
    assert {figure["drawings"] for figure in browser.evaluate(SHOWN)} == {1}
    assert browser.evaluate("document.querySelector('details table').getBoundingClientRect().height") > 50
