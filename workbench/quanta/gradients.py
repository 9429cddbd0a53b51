"""Cosine similarity of per-sample gradients: which predictions the model makes with the same parameters.

Three modes, none of which computes a gradient more often than it must. `exact` holds as many normalised gradients as
the memory allows and streams the others past them: one backward pass a sample when all fit, against one for every
pair of blocks in the published code. `factored` keeps each matrix's gradient as a product of thin factors, with a bound
from the norm that is left out. `sketch` keeps a random projection (count sketch; Charikar, Chen & Farach-Colton 2002).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.quanta.roles import Role, chosen_parameters, flat_size, without_vectors
from workbench.quanta.sample_gradients import Context, Target, checked_contexts, equal_votes, sample_gradients

if TYPE_CHECKING:
    from torch import nn

Mode = Literal["exact", "factored", "sketch"]
Tick = Callable[[int, int], None]
Arrays = dict[str, Tensor]
Keep = Callable[[Callable[[], Arrays]], None]
"""Called where the work can be left and gone on with: what it is given makes the arrays that `resume` takes."""

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
    target: Target = "loss",
    equal: bool = False,
    dtype: str = "float32",
    include: Sequence[Role] = (),
    absolute: bool = False,
    memory: int = 4 * 2**30,
    rank: int = 32,
    dimension: int | None = None,
    seed: int = 0,
    tick: Tick | None = None,
    keep: Keep | None = None,
    resume: Arrays | None = None,
) -> GradientSimilarity:
    """Cosine similarities of the gradients of the losses, or logits, of single predicted tokens.

    Args:
        model: a causal torch model that gives logits (1, tokens, vocabulary), itself or as `.logits`.
        contexts: token sequences whose last token is the predicted one.
        mode: `exact`, `factored` or `sketch`.
        target: what is differentiated: the `loss` of the predicted token, or its `logit`.
        equal: give every weight matrix one vote: the mean over matrices of the cosines of their parts, vectors left
            out. Otherwise a parameter counts by the share that it has in the gradients.
        dtype: number format in which rows are kept: float32, bfloat16, float16, float64.
        include: roles to add to the inner parameters: `final_norm`, `norm`, `unembedding`, `embedding`.
        absolute: similarities of |gradients|, entry by entry; `exact` only.
        memory: bytes for the rows of `exact`.
        rank: of each matrix's gradient in `factored`.
        dimension: of `sketch`; default four times the samples (below twice, clusters blur).
        seed: of the random directions of `factored` and `sketch`.
        tick: called with (passes done, passes in all).
        keep: called after each sample or block; the arrays that it can ask for are all that is needed to go on.
        resume: such arrays, of the same samples and settings; the result is as without the interruption.

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
    if equal:
        chosen = without_vectors(chosen)
    maker = _Rows(model, list(chosen.values()), samples, absolute, tick, keep)
    maker.target, maker.equal = target, equal
    if resume is not None:
        maker.passes = int(resume["passes"])
    if mode == "exact":
        matrix, bound = _exact(maker, _DTYPES[dtype], memory, resume)
        kept = maker.size
    elif mode == "factored":
        matrix, bound, kept = _factored(maker, rank, seed, resume)
    else:
        kept = dimension or sketch_dimension(len(samples))
        matrix, bound = _sketched(maker, kept, seed, resume)
    np.fill_diagonal(matrix, 1.0)
    return GradientSimilarity(matrix, bound, mode, tuple(chosen), maker.size, maker.passes, kept)


def sketch_dimension(samples: int) -> int:
    """Numbers that a sketch keeps of each sample where none are asked for: below twice the samples, clusters blur."""
    return max(4 * samples, 256)


def rows_held(samples: int, numbers: int, itemsize: int, memory: int) -> tuple[int, int]:
    """Rows that `exact` holds at once, and rows that it streams past them at a time."""
    held = max(1, min(samples, memory // (numbers * itemsize)))
    if held == samples:
        return held, held
    piece = max(1, held // 8)
    return max(1, held - piece), piece


def exact_passes(samples: int, held: int) -> int:
    """Backward passes of `exact`: each block's own rows, and those of all samples after it."""
    return sum(samples - start for start in range(0, samples, held))


class _Rows:
    """Makes gradients and counts the passes."""

    def __init__(
        self,
        model: nn.Module,
        parameters: list[Tensor],
        samples: list[Tensor],
        absolute: bool,
        tick: Tick | None,
        keep: Keep | None,
    ) -> None:
        self.model, self.parameters, self.samples = model, parameters, samples
        self.absolute, self._tick, self._keep = absolute, tick, keep
        self.target: Target = "loss"
        self.equal = False
        self.size = flat_size(parameters)
        self.passes, self.planned = 0, len(samples)

    def gradients(self, first: int = 0, last: int | None = None) -> Iterator[list[Tensor]]:
        """Gradients of samples `first` to `last`, one at a time; each counts as a pass once it is made."""
        made = sample_gradients(self.model, self.parameters, self.samples[first:last], first, target=self.target)
        for gradient in made:
            self.passes += 1
            if self._tick is not None:
                self._tick(self.passes, self.planned)
            yield equal_votes(gradient) if self.equal else gradient

    def keep(self, arrays: Callable[[], Arrays]) -> None:
        """Offer a place at which the work can be left."""
        if self._keep is not None:
            passes = torch.tensor(self.passes)
            self._keep(lambda: {**arrays(), "passes": passes})

    def unit_rows(self, first: int, last: int, dtype: torch.dtype) -> Iterator[Tensor]:
        """Gradients of length 1, one (numbers,) after the other; one of length 0 stays 0."""
        for gradient in self.gradients(first, last):
            flat = torch.cat([part.reshape(-1) for part in gradient]).float()
            if self.absolute:
                flat = flat.abs()
            yield (flat / _length(flat)).to(dtype)

    def empty(self, rows: int, dtype: torch.dtype) -> Tensor:
        """(rows, numbers) to be filled."""
        return torch.empty((rows, self.size), dtype=dtype, device=self.parameters[0].device)


def _length(flat: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(flat, dtype=torch.float64)
    return length.clamp_min(1e-30).float()


def _exact(
    maker: _Rows, dtype: torch.dtype, memory: int, resume: Arrays | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows in blocks as large as the memory allows; the samples after a block are streamed past it."""
    samples = len(maker.samples)
    held, piece = rows_held(samples, maker.size, dtype.itemsize, memory)
    maker.planned = exact_passes(samples, held)
    matrix = np.zeros((samples, samples))
    begun, column = 0, 0
    if resume is not None:
        matrix = np.array(resume["matrix"].numpy())
        begun, column = (int(number) for number in resume["place"])
    for start in range(begun, samples, held):
        end = min(start + held, samples)
        known = resume["rows"] if resume is not None and start == begun else None
        block = _block(maker, (start, end), dtype, matrix, known)
        if column <= start:
            matrix[start:end, start:end] = _products(block, block)
        for first in range(max(end, column), samples, piece):
            last = min(first + piece, samples)
            streamed = maker.empty(last - first, dtype)
            for place, row in enumerate(maker.unit_rows(first, last, dtype)):
                streamed[place] = row
            found = _products(block, streamed)
            matrix[start:end, first:last] = found
            matrix[first:last, start:end] = found.T
            maker.keep(_place(matrix, block, start, last))
        column = 0
    kept, added = torch.finfo(dtype).eps / 2, torch.finfo(torch.float32).eps / 2
    rounding = 2 * kept + kept**2 + ROUNDING_WIDTH * (CHUNK**0.5) * added
    return matrix, np.broadcast_to(np.float64(rounding), matrix.shape)


def _block(
    maker: _Rows, span: tuple[int, int], dtype: torch.dtype, matrix: NDArray[np.float64], known: Tensor | None
) -> Tensor:
    """The rows of a block, of which the first may be known."""
    start, end = span
    block = maker.empty(end - start, dtype)
    have = 0 if known is None else known.shape[0]
    if known is not None:
        block[:have] = known.to(block.device)
    for place, row in enumerate(maker.unit_rows(start + have, end, dtype), have):
        block[place] = row
        maker.keep(_place(matrix, block[: place + 1], start, 0))
    return block


def _place(matrix: NDArray[np.float64], rows: Tensor, start: int, column: int) -> Callable[[], Arrays]:
    """What is needed to go on with the block that begins at `start` from `column`."""
    return lambda: {"matrix": torch.from_numpy(matrix), "rows": rows.cpu(), "place": torch.tensor([start, column])}


def _products(left: Tensor, right: Tensor) -> NDArray[np.float64]:
    """(rows, numbers) x (others, numbers) -> (rows, others), partial sums in float32, their sum in float64."""
    total = torch.zeros((left.shape[0], right.shape[0]), dtype=torch.float64, device=left.device)
    for start in range(0, left.shape[1], CHUNK):
        part = left[:, start : start + CHUNK].float() @ right[:, start : start + CHUNK].float().T
        total += part.double()
    return np.asarray(total.cpu().numpy())


def _factored(
    maker: _Rows, rank: int, seed: int, resume: Arrays | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    from workbench.quanta.factored import Factors

    factors = Factors(maker.parameters, len(maker.samples), rank, seed)
    done = factors.take_up(resume) if resume is not None else 0
    for number, gradient in enumerate(maker.gradients(done), done):
        factors.keep(number, gradient)
        maker.keep(partial(factors.arrays, number + 1))
    matrix, bound = factors.similarity()
    return matrix, bound, factors.kept


def _sketched(
    maker: _Rows, dimension: int, seed: int, resume: Arrays | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count sketch: every number is added, with a random sign, to one random place out of `dimension`.

    A product of two unit sketches has mean c and a variance of at most (1 + c^2) / dimension.
    """
    device = maker.parameters[0].device
    generator = torch.Generator().manual_seed(seed)
    places = torch.randint(dimension, (maker.size,), generator=generator).to(device)
    signs = (torch.randint(2, (maker.size,), generator=generator, dtype=torch.int8) * 2 - 1).to(device)
    rows = torch.zeros((len(maker.samples), dimension), dtype=torch.float64, device=device)
    done = 0 if resume is None else resume["rows"].shape[0]
    if resume is not None:
        rows[:done] = resume["rows"].to(device)
    for number, row in enumerate(maker.unit_rows(done, len(maker.samples), torch.float32), done):
        rows[number].index_add_(0, places, (row * signs).double())
        maker.keep(partial(lambda filled: {"rows": rows[:filled].cpu()}, number + 1))
    matrix = np.asarray((rows @ rows.T).cpu().numpy())
    width = min(2.0, SKETCH_WIDTH * (2 / dimension) ** 0.5)
    return np.clip(matrix, -1.0, 1.0), np.broadcast_to(np.float64(width), matrix.shape)
