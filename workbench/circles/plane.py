"""The plane of a cluster of features in which the names of a task lie most like a circle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.circles.forward import Floats
from workbench.geometry import CircleProbe

if TYPE_CHECKING:
    from workbench.saes.space import FeatureSpace

Integers = NDArray[np.intp]
PLANES = 4


@dataclass(frozen=True)
class ClusterPlane:
    """Two principal directions of what a cluster's features write.

    Attributes:
        basis: (width, 2).
        components: which two, counted from 1.
        held_out_r2: of a circle probe in it.
    """

    basis: Floats
    components: tuple[int, int]
    held_out_r2: float


def written_by(space: FeatureSpace, acts: Floats, features: Sequence[int]) -> Floats:
    """(n, width) what some features alone write into activations (n, width)."""
    x = torch.tensor(acts, dtype=torch.float32)
    with torch.no_grad():
        steps = space.encode(x)[..., list(features)]
        found: Floats = space.written(x, steps, tuple(features)).double().cpu().numpy()
    return found


def cluster_plane(written: Floats, labels: Integers, period: int) -> ClusterPlane | None:
    """The best of the planes 1-2, 2-3, 3-4 and 4-5 by held-out R2; None where the features write on no plane."""
    centred = written - written.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    found = []
    for first in range(min(PLANES, int((spread > 1e-6 * max(spread[0], 1e-12)).sum()) - 1)):
        basis = directions[first : first + 2].T
        probe = CircleProbe(period, basis=basis).fit(written, labels)
        found.append(ClusterPlane(basis, (first + 1, first + 2), probe.held_out_r2_))
    return max(found, key=lambda plane: plane.held_out_r2) if found else None


def firing(space: FeatureSpace, acts: Floats) -> Floats:
    """(features,) share of activations (n, width) on which each feature fires."""
    with torch.no_grad():
        latents = space.encode(torch.tensor(acts, dtype=torch.float32))
    share: Floats = (latents > 0).double().mean(dim=0).cpu().numpy()
    return share
