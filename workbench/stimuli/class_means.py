"""A direction from a stimulus set: the difference of two class means at a site, as a feature space of one feature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from workbench.errors import UnknownNameError, UsageError
from workbench.models.site import Site

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.stimuli.sets import StimulusSet


@dataclass
class ClassMeans:
    """The line through the means of two classes of sentences.

    The one feature is the coefficient x . v / |v|^2 of v = mean of the positive class - mean of the rest; a step of 1
    goes from one mean to the other.

    Attributes:
        vector: (units,) v.
        positive: the coefficient of the positive class's mean.
        mean: the coefficient of the mean over both classes, each counted alike.
    """

    name: str
    site: Site
    vector: Tensor
    positive: float
    mean: float
    width: int = 1
    info: dict[str, Any] = field(default_factory=lambda: {"units": "direction"})

    def encode(self, acts: Tensor) -> Tensor:
        """The coefficient (..., 1) of activations (..., units), in float32."""
        vector = self.vector.to(acts.device)
        return (acts.float() @ vector / vector.square().sum())[..., None]

    def directions(self) -> Tensor:
        """The vector: (1, units)."""
        return self.vector[None]

    def written(self, acts: Tensor, steps: Tensor, features: Sequence[int]) -> Tensor:  # noqa: ARG002 - one feature
        """The vector, steps (..., 1) times."""
        return steps * self.vector.to(acts.device)


def class_means(
    model: LoadedModel, site: Site, found: StimulusSet, positive: str, tick: Callable[[int, int, str], None]
) -> ClassMeans:
    """Read the set's sentences; each counts by the mean of its text tokens, `positive` against all others.

    Raises:
        UsageError: the set names no positive category, or there is nothing beside it.
        UnknownNameError: no such category.
    """
    positive = positive or found.positive
    if not positive:
        raise UsageError(
            f"stimulus set {found.name!r} names no positive category",
            f"Write {found.name}:CATEGORY with one of: {', '.join(found.counts)}.",
        )
    if positive not in found.counts:
        raise UnknownNameError.among(f"category of {found.name!r}", positive, found.counts)
    if len(found.counts) < 2:
        raise UsageError(f"stimulus set {found.name!r} has nothing beside {positive!r}", "Give two categories.")
    texts = [model.tokenize(text) for _, text in found.rows]
    means: list[list[Tensor]] = [[], []]
    for number, ((category, _), text, acts) in enumerate(zip(found.rows, texts, model.read(texts, site), strict=True)):
        if number % 16 == 0:
            tick(number, len(texts), f"reading {found.name}")
        kept = acts[torch.tensor(text.is_text, device=acts.device)]  # (tokens, units)
        means[category == positive].append(kept.float().mean(dim=0).cpu().double())
    rest, on = (torch.stack(side).mean(dim=0) for side in means)
    vector = on - rest
    length = float(vector.square().sum())
    if length == 0:
        raise UsageError(f"the class means of {found.name!r} are equal", "Choose another set or site.")
    name = f"{model.name}/{site.name}/means-{found.name}-{positive}"
    middle = (on + rest) / 2
    return ClassMeans(name, site, vector.float(), float(on @ vector) / length, float(middle @ vector) / length)
