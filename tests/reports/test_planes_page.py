"""The page of a cluster's planes: one file that loads nothing, in which no token is markup."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from workbench.reports.planes_page import planes_page, planes_svg

HOSTILE = "</script><img src=x onerror=alert(1)><!--"


def body() -> dict[str, Any]:
    legend = {"tokens": [[HOSTILE, 2], ["b", 1]], "groups": [0, 0, 1, -1], "others": 1}
    plane = {
        "axes": [1, 2],
        "status": "ok",
        "separability": 0.5,
        "mixture": 0.25,
        "score": 0.375,
        "points": 4,
        "bins": 10,
    }
    return {
        "cluster": 3, "name": HOSTILE, "space": HOSTILE, "size": 2, "points": 4, "active": 9,
        "threshold": 0.0, "seed": 0, "eps": 0.1, "explained": [0.7, 0.3], "singular_values": [2.0, 1.0],
        "planes": [plane, {**plane, "axes": [2, 1], "status": "too_few"}],
        "scores": [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]], "current": legend, "next": legend,
        "features": [{"index": 1, "label": HOSTILE}, {"index": 2, "label": ""}], "matrix": [[1.0, 0.5], [0.5, 1.0]],
    }  # fmt: skip


def contexts() -> list[dict[str, Any]]:
    return [{"tokens": ["x", HOSTILE], "peak": 1, "document": 0, "features": [[1, 2.5]]} for _ in range(4)]


def test_no_token_is_markup_and_the_data_is_whole() -> None:
    page = planes_page(body(), contexts(), "current")
    assert "<img" not in page
    assert page.count("</script>") == 2
    packed = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert packed is not None
    data = json.loads(packed[1])
    assert data["contexts"][0]["tokens"] == ["x", HOSTILE]
    assert data["current"]["tokens"][0] == [HOSTILE, 2]
    assert [plane["axes"] for plane in data["planes"]] == [[1, 2], [2, 1]]


def test_nothing_is_loaded() -> None:
    page = planes_page(body(), contexts(), "next")
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["']?https?:""", page)


@pytest.mark.parametrize("colour", ["current", "next"])
def test_the_figure_marks_points_by_letters_and_says_what_the_indices_rest_on(colour: str) -> None:
    figure = planes_svg(body(), colour)
    assert "<img" not in figure
    assert [figure.count(f">{mark}</text>") for mark in "ab·"] == [4, 2, 2]  # two planes
    assert "S 0.50 bits, M 0.25; 4 points, 10 bins" in figure
    assert "no indices (too_few)" in figure
