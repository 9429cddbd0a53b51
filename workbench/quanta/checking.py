"""The check after a similarity: some pairs once more, exactly, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.quanta.roles import Role, chosen_parameters, without_vectors
from workbench.quanta.sample_gradients import Context, Target, checked_contexts, equal_votes, sample_gradients

if TYPE_CHECKING:
    from torch import nn

# Samples whose pairs are checked: 21 of them make 210 pairs.
CHECKED = 21


@dataclass(frozen=True)
class PairCheck:
    """How far a similarity is from exact cosines.

    Attributes:
        pairs: (pairs, 2) samples.
        exact: (pairs,) cosines of their whole gradients in float64.
        difference: (pairs,) similarity minus exact.
    """

    pairs: NDArray[np.int64]
    exact: NDArray[np.float64]
    difference: NDArray[np.float64]

    @property
    def largest(self) -> float:
        """The largest |difference|."""
        return float(np.abs(self.difference).max(initial=0.0))


def drawn_pairs(matrix: NDArray[np.floating], pairs: int, seed: int) -> NDArray[np.int64]:
    """(pairs, 2) of samples: half of few random samples with those most similar to them, then any among the few.

    Few samples, so that their gradients are made once and all held: pairs of 21 are 210.
    """
    rng = np.random.default_rng(seed)
    samples = len(matrix)
    first = rng.permutation(samples)[: CHECKED // 2]
    apart = np.array(matrix[first], dtype=np.float64)
    apart[np.arange(first.size), first] = -np.inf
    nearest = apart.argmax(axis=1)
    chosen = np.unique(np.concatenate([first, nearest, rng.permutation(samples)[:CHECKED]]))
    must = np.unique(np.concatenate([first, nearest]))
    others = rng.permutation(np.setdiff1d(chosen, must))[: max(0, CHECKED - must.size)]
    few = np.concatenate([must, others])
    every = np.array([(a, b) for at, a in enumerate(few) for b in few[at + 1 :]], dtype=np.int64).reshape(-1, 2)
    top = np.array([(a, b) for a, b in zip(first, nearest, strict=True) if a != b], dtype=np.int64).reshape(-1, 2)
    found = np.concatenate([top, every[rng.permutation(len(every))]])
    _, once = np.unique(np.sort(found, axis=1), axis=0, return_index=True)
    return found[np.sort(once)][:pairs]


def check_pairs(
    model: nn.Module,
    contexts: Sequence[Context],
    matrix: NDArray[np.floating],
    pairs: NDArray[np.int64],
    *,
    target: Target = "loss",
    equal: bool = False,
    include: Sequence[Role] = (),
    absolute: bool = False,
) -> PairCheck:
    """Exact cosines of the pairs from whole gradients, beside those of a similarity.

    Args:
        model: a causal torch model.
        contexts: all samples.
        matrix: (samples, samples) similarity to be checked.
        pairs: (pairs, 2) samples.
        target: what was differentiated for the matrix.
        equal: whether every weight matrix had one vote.
        include: roles of parameters, as they were for the matrix.
        absolute: whether it is of |gradients|.

    Raises:
        ValueError: as `gradient_similarity`.
    """
    needed = np.unique(pairs)
    chosen = chosen_parameters(model, include)
    parameters = list((without_vectors(chosen) if equal else chosen).values())
    samples = checked_contexts(model, [contexts[int(number)] for number in needed])
    rows = []
    for gradient in sample_gradients(model, parameters, samples, target=target):
        flat = torch.cat([part.reshape(-1) for part in (equal_votes(gradient) if equal else gradient)])
        rows.append((flat.abs() if absolute else flat).cpu())
    place = {int(number): at for at, number in enumerate(needed)}
    exact = np.array([_cosine(rows[place[int(a)]], rows[place[int(b)]]) for a, b in pairs])
    return PairCheck(pairs, exact, matrix[pairs[:, 0], pairs[:, 1]] - exact)


def _cosine(left: torch.Tensor, right: torch.Tensor) -> float:
    a, b = left.double(), right.double()
    return float(a @ b / (a.norm() * b.norm()).clamp_min(1e-60))
