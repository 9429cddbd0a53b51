"""What an investigator asks to be changed, with every value that was left open filled in from what was seen."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.models.interventions import Mode, Target
from workbench.saes.ids import feature_id, feature_index

if TYPE_CHECKING:
    from workbench.features.seen import Seen
    from workbench.lab import Lab
    from workbench.saes.space import FeatureSpace

ABLATIONS = ("zero", "mean")
FACTOR = 2.0
"""What `scale` multiplies by where nothing is said."""


@dataclass
class Plan:
    """The targets of an intervention.

    Attributes:
        told: for each feature and direction `{"feature", "index", "value", "reference"}`.
        mean_of: what the means of a mean ablation are of, or None.
    """

    mode: Mode
    targets: list[Target] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    mean_of: str | None = None


def plan(lab: Lab, feature: str, direction: str, mode: Mode, value: float | None, look: Callable[[], Seen]) -> Plan:
    """Resolve features and direction.

    Args:
        feature: ids or numbers with commas, each with `:VALUE` or without; or "".
        direction: SET or SET:CLASS; or "".
        look: gives what was seen of the features; called only where it is needed.

    Raises:
        UsageError: nothing to steer, a feature twice, a value that means nothing, or none to fall back on.
        UnknownNameError: a feature or a stimulus set that is not there.
    """
    if not feature.strip() and not direction:
        raise UsageError("nothing to steer", "Give a feature such as 417, or --direction SET.")
    if mode in ABLATIONS and value is not None:
        raise UsageError(f"--value {value:g} means nothing with --mode {mode}", "Leave it out, or use --mode set.")
    found = Plan(mode)
    if feature.strip():
        _add_features(found, feature, lab.space, value, look)
    if direction:
        _add_direction(found, direction, lab, value)
    return found


def _add_features(found: Plan, text: str, space: FeatureSpace, value: float | None, look: Callable[[], Seen]) -> None:
    numbers, values = [], []
    for part in re.split(r"(?<=[\d.]),", text.strip()):
        index, own = _feature_and_value(part.strip(), space, found.mode)
        if index in numbers:
            raise UsageError(f"feature {index} is given twice", "Name each once.")
        given = value if own is None else own
        moved, reference = _value(found, index, given, look)
        numbers.append(index)
        values.append(moved)
        found.told.append(
            {"feature": feature_id(space.name, index), "index": index, "value": moved, "reference": reference}
        )
    found.targets.append(Target(space, tuple(numbers), tuple(values)))


def _feature_and_value(part: str, space: FeatureSpace, mode: str) -> tuple[int, float | None]:
    owner, mark, number = part.rpartition("#")
    number, colon, written = number.partition(":")
    index = feature_index(owner + mark + number, space.name, space.width)
    if not colon:
        return index, None
    if mode in ABLATIONS:
        raise UsageError(f"the value in {part!r} means nothing with --mode {mode}", "Leave it out.")
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{written!r} in {part!r} is no finite number", "Write for example 417:3.5.")
    return index, value


def _value(found: Plan, index: int, given: float | None, look: Callable[[], Seen]) -> tuple[float, float | None]:
    """Where a feature goes, and the activation that this was read from."""
    if found.mode == "zero":
        return 0.0, None
    if found.mode == "mean":
        found.mean_of = look().source
        mean = round(float(look().mean[index]), 6)
        return mean, mean
    if given is not None:
        return given, None
    if found.mode == "scale":
        return FACTOR, None
    largest = round(float(look().maximum[index]), 6)
    if largest <= 0:
        raise UsageError(
            f"feature {index} never fired (read: {look().source})", "Give --value, or choose another feature."
        )
    return largest, largest


def _add_direction(found: Plan, text: str, lab: Lab, value: float | None) -> None:
    from workbench.stimuli.class_means import class_means

    name, _, positive = text.partition(":")
    stimuli = lab.stimuli(name)
    space = class_means(lab.model, lab.space.site, stimuli, positive, lab.tick)
    own: dict[Mode, float] = {"set": space.positive, "add": 1.0, "scale": FACTOR, "zero": 0.0, "mean": space.mean}
    moved = own[found.mode] if value is None else value
    if found.mode == "mean":
        found.mean_of = " and ".join(filter(None, (found.mean_of, f"stimuli {name}")))
    found.targets.append(Target(space, (0,), (moved,)))
    reference = space.positive if found.mode == "set" and value is None else None
    found.told.append({"feature": feature_id(space.name, 0), "index": 0, "value": moved, "reference": reference})
