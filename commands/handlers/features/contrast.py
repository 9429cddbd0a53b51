"""Carries out `features.contrast`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commands.features import FeaturesContrast
from commands.handlers.features.contrast_maps import contrast_map_over
from commands.handlers.features.designs import Design, matched, two_classes, unused_pairs
from commands.handlers.features.factorial import factorial
from commands.handlers.features.readings import (
    Reading,
    alpha_warning,
    length_warning,
    read_sentences,
    store_reading,
    volcano,
)
from workbench.features.rankings import Ranking, plain
from workbench.lab import Lab
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.stats import ContrastMap

NULL_SHUFFLES = 20


def contrast(command: FeaturesContrast, lab: Lab) -> Outcome:
    """Run the sentences, pool them, test every feature, and run the null arm beside it."""
    from workbench.stats import contrast_map, null_discoveries

    if command.design == "factorial" or command.factor or command.factors:
        return factorial(command, lab)
    found = lab.stimuli(command.stimuli)
    design = groups_design(command, lab)
    reading = read_sentences(command, lab, design.stimuli)
    reading.require_sides(design.labels)
    lab.tick(0, NULL_SHUFFLES + 1, "testing features")
    settings: dict[str, Any] = {
        "items": design.items,
        "statistic": command.statistic,
        "permutations": command.permutations,
        "seed": command.seed,
        "fdr": command.fdr,
    }
    result = contrast_map(reading.pooled, design.labels, **settings)
    lab.tick(1, NULL_SHUFFLES + 1, "null arm: shuffled labels")
    null = null_discoveries(reading.pooled, design.labels, **settings, shuffles=NULL_SHUFFLES, alpha=command.alpha)
    ranking = groups_ranking(reading.space.name, result)
    store_reading(lab, ranking, reading, design.stimuli, design.labels, design.items)
    body = groups_body(command, design, reading, result, null)
    over, figures = contrast_map_over(command, lab, design, reading, settings) if command.map else ({}, [])
    space = reading.space.name
    return Outcome(
        {**body, **over, "rows": ranking.rows(ranking.order()[: command.top])},
        figures=[volcano(ranking, command, f"{design.positive} against {command.against or 'the others'}"), *figures],
        sets={**reading.sets, "ranking": {"params": command.params(), "space": space, "stimuli": found.digest}},
        warnings=[
            *reading.warnings(),
            *_warnings(command, body, result),
            *_pair_warning(command, design),
            *unused_pairs(design, command.stimuli, "features contrast", "labels move between all sentences"),
            *length_warning(reading.texts, design.labels, design.positive),
        ],
        provenance={"stimuli": {"name": found.name, "digest": found.digest}},
    )


def groups_design(command: FeaturesContrast, lab: Lab) -> Design:
    """The sentences of two classes and their labels, matched where that is asked for."""
    design = two_classes(lab.stimuli(command.stimuli), command.positive, command.against)
    if not (command.pairs or command.statistic == "paired"):
        return design
    return matched(design, command.stimuli, one_of_each=command.statistic == "paired")


def groups_ranking(space: str, result: ContrastMap) -> Ranking:
    """A contrast map as a ranking."""
    numbers = {
        "score": result.t,
        "effect": result.effect,
        "d": result.d,
        "p": result.p,
        "p_fwer": result.p_fwer,
        "q": result.q,
        "auc": result.auc,
        "rate_difference": result.rate_difference,
        **({"d_z": result.d_z} if result.statistic == "paired" else {}),
    }
    return Ranking(space, numbers, result.status)


def groups_body(
    command: FeaturesContrast, design: Design, reading: Reading, result: ContrastMap, null: tuple[float, int]
) -> dict[str, Any]:
    """What the ranking is about and what it found, without its rows."""
    labels = design.labels
    pairs = {"whole": design.whole, "left_out": design.unmatched}
    return {
        "stimuli": command.stimuli,
        "positive": design.positive,
        "against": command.against or "all others",
        "design": "groups",
        "categories": {"positive": int(labels.sum()), "rest": int((~labels).sum())},
        "masked": reading.masked(labels),
        "pairs": None if design.items is None else pairs,
        "statistic": command.statistic,
        "window": reading.window.kind,
        "width": reading.window.width,
        "pool": command.pool,
        "permutations": command.permutations,
        "exhaustive": result.exhaustive,
        "relabellings": result.permutations,
        "alpha": command.alpha,
        "fdr": command.fdr,
        "seed": command.seed,
        "space": reading.space.name,
        "tested": result.tested,
        "undefined": int(reading.space.width - result.tested),
        "min_p": plain(result.min_p),
        "discoveries": result.discoveries(command.alpha),
        "null_discoveries": plain(null[0]),
        "null_discoveries_max": int(null[1]),
    }


def _warnings(command: FeaturesContrast, body: dict[str, Any], result: ContrastMap) -> list[str]:
    warnings = alpha_warning(command.permutations, command.alpha)
    if result.exhaustive and result.min_p > 0.001:
        total = result.permutations + 1
        same = result.min_p * total > 1.5  # the extreme labelling and its mirror image
        mirrored = f", {total // 2} different ones (mirror images give the same |t|)" if same else ""
        warnings.append(
            f"this design has only {total} labellings{mirrored}: no feature's p can be below "
            f"{result.min_p:.3g}; a q below that leans on the null of all features together"
        )
    few, many = sorted(body["categories"][side] - body["masked"][side] for side in ("positive", "rest"))
    if few < 5:
        warnings.append("fewer than 5 sentences on one side: little power, coarse p")
    if command.statistic == "welch" and many > 3 * few:
        warnings.append(
            f"{few} against {many} sentences: Welch's t has little power for sparse features at such odds; "
            "--statistic mann_whitney has more"
        )
    if body["discoveries"] and body["null_discoveries_max"] >= body["discoveries"]:
        warnings.append("some label shuffle discovers as many features as the real labels: distrust this ranking")
    return warnings


def _pair_warning(command: FeaturesContrast, design: Design) -> list[str]:
    if not design.unmatched:
        return []
    fate = "left out" if command.statistic == "paired" else "in the means, but their labels never move"
    return [f"{design.unmatched} of {len(design.labels)} sentences have no match of the other class: they are {fate}"]
