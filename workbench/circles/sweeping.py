"""Points all over a circle's plane, put in the place of a name: which name the model then goes on from.

Source: Engels et al. (2024), appendix on intervening in the middle of the circle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.circles.forward import Change, Floats, predict

if TYPE_CHECKING:
    from workbench.circles.tasks import Asked
    from workbench.geometry import CircleProbe
    from workbench.models.loaded import LoadedModel
    from workbench.models.site import Site

Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Sweep:
    """What was read at every point.

    Attributes:
        names: (problems, radii, angles) index of the name that each answer stands for: the answer itself, or less the
            offset where the circle is the name's.
        margin: (problems, radii, angles) logit of the likeliest name less that of the next.
        nearest: (angles,) the name whose own angle is nearest.
    """

    names: Integers
    margin: Floats
    nearest: Integers

    def agreement(self) -> Floats:
        """(radii,) share of points that are read as the name of the nearest angle."""
        return np.asarray((self.names == self.nearest).mean(axis=(0, 2)))

    def majority(self) -> Integers:
        """(radii, angles) the name read most often over the problems; the first of equals."""
        size = int(max(self.names.max(), self.nearest.max())) + 1
        counts = np.stack([(self.names == name).sum(axis=0) for name in range(size)])
        return np.asarray(counts.argmax(axis=0), dtype=np.intp)


def sweep(
    model: LoadedModel,
    asked: Asked,
    probe: CircleProbe,
    site: Site,
    places: Sequence[int],
    problems: Sequence[int],
    radii: Floats,
    angles: int,
    of: str,
    tick: Callable[[int, int, str], None],
) -> Sweep:
    """Put the points (r cos t, r sin t) of the probe's plane in the place of each problem's name.

    Args:
        of: what the probe reads: `name`, or `answer`.
    """
    period = asked.task.period
    turn = 2 * np.pi * np.arange(angles) / angles
    points = radii[:, None, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)[None]  # (radii, angles, 2)
    vectors = probe.image(points.reshape(-1, 2))  # (points, width)
    names, margins = [], []
    for done, number in enumerate(problems):
        tick(done, len(problems), f"problem {done + 1}: {len(vectors):,} points")
        change = Change(site, [places[number]] * len(vectors), vectors)
        said = predict(model, asked.prompts, [number] * len(vectors), asked.answers, change).answers
        ordered = np.sort(said, axis=1)
        steps = asked.task.problems[number].b if of == "name" else 0
        names.append((said.argmax(axis=1) - steps) % period)
        margins.append(ordered[:, -1] - ordered[:, -2])
    shape = (len(problems), len(radii), angles)
    nearest = np.floor(np.arange(angles) / angles * period + 0.5).astype(np.intp) % period
    return Sweep(np.array(names, dtype=np.intp).reshape(shape), np.array(margins).reshape(shape), nearest)
