"""Regressors by name, pairs and planes: pure pieces, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.circles.explaining import candidate_names, groups_of, task_values
from workbench.circles.patching import best_site, effect, pairs_of, share_of_layer
from workbench.circles.plane import cluster_plane
from workbench.circles.tasks import TASKS
from workbench.errors import UnknownNameError, UsageError
from workbench.geometry import explain_by_regression

WEEK, YEAR = TASKS["weekdays"], TASKS["months"]


@pytest.mark.parametrize("task", [WEEK, YEAR])
def test_every_candidate_has_finite_columns_of_the_tasks_true_size(task) -> None:
    found = dict(groups_of(candidate_names(task), task))
    period = task.period
    assert all(np.isfinite(columns).all() and len(columns) == period**2 for columns in found.values())
    assert {name: found[name].shape[1] for name in ("a", "b", "c", "a+b")} == {
        "a": period, "b": period, "c": period, "a+b": 2 * period - 1,
    }  # fmt: skip
    assert (found["a"].sum(axis=0) == period).all()
    assert (found["c"].sum(axis=0) == period).all()
    assert found["carry"].sum() == sum(problem.a + problem.b >= period for problem in task.problems)
    assert (found["tomorrow"].sum(axis=1) == [problem.b == 1 for problem in task.problems]).all()


def test_months_need_all_twelve_one_hots() -> None:
    """On additive data a basis cut off at 8 explains 0.68; the true size explains all."""
    rng = np.random.default_rng(0)
    values = task_values(YEAR)
    scores = rng.standard_normal((12, 20))[values["a"]] + rng.standard_normal((12, 20))[values["b"] - 1]
    scores -= scores.mean(axis=0)
    whole = explain_by_regression(scores, groups_of(["a", "b"], YEAR)).r2[-1]
    cut = [(name, columns[:, :8]) for name, columns in groups_of(["a", "b"], YEAR)]
    assert whole == pytest.approx(1)
    assert 0.5 < explain_by_regression(scores, cut).r2[-1] < 0.85


def test_custom_columns_are_groups_too() -> None:
    own = np.arange(49.0)[:, None]
    assert groups_of(["mine"], WEEK, {"mine": own})[0][1] is not None
    assert "mine" in candidate_names(WEEK, {"mine": own})


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        ([], UsageError, "no groups"),
        (["a", "a"], UsageError, "twice"),
        (["circle(x)"], UnknownNameError, "circle(x)"),
        (["circle7(c)"], UsageError, "up to 3"),
    ],
)
def test_wrong_groups_are_named(names, error, said) -> None:
    with pytest.raises(error) as caught:
        groups_of(names, WEEK)
    assert said in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(("task", "count"), [(WEEK, 294), (YEAR, 1584)])
def test_pairs_are_all_other_names_at_the_same_offset(task, count) -> None:
    pairs = pairs_of(task)
    assert len(pairs) == count
    for one, other, before, after in zip(pairs.asked, pairs.clean, pairs.asked_answer, pairs.clean_answer, strict=True):
        first, second = task.problems[one], task.problems[other]
        assert first.b == second.b
        assert first.a != second.a
        assert (before, after) == (first.target, second.target)


def test_the_effect_is_a_mean_with_its_t_interval() -> None:
    from scipy import stats

    from workbench.circles.forward import Predictions

    pairs = pairs_of(WEEK)
    logits = np.random.default_rng(1).standard_normal((len(pairs), 7))
    found = effect([Predictions(logits, np.zeros(len(pairs), dtype=np.int64))], pairs)
    rows = np.arange(len(pairs))
    each = logits[rows, pairs.asked_answer] - logits[rows, pairs.clean_answer]
    low, high = stats.t.interval(0.95, len(each) - 1, loc=each.mean(), scale=stats.sem(each))
    assert (found["difference"], found["low"], found["high"]) == pytest.approx((each.mean(), low, high))
    assert found["followed"] == (logits.argmax(axis=1) == pairs.clean_answer).mean()


def test_shares_and_the_best_site() -> None:
    rows = {name: {"difference": value} for name, value in
            {"no change": 10.0, "patch layer": -10.0, "patch circle": -8.0}.items()}  # fmt: skip
    assert share_of_layer(rows, "patch circle") == pytest.approx(0.9)
    for nothing in (10.0, 9.95):  # a share of nearly nothing could be anything
        assert share_of_layer({**rows, "patch layer": {"difference": nothing}}, "patch circle") is None
    strong = {"site": "strong", "random_plane": 1.0, "patch_circle": -8.0}
    weak = {"site": "weak", "random_plane": 9.9, "patch_circle": 9.0}  # where the share alone may be larger
    assert best_site([weak, strong]) == strong
    assert best_site([{"site": "none", "random_plane": 1.0, "patch_circle": 2.0}]) is None


def test_the_plane_with_the_ring_is_found_behind_a_stronger_axis() -> None:
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(7), 12)
    turn = 2 * np.pi * labels / 7
    axes = np.linalg.qr(rng.standard_normal((16, 3)))[0]
    written = np.column_stack([5 * rng.standard_normal(84), np.cos(turn), np.sin(turn)]) @ axes.T
    found = cluster_plane(written, labels, 7)
    assert found is not None
    assert found.components == (2, 3)
    assert found.held_out_r2 > 0.9
    assert cluster_plane(np.outer(rng.standard_normal(84), axes[:, 0]), labels, 7) is None
