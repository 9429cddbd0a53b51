"""Regressors of a circle task by name: what activations after a problem may hold, one group of columns each.

Source: Engels et al. (2024), section 6, where the groups were chosen by hand for each layer. In the names a is the
index of the name, b the number of steps, c the index of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UnknownNameError, UsageError
from workbench.geometry import circles, constant, one_hot, parity

if TYPE_CHECKING:
    from workbench.circles.tasks import Task

Floats = NDArray[np.float64]
Group = tuple[str, Floats]

_CIRCLE = re.compile(r"circle(\d*)\((a|b|c|a-b)\)")
_PARITY = re.compile(r"parity\((a|b|c|a\+b)\)")
CARRY, TOMORROW, SUM = "carry", "tomorrow", "a+b"


def task_values(task: Task) -> dict[str, NDArray[np.intp]]:
    """(problems,) whole numbers of each quantity that regressors are made of."""
    a = np.array([problem.a for problem in task.problems], dtype=np.intp)
    b = np.array([problem.b for problem in task.problems], dtype=np.intp)
    return {
        "a": a,
        "b": b,
        "c": (a + b) % task.period,
        "a-b": (a - b) % task.period,
        "a+b": a + b,
    }


def candidate_names(task: Task, custom: Mapping[str, Floats] | None = None) -> list[str]:
    """The groups that the suggestion chooses from, the smallest first: of equal gains the first is taken."""
    frequencies = range(1, (task.period + 1) // 2)
    round_ = [f"circle{'' if n == 1 else n}({of})" for of in ("a", "b", "c", "a-b") for n in frequencies]
    return ["constant", *round_, "parity(a+b)", "carry", "a", "b", "c", "a+b", "tomorrow", *(custom or {})]


def groups_of(names: Sequence[str], task: Task, custom: Mapping[str, Floats] | None = None) -> list[Group]:
    """Columns of each group, in the order of the names; one-hots have the task's true size.

    Raises:
        UnknownNameError: no such group.
        UsageError: none at all, one twice, or a frequency that makes no circle at the task's period.
    """
    if not names:
        raise UsageError("no groups of regressors", "Name at least one, such as constant.")
    if len(set(names)) < len(names):
        raise UsageError(f"a group is named twice in {', '.join(names)}", "Name each once.")
    return [(name, _columns(name, task, custom or {})) for name in names]


def _columns(name: str, task: Task, custom: Mapping[str, Floats]) -> Floats:
    values, period = task_values(task), task.period
    if name in custom:
        return np.asarray(custom[name])
    if found := _CIRCLE.fullmatch(name):
        try:
            return circles(values[found[2]], period, [int(found[1] or 1)])
        except ValueError as error:
            raise UsageError(
                f"{name}: {error}", f"Frequencies at period {period} go up to {(period - 1) // 2}."
            ) from None
    if found := _PARITY.fullmatch(name):
        return np.asarray(parity(values[found[1]]))
    if name == "constant":
        return constant(len(task.problems))
    if name in ("a", "c"):
        return one_hot(values[name], period)
    if name == "b":
        return one_hot(values["b"] - 1, period)
    if name == SUM:
        return one_hot(values[SUM] - 1, 2 * period - 1)
    if name == CARRY:
        return np.asarray(values[SUM] >= period, dtype=np.float64)[:, None]
    if name == TOMORROW:
        return np.asarray(one_hot(values["a"], period) * (values["b"] == 1)[:, None])
    raise UnknownNameError.among("group", name, candidate_names(task, custom))
