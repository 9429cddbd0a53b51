"""The page in a real browser: no request, no error, no hostile text carried out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reports.chromium import Chromium, find_chromium
from tests.reports.example import SCRIPT

pytestmark = pytest.mark.slow


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
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_keyboard_reaches_the_report_first(browser: Chromium, page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    browser.open(path)
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert browser.evaluate("document.activeElement.textContent") == "Skip to the report"
