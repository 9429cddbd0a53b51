"""Carries out `geometry.optimum`: least energies by dimension, beside the shapes known in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

from commands.geometry import GeometryEnergy, GeometryOptimum
from workbench.errors import UsageError
from workbench.figures import Figure
from workbench.geometry import (
    cosine_gram,
    cross_polytope_energy,
    minimum_energy,
    orthonormal_energy,
    polygon_energy,
    simplex_energy,
    welch_bound,
)
from workbench.lab import Lab
from workbench.verbs import Outcome

MOST_DIMS = 12
"""Most dimensions of abstract optima that are tried where none are named."""


def optimum(command: GeometryOptimum, lab: Lab) -> Outcome:
    """Least energies by dimension."""
    if command.n < 2:
        raise UsageError("one vector repels nothing", "Ask for 2 or more.")
    references = references_of(command.n, command)
    dims = command.dims or range(2, min(command.n, MOST_DIMS) + 1)
    rows = []
    for done, d in enumerate(dims):
        lab.tick(done, len(dims), f"{d} dimensions")
        if d < 1:
            raise UsageError(f"{d} dimensions are none", "Give --dims 1 or more.")
        rows.append(least_energy(command.n, d, command.kernel, command.s, command.restarts, command.seed)[0])
    body = {"n": command.n, "kernel": command.kernel, "s": command.s, "restarts": command.restarts,
            "references": references, "optima": rows}  # fmt: skip
    kept = [row for row in rows if row["status"] == "ok"]
    series = {"least found": [row["energy"] for row in kept],
              **{name: [value] * len(kept) for name, value in references.items() if value is not None}}  # fmt: skip
    data = {"x": [row["dims"] for row in kept], "series": series}
    title = f"Least {command.kernel} energy of {command.n} unit vectors"
    return Outcome(body, [Figure(kind="curve", title=title, x_label="dimensions", y_label="energy", data=data)])


def references_of(n: int, command: GeometryEnergy | GeometryOptimum) -> dict[str, float | None]:
    """Energies of the shapes of n vectors that are known in closed form; None where n vectors do not make one.

    Raises:
        UsageError: a kernel without the exponent it needs, or with one that it does not take.
    """
    kernel, s = command.kernel, command.s
    try:
        return {
            "simplex": simplex_energy(n, kernel, s),
            "polygon": polygon_energy(n, kernel, s),
            "cross-polytope": cross_polytope_energy(n // 2, kernel, s) if n % 2 == 0 else None,
            "orthonormal": orthonormal_energy(n, kernel, s),
        }
    except ValueError as error:
        raise UsageError(str(error), "Give --s with riesz, and with nothing else.") from error


def least_energy(
    n: int, d: int, kernel: Any, s: float | None, restarts: int, seed: int
) -> tuple[dict[str, Any], np.ndarray | None]:
    """Search the least energy of n unit vectors in d dimensions.

    Returns:
        What is said of it, whose `status` is `ok` or why there is none, and the (n, n) cosines of the vectors, or None.
    """
    row: dict[str, Any] = {"dims": d, "status": "ok", "welch": welch_bound(n, d) if d >= 1 else None}
    try:
        best = minimum_energy(n, d, kernel, s, restarts=restarts, seed=seed)
    except ValueError as error:
        nothing = dict.fromkeys(("energy", "spread", "largest_cosine", "known"))
        return {**row, "status": str(error), **nothing, "shape": ""}, None
    cosines = cosine_gram(best.vectors)
    shape, known = _closed_form(n, d, kernel, s)
    row |= {"energy": best.energy, "spread": best.spread, "shape": shape, "known": known}
    return {**row, "largest_cosine": float(np.abs(cosines[~np.eye(n, dtype=bool)]).max())}, cosines


def _closed_form(n: int, d: int, kernel: Any, s: float | None) -> tuple[str, float | None]:
    """The shape that is known to be the least at this number of dimensions, with its energy."""
    if kernel == "riesz" and s is not None and s <= -2:
        return "", None  # there the least is no spread-out shape
    if d >= n - 1:
        return "simplex", simplex_energy(n, kernel, s)
    if d == 2:
        return "polygon", polygon_energy(n, kernel, s)
    if n == 2 * d:
        return "cross-polytope", cross_polytope_energy(d, kernel, s)
    return "", None
