"""Residuals as a picture: one pixel for each pair of inputs, three components as red, green and blue.

The published pictures stretched every channel of every plot by itself, so that the last noise was as vivid as the first
signal, and signs came as the decomposition left them. Here signs are fixed, one stated scale serves all channels and,
if it is handed on, all plots, and the level that scores without structure would reach stands beside it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.eigenvectors import signed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ResidualMap:
    """Three leading components of residuals on the grid of two inputs.

    Attributes:
        colours: (rows, columns, 3) in [0, 1], 0.5 where the component is 0; NaN where no residual has that pair.
        scale: the value that is shown as 1, and its negative as 0, in the scores' units.
        strength: (3,) root mean square of each component.
        noise: (3,) the same of Gaussian noise of this shape with the same median singular value: what the leading
            components of structureless residuals are like. Too high where more than half of all components have
            structure.
    """

    colours: Floats
    scale: float
    strength: Floats
    noise: Floats


def residual_map(
    residual: ArrayLike, rows: ArrayLike, columns: ArrayLike, *, scale: float | None = None, seed: int = 0
) -> ResidualMap:
    """Colours of residuals by the two inputs that each belongs to; residuals of the same pair are averaged.

    Args:
        residual: (n, components).
        rows: (n,) whole numbers from 0, the picture's row.
        columns: (n,) whole numbers from 0, its column.
        scale: that of another picture, to be compared with; by default the largest entry here.
        seed: of the Gaussian matrices behind `noise`.

    Raises:
        ValueError: shapes that do not fit, negative places, or a scale that is not above 0.
    """
    left = np.asarray(residual, dtype=np.float64)
    row, column = np.asarray(rows, dtype=np.intp), np.asarray(columns, dtype=np.intp)
    if left.ndim != 2 or row.shape != (len(left),) or column.shape != row.shape or not left.size:
        raise ValueError(f"residuals of shape {left.shape} with {row.shape} rows and {column.shape} columns do not fit")
    if min(row.min(), column.min()) < 0:
        raise ValueError("rows and columns count from 0")
    if scale is not None and not scale > 0:
        raise ValueError(f"scale must be above 0, got {scale}")
    components = _components(left)  # (n, 3)
    largest = float(scale if scale is not None else max(np.abs(components).max(), np.finfo(float).tiny))
    colours = np.clip(0.5 + 0.5 * _on_grid(components, row, column) / largest, 0, 1)
    return ResidualMap(colours, largest, _rms(components), _noise(left, seed))


def _noise(left: Floats, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    drawn = [np.linalg.svd(rng.standard_normal(left.shape), compute_uv=False) for _ in range(20)]
    spread = np.mean(drawn, axis=0)  # (min(n, components),)
    scale = np.median(np.linalg.svd(left, compute_uv=False)) / np.median(spread)
    found = scale * spread[:3] / np.sqrt(len(left))
    return np.asarray(np.pad(found, (0, 3 - found.size)))


def _components(left: Floats) -> Floats:
    """(n, 3) the leading left singular vectors by their values, zeros where there are fewer."""
    vectors, values, _ = np.linalg.svd(left, full_matrices=False)
    found = signed(vectors[:, :3]) * values[:3]
    return np.pad(found, ((0, 0), (0, 3 - found.shape[1])))


def _rms(components: Floats) -> Floats:
    return np.asarray(np.sqrt(np.mean(components**2, axis=0)))


def _on_grid(components: Floats, row: NDArray[np.intp], column: NDArray[np.intp]) -> Floats:
    shape = (int(row.max()) + 1, int(column.max()) + 1)
    total, count = np.zeros((*shape, 3)), np.zeros(shape)
    np.add.at(total, (row, column), components)
    np.add.at(count, (row, column), 1)
    return np.where(count[..., None] > 0, total / np.maximum(count, 1)[..., None], np.nan)
