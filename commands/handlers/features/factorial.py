"""Carries out a factorial `features.contrast`: two main effects and their interaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesContrast
from commands.handlers.features.designs import TwoFactors, two_factors
from commands.handlers.features.readings import (
    Reading,
    alpha_warning,
    length_warning,
    read_sentences,
    store_reading,
    volcano,
)
from commands.handlers.features.stored_rankings import compared
from workbench.errors import UnknownNameError, UsageError
from workbench.features.rankings import Ranking, plain
from workbench.lab import Lab
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.stats.factorial import EffectMap

NULL_SHUFFLES = 20
BEST = 5
"""Features named for each effect that the ranking is not by."""


def factorial(command: FeaturesContrast, lab: Lab) -> Outcome:
    """Run the sentences once and test both main effects and the interaction of every feature."""
    from workbench.stats.factorial import factorial_map

    _refuse(command)
    found = lab.stimuli(command.stimuli)
    design = two_factors(found, command.factors, command.positive)
    names = _names(design)
    wanted = _wanted(command, design)
    reading = read_sentences(command, lab, design.stimuli)
    lab.tick(0, 1, "testing features")
    result = factorial_map(
        reading.pooled, design.a, design.b, permutations=command.permutations, seed=command.seed, fdr=command.fdr,
        shuffles=NULL_SHUFFLES, alpha=command.alpha,
    )  # fmt: skip
    space = reading.space.name
    rankings = {names[key]: _ranking(space, effect) for key, effect in result.effects()}
    chosen = rankings[wanted]
    labels = _labels(wanted, design)
    store_reading(lab, chosen, reading, design.stimuli, labels)
    lab.save("factorial", a=design.a.astype(np.int8), b=design.b.astype(np.int8), cells=result.cells,
             **{f"{key}_{name}": array for key, _ in result.effects()
                for name, array in rankings[names[key]].arrays().items()})  # fmt: skip
    told = [_told(names[key], effect, rankings[names[key]], command) for key, effect in result.effects()]
    head = next(entry for entry in told if entry["name"] == wanted)
    body = {
        **_head(command, design, reading, wanted, labels, head),
        "effects": told,
        "rows": chosen.rows(chosen.order()[: command.top]),
    }
    return Outcome(
        body,
        figures=[volcano(chosen, command, wanted)],
        sets={**reading.sets, "ranking": {"params": command.params(), "space": space, "stimuli": found.digest}},
        warnings=[*reading.warnings(), *_warnings(command, design, head, reading.texts)],
        provenance={"stimuli": {"name": found.name, "digest": found.digest}},
    )


def _head(
    command: FeaturesContrast,
    design: TwoFactors,
    reading: Reading,
    wanted: str,
    labels: np.ndarray,
    found: dict[str, Any],
) -> dict[str, Any]:
    """What the ranking by one effect is about and what it found; the fields of RANKING in docs/wire.md.

    Args:
        command: as it was given.
        design: its factors and their levels.
        reading: the sentences as they were read.
        wanted: name of the effect.
        labels: (sentences,) which count as positive for it.
        found: the entry of the effect, as `_told` makes it.
    """
    factors = {name: [design.low[place], design.high[place]] for place, name in enumerate(design.names)}
    return {
        "stimuli": command.stimuli,
        **compared(wanted, factors),
        "design": "factorial",
        "factors": factors,
        "effect": wanted,
        "categories": {"positive": int(labels.sum()), "rest": int((~labels).sum())},
        "masked": reading.masked(labels),
        "pairs": None,
        "statistic": "factorial",
        "window": reading.window.kind,
        "width": reading.window.width,
        "pool": command.pool,
        "permutations": command.permutations,
        "alpha": command.alpha,
        "fdr": command.fdr,
        "seed": command.seed,
        "space": reading.space.name,
        **{name: found[name] for name in ("tested", "discoveries", "null_discoveries", "null_discoveries_max")},
        "undefined": int(reading.space.width - found["tested"]),
        "min_p": found["min_p"],
    }


def _refuse(command: FeaturesContrast) -> None:
    """Options that mean nothing here."""
    wrong = {
        "--against": command.against,
        "--map": command.map,
        "--pairs": command.pairs,
        f"--statistic {command.statistic}": command.statistic != "welch",
    }
    for option, given in wrong.items():
        if given:
            raise UsageError(
                f"{option} does not go with a factorial design",
                "Its statistic is the t of each effect in the full model, and all four cells are used.",
            )


def _names(design: TwoFactors) -> dict[str, str]:
    return {"a": design.names[0], "b": design.names[1], "interaction": design.interaction}


def _wanted(command: FeaturesContrast, design: TwoFactors) -> str:
    """The effect to rank by."""
    if command.factor in ("", "interaction", design.interaction):
        return design.interaction
    if command.factor in design.names:
        return command.factor
    raise UnknownNameError.among("effect", command.factor, [*design.names, "interaction"])


def _labels(wanted: str, design: TwoFactors) -> np.ndarray:
    """Which sentences count as positive: the high level, or for the interaction the cells that weigh +1."""
    if wanted == design.interaction:
        same: np.ndarray = design.a == design.b
        return same
    return design.a if wanted == design.names[0] else design.b


def _ranking(space: str, effect: EffectMap) -> Ranking:
    numbers = {"score": effect.t, "effect": effect.effect, "d": effect.d, "p": effect.p, "p_fwer": effect.p_fwer}
    return Ranking(space, {**numbers, "q": effect.q}, effect.status)


def _told(name: str, effect: EffectMap, ranking: Ranking, command: FeaturesContrast) -> dict[str, Any]:
    """One effect: what was found, and its strongest features."""
    return {
        "name": name,
        "tested": effect.tested,
        "discoveries": effect.discoveries(command.alpha),
        "null_discoveries": float(np.median(effect.null_counts)),
        "null_discoveries_max": int(max(effect.null_counts)),
        "permutations": effect.permutations,
        "min_p": plain(1 / (effect.permutations + 1)),
        "best": ranking.rows(ranking.order()[:BEST]),
    }


def _warnings(command: FeaturesContrast, design: TwoFactors, head: dict[str, Any], texts: Any) -> list[str]:
    found = alpha_warning(command.permutations, command.alpha)
    if head["discoveries"] and head["null_discoveries_max"] >= head["discoveries"]:
        found.append("some label shuffle discovers as many features as the real labels: distrust this ranking")
    for name, labels, high in zip(design.names, (design.a, design.b), design.high, strict=True):
        found += [f"{name}: {warning}" for warning in length_warning(texts, labels, high)]
    return found
