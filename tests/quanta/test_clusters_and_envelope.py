"""Cohesion, ranks, purity, the rank-frequency envelope, resuming and the exact check: closed forms and plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.quanta import answer_entropy, cluster_cohesion, envelope_slope, purity, rank_envelope, size_ranks

BLOCKS = np.array([5, 5, 5, 2, 2, 9])


def blocks(inside: float, between: float) -> np.ndarray:
    same = BLOCKS[:, None] == BLOCKS[None, :]
    matrix = np.where(same, inside, between)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def test_cohesion_and_separation_of_blocks_are_their_two_levels() -> None:
    found = cluster_cohesion(blocks(0.7, 0.1), BLOCKS)
    assert found.labels.tolist() == [2, 5, 9]
    assert found.sizes.tolist() == [2, 3, 1]
    assert found.cohesion[:2] == pytest.approx([0.7, 0.7])
    assert np.isnan(found.cohesion[2])
    assert found.separation[:2] == pytest.approx([0.6, 0.6])
    assert np.isnan(found.separation[2])


def test_the_diagonal_plays_no_part() -> None:
    matrix = blocks(0.7, 0.1)
    changed = matrix + np.diag(np.arange(6.0))
    assert cluster_cohesion(changed, BLOCKS).cohesion[:2] == pytest.approx([0.7, 0.7])


def test_between_and_nearest_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 30)
    matrix = rng.normal(size=(30, 30))
    matrix = matrix + matrix.T
    found = cluster_cohesion(matrix, labels)
    for a in range(4):
        for b in range(4):
            pairs = [matrix[i, j] for i in range(30) for j in range(30) if labels[i] == a and labels[j] == b and i != j]
            assert found.between[a, b] == pytest.approx(np.mean(pairs))
        others = [found.between[a, b] if b != a else -np.inf for b in range(4)]
        assert found.nearest[a] == int(np.argmax(others))


def test_one_cluster_has_no_nearest() -> None:
    found = cluster_cohesion(np.ones((3, 3)), [0, 0, 0])
    assert found.nearest.tolist() == [-1]
    assert np.isnan(found.separation).all()


def test_a_similarity_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="3 labels"):
        cluster_cohesion(np.ones((2, 2)), [0, 0, 1])


def test_ranks_go_by_size_and_equal_sizes_by_first_appearance() -> None:
    assert size_ranks([7, 3, 3, 5, 7, 1]) == {7: 0, 3: 1, 5: 2, 1: 3}


def test_entropy_of_answers() -> None:
    assert answer_entropy([4, 4, 4]) == 0
    assert answer_entropy([1, 2, 3, 4]) == pytest.approx(2)


def test_purity_counts_the_commonest_class_of_each_cluster() -> None:
    assert purity([0, 0, 0, 1, 1], ["a", "a", "b", "b", "b"]) == pytest.approx(4 / 5)
    assert purity([0, 0], ["a", "a"]) == 1


def test_the_envelope_is_the_largest_size_at_each_rank() -> None:
    assert rank_envelope([[5, 1], [3, 3], [2, 2, 2]]).tolist() == [5, 3, 2]


@pytest.mark.parametrize("exponent", [-0.8, -1.4])
def test_the_slope_of_a_power_law_is_its_exponent_and_the_interval_is_never_a_point(exponent: float) -> None:
    sizes = np.round(1e6 * np.arange(1, 401.0) ** exponent).astype(int)
    found = envelope_slope([sizes, sizes[:50]], 10, 300, draws=20)
    assert found.slope == pytest.approx(exponent, abs=0.01)
    assert found.sampling[0] <= exponent + 0.02
    assert found.sampling[1] >= exponent - 0.02
    assert found.interval[1] - found.interval[0] >= 0.4


def test_few_ranks_have_no_slope() -> None:
    assert np.isnan(envelope_slope([[5, 3, 1]], 1, 10).slope)
    with pytest.raises(ValueError, match="no range"):
        envelope_slope([[5, 3, 1]], 4, 4)


# --- resuming and checking


@pytest.fixture
def task(tiny_model: Any, one_thread: None) -> Any:
    import torch

    generator = torch.Generator().manual_seed(0)
    lengths = [3, 9, 4, 12, 6, 5, 8, 7]
    return tiny_model.plain, [torch.randint(1, 200, (length,), generator=generator).tolist() for length in lengths]


SETTINGS: list[dict[str, Any]] = [
    {"mode": "exact"},
    {"mode": "exact", "memory": 900_000},
    {"mode": "factored", "rank": 4},
    {"mode": "sketch"},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: "-".join(str(value) for value in settings.values()))
@pytest.mark.parametrize("stop", [1, 5, 11])
def test_work_that_was_stopped_goes_on_to_the_same_numbers(task: Any, settings: dict[str, Any], stop: int) -> None:
    from workbench.quanta import gradient_similarity

    class Stop(Exception):
        """Ends the first run."""

    model, contexts = task
    whole = gradient_similarity(model, contexts, **settings)
    left: list[Any] = []

    def tick(done: int, planned: int) -> None:
        if done > stop:
            raise Stop

    made = 0
    try:
        gradient_similarity(model, contexts, tick=tick, keep=left.append, **settings)
    except Stop:
        made = int(left[-1]()["passes"]) if left else 0
    state = {name: array.clone() for name, array in left[-1]().items()}
    again = gradient_similarity(model, contexts, resume=state, **settings)
    assert np.array_equal(again.matrix, whole.matrix)
    assert again.passes <= whole.passes + 3, "what was kept is not made again"
    assert made == 0 or made >= min(stop, whole.passes) - 3


def test_memory_for_few_rows_makes_more_passes_than_samples(task: Any) -> None:
    from workbench.quanta.gradients import exact_passes, gradient_similarity, rows_held
    from workbench.quanta.roles import chosen_parameters, flat_size

    model, contexts = task
    numbers = flat_size(chosen_parameters(model).values())
    held, _ = rows_held(len(contexts), numbers, 4, 900_000)
    assert held < len(contexts), "the setting of the test above does stream"
    assert gradient_similarity(model, contexts, memory=900_000).passes == exact_passes(len(contexts), held)


def test_the_check_finds_a_wrong_pair_and_passes_right_ones(task: Any) -> None:
    from workbench.quanta import gradient_similarity
    from workbench.quanta.checking import check_pairs, drawn_pairs

    model, contexts = task
    matrix = gradient_similarity(model, contexts).matrix
    pairs = drawn_pairs(matrix, 20, seed=1)
    assert len({tuple(sorted(pair)) for pair in pairs.tolist()}) == len(pairs) == 20
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert check_pairs(model, contexts, matrix, pairs).largest < 1e-5
    a, b = pairs[3]
    matrix[a, b] += 0.01
    wrong = check_pairs(model, contexts, matrix, pairs)
    assert wrong.largest == pytest.approx(0.01, abs=1e-5)
    assert int(np.abs(wrong.difference).argmax()) == 3
