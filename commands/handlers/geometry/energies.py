"""Carries out `geometry.energy`: how directions repel each other, beside nulls, shapes and optima."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from commands.geometry import GeometryEnergy
from commands.handlers.geometry.optima import MOST_DIMS, least_energy, references_of
from commands.handlers.geometry.vectors import Directions, read_directions
from workbench.errors import UsageError
from workbench.figures import Figure
from workbench.geometry import (
    cosine_gram,
    fit_gram,
    identity_to_simplex,
    match_gram,
    perturbation_curve,
    rbf_gram,
)
from workbench.geometry import energy as energy_of
from workbench.lab import Lab
from workbench.verbs import Outcome

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
        "kernel": command.kernel, "s": command.s, "weights": command.weights, "references": references_of(n, command),
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


def _optima(
    command: GeometryEnergy, lab: Lab, n: int, target: np.ndarray, dims: Sequence[int] | range
) -> list[dict[str, Any]]:
    """The least energy in each dimension, and how near its best relabelling comes to the measured Gram."""
    rows = []
    for done, d in enumerate(dims):
        lab.tick(done, len(dims), f"least energy in {d} dimensions")
        row, cosines = least_energy(n, d, command.kernel, command.s, command.restarts, command.seed)
        cost = None if cosines is None else match_gram(target, cosines, seed=command.seed).cost
        rows.append({**row, "cost": cost, "per_pair": None if cost is None else cost / n**2})
    return rows


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
