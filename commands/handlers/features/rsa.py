"""Carries out `features.rsa`: the distances that features see between sentences, against a model of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesRsa
from commands.handlers.features.readings import Reading, alpha_warning, read_sentences, store_reading
from commands.handlers.features.rsa_models import (
    ModelDesign,
    Nuisances,
    bound_warning,
    items_of,
    model_design,
    nuisance_rdms,
)
from commands.handlers.features.rsa_sets import (
    UnitSets,
    as_contrast,
    clusters,
    inputs,
    layers,
    neighbourhoods,
    positions,
    split_regions,
)
from workbench.errors import UsageError
from workbench.features.rankings import Ranking, plain
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.stats import RsaMap

NULL_SHUFFLES = 20
COUNTED = 512
"""Most features of which tau-a with a model of many levels is counted."""
NOTHING_NEW = (
    "two categories of equal size: for one number per sentence RSA tests nothing beyond t squared; the signed t of the "
    "same sentences stands beside the score"
)
NOTHING_BEYOND = (
    "the model ({said}) parts the sentences of {count} categories into two halves: for one number per sentence RSA "
    "tests nothing beyond the squared t of these halves; their signed t stands beside the score"
)


def rsa(command: FeaturesRsa, lab: Lab) -> Outcome:
    """Read the sentences, make the model RDM, compare, and run the null arm beside it."""
    design = model_design(command, lab)
    reading = read_sentences(
        as_contrast(command, map="position" if command.over == "position" else ""), lab, design.stimuli
    )
    left = int((~reading.features.masked).sum())
    if left < 4:
        raise UsageError(
            f"only {left} sentences have a token in the window: RSA compares the distances of four or more",
            "Choose another --window, or give the sentences targets.",
        )
    items = items_of(design.stimuli, command.stimuli) if command.pairs else None
    lengths = [sum(text.is_text) for text in reading.texts]
    nuisances = nuisance_rdms(command, design.stimuli, lengths)
    settings: dict[str, Any] = {
        "comparison": command.comparison,
        "nuisance": nuisances.rdms,
        "permutations": command.permutations,
        "seed": command.seed,
    }
    if command.over == "roi":
        return _regions(command, lab, design, reading, settings, items, nuisances)
    sets = _sets(command, lab, design, reading)
    values = reading.pooled if sets is None else sets.values
    result, null = _compare(command, lab, values, design.rdm, {**settings, "items": items})
    body = _body(command, design, reading, result, null, nuisances)
    if sets is not None and sets.rows:
        rows = _set_rows(sets.rows, result)
        return _outcome(
            command, lab, design, reading, body, rows, [*_figures(design, None), _bars(command, rows)], nuisances
        )
    return _ranked(command, lab, design, reading, result, body, items, nuisances)


def _sets(command: FeaturesRsa, lab: Lab, design: ModelDesign, reading: Reading) -> UnitSets | None:
    """The sets of units asked for; None for single features."""
    if command.over == "neighbourhood":
        return neighbourhoods(command, reading)
    if command.over == "inputs":
        return inputs(command, lab, design, reading)
    if command.over == "cluster":
        return clusters(lab, reading)
    if command.over == "layer":
        return layers(lab, design, reading)
    return positions(reading) if command.over == "position" else None


def _compare(
    command: FeaturesRsa, lab: Lab, values: np.ndarray, rdm: np.ndarray, settings: dict[str, Any]
) -> tuple[RsaMap, tuple[float, int]]:
    from workbench.stats import rsa_map, rsa_null_discoveries

    levels = len(np.unique(np.round(rdm[np.triu_indices(len(rdm), 1)], 10)))
    if command.comparison == "tau-a" and levels > 2 and values.shape[1] > COUNTED:
        raise UsageError(
            f"tau-a of {values.shape[1]:,} features with a model of {levels} levels would take very long",
            f"Use --comparison rho-a, which ranks alike, or at most {COUNTED} features.",
        )
    try:
        lab.tick(0, NULL_SHUFFLES + 1, "comparing with the model")
        result = rsa_map(values, rdm, **settings)
        lab.tick(1, NULL_SHUFFLES + 1, "null arm: shuffled stimuli")
        null = rsa_null_discoveries(values, rdm, **settings, shuffles=NULL_SHUFFLES, alpha=command.alpha)
    except ValueError as error:
        raise UsageError(str(error), "Choose another --model, --nuisance or --comparison.") from error
    if command.model in ("discriminative", "consistency"):  # the slope on a contrast's weights -> the contrast itself
        weights = rdm[np.triu_indices(len(rdm), 1)]
        result = replace(result, effect=result.effect * float(np.square(weights).sum()))
    return result, null


def _ranked(
    command: FeaturesRsa,
    lab: Lab,
    design: ModelDesign,
    reading: Reading,
    result: RsaMap,
    body: dict[str, Any],
    items: np.ndarray | None,
    nuisances: Nuisances,
) -> Outcome:
    """A ranking of features: stored whole, so that lists, single features and reports can show it."""
    numbers = {
        "score": result.score,
        "effect": result.effect,
        "d": np.full(result.score.shape, np.nan),
        "p": result.p,
        "p_fwer": result.p_fwer,
        "q": result.q,
    }
    if design.balanced and command.over == "features":
        from workbench.stats import contrast_map

        assert design.classes is not None  # what balanced means
        # the sign is the positive class's where the two classes are the set's categories
        turned = np.array_equal(design.labels, ~design.classes)
        classes = design.labels if turned else design.classes
        numbers["t"] = contrast_map(reading.pooled, classes, permutations=0).t
        body = {**body, "note": _nothing_beyond(design)}
    ranking = Ranking(reading.space.name, numbers, result.status, one_sided=True)
    store_reading(lab, ranking, reading, design.stimuli, design.labels, items)
    extra = {"nuisance": np.stack(nuisances.rdms)} if nuisances.rdms else {}
    lab.save("model_rdm", rdm=design.rdm, **extra)
    order = ranking.order()
    best = reading.pooled[:, order[0]] if command.over == "features" and len(order) else None
    figures = [_scatter(ranking, command, design), *_figures(design, best, order)]
    rows = ranking.rows(order[: command.top])
    return _outcome(command, lab, design, reading, body, rows, figures, nuisances, is_ranking=True)


def _nothing_beyond(design: ModelDesign) -> str:
    """What a model of two equal classes comes to: those of a factorial one are no categories."""
    count = len({one.category for one in design.stimuli})
    return NOTHING_NEW if count == 2 else NOTHING_BEYOND.format(said=design.said, count=count)


def _regions(
    command: FeaturesRsa,
    lab: Lab,
    design: ModelDesign,
    reading: Reading,
    settings: dict[str, Any],
    items: np.ndarray | None,
    nuisances: Nuisances,
) -> Outcome:
    """The features of a contrast as one set, chosen on one half of the sentences and tested on the other."""
    rows: list[dict[str, Any]] = []
    found = []
    for number, half in enumerate(split_regions(command, design, reading)):
        here = np.ix_(half.rows, half.rows)
        part = {**settings, "nuisance": [z[here] for z in settings["nuisance"]]}
        part["items"] = None if items is None else items[half.rows]
        values = reading.pooled[half.rows][:, None, half.features]  # (sentences here, 1 set, members)
        result, null = _compare(command, lab, values, design.rdm[here], part)
        name = f"chosen on half {2 - number}, tested on half {number + 1}"
        about = {"name": name, "size": len(half.features), "sentences": len(half.rows)}
        rows += _set_rows([{**about, "features": [int(one) for one in half.features[:12]]}], result)
        found.append((result, null))
    body = _body(command, design, reading, found[0][0], found[0][1], nuisances)
    defined = [row["p"] for row in rows if row["p"] is not None]
    body |= {
        "tested": len(defined),
        "undefined": len(rows) - len(defined),
        "discoveries": sum(row["q"] is not None and row["q"] < command.alpha for row in rows),
        "null_discoveries": plain(sum(null[0] for _, null in found)),
        "null_discoveries_max": sum(null[1] for _, null in found),
    }
    return _outcome(command, lab, design, reading, body, rows, _figures(design, None), nuisances)


def _body(
    command: FeaturesRsa,
    design: ModelDesign,
    reading: Reading,
    result: RsaMap,
    null: tuple[float, int],
    nuisances: Nuisances,
) -> dict[str, Any]:
    """What was compared and what was found, without its rows; the fields of a ranking, and the model's."""
    return {
        "stimuli": command.stimuli,
        "kind": "rsa",
        "over": command.over,
        "model": command.model,
        "positive": design.positive,
        "against": design.said,
        "sentences": len(design.stimuli),
        "masked": int(reading.features.masked.sum()),
        "statistic": command.comparison,
        "nuisance": nuisances.names,
        "constant_nuisance": nuisances.constant,
        "window": reading.window.kind,
        "width": reading.window.width,
        "pool": command.pool,
        "permutations": result.permutations,
        "exhaustive": result.exhaustive,
        "alpha": command.alpha,
        "seed": command.seed,
        "space": reading.space.name,
        "tested": result.tested,
        "undefined": int(result.status.size - result.tested),
        "discoveries": result.discoveries(command.alpha),
        "null_discoveries": plain(null[0]),
        "null_discoveries_max": int(null[1]),
        "note": "",
    }


def _set_rows(rows: list[dict[str, Any]], result: RsaMap) -> list[dict[str, Any]]:
    numbers = ("score", "effect", "p", "p_fwer", "q")
    return [
        {**row, **{name: plain(getattr(result, name)[place]) for name in numbers}, "status": str(result.status[place])}
        for place, row in enumerate(rows)
    ]


def _outcome(
    command: FeaturesRsa,
    lab: Lab,
    design: ModelDesign,
    reading: Reading,
    body: dict[str, Any],
    rows: list[dict[str, Any]],
    figures: list[Figure],
    nuisances: Nuisances,
    *,
    is_ranking: bool = False,
) -> Outcome:
    found = lab.stimuli(command.stimuli)
    entry = {"params": command.params(), "space": reading.space.name, "stimuli": found.digest}
    shown = rows if is_ranking else rows[: command.top]
    return Outcome(
        {**body, "rows": shown},
        figures=figures,
        sets={**reading.sets, **({"ranking": entry} if is_ranking else {})},
        warnings=[*reading.warnings(), *_warnings(command, design, body), *bound_warning(design.rdm, nuisances)],
        provenance={"stimuli": {"name": found.name, "digest": found.digest}},
    )


def _warnings(command: FeaturesRsa, design: ModelDesign, body: dict[str, Any]) -> list[str]:
    warnings = alpha_warning(int(body["permutations"]), command.alpha)
    if body["exhaustive"]:
        warnings.append(f"{len(design.stimuli)} sentences have only {body['permutations']} other orders: p is coarse")
    for name in body["constant_nuisance"]:
        warnings.append(f"{name} is the same for every pair of sentences: constant, there is nothing to remove")
    if command.model in ("graded", "cyclic") and not command.order:
        warnings.append("the categories are taken in the order in which they are listed; --order says another one")
    # of a handful of sets one in twenty shuffles finds something, as it should
    if command.ranks_features and 0 < body["discoveries"] <= body["null_discoveries_max"]:
        warnings.append("some shuffle of the sentences discovers as much as the real order: distrust this ranking")
    return warnings


def by_category(categories: list[str], rdm: np.ndarray) -> tuple[list[str], list[list[float]]]:
    """The categories, and the mean dissimilarity of the pairs within and between them; 0 where there is no pair."""
    names = list(dict.fromkeys(categories))
    member = np.array([[category == name for category in categories] for name in names], dtype=float)
    apart = ~np.eye(len(rdm), dtype=bool) & ~np.isnan(rdm)
    counts = member @ apart @ member.T
    total = member @ np.where(apart, np.nan_to_num(rdm), 0.0) @ member.T
    means = np.divide(total, counts, out=np.zeros_like(total), where=counts > 0)
    return names, [[float(f"{value:.6g}") for value in row] for row in means]


def _figures(design: ModelDesign, best: np.ndarray | None, order: np.ndarray | None = None) -> list[Figure]:
    """The model RDM by category, and the best feature's beside it."""
    figures = [matrix_figure(design, design.rdm, f"model: {design.said}")]
    if best is not None and order is not None:
        rdm = np.square(best[:, None] - best)
        figures.append(matrix_figure(design, rdm, f"#{int(order[0])}: squared distances"))
    return figures


def matrix_figure(design: ModelDesign, rdm: np.ndarray, title: str) -> Figure:
    """Mean dissimilarity within and between categories."""
    names, values = by_category([one.category for one in design.stimuli], rdm)
    return Figure(
        kind="matrix",
        title=title,
        note="mean over pairs of sentences of these categories",
        data={"rows": names, "columns": names, "values": values},
    )


def _scatter(ranking: Ranking, command: FeaturesRsa, design: ModelDesign) -> Figure:
    shown = ranking.order()[:2000]
    q = np.maximum(ranking.numbers["q"][shown], 1e-300)
    return Figure(
        kind="scatter",
        title=f"{command.stimuli}: {design.said}",
        x_label=f"{command.comparison} with the model RDM",
        y_label="-log10 q",
        data={
            "x": [round(float(value), 6) for value in ranking.numbers["score"][shown]],
            "y": [round(float(value), 4) for value in -np.log10(q)],
            "names": [f"#{int(index)}" for index in shown],
            "groups": ["discovery" if value < command.alpha else "other" for value in q],
        },
    )


def _bars(command: FeaturesRsa, rows: list[dict[str, Any]]) -> Figure:
    """The score of every set, in the order of the sets."""
    return Figure(
        kind="curve",
        title=f"{command.comparison} with the model by {command.over}",
        x_label=command.over,
        y_label=command.comparison,
        data={"x": list(range(len(rows))), "series": {"score": [row["score"] for row in rows]}},
    )
