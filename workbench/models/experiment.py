"""An intervention on several prompts at several strengths, beside random changes of equal norm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from workbench.models.interventions import Intervention, random_direction
from workbench.models.steering import (
    Ends,
    RandomMove,
    Sampling,
    Watched,
    at_end,
    continue_both,
    describe,
    mean_of,
    moved_ends,
    read_plain,
    steered_logits,
)

if TYPE_CHECKING:
    from workbench.models.interventions import Mode, Target
    from workbench.models.loaded import LoadedModel
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace

Tick = Callable[[str], None]


@dataclass(frozen=True)
class Experiment:
    """An intervention and everything it is compared with.

    Attributes:
        doses: strengths of the dose-response curve, 0 and `strength` among them.
        generated: whether generated tokens are changed too.
        drawn: random features whose directions, scaled to the norm of the change, serve as control.
        seed: of the random direction, the other control.
    """

    model: LoadedModel
    space: FeatureSpace
    mode: Mode
    targets: tuple[Target, ...]
    strength: float
    doses: tuple[float, ...]
    generated: bool
    watched: tuple[Watched, ...]
    drawn: tuple[int, ...]
    sampling: Sampling
    seed: int

    def change(self, chosen: Sequence[bool], strength: float) -> Intervention:
        """The intervention at a strength."""
        return Intervention(self.mode, self.targets, strength, chosen, generated=self.generated)


@dataclass(frozen=True)
class Prompt:
    """A prompt, its tokens, and which of them are changed."""

    prompt: str
    text: TokenizedText
    chosen: Sequence[bool]


@dataclass
class _Measured:
    """One prompt: its description, and the numbers at its end for each dose, each dose and draw, and the direction."""

    description: dict[str, Any]
    fired: int
    doses: list[Ends]
    drawn: list[list[Ends]]
    direction: Ends


def run(experiment: Experiment, prompts: Sequence[Prompt], tick: Callable[[int, int, str], None]) -> dict[str, Any]:
    """Every prompt at every strength, and the controls.

    Returns:
        `fired`, `prompts`, `raised`, `lowered`, `dose`, `control` of `steer.clamp` in docs/wire.md, and `drawn`: the
        means over the prompts for each random feature at the strength asked for.

    Raises:
        MismatchError: the hook did not run, or the model predicts NaN.
    """
    directions = experiment.space.directions()  # (features, units)
    units = [row / row.norm().clamp(min=1e-12) for row in directions[list(experiment.drawn)]]
    away = random_direction(directions.shape[1], experiment.seed)
    found = []
    for number, prompt in enumerate(prompts):

        def report(text: str, number: int = number) -> None:
            tick(number, len(prompts), f"prompt {number + 1}: {text}")

        found.append(_one(experiment, prompt, units, away, report))
    here = experiment.doses.index(experiment.strength)
    drawn = [
        [mean_of([one.drawn[dose][draw] for one in found]) for draw in range(len(units))]
        for dose in range(len(experiment.doses))
    ]
    means = [mean_of([one.doses[dose] for one in found]) for dose in range(len(experiment.doses))]
    return {
        "fired": sum(one.fired for one in found),
        "prompts": [one.description for one in found],
        "raised": means[here]["raised"],
        "lowered": means[here]["lowered"],
        "dose": [
            {"strength": strength, **mean, "control": spread(of_draws)}
            for strength, mean, of_draws in zip(experiment.doses, means, drawn, strict=True)
        ],
        "control": {"what": "random direction of equal norm", **mean_of([one.direction for one in found])},
        "drawn": drawn[here],
    }


def spread(ends: Sequence[Ends]) -> dict[str, list[float] | None] | None:
    """Smallest, mean and largest over the draws, for each number; None without draws."""
    if not ends:
        return None
    found: dict[str, list[float] | None] = {}
    for key in ("raised", "lowered", "kl"):
        numbers = [value for end in ends if (value := end[key]) is not None]
        found[key] = [min(numbers), sum(numbers) / len(numbers), max(numbers)] if numbers else None
    return found


def _one(experiment: Experiment, prompt: Prompt, units: Sequence[Tensor], away: Tensor, tick: Tick) -> _Measured:
    tick("plain")
    model, site, watched = experiment.model, experiment.space.site, experiment.watched
    reading = read_plain(model, prompt.prompt, prompt.text)
    doses = []
    for strength in experiment.doses:
        tick(f"strength {strength:g}")
        change = experiment.change(prompt.chosen, strength)
        doses.append(at_end(reading, steered_logits(model, reading, site, change), watched))
    tick("random controls")
    moves = [RandomMove(strength, unit) for strength in experiment.doses if strength for unit in units]
    moves += [RandomMove(experiment.strength, away)] * bool(experiment.strength)
    ends = moved_ends(model, reading, site, moves, experiment.change(prompt.chosen, 1.0), watched)
    rest = iter(ends)
    # strength 0 changes nothing, whatever the direction
    drawn = [
        [next(rest) if strength else dose for _ in units]
        for strength, dose in zip(experiment.doses, doses, strict=True)
    ]
    direction = next(rest, doses[experiment.doses.index(0.0)])
    change = experiment.change(prompt.chosen, experiment.strength)
    description = describe(model, reading, steered_logits(model, reading, site, change), watched, change)
    fired = change.fired
    if experiment.sampling.tokens:
        ids = prompt.text.ids
        description |= continue_both(model, ids, experiment.sampling, site, change, lambda: tick("continuing"))
    return _Measured(description, fired, doses, drawn, direction)
