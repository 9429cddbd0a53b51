"""The page of all clusters: text is escaped, line ends are seen and kept, and the keys work in a real browser."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reports.chromium import Chromium, find_chromium
from workbench.reports.quanta_page import quanta_page

HOSTILE = ["</script><script>window.hurt = 1</script>", "<img src=x onerror='window.hurt=2'>", ";\n", "a\r\nb", "&lt;",
           "\u2028", "\ud800"]  # fmt: skip


def sample(number: int, answer: str, before: list[str]) -> dict[str, Any]:
    place = {"sample": number, "number": number, "document": number, "position": 3, "loss": 0.01, "cut": False}
    return {**place, "before": before, "answer": answer, "after": [" after"]}


def cluster(number: int, samples: list[dict[str, Any]], label: str = "") -> dict[str, Any]:
    return {
        "cluster": number, "rank": number + 1, "size": len(samples), "cohesion": 0.5, "separation": None,
        "entropy": 0.0, "answers": [[samples[0]["answer"], len(samples)]], "label": label, "note": "<b>note</b>",
        "samples": samples,
    }  # fmt: skip


CLUSTERS = [
    cluster(0, [sample(0, ";\n", HOSTILE), sample(1, "x", ["needle one"])], "<i>label</i>"),
    cluster(1, [sample(2, "y", ["nothing here"])]),
    cluster(2, [sample(3, "z", ["a needle"])]),
]


def test_no_tag_of_the_text_is_in_the_page_and_nothing_is_lost() -> None:
    page = quanta_page("<title> & more", CLUSTERS)
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>") == 2
    data = re.search(r'id="data">(.*?)</script>', page, re.S)
    assert data is not None
    assert json.loads(data[1]) == CLUSTERS
    assert "&lt;title&gt; &amp; more" in page
    page.encode("utf-8")


@pytest.fixture
def browser() -> Iterator[Chromium]:
    program = find_chromium()
    if program is None:
        if os.environ.get("WORKBENCH_REQUIRE_ALL") == "1":
            pytest.fail("chromium is not installed (apt-get install chromium)")
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with Chromium(program) as found:
        yield found


def press(browser: Chromium, key: str) -> None:
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)


@pytest.mark.slow
def test_keys_list_and_search_work_and_hostile_text_does_nothing(browser: Chromium, tmp_path: Path) -> None:
    path = tmp_path / "quanta.html"
    path.write_text(quanta_page("Clusters", CLUSTERS), encoding="utf-8")
    browser.open(path)
    requested = [event["request"]["url"] for event in browser.of_kind("Network.requestWillBeSent")]
    assert requested == [path.as_uri()]
    assert browser.of_kind("Runtime.exceptionThrown") == []
    assert browser.evaluate("window.hurt === undefined")
    shown = "document.querySelector('.sample').textContent"
    text = browser.evaluate(shown)
    for token in (HOSTILE[0], HOSTILE[1], ";\u21b5\n", "a\u21b5\nb", "&lt;"):
        assert token in text
    assert browser.evaluate("document.querySelector('.answer').textContent") == ";"
    assert browser.evaluate("document.querySelector('.answer.end').textContent") == "\u21b5"
    chosen = "document.getElementById('cluster').value"
    press(browser, "ArrowRight")
    assert browser.evaluate(chosen) == "1"
    press(browser, "ArrowLeft")
    press(browser, "ArrowLeft")
    assert browser.evaluate(chosen) == "0"
    browser.evaluate("document.getElementById('search').value = 'NEEDLE';"
                     "document.getElementById('search').dispatchEvent(new Event('input')); 1")  # fmt: skip
    assert browser.evaluate("document.querySelectorAll('.sample').length") == 1
    press(browser, "ArrowRight")
    assert browser.evaluate(chosen) == "2", "with a search the arrows go to clusters that have a match"
    browser.evaluate("list.value = '0';"
                     "list.dispatchEvent(new Event('change')); 1")  # fmt: skip
    assert "needle one" in browser.evaluate(shown)
