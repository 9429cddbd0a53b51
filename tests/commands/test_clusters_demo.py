"""`clusters.demo` as a command: what it shows is what the library says, and a replay gives the same."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.geometry import mixture_index, separability_index
from workbench.geometry.shapes import SHAPES


def test_it_shows_the_librarys_numbers_beside_their_nulls(do: Any) -> None:
    do("session.new s", None)
    reply = do("clusters.demo points=300 draws=4 seed=3")
    rows = {row["shape"]: row for row in reply["result"]["shapes"]}
    assert list(rows) == list(SHAPES)
    for name, make in SHAPES.items():
        points = make(300, seed=3)
        assert rows[name]["separability"] == pytest.approx(separability_index(points))
        assert rows[name]["mixture"] == pytest.approx(mixture_index(points).value)
        assert rows[name]["score"] == pytest.approx((1 - rows[name]["mixture"]) * rows[name]["separability"])
    assert rows["circle"]["separability_p"] == pytest.approx(1 / 5)
    assert max(rows.values(), key=lambda row: row["score"])["shape"] == "circle"


def test_one_figure_for_each_shape(do: Any, sessions: Any) -> None:
    import json

    do("session.new s", None)
    reply = do("clusters.demo points=700 draws=1")
    stored = json.loads((sessions / "s" / reply["artifact"] / "result.json").read_text())
    figures = stored["figures"]
    assert [figure["title"].split(":")[0] for figure in figures] == list(SHAPES)
    assert all(len(figure["data"]["x"]) == 500 for figure in figures)
