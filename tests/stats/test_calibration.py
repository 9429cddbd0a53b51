"""The measurement of false positives: its error bars, and that it catches a test that cries wolf."""

import numpy as np
import pytest
from scipy import stats

from workbench.stats import calibration
from workbench.stats.calibration import TESTS, USUAL, Judged, NullTest, calibrate, mean_rate, wilson


@pytest.mark.parametrize(("hits", "trials"), [(0, 10), (5, 100), (10, 10), (1, 3)])
def test_the_interval_is_wilsons(hits: int, trials: int) -> None:
    expected = stats.binomtest(hits, trials).proportion_ci(method="wilson")
    found = wilson(hits, trials)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.rate == hits / trials


def test_the_mean_has_the_interval_of_its_spread() -> None:
    shares = [0.02, 0.05, 0.08, 0.05]
    half = 1.959964 * np.std(shares, ddof=1) / 2
    found = mean_rate(shares)
    assert (found.rate, found.low, found.high) == pytest.approx((0.05, 0.05 - half, 0.05 + half), abs=1e-6)


def test_a_test_that_cries_wolf_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Student's t taken at its word, without any correction for looking at 100 features."""

    def reckless(sample, permutations, seed):
        x, positive, _ = sample
        p = stats.ttest_ind(x[positive], x[~positive]).pvalue
        return Judged(p, p, p)

    monkeypatch.setattr(calibration, "TESTS", (NullTest("reckless", reckless),))
    (found,) = calibrate(scenarios=["gaussian"], seeds=30, features=100)
    assert found.any_q.above(0.05)
    assert found.any_fwer.rate > 0.9
    assert not found.p.above(0.08)
    assert not found.holds(0.05)


def test_every_test_that_exists_is_measured_and_holds() -> None:
    found = list(calibrate(seeds=12, features=60, permutations=99))
    assert {one.test for one in found} == {test.name for test in TESTS if test.exists}
    assert {one.scenario for one in found} == set(USUAL)
    # 12 data sets: at a true rate of 0.05, six or more hits have probability 1e-5
    assert all(one.any_q.rate < 0.5 and one.any_fwer.rate < 0.5 for one in found)
    assert all(one.p.rate < 0.15 for one in found)


def test_the_same_seed_measures_the_same() -> None:
    first, again = (
        list(calibrate(tests=["welch"], scenarios=["sparse"], seeds=5, features=50, permutations=50, seed=3))
        for _ in range(2)
    )
    other = list(calibrate(tests=["welch"], scenarios=["sparse"], seeds=5, features=50, permutations=50, seed=4))
    assert first == again
    assert first[0].p != other[0].p


def test_a_test_that_is_not_installed_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(sample, permutations, seed):
        raise AssertionError

    absent = NullTest("absent", never, needs="workbench.stats:no_such_test")
    monkeypatch.setattr(calibration, "TESTS", (absent,))
    assert list(calibrate(seeds=1)) == []


def test_progress_is_told_for_every_data_set() -> None:
    told = []
    list(calibrate(tests=["rate"], scenarios=["gaussian"], seeds=3, features=20, permutations=20,
                   tick=lambda done, total, text: told.append((done, total, text))))  # fmt: skip
    assert told == [(place, 3, "rate on gaussian") for place in range(3)]


@pytest.mark.parametrize(
    ("given", "said"), [({"tests": ["nope"]}, "unknown test 'nope'"), ({"scenarios": ["x"]}, "unknown scenario 'x'"),
                        ({"seeds": 0}, "at least 1")]
)  # fmt: skip
def test_what_is_unknown_is_refused(given: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(calibrate(**given))
