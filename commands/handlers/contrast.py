"""Carries out `features.contrast`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesContrast
from commands.handlers.sae import chosen
from workbench.errors import UnknownNameError, UsageError
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.rankings import Ranking, plain
from workbench.stimuli.sets import StimulusSet
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace
    from workbench.stats import ContrastMap
    from workbench.stimuli.activations import TokenFeatures

NULL_SHUFFLES = 20


def contrast(command: FeaturesContrast, lab: Lab) -> Outcome:
    """Run the sentences, pool them, test every feature, and run the null arm beside it."""
    from workbench.stats import contrast_map, null_discoveries
    from workbench.stimuli.activations import stimulus_features

    found = lab.stimuli(command.stimuli)
    positive, rows, labels = _design(command, found)
    model = lab.model
    space, sets = _space(command, lab)
    texts = [model.tokenize(text) for _, text in rows]
    features = stimulus_features(model, space, texts, command.pool, lab.tick)
    lab.tick(0, NULL_SHUFFLES + 1, "testing features")
    result = contrast_map(
        features.pooled, labels, statistic=command.statistic, permutations=command.permutations, seed=command.seed
    )
    lab.tick(1, NULL_SHUFFLES + 1, "null arm: shuffled labels")
    null_median, null_largest = null_discoveries(
        features.pooled,
        labels,
        statistic=command.statistic,
        permutations=command.permutations,
        seed=command.seed,
        shuffles=NULL_SHUFFLES,
        alpha=command.alpha,
    )
    ranking = _ranking(space.name, result)
    _store(lab, ranking, features, labels, rows, texts)
    tested = int((result.status == "ok").sum())
    body = {
        "stimuli": command.stimuli,
        "positive": positive,
        "against": command.against or "all others",
        "categories": {"positive": int(labels.sum()), "rest": int((~labels).sum())},
        "statistic": command.statistic,
        "pool": command.pool,
        "permutations": command.permutations,
        "alpha": command.alpha,
        "seed": command.seed,
        "space": space.name,
        "tested": tested,
        "undefined": int(space.width - tested),
        "discoveries": int((result.q[result.status == "ok"] < command.alpha).sum()),
        "null_discoveries": plain(null_median),
        "null_discoveries_max": int(null_largest),
        "rows": ranking.rows(ranking.order()[: command.top]),
    }
    return Outcome(
        body,
        figures=[_volcano(ranking, command, positive)],
        sets={**sets, "ranking": {"params": command.params(), "space": space.name, "stimuli": found.digest}},
        warnings=_warnings(command, body, result) + _length_warning(texts, labels, positive),
        provenance={"stimuli": {"name": found.name, "digest": found.digest}},
    )


def _space(command: FeaturesContrast, lab: Lab) -> tuple[FeatureSpace, dict[str, Any]]:
    """The features to rank, and the state entries that make them the session's own where they were not."""
    if not command.sae:
        if command.site:
            raise UsageError(f"--site {command.site} is for raw units", "Add --sae raw.")
        return lab.space, {}
    model, loaded = lab.model, lab.entry("sae") or {}
    site = command.site or loaded.get("site") or f"blocks.{model.layers // 2}.hook_resid_post"
    space = lab.models.space({"ref": "raw", "site": site, "digest": ""}, model)
    return space, {} if loaded.get("name") == space.name else chosen(space)


def _ranking(space: str, result: ContrastMap) -> Ranking:
    numbers = {"score": result.t, "effect": result.effect, "d": result.d, "p": result.p}
    return Ranking(space, {**numbers, "p_fwer": result.p_fwer, "q": result.q}, result.status)


def _store(
    lab: Lab,
    ranking: Ranking,
    features: TokenFeatures,
    labels: np.ndarray,
    rows: list[tuple[str, str]],
    texts: list[TokenizedText],
) -> None:
    """Keep the numbers of all features, and every sentence's activations, so that any feature opens later."""
    lab.save("ranking", **ranking.arrays())
    lab.save(
        "tokens",
        starts=features.starts,
        pointers=features.pointers,
        features=features.features,
        values=features.values,
        pooled_labels=labels.astype(np.int8),
    )
    lab.save_json(
        "sentences", [{"category": row[0], "tokens": text.text_pieces} for row, text in zip(rows, texts, strict=True)]
    )


def _design(command: FeaturesContrast, found: StimulusSet) -> tuple[str, list[tuple[str, str]], np.ndarray]:
    """The positive category, the sentences taken, and which of them are positive."""
    positive = command.positive or found.positive
    if not positive:
        raise UsageError(
            f"stimulus set {found.name!r} names no positive category",
            f"Add --positive with one of: {', '.join(found.counts)}.",
        )
    for category in filter(None, (positive, command.against)):
        if category not in found.counts:
            raise UnknownNameError.among(f"category of {found.name!r}", category, found.counts)
    if command.against == positive:
        raise UsageError(f"{positive!r} cannot be compared with itself", "Choose another --against.")
    wanted = {positive, command.against} if command.against else set(found.counts)
    rows = [row for row in found.rows if row[0] in wanted]
    return positive, rows, np.array([category == positive for category, _ in rows])


def _length_warning(texts: list[TokenizedText], labels: np.ndarray, positive: str) -> list[str]:
    """Sentences of one side that are longer, or spelt in rarer words, differ in more than the concept."""
    from workbench.stats import contrast_map

    lengths = np.array([[sum(text.is_text)] for text in texts], dtype=np.float64)  # (sentences, 1)
    found = contrast_map(lengths, labels, statistic="mann_whitney", permutations=200)
    if found.status[0] != "ok" or found.p[0] >= 0.01:
        return []
    sides = f"{lengths[labels].mean():.1f} tokens in {positive!r}, {lengths[~labels].mean():.1f} in the others"
    return [f"the two sides differ in length ({sides}): features of length or of rare spellings are found as well"]


def _warnings(command: FeaturesContrast, body: dict[str, Any], result: ContrastMap) -> list[str]:
    warnings = []
    if result.exhaustive and result.min_p > 0.001:
        warnings.append(
            f"this design has only {result.permutations} labellings: no feature's p can be below {result.min_p:.2g}; "
            "a q below that leans on the null of all features together"
        )
    if 1 / (command.permutations + 1) > command.alpha:
        warnings.append(
            f"{command.permutations} permutations cannot give a p below {1 / (command.permutations + 1):.3g}, "
            f"alpha is {command.alpha}"
        )
    if min(body["categories"].values()) < 5:
        warnings.append("fewer than 5 sentences on one side: little power, coarse p")
    few, many = sorted(body["categories"].values())
    if command.statistic == "welch" and many > 3 * few:
        warnings.append(
            f"{few} against {many} sentences: Welch's t has little power for sparse features at such odds; "
            "--statistic mann_whitney has more"
        )
    if body["discoveries"] and body["null_discoveries_max"] >= body["discoveries"]:
        warnings.append("some label shuffle discovers as many features as the real labels: distrust this ranking")
    return warnings


def _volcano(ranking: Ranking, command: FeaturesContrast, positive: str) -> Figure:
    shown = ranking.order()[:2000]
    q = np.maximum(ranking.numbers["q"][shown], 1e-300)
    return Figure(
        kind="scatter",
        title=f"{command.stimuli}: {positive} against {command.against or 'the others'}",
        x_label="effect (activation units)",
        y_label="-log10 q",
        data={
            "x": [round(float(value), 6) for value in ranking.numbers["effect"][shown]],
            "y": [round(float(value), 4) for value in -np.log10(q)],
            "names": [f"#{int(index)}" for index in shown],
            "groups": ["discovery" if value < command.alpha else "other" for value in q],
        },
    )
