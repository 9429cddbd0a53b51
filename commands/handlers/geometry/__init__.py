"""Carries out `geometry.*`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from commands.geometry import GeometryEnergy, GeometryMatch, GeometryOptimum
from commands.handlers.geometry.vectors import Directions, read_directions
from workbench.errors import UnknownNameError, UsageError
from workbench.figures import Figure
from workbench.geometry import (
    cosine_gram,
    cross_polytope_energy,
    fit_gram,
    identity_to_simplex,
    match_gram,
    minimum_energy,
    orthonormal_energy,
    perturbation_curve,
    polygon_energy,
    polygon_vectors,
    rbf_gram,
    simplex_energy,
    simplex_vectors,
    welch_bound,
)
from workbench.geometry import energy as energy_of
from workbench.geometry.matching import relabelled_cost
from workbench.lab import Lab
from workbench.session.log import LogLine
from workbench.verbs import Outcome

MOST_DIMS = 12
"""Most dimensions of abstract optima that are tried where none are named."""
PUSHES = 3
"""Draws for each size of a push."""
REMARK = (
    "In the published study the weights of the fit came out uniform at every setting. Its code left the energy out of "
    "that fit, so that only the penalty on the weights acts on them: they are uniform whatever the data. With the "
    "energy in the fit they are what stands beside it here."
)


def energy(command: GeometryEnergy, lab: Lab) -> Outcome:
    """Gram, energy, nulls and optima of every layer asked for."""
    found = read_directions(command, lab)
    rows = []
    for done, one in enumerate(found):
        lab.tick(done, len(found), f"{one.place}: energies and nulls")
        rows.append(_row(command, one))
    known = [row for row in rows if row["status"] == "ok"]
    n = len(found[0].names)
    first = next((one for one, row in zip(found, rows, strict=True) if row["status"] == "ok"), None)
    body: dict[str, Any] = {
        "of": command.of, "names": list(found[0].names), "n": n, "similarity": command.similarity,
        "kernel": command.kernel, "s": command.s, "weights": command.weights, "references": _references(n, command),
        "identity_to_simplex": identity_to_simplex(n), "places": rows, "optima": [], "fits": [], "curve": None,
        "remark": "",
    }  # fmt: skip
    if first is not None:
        target = _gram(command, first.vectors)
        body["matched"] = first.place
        body["optima"] = _optima(command, lab, n, target, command.dims or range(2, min(n, MOST_DIMS + 2)))
        if command.weights == "softmax":
            body["fits"], body["remark"] = _fits(command, lab, n, target), REMARK
        if command.perturb:
            lab.tick(0, 1, "pushing and settling")
            body["curve"] = _curve(command, n, target)
    lab.save("grams", **{f"gram_{at}": np.array(row["gram"]) for at, row in enumerate(rows) if row["gram"]})
    return Outcome(body, _figures(body, known))


def _gram(command: GeometryEnergy, vectors: np.ndarray) -> np.ndarray:
    return cosine_gram(vectors) if command.similarity == "cosine" else rbf_gram(vectors, width=command.width)


def _row(command: GeometryEnergy, one: Directions) -> dict[str, Any]:
    vectors = one.vectors
    empty = dict.fromkeys(("gram", "energy", "mean_cosine", "smallest_cosine", "largest_cosine", "label_shuffle",
                           "coordinate_shuffle"))  # fmt: skip
    head = {"place": one.place, "width": int(vectors.shape[1])}
    try:
        value, gram = _energy(command, vectors), _gram(command, vectors)
    except ValueError as error:
        status = "coincident" if "coincide" in str(error) else "no direction" if "is 0" in str(error) else "not finite"
        return {**head, "status": status, "why": _named(str(error), one.names), **empty}
    cosines = cosine_gram(vectors)
    off = cosines[~np.eye(len(cosines), dtype=bool)]
    return {
        **head,
        "status": "ok",
        "why": "",
        "gram": [[round(float(v), 5) for v in row] for row in gram],
        "energy": value,
        "mean_cosine": float(off.mean()),
        "smallest_cosine": float(off.min()),
        "largest_cosine": float(off.max()),
        "label_shuffle": _null(command, [one.shuffled(seed) for seed in range(command.draws)] if one.shuffled else []),
        "coordinate_shuffle": _null(command, _scrambled(vectors, command)),
    }


def _scrambled(vectors: np.ndarray, command: GeometryEnergy) -> list[np.ndarray]:
    rng = np.random.default_rng(command.seed)
    return [rng.permuted(vectors, axis=1) for _ in range(command.draws)]


def _energy(command: GeometryEnergy, vectors: np.ndarray) -> float:
    """Of unit vectors: lengths would decide a logarithm or a power of distances."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return energy_of(vectors / np.where(length > 0, length, 1), command.kernel, command.s)


def _null(command: GeometryEnergy, draws: Sequence[np.ndarray]) -> dict[str, Any] | None:
    """Mean and spread of energy and mean cosine over draws; draws in which vectors coincide are counted out."""
    energies, cosines = [], []
    for vectors in draws:
        try:
            energies.append(_energy(command, vectors))
        except ValueError:
            continue
        gram = cosine_gram(vectors)
        cosines.append((gram.sum() - len(gram)) / (len(gram) * (len(gram) - 1)))
    if len(energies) < 2:
        return None
    return {
        "draws": len(energies),
        "energy_mean": float(np.mean(energies)),
        "energy_sd": float(np.std(energies, ddof=1)),
        "cosine_mean": float(np.mean(cosines)),
        "cosine_sd": float(np.std(cosines, ddof=1)),
    }


def _named(message: str, names: Sequence[str]) -> str:
    """What the library says of vectors by number, with their names."""
    words = message.split()
    known = {str(at): f"{at} ({name})" for at, name in enumerate(names)}
    return " ".join(known.get(word, word) for word in words)


def _references(n: int, command: GeometryEnergy | GeometryOptimum) -> dict[str, float | None]:
    """Energies of the shapes that are known in closed form."""
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


def _optima(
    command: GeometryEnergy, lab: Lab, n: int, target: np.ndarray, dims: Sequence[int] | range
) -> list[dict[str, Any]]:
    """The least energy in each dimension, and how near its best relabelling comes to the measured Gram."""
    rows = []
    for done, d in enumerate(dims):
        lab.tick(done, len(dims), f"least energy in {d} dimensions")
        row, cosines = _optimum(n, d, command.kernel, command.s, command.restarts, command.seed)
        cost = None if cosines is None else match_gram(target, cosines, seed=command.seed).cost
        rows.append({**row, "cost": cost, "per_pair": None if cost is None else cost / n**2})
    return rows


def _optimum(
    n: int, d: int, kernel: Any, s: float | None, restarts: int, seed: int
) -> tuple[dict[str, Any], np.ndarray | None]:
    """What is said of the least energy in d dimensions, and the cosines of the vectors; None where there are none."""
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


def _fits(command: GeometryEnergy, lab: Lab, n: int, target: np.ndarray) -> list[dict[str, Any]]:
    """Importance weights of a joint fit, as published without the energy, and with it."""
    rows = []
    for share in (0.0, command.share):
        lab.tick(0, 2, f"fitting weights, energy share {share:g}")
        fit = fit_gram(target, max(2, n - 1), kernel=command.kernel, s=command.s, energy_share=share,
                       restarts=command.restarts, seed=command.seed)  # fmt: skip
        rows.append({"energy_share": share, "dims": max(2, n - 1), "cost": fit.cost,
                     "weights": fit.weights.tolist(), "logit_largest": float(np.abs(fit.logits).max())})  # fmt: skip
    return rows


def _curve(command: GeometryEnergy, n: int, target: np.ndarray) -> dict[str, Any]:
    try:
        found = perturbation_curve(target, max(2, n - 1), command.kernel, command.s, sigmas=command.sigmas,
                                   draws=PUSHES, seed=command.seed)  # fmt: skip
    except ValueError as error:
        raise UsageError(str(error), "Leave --perturb out, or change the directions.") from error
    return {
        "dims": max(2, n - 1),
        "sigmas": list(found.sigmas),
        "cost": found.cost.mean(axis=1).tolist(),
        "fit_cost": found.fit_cost,
        "random_cost": float(found.random_cost.mean()),
        "simplex_cost": found.simplex_cost,
    }


def _figures(body: dict[str, Any], known: list[dict[str, Any]]) -> list[Figure]:
    figures = [
        Figure(kind="matrix", title=f"{body['similarity']} Gram of {body['of']} at {row['place']}",
               data={"rows": body["names"], "columns": body["names"], "values": row["gram"]})
        for row in known
    ]  # fmt: skip
    if len(known) > 1:
        series = {"measured": [row["energy"] for row in known]}
        for key, said in (("label_shuffle", "labels shuffled"), ("coordinate_shuffle", "coordinates shuffled")):
            if all(row[key] for row in known):
                series[said] = [row[key]["energy_mean"] for row in known]
        series["simplex"] = [body["references"]["simplex"]] * len(known)
        data = {"x": list(range(len(known))), "series": series}
        figures.append(Figure(kind="curve", title=f"Energy ({body['kernel']}) by layer", data=data,
                              x_label="place (0: the first)", y_label="energy"))  # fmt: skip
    if body["curve"]:
        curve, size = body["curve"], len(body["curve"]["cost"])
        series = {"pushed and settled": curve["cost"], "from random starts": [curve["random_cost"]] * size,
                  "no structure against the simplex": [curve["simplex_cost"]] * size}  # fmt: skip
        figures.append(Figure(kind="curve", title="Distance from the measured Gram after a push", x_label="size of it",
                              y_label="distance / n²", data={"x": curve["sigmas"], "series": series}))  # fmt: skip
    return figures


def optimum(command: GeometryOptimum, lab: Lab) -> Outcome:
    """Least energies by dimension."""
    if command.n < 2:
        raise UsageError("one vector repels nothing", "Ask for 2 or more.")
    references = _references(command.n, command)
    dims = command.dims or range(2, min(command.n, MOST_DIMS) + 1)
    rows = []
    for done, d in enumerate(dims):
        lab.tick(done, len(dims), f"{d} dimensions")
        if d < 1:
            raise UsageError(f"{d} dimensions are none", "Give --dims 1 or more.")
        rows.append(_optimum(command.n, d, command.kernel, command.s, command.restarts, command.seed)[0])
    body = {"n": command.n, "kernel": command.kernel, "s": command.s, "restarts": command.restarts,
            "references": references, "optima": rows}  # fmt: skip
    kept = [row for row in rows if row["status"] == "ok"]
    series = {"least found": [row["energy"] for row in kept],
              **{name: [value] * len(kept) for name, value in references.items() if value is not None}}  # fmt: skip
    data = {"x": [row["dims"] for row in kept], "series": series}
    title = f"Least {command.kernel} energy of {command.n} unit vectors"
    return Outcome(body, [Figure(kind="curve", title=title, x_label="dimensions", y_label="energy", data=data)])


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
