"""Carries out `geometry.match`: one Gram relabelled to be nearest to another."""

from __future__ import annotations

import numpy as np

from commands.geometry import GeometryMatch
from workbench.errors import UnknownNameError, UsageError
from workbench.figures import Figure
from workbench.geometry import (
    cosine_gram,
    match_gram,
    minimum_energy,
    polygon_vectors,
    simplex_vectors,
)
from workbench.geometry.matching import relabelled_cost
from workbench.lab import Lab
from workbench.session.log import LogLine
from workbench.verbs import Outcome


def match(command: GeometryMatch, lab: Lab) -> Outcome:
    """The best relabelling of the second Gram, beside the cost of the labels as they are."""
    stored = _stored(command.first, lab)
    other = _stored(command.second, lab)
    if stored is None and other is None:
        raise UsageError(
            f"neither {command.first!r} nor {command.second!r} is a measured Gram",
            "Measure one: `workbench geometry energy SET`, and give its line's number.",
        )
    size = len((stored or other)[0])  # type: ignore[index] # one of them is there
    first, names = stored or _shape(command.first, size, command)
    second, others = other or _shape(command.second, size, command)
    if len(first) != len(second):
        raise UsageError(f"{len(first)} and {len(second)} vectors cannot be matched", "Name Grams of one size.")
    found = match_gram(first, second, seed=command.seed)
    before = relabelled_cost(first, second, np.arange(len(first)))
    body = {
        "first": command.first,
        "second": command.second,
        "n": len(first),
        "start_cost": before,
        "cost": found.cost,
        "per_pair": found.cost / len(first) ** 2,
        "exact": found.exact,
        "permutation": [int(place) for place in found.permutation],
        "pairs": [[names[at], others[int(place)]] for at, place in enumerate(found.permutation)],
    }
    moved = second[np.ix_(found.permutation, found.permutation)]
    figures = [
        Figure(kind="matrix", title=title, data={"rows": labels, "columns": labels,
               "values": [[round(float(v), 4) for v in row] for row in matrix]})
        for title, labels, matrix in (
            (f"First: {command.first}", names, first),
            (f"Second relabelled: {command.second}", [others[int(place)] for place in found.permutation], moved),
        )
    ]  # fmt: skip
    return Outcome(body, figures)


def _stored(text: str, lab: Lab) -> tuple[np.ndarray, list[str]] | None:
    """A Gram of an earlier line; None where the text names a shape."""
    number, _, place = text.partition(":")
    if not (number.isdecimal() or number == "latest"):
        return None
    lines = lab.record.done("geometry.energy")
    chosen = [line for line in lines if number == "latest" or line.seq == int(number)]
    if not chosen:
        raise UnknownNameError(
            f"{text!r} names a line of the log, and line {number} measured no Gram",
            f"{_lines_that_did(lines)} The number of vectors is that of the line; a set of them that no line measured "
            f"is at hand by `workbench geometry optimum {number}`.",
        )
    result = lab.stored(chosen[-1])
    rows = [row for row in result["places"] if row["gram"] and place in ("", row["place"])]
    if not rows:
        places = [row["place"] for row in result["places"] if row["gram"]]
        if not places:
            raise UsageError(
                f"line {chosen[-1].seq} has no Gram: its directions coincide or have no length",
                "Measure others, or name an earlier line.",
            )
        raise UnknownNameError.among("place", place, places)
    return np.array(rows[-1]["gram"], dtype=np.float64), list(result["names"])


def _lines_that_did(lines: list[LogLine]) -> str:
    """Which lines can be named, or how to make one."""
    if not lines:
        return "None did yet: `workbench geometry energy weekdays` measures one, then `geometry match latest simplex`."
    return f"Lines that did: {', '.join(str(line.seq) for line in lines)}, or `latest`."


def _shape(text: str, n: int, command: GeometryMatch) -> tuple[np.ndarray, list[str]]:
    names = [str(at) for at in range(n)]
    if text == "simplex":
        return cosine_gram(simplex_vectors(n)), names
    if text == "polygon":
        return cosine_gram(polygon_vectors(n)), names
    kind, _, dims = text.partition(":")
    if kind == "optimum" and dims.isdecimal() and int(dims) >= 1:
        try:
            best = minimum_energy(n, int(dims), command.kernel, command.s, seed=command.seed)
        except ValueError as error:
            raise UsageError(str(error), "Give --s with riesz, or take 2 dimensions or more.") from error
        return cosine_gram(best.vectors), names
    raise UnknownNameError(f"{text!r} is no Gram", "Give a line's number, simplex, polygon, or optimum:3.")
