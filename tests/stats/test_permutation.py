import numpy as np
import pytest

from workbench.stats.permutation import count_labellings, relabel, shuffled_labels

POSITIVE = np.array([True, False, True, False, False, True, True])
ITEMS = np.array([0, 0, 1, 2, 1, 2, 3])


def test_exhaustive_labellings_are_all_the_others_once():
    found = relabel(POSITIVE, ITEMS, 100, np.random.default_rng(0))
    assert found.total == count_labellings(POSITIVE, ITEMS) == 8
    assert found.exhaustive
    assert len(np.unique(found.rows, axis=0)) == found.rows.shape[0] == 7
    assert not (found.rows == POSITIVE).all(axis=1).any()


@pytest.mark.parametrize("rows", [0, 1, 500])
def test_random_labellings_keep_the_positives_of_every_item(rows):
    drawn = shuffled_labels(POSITIVE, ITEMS, rows, np.random.default_rng(0))
    assert drawn.shape == (rows, 7)
    for code in range(4):
        here = code == ITEMS
        assert (drawn[:, here].sum(1) == POSITIVE[here].sum()).all()


def test_random_labellings_are_equally_likely():
    drawn = shuffled_labels(POSITIVE, ITEMS, 8000, np.random.default_rng(0))
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert counts.size == 8
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)
