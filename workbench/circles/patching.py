"""Interventions on a circle, over every pair of a problem and another name: what each moves the answer by.

Source: Engels et al. (2024), section 5.2; centred consistently, see `workbench.geometry.circle_probe`. What any patch
of one token can do is bounded by replacing the whole vector there, so that every effect stands beside that one, and
beside a random plane in which the vector goes as far from the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.circles.forward import MOST_ROWS, Change, Floats, Predictions, predict

if TYPE_CHECKING:
    from workbench.circles.tasks import Asked, Task
    from workbench.geometry import CircleProbe
    from workbench.models.loaded import LoadedModel
    from workbench.models.site import Site

Integers = NDArray[np.intp]
Make = Callable[[], Floats]

LEVEL = 0.95
"""Of the interval around a mean logit difference."""
NOTHING = 0.01
"""Share of the unchanged difference below which the whole patch does nothing that could be shared."""
ONCE = ("zero circle", "keep only circle", "average ablate")
"""Kinds that do not know the other name: one row a problem is enough."""


@dataclass(frozen=True)
class Pairs:
    """Every problem beside the problems of the same offset and another name.

    Attributes:
        asked: (pairs,) the problem that is changed.
        clean: (pairs,) the problem whose name it is given.
        asked_answer: (pairs,) index of the answer before.
        clean_answer: (pairs,) index of the answer wanted.
    """

    asked: Integers
    clean: Integers
    asked_answer: Integers
    clean_answer: Integers

    def __len__(self) -> int:
        """How many there are."""
        return len(self.asked)


def pairs_of(task: Task) -> Pairs:
    """All pairs of a task: 294 of weekdays, 1,584 of months."""
    place = {(problem.a, problem.b): at for at, problem in enumerate(task.problems)}
    found = [
        (at, place[name, problem.b])
        for at, problem in enumerate(task.problems)
        for name in range(task.period)
        if name != problem.a
    ]
    asked, clean = np.array(found, dtype=np.intp).T
    target = np.array([problem.target for problem in task.problems], dtype=np.intp)
    return Pairs(asked, clean, target[asked], target[clean])


def patches(
    acts: Floats,
    labels: Integers,
    pairs: Pairs,
    probe: CircleProbe,
    others: Mapping[str, tuple[CircleProbe, Integers]],
    draws: int,
) -> dict[str, list[Make]]:
    """What is put in the place of the vector, by the name of the intervention; several makers are draws of one.

    Args:
        acts: (problems, width) as they are.
        labels: (problems,) place of each on the circle.
        probe: fitted on them.
        others: further probes to patch with and the places they were fitted on, such as one in a cluster's plane.
        draws: random planes.
    """
    x, clean, target = acts[pairs.asked], acts[pairs.clean], labels[pairs.clean].astype(np.float64)

    def random(seed: int) -> Make:
        return lambda: probe.patch_random(x, target, seed=seed)

    def other(second: CircleProbe, places: Integers) -> Make:
        return lambda: second.patch(x, places[pairs.clean].astype(np.float64))

    return {
        "patch layer": [lambda: clean],
        "patch PCA": [lambda: probe.patch_pca(x, clean)],
        "patch circle": [lambda: probe.patch(x, target)],
        "patch circle, rest kept": [lambda: probe.zero_circle(x) + probe.patch(x, target) - probe.ablate(x)],
        **{name: [other(probe, labels)] for name, (probe, labels) in others.items()},
        "random plane": [random(seed) for seed in range(draws)],
        "keep only circle": [lambda: probe.keep_circle(acts)],
        "zero circle": [lambda: probe.zero_circle(acts)],
        "average ablate": [lambda: probe.ablate(acts)],
    }


def run_patches(
    model: LoadedModel,
    asked: Asked,
    pairs: Pairs,
    site: Site,
    places: Sequence[int],
    kinds: Mapping[str, Sequence[Make]],
    tick: Callable[[str], None],
    batch: int = MOST_ROWS,
) -> dict[str, list[Predictions]]:
    """The predictions of every pair under every intervention, one for each draw."""
    found: dict[str, list[Predictions]] = {}
    for kind, makers in kinds.items():
        tick(kind)
        which = np.arange(len(places)) if kind in ONCE else pairs.asked
        at = [places[number] for number in which]
        said = [
            predict(model, asked.prompts, which.tolist(), asked.answers, Change(site, at, make()), batch)
            for make in makers
        ]
        found[kind] = [_spread_out(one, pairs) for one in said] if kind in ONCE else said
    return found


def _spread_out(said: Predictions, pairs: Pairs) -> Predictions:
    return Predictions(said.answers[pairs.asked], said.top[pairs.asked])


def effect(said: Sequence[Predictions], pairs: Pairs) -> dict[str, Any]:
    """Mean of logit[answer before] - logit[answer wanted] over pairs, with its interval; draws are averaged.

    Returns:
        `difference`, `low`, `high`, `followed` and `stayed` (shares of pairs whose likeliest name is the answer wanted,
        or still the one before), and `draws` (the mean of each).
    """
    from scipy.stats import t

    rows = np.arange(len(pairs))
    each = np.stack([one.answers[rows, pairs.asked_answer] - one.answers[rows, pairs.clean_answer] for one in said])
    mean = each.mean(axis=0)  # (pairs,)
    half = float(t.ppf((1 + LEVEL) / 2, len(mean) - 1) * mean.std(ddof=1) / np.sqrt(len(mean)))
    likeliest = np.stack([one.answers.argmax(axis=1) for one in said])  # (draws, pairs)
    return {
        "difference": float(mean.mean()),
        "low": float(mean.mean() - half),
        "high": float(mean.mean() + half),
        "followed": float((likeliest == pairs.clean_answer).mean()),
        "stayed": float((likeliest == pairs.asked_answer).mean()),
        "draws": [float(draw.mean()) for draw in each],
    }


def share_of_layer(rows: Mapping[str, dict[str, Any]], kind: str) -> float | None:
    """An intervention's effect as a share of what replacing the whole vector does; None where that does nothing."""
    whole = rows["no change"]["difference"] - rows["patch layer"]["difference"]
    if abs(whole) < NOTHING * abs(rows["no change"]["difference"]):
        return None
    return float((rows["no change"]["difference"] - rows[kind]["difference"]) / whole)


def best_site(sites: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The site where the circle's patch moves the answer furthest beyond the random plane; None where it does nowhere.

    Shares alone would choose a site where the whole patch does next to nothing.
    """
    best = max(sites, key=lambda site: site["random_plane"] - site["patch_circle"], default=None)
    return best if best is not None and best["random_plane"] > best["patch_circle"] else None
