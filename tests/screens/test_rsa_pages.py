"""What the screens make of an RSA ranking: its head, its rows, and the two matrices."""

from __future__ import annotations

from typing import Any

import pytest

from screens.select.ranking_text import RSA_COLUMNS, discoveries, ranking_lines, rsa_row
from screens.select.rdm import rdm_cells, shades
from screens.widgets.lines import cell_text

HEAD: dict[str, Any] = {
    "kind": "rsa", "stimuli": "weekdays", "positive": "", "against": "circle [b]Monday[/b]", "statistic": "spearman",
    "over": "neighbourhood", "nuisance": ["length"], "pool": "mean", "permutations": 1000, "tested": 144,
    "undefined": 368, "discoveries": 5, "null_discoveries": 0.0, "null_discoveries_max": 1, "alpha": 0.05, "note": "",
}  # fmt: skip
ROW: dict[str, Any] = {
    "rank": 1, "feature": "demo/site/sae#171", "index": 171, "score": 0.336, "effect": 0.894, "d": None, "p": 0.001,
    "p_fwer": 0.001, "q": 7e-6, "status": "ok", "label": "days", "tie": False,
}  # fmt: skip


def said(head: dict[str, Any]) -> str:
    return "\n".join("".join(piece[0] for piece in line) for line in ranking_lines(head))


def test_the_head_says_model_comparison_and_what_was_left_out() -> None:
    text = said(HEAD)
    assert "weekdays: RSA, circle [b]Monday[/b]" in text
    assert "spearman over neighbourhood without length on mean" in text
    assert "shuffled sentences: median 0, max 1" in text
    assert "t squared" not in text


def test_two_equal_classes_are_said_to_add_nothing() -> None:
    assert "nothing beyond t squared" in said({**HEAD, "note": "two categories of equal size"})


@pytest.mark.parametrize(("t", "shown"), [(None, "–"), (-3.21, "-3.2")])
def test_a_row_has_a_cell_for_each_column_and_t_where_there_is_one(t: float | None, shown: str) -> None:
    cells = rsa_row({**ROW, "t": t}, 0.05, 0.4).cells
    assert len(cells) == len(RSA_COLUMNS)
    assert cell_text(cells[2]) == "0.336"
    assert cell_text(cells[4]).replace("−", "-") == shown


def test_the_columns_leave_room_for_a_label_on_eighty_cells() -> None:
    assert 80 - sum(column.width for column in RSA_COLUMNS) - len(RSA_COLUMNS) - 2 >= 4


def test_shades_go_from_least_to_largest() -> None:
    assert shades([[0, 1], [2, 4]], 1) == [" ░", "▒█"]
    assert shades([[3, 3], [3, 3]], 2) == ["    ", "    "]


def test_the_page_has_a_line_for_each_category_up_to_thirty() -> None:
    names = [f"c{at}" for at in range(40)]
    matrix = [[float(abs(a - b)) for a in range(40)] for b in range(40)]
    result = {"feature": "s#1", "test": ROW, "ranking": HEAD, "names": names, "model": matrix, "distances": matrix}
    texts = [cell_text(cell) for _, cell in rdm_cells(result)]
    assert texts[-1] == "the first 30 of 40 categories"
    assert max(map(len, texts[5:])) <= 80 - 14 - 3


def test_one_discovery_is_one() -> None:
    assert [discoveries(count) for count in (0, 1, 1200)] == ["0 discoveries", "1 discovery", "1,200 discoveries"]
