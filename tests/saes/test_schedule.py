"""The K schedule against the published one's values, and in general; the package brings it without torch."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.saes import k_schedule


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 512), (100, 416), (200, 320), (300, 224), (399, 128), (400, 128), (401, 128), (1600, 128)],
)
def test_the_replication_s_values(step: int, expected: int) -> None:
    """512 to 128 over the first quarter; step 399 gives 128.96, which is cut, not rounded."""
    assert k_schedule(step, 1600, 512, 128, 0.25) == expected


def test_values_are_cut_also_on_the_way_up() -> None:
    assert [k_schedule(step, 4, 1, 2, 1.0) for step in range(5)] == [1, 1, 1, 1, 2]


@given(
    step=st.integers(0, 5000),
    total=st.integers(1, 4000),
    start=st.integers(1, 600),
    final=st.integers(1, 600),
    fraction=st.floats(0, 1),
)
def test_it_stays_between_its_ends_and_never_turns_back(
    step: int, total: int, start: int, final: int, fraction: float
) -> None:
    now, later = (k_schedule(at, total, start, final, fraction) for at in (step, step + 1))
    assert min(start, final) <= now <= max(start, final)
    assert (later - now) * (final - start) >= 0
    if step >= fraction * total:
        assert now == final


def test_no_schedule_is_the_final_value() -> None:
    assert k_schedule(0, 100, 512, 16, 0.0) == 16


def test_it_comes_without_torch() -> None:
    code = "import sys, workbench.saes; assert workbench.saes.k_schedule; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
