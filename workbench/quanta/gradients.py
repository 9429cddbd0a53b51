"""Cosine similarity of per-sample gradients: which predictions the model makes with the same parameters.

Three modes, none of which computes a gradient more often than it must. `exact` holds as many normalised gradients as
the memory allows and streams the others past them: one backward pass a sample when all fit, against one for every
pair of blocks in the published code. `factored` keeps each matrix's gradient as a product of thin factors, with a bound
from the norm that is left out. `sketch` keeps a random projection (count sketch; Charikar, Chen & Farach-Colton 2002).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.quanta.roles import Role, chosen_parameters, flat_size
from workbench.quanta.sample_gradients import Context, checked_contexts, sample_gradients

if TYPE_CHECKING:
    from torch import nn

Mode = Literal["exact", "factored", "sketch"]
Tick = Callable[[int, int], None]

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}
# Columns of one partial product: its sum is rounded in float32 and added up in float64.
CHUNK = 8192
# A sum of n rounded terms is off by more than 6 sqrt(n) u with probability below 1e-7 (Higham & Mary 2019).
ROUNDING_WIDTH = 6.0
# Standard deviations that the bound of a sketch is wide.
SKETCH_WIDTH = 6.0


@dataclass(frozen=True)
class GradientSimilarity:
    """Similarities of the gradients of samples.

    Attributes:
        matrix: (samples, samples) cosines, symmetric, diagonal 1; of |gradients| where `absolute` was asked for.
        bound: (samples, samples) on |matrix - the cosines of the gradients the model gave|: rounding for `exact`, the
            norm left out for `factored`, six standard deviations for `sketch`.
        mode: as asked.
        parameters: names of the parameters, in the model's order.
        count: numbers in them.
        passes: backward passes done.
        dimension: numbers kept of each sample.
    """

    matrix: NDArray[np.float64]
    bound: NDArray[np.float64]
    mode: Mode
    parameters: tuple[str, ...]
    count: int
    passes: int
    dimension: int


def gradient_similarity(
    model: nn.Module,
    contexts: Sequence[Context],
    *,
    mode: Mode = "exact",
    dtype: str = "float32",
    include: Sequence[Role] = (),
    absolute: bool = False,
    memory: int = 4 * 2**30,
    rank: int = 24,
    dimension: int | None = None,
    seed: int = 0,
    tick: Tick | None = None,
) -> GradientSimilarity:
    """Cosine similarities of the gradients of single predicted tokens.

    Args:
        model: a causal torch model that gives logits (1, tokens, vocabulary), itself or as `.logits`.
        contexts: token sequences whose last token is the predicted one.
        mode: `exact`, `factored` or `sketch`.
        dtype: number format in which rows are kept: float32, bfloat16, float16, float64.
        include: roles to add to the inner parameters: `final_norm`, `norm`, `unembedding`, `embedding`.
        absolute: similarities of |gradients|, entry by entry; `exact` only.
        memory: bytes for the rows of `exact`.
        rank: of each matrix's gradient in `factored`.
        dimension: of `sketch`; default four times the samples (below twice, clusters blur).
        seed: of the random directions of `factored` and `sketch`.
        tick: called with (passes done, passes in all).

    Raises:
        ValueError: what `checked_contexts`, `chosen_parameters` and `sample_gradients` raise, an unknown mode or dtype,
            or `absolute` in a mode that cannot.
    """
    if dtype not in _DTYPES:
        raise ValueError(f"unknown dtype {dtype!r}: one of {', '.join(_DTYPES)}")
    if mode not in ("exact", "factored", "sketch"):
        raise ValueError(f"unknown mode {mode!r}: one of exact, factored, sketch")
    if absolute and mode != "exact":
        raise ValueError(f"mode {mode!r} keeps no signs to drop: absolute similarities need mode 'exact'")
    samples = checked_contexts(model, contexts)
    chosen = chosen_parameters(model, include)
    maker = _Rows(model, list(chosen.values()), samples, absolute, tick)
    if mode == "exact":
        matrix, bound = _exact(maker, _DTYPES[dtype], memory)
        kept = maker.size
    elif mode == "factored":
        from workbench.quanta.factored import factored_similarity

        matrix, bound, kept = factored_similarity(maker.gradients, maker.parameters, len(samples), rank, seed)
    else:
        kept = dimension or max(4 * len(samples), 256)
        matrix, bound = _sketched(maker, kept, seed)
    np.fill_diagonal(matrix, 1.0)
    return GradientSimilarity(matrix, bound, mode, tuple(chosen), maker.size, maker.passes, kept)


class _Rows:
    """Makes gradients and counts the passes."""

    def __init__(
        self, model: nn.Module, parameters: list[Tensor], samples: list[Tensor], absolute: bool, tick: Tick | None
    ) -> None:
        self.model, self.parameters, self.samples = model, parameters, samples
        self.absolute, self._tick = absolute, tick
        self.size = flat_size(parameters)
        self.passes, self.planned = 0, len(samples)

    def gradients(self, first: int = 0, last: int | None = None) -> Iterator[list[Tensor]]:
        """Gradients of samples `first` to `last`, one at a time; each counts as a pass once it is made."""
        for gradient in sample_gradients(self.model, self.parameters, self.samples[first:last]):
            self.passes += 1
            if self._tick is not None:
                self._tick(self.passes, self.planned)
            yield gradient

    def unit_rows(self, first: int, last: int, dtype: torch.dtype) -> Tensor:
        """(last - first, numbers) gradients of length 1; one of length 0 stays 0."""
        rows = torch.empty((last - first, self.size), dtype=dtype, device=self.parameters[0].device)
        for place, gradient in enumerate(self.gradients(first, last)):
            flat = torch.cat([part.reshape(-1) for part in gradient]).float()
            if self.absolute:
                flat = flat.abs()
            rows[place] = (flat / _length(flat)).to(dtype)
        return rows


def _length(flat: Tensor) -> Tensor:
    length: Tensor = flat.double().norm()
    return length.clamp_min(1e-30).float()


def _exact(maker: _Rows, dtype: torch.dtype, memory: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows in blocks as large as the memory allows; the samples after a block are streamed past it."""
    samples = len(maker.samples)
    held = max(1, min(samples, memory // (maker.size * dtype.itemsize)))
    piece = held if held == samples else max(1, held // 8)  # rows streamed at a time
    if held < samples:
        held = max(1, held - piece)
    starts = range(0, samples, held)
    maker.planned = sum(samples - start for start in starts)
    matrix = np.zeros((samples, samples))
    for start in starts:
        end = min(start + held, samples)
        block = maker.unit_rows(start, end, dtype)
        matrix[start:end, start:end] = _products(block, block)
        for first in range(end, samples, piece):
            last = min(first + piece, samples)
            found = _products(block, maker.unit_rows(first, last, dtype))
            matrix[start:end, first:last] = found
            matrix[first:last, start:end] = found.T
    kept, added = torch.finfo(dtype).eps / 2, torch.finfo(torch.float32).eps / 2
    rounding = 2 * kept + kept**2 + ROUNDING_WIDTH * (CHUNK**0.5) * added
    return matrix, np.broadcast_to(np.float64(rounding), matrix.shape)


def _products(left: Tensor, right: Tensor) -> NDArray[np.float64]:
    """(rows, numbers) x (others, numbers) -> (rows, others), partial sums in float32, their sum in float64."""
    total = torch.zeros((left.shape[0], right.shape[0]), dtype=torch.float64, device=left.device)
    for start in range(0, left.shape[1], CHUNK):
        part = left[:, start : start + CHUNK].float() @ right[:, start : start + CHUNK].float().T
        total += part.double()
    return np.asarray(total.cpu().numpy())


def _sketched(maker: _Rows, dimension: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count sketch: every number is added, with a random sign, to one random place out of `dimension`.

    A product of two unit sketches has mean c and a variance of at most (1 + c^2) / dimension.
    """
    device = maker.parameters[0].device
    generator = torch.Generator().manual_seed(seed)
    places = torch.randint(dimension, (maker.size,), generator=generator).to(device)
    signs = (torch.randint(2, (maker.size,), generator=generator, dtype=torch.int8) * 2 - 1).to(device)
    rows = torch.zeros((len(maker.samples), dimension), dtype=torch.float64, device=device)
    for row, gradient in zip(rows, maker.gradients(), strict=True):
        flat = torch.cat([part.reshape(-1) for part in gradient]).float()
        row.index_add_(0, places, (flat / _length(flat) * signs).double())
    matrix = np.asarray((rows @ rows.T).cpu().numpy())
    width = min(2.0, SKETCH_WIDTH * (2 / dimension) ** 0.5)
    return np.clip(matrix, -1.0, 1.0), np.broadcast_to(np.float64(width), matrix.shape)
