"""What the shell prints of quanta: nothing is cut without a word, and numbers have headings."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from commands.render import quanta
from commands.render.labels import comparison

ROW = {"cluster": 4, "rank": 1, "size": 30, "cohesion": 0.5, "separation": 0.1, "nearest": 2, "entropy": 1.0,
       "answers": [[" the", 3]], "label": "", "note": ""}  # fmt: skip
SAMPLE = {
    "document": 7,
    "loss": 0.01,
    "before": ["<|endoftext|>", "Once"],
    "answer": " upon",
    "after": [],
    "cut": False,
}


def printed(draw: Any, result: dict[str, Any]) -> str:
    page = io.StringIO()
    draw(result, Console(file=page, width=120, highlight=False, markup=False, color_system=None))
    return page.getvalue()


def test_a_list_that_shows_a_part_says_which() -> None:
    page = {"total": 30, "samples": 900, "model": "demo", "sort": "size", "clusters": [ROW] * 8}
    assert "8 of 30 (--offset, --limit)" in printed(quanta.listed, {**page, "offset": 0})
    assert "9 to 16 of 30 (--offset, --limit)" in printed(quanta.listed, {**page, "offset": 8})
    assert "--limit" not in printed(quanta.listed, {**page, "offset": 0, "total": 8})
    made = {"largest": [ROW] * 20, "clusters": 30, "samples": 900}
    assert "the 20 largest of 30: `workbench quanta list` has all" in printed(quanta.clustered, made)


def test_a_cluster_shows_what_was_cut_and_how_near_others_are() -> None:
    near = {**ROW, "cluster": 9, "similarity": 0.8765}
    shown = {**ROW, "clusters": 30, "offset": 0, "nearest_clusters": [near],
             "samples": [SAMPLE, {**SAMPLE, "before": ["Ada", " won"], "cut": True}]}  # fmt: skip
    text = printed(quanta.one, shown)
    assert "  <|endoftext|>Once[ upon]" in text
    assert "…Ada won[ upon]" in text
    assert "document loss, nats  context [answer]" in text
    assert "2 of 30 (--offset, --limit)" in text
    assert "similarity" in text
    assert "0.88" in text


def test_nats_are_told_once() -> None:
    counts = {"predictions": 10, "model": "m", "below": 5, "threshold": 0.1, "unit": "nats", "threshold_nats": 0.1,
              "repeated": 1, "filter": "none", "special": 0, "left": 4, "high": "", "found": 4, "skip": 1, "n": 4,
              "histogram": {"edges": [0.0, 1.0, 2.0], "counts": [1, 2], "kept": [1, 0]}}  # fmt: skip
    assert "below 0.1 nats\n" in printed(quanta.counts, counts)
    assert "below 0.1 bits (0.0693 nats)" in printed(
        quanta.counts, {**counts, "unit": "bits", "threshold_nats": 0.0693}
    )


def test_no_suggestion_is_a_sentence() -> None:
    assert "no suggestion" in printed(comparison, {"of": "features", "features": []})
