"""The null of one feature, drawn again, is the null its numbers came from."""

import numpy as np
import pytest

from workbench.stats import contrast_map, feature_null
from workbench.stats.two_groups import STATISTICS


def data(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.maximum(rng.standard_normal((40, 30)) - 0.3, 0)
    positive = np.arange(40) < 20
    x[positive, :3] += 1
    x[:, 7] = 0
    return x, positive, np.arange(40) % 20


@pytest.mark.parametrize("statistic", STATISTICS)
def test_p_and_the_tail_come_out_again(statistic: str) -> None:
    x, positive, items = data()
    items = items if statistic == "paired" else None
    found = contrast_map(x, positive, items=items, statistic=statistic, permutations=200, seed=4)
    for feature in range(30):
        null = feature_null(x, positive, feature, items=items, statistic=statistic, permutations=200, seed=4)
        if found.status[feature] != "ok":
            assert null is None
            continue
        assert null.observed == pytest.approx(abs(found.t[feature]), rel=1e-6)
        assert (null.exceeding + 1) / (null.draws.size + 1) == pytest.approx(found.p[feature])
        assert null.p_tail == pytest.approx(found.p_tail[feature])
        assert null.pool == null.stratum * null.draws.size


def test_a_number_beyond_the_pool_says_that_a_formula_made_it() -> None:
    x, positive, _ = data()
    x[positive, 0] += 50
    far, near = (feature_null(x, positive, feature, permutations=200) for feature in (0, 20))
    assert far.continued
    assert far.pool_exceeding <= 50
    assert not near.continued


def test_an_undefined_feature_has_no_null() -> None:
    x, positive, _ = data()
    assert feature_null(x, positive, 7) is None
