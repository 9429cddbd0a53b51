"""Changing features while the model reads: set, add, scale and ablate, and random changes of equal norm.

What the SAE does not explain stays: x' = x + strength * sum_i step_i d_i at the chosen tokens, with d_i what one unit
of feature i writes into the site and step_i from its activation f_i(x):

    set    value_i - f_i      zero   -f_i
    add    value_i            mean   mean_i - f_i
    scale  (value_i - 1) f_i

All f_i are read from x as it was, so that several features add up. Strength 0 leaves x untouched bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

if TYPE_CHECKING:
    from workbench.saes.space import FeatureSpace

Mode = Literal["set", "add", "scale", "zero", "mean"]


@dataclass(frozen=True)
class Target:
    """Features of one space, and the value of each: where it is set, what is added, its factor, or its mean."""

    space: FeatureSpace
    features: tuple[int, ...]
    values: tuple[float, ...]

    def change(self, acts: Tensor, mode: Mode) -> Tensor:
        """What a change of full strength adds to activations (..., units), in float32."""
        values = torch.tensor(self.values, dtype=torch.float32, device=acts.device)
        if mode == "add":
            steps = values.expand(*acts.shape[:-1], len(self.features))
        else:
            now = self.space.encode(acts)[..., list(self.features)]  # (..., features)
            steps = (values - 1) * now if mode == "scale" else -now if mode == "zero" else values - now
        return self.space.written(acts, steps, self.features)


class Intervention:
    """The change made at a site.

    Args:
        mode: what is done to every target.
        targets: features, and the value of each.
        strength: share of the change that is made.
        chosen: (tokens,) which tokens of the prompt are changed.
        generated: whether tokens beyond the prompt are changed.

    Attributes:
        fired: how often it ran.
        relative_norm: mean over the tokens changed last of |change| / |x|.
    """

    def __init__(
        self,
        mode: Mode,
        targets: Sequence[Target],
        strength: float,
        chosen: Sequence[bool],
        *,
        generated: bool = False,
    ) -> None:
        self.mode, self.targets, self.strength = mode, tuple(targets), strength
        self.chosen, self.generated = torch.tensor(list(chosen)), generated
        self.fired = 0
        self.relative_norm = 0.0

    def __call__(self, acts: Tensor) -> Tensor:
        """Activations (1, tokens, units) -> the same, changed."""
        self.fired += 1
        change = self.strength * self.full(acts)
        mask = self.mask(acts.shape[1]).to(acts.device)
        norms = change.norm(dim=-1) / acts.float().norm(dim=-1).clamp(min=1e-12)  # (1, tokens)
        self.relative_norm = float(norms[0, mask].mean()) if bool(mask.any()) else 0.0
        return (acts.float() + change).to(acts.dtype)

    def full(self, acts: Tensor) -> Tensor:
        """What full strength adds to activations (1, tokens, units): 0 at tokens that were not chosen, in float32."""
        total = torch.zeros(acts.shape, dtype=torch.float32, device=acts.device)
        for target in self.targets:
            total = total + target.change(acts, self.mode)
        return total * self.mask(acts.shape[1]).to(acts.device)[:, None]

    def mask(self, tokens: int) -> Tensor:
        """(tokens,) which tokens are changed."""
        beyond = torch.full((tokens - len(self.chosen),), self.generated)
        return torch.cat([self.chosen, beyond])


class RandomMoves:
    """Controls: each copy of a text is moved along a direction of its own, as far as an intervention would move it.

    Args:
        like: the intervention whose norm is taken, token by token.
        strengths: (copies,) share of that norm.
        directions: (copies, units) unit vectors.
    """

    def __init__(self, like: Intervention, strengths: Sequence[float], directions: Tensor) -> None:
        self.like, self.directions = like, directions
        self.strengths = torch.tensor(list(strengths), dtype=torch.float32)

    def __call__(self, acts: Tensor) -> Tensor:
        """Activations (copies, tokens, units) of one text -> the same, changed."""
        norms = self.like.full(acts[:1]).norm(dim=-1, keepdim=True)  # (1, tokens, 1)
        along = self.directions[:, None, :].to(acts.device)  # (copies, 1, units)
        change: Tensor = self.strengths[:, None, None].to(acts.device) * norms * along
        return (acts.float() + change).to(acts.dtype)


def random_direction(units: int, seed: int) -> Tensor:
    """A unit vector (units,), uniform on the sphere."""
    drawn = torch.randn(units, generator=torch.Generator().manual_seed(seed))
    unit: Tensor = drawn / drawn.norm()
    return unit
