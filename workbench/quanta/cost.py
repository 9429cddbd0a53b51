"""What a similarity will cost: passes, memory and seconds, said before it is begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.quanta.gradients import Mode, exact_passes, rows_held, sketch_dimension

# Multiplications and additions a second of one core, cautiously; measured rates replace it where there are some.
FLOPS = 2e10


@dataclass(frozen=True)
class SimilarityCost:
    """Cost of a similarity.

    Attributes:
        passes: backward passes.
        memory: bytes of rows and matrices at the peak, beside the model.
        operations: floating-point operations of the products.
        kept: numbers kept of each sample.
    """

    passes: int
    memory: int
    operations: float
    kept: int

    def seconds(self, a_pass: float, flops: float = FLOPS) -> float:
        """Time, from that of one pass and the machine's rate."""
        return self.passes * a_pass + self.operations / flops


def similarity_cost(
    mode: Mode,
    samples: int,
    shapes: Sequence[Sequence[int]],
    *,
    memory: int,
    itemsize: int = 4,
    rank: int = 32,
    dimension: int | None = None,
) -> SimilarityCost:
    """Cost by the sizes alone.

    Args:
        mode: `exact`, `factored` or `sketch`.
        samples: how many.
        shapes: of the parameters.
        memory: bytes for the rows of `exact`.
        itemsize: bytes of a number of a row of `exact`.
        rank: of `factored`.
        dimension: of `sketch`.
    """
    numbers = sum(_size(shape) for shape in shapes)
    result = 3 * 8 * samples**2  # matrix, bound, and a product being added
    if mode == "exact":
        held, piece = rows_held(samples, numbers, itemsize, memory)
        streamed = 0 if held == samples else piece
        rows = (held + streamed) * numbers * itemsize + 2 * 4 * numbers
        return SimilarityCost(exact_passes(samples, held), rows + result, float(samples) ** 2 * numbers, numbers)
    if mode == "sketch":
        kept = dimension or sketch_dimension(samples)
        operations = 2.0 * samples**2 * kept + 2.0 * samples * numbers
        return SimilarityCost(samples, samples * kept * 8 + numbers * 12 + result, operations, kept)
    matrices = [(shape[0], _size(shape) // shape[0]) for shape in shapes if len(shape) > 1]
    vectors = [_size(shape) for shape in shapes if len(shape) <= 1]
    each = [min(rank, a, b) * (a + b) for a, b in matrices]
    kept = sum(each) + sum(vectors)
    operations = float(samples) ** 2 * sum(min(rank, a, b) ** 2 * (a + b) for a, b in matrices)
    return SimilarityCost(samples, samples * kept * 4 + result, operations, kept)


def _size(shape: Sequence[int]) -> int:
    size = 1
    for part in shape:
        size *= int(part)
    return size
