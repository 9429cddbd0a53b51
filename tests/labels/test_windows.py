"""What explains and what scores share no document, by type and at run time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.labels.windows import window
from workbench.errors import WorkbenchError
from workbench.labels.drawing import QUANTILES, Draw, mass_edges
from workbench.labels.windows import ExplainWindows, ReferenceWindows, ScoreWindows, part_of


def test_a_scorer_cannot_be_given_what_explained() -> None:
    seen = window("the dog won", "explain")
    with pytest.raises(WorkbenchError, match="to explain, not to score"):
        ScoreWindows((seen,), (1,), {})
    with pytest.raises(WorkbenchError, match="to explain, not to score"):
        ScoreWindows((), (), {"random": (seen,)})
    with pytest.raises(WorkbenchError, match="to score, not to explain"):
        ExplainWindows((), ((window("a b", "score"),),), ())
    with pytest.raises(WorkbenchError, match="to explain, not to refer"):
        ReferenceWindows((seen,))


def test_the_part_follows_the_text_alone_and_the_shares_are_two_two_one() -> None:
    draw = np.random.default_rng(0)
    documents = [draw.integers(0, 50, size=9) for _ in range(3000)]
    parts = [part_of(tokens) for tokens in documents]
    assert parts == [part_of(tokens.astype(np.int64).copy()) for tokens in documents]
    for part, share in (("explain", 0.4), ("score", 0.4), ("refer", 0.2)):
        assert parts.count(part) / 3000 == pytest.approx(share, abs=0.04)  # 4 standard errors


def test_groups_of_equal_mass() -> None:
    values = np.array([1.0] * 20 + [20.0])
    low = np.searchsorted(mass_edges(values), values, side="right")
    assert set(low[:20]) <= {0, 1, 2}
    assert low[20] == QUANTILES - 1


@pytest.fixture(scope="module")
def draw(tiny_index: Any) -> Draw:
    return Draw(tiny_index, seed=3)


def strongest(index: Any) -> list[int]:
    return [int(one) for one in np.argsort(-index.summary["fired"])[:6]]


def test_drawn_windows_share_no_document_between_parts(draw: Draw) -> None:
    for feature in strongest(draw.index):
        explain, score = draw.explain(feature), draw.score(feature, 4, ("random", "neighbours", "hard"))
        silent = [one for group in score.negatives.values() for one in group]
        seen = {one.document for one in (*explain.active, *explain.contrast)}
        assert not seen & {one.document for one in (*score.active, *silent)}
        assert not seen & {one.document for one in draw.reference().windows}


def test_active_windows_are_active_and_silent_ones_silent(draw: Draw) -> None:
    for feature in strongest(draw.index):
        score = draw.score(feature, 4, ("random", "neighbours", "hard"))
        assert all(one.value > 0 for one in score.active)
        assert all(max(one.values) == 0 for group in score.negatives.values() for one in group)
        assert list(score.quantile) == sorted(score.quantile)


def test_a_document_gives_one_window_and_a_text_is_shown_once(draw: Draw) -> None:
    for feature in strongest(draw.index):
        score = draw.score(feature, 4, ("random",))
        shown = [*score.active, *score.negatives["random"]]
        assert len({one.document for one in shown}) == len(shown)
        assert len({one.text for one in shown}) == len(shown)


def test_the_seed_decides_the_draw(tiny_index: Any) -> None:
    feature = strongest(tiny_index)[0]
    first = Draw(tiny_index, 1).score(feature, 4, ("random",))
    assert first == Draw(tiny_index, 1).score(feature, 4, ("random",))
    assert first != Draw(tiny_index, 2).score(feature, 4, ("random",))
