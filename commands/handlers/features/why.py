"""Carries out `features.why`: where one feature's numbers come from, computed again from what was stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from commands.features import FeaturesWhy
from commands.handlers.features.stored_rankings import effect_key, ranking_header, ranking_line, ranking_of
from commands.handlers.features.why_rsa import explain_rsa
from commands.handlers.log_text import text_of
from workbench.errors import InputFileError
from workbench.features.evidence import labels_by_index
from workbench.features.pooled import Pooled, ranking_pooled
from workbench.features.rankings import plain
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes.ids import feature_index
from workbench.session.log import LogLine
from workbench.stimuli.windows import Window
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.stats.factorial import Effect

DEFINITIONS = {
    "welch": "Welch's t: the difference of the two class means over its standard error",
    "paired": "Student's t of the differences within matched pairs: their mean over its standard error",
    "mann_whitney": "the Mann-Whitney z: how far the ranks of the two classes lie apart, ties corrected",
    "rate": "Welch's t of firing: the difference of the shares of sentences above zero over its standard error",
    "factorial": "the t of a main effect: the mean of its two differences, one at each level of the other factor, over "
    "its standard error",
    "interaction": "the t of an interaction: the difference of two differences of cell means over its standard error",
}
EFFECTS = {
    "paired": "the mean of the pair differences",
    "factorial": "that mean of the two differences",
    "interaction": "that difference of differences, which is 0 where the two are alike",
}
POOLS = {"mean": "the mean over", "max": "the largest of", "last": "the last of"}


def why(query: FeaturesWhy, lab: Lab) -> Outcome:
    """Find the ranking, draw its permutations again for this feature alone, and say what they were compared with."""
    line = ranking_line(lab, query.ranking, verbs=tuple(EXPLAINERS))
    header = ranking_header(lab, line, query.effect)
    ranking = ranking_of(lab, line, header)
    index = feature_index(query.feature, ranking.space, len(ranking.status), "ranking's")
    row = ranking.rows(np.array([index]), labels=labels_by_index(lab, ranking.space))[0]
    row["rank"] = ranking.rank(index)
    explain = EXPLAINERS[line.do]
    body = {
        "feature": row["feature"],
        "index": index,
        "ranking": header,
        "test": row,
        **explain(lab, line, header, index, row, query.bins),
        "line": text_of(line),
        "provenance": {key: value for key, value in line.provenance.items() if key != "gate"},
    }
    figures = [] if body["null"] is None else [_figure(body)]
    return Outcome(body, figures=figures, provenance={"gate": header["gate"]})


def _contrast(
    lab: Lab, line: LogLine, header: dict[str, Any], index: int, row: dict[str, Any], bins: int
) -> dict[str, Any]:
    """The null of a feature of `features.contrast`."""
    pooled = ranking_pooled(lab, line)
    if pooled is None:
        raise InputFileError(
            f"log line {line.seq} kept no pooled activations", "Run the contrast again with --fresh, then ask again."
        )
    found = _drawn(lab, line, header, index, pooled) if row["status"] == "ok" else None
    kind = _kind(header)
    return {
        "definition": _definition(header, kind),
        "sides": _sides(header, kind),
        "shuffled": "shuffles of the additive model's residuals (no shuffle of labels leaves both main effects alone)"
        if kind == "interaction"
        else "labellings",
        "n": _counts(pooled, _labels(lab, line, header, pooled), header),
        "null": None if found is None else _histogram(found, bins),
        "tail": None if found is None else _tail(found, header),
    }


def _drawn(lab: Lab, line: LogLine, header: dict[str, Any], index: int, pooled: Pooled) -> dict[str, Any]:
    """The permutation draws of the feature, from the same seed and hence the same labellings."""
    from workbench.stats import feature_null

    settings = {"permutations": int(line.params["permutations"]), "seed": int(line.params["seed"])}
    if header["design"] == "factorial":
        return _factorial_draws(lab, line, header, pooled.column(index), settings)
    width = max(index, int(pooled.features.max(initial=0))) + 1
    found = feature_null(
        pooled.dense(width), pooled.labels, index, items=pooled.items, statistic=header["statistic"], **settings
    )
    if found is None:  # it was defined when it was ranked
        raise InputFileError(f"the stored activations of log line {line.seq} do not fit it", "Run it with --fresh.")
    names = ("observed", "draws", "exceeding", "exhaustive", "stratum", "pool", "pool_exceeding", "continued", "p_tail")
    return {name: getattr(found, name) for name in names}


def _factorial_draws(
    lab: Lab, line: LogLine, header: dict[str, Any], column: np.ndarray, settings: dict[str, int]
) -> dict[str, Any]:
    from workbench.stats.factorial import effect_null

    arrays = lab.arrays(line, "factorial")
    effect = cast("Effect", effect_key(header))
    observed, draws, exceeding, exhaustive = effect_null(
        column, arrays["a"].astype(bool), arrays["b"].astype(bool), effect, **settings
    )
    return {"observed": observed, "draws": draws, "exceeding": exceeding, "exhaustive": exhaustive}


def _kind(header: dict[str, Any]) -> str:
    """The statistic, an interaction told from a main effect."""
    if header["design"] != "factorial":
        return str(header["statistic"])
    return "interaction" if header["effect"] == header["effects"][-1] else "factorial"


def _definition(header: dict[str, Any], kind: str) -> str:
    window = Window.of(header["window"], header["width"]).said
    reduced = f"each sentence counts as {POOLS[header['pool']]} the {window}, special tokens left out"
    against = "all the other sentences" if header["against"] == "all others" else header["against"]
    compared = f"{header['positive']}, less {against}"
    effect = EFFECTS.get(kind, "the difference of the two class means")
    return f"score: {DEFINITIONS[kind]} ({compared}); {reduced}. effect: {effect}, in activation units."


def _sides(header: dict[str, Any], kind: str) -> list[str]:
    """What the two counts of sentences are of."""
    if kind == "interaction":
        return ["in the two cells that add", "in the two that subtract"]
    return [f"of {header['positive']}", "against them"]


def _labels(lab: Lab, line: LogLine, header: dict[str, Any], pooled: Pooled) -> np.ndarray:
    """Which sentences are positive: of a factorial ranking those that its effect weighs with +1."""
    if header["design"] != "factorial":
        return pooled.labels
    arrays = lab.arrays(line, "factorial")
    a, b = arrays["a"].astype(bool), arrays["b"].astype(bool)
    sides: dict[str, np.ndarray] = {"a": a, "b": b, "interaction": a == b}
    return sides[effect_key(header)]


def _counts(pooled: Pooled, labels: np.ndarray, header: dict[str, Any]) -> dict[str, Any]:
    seen = ~pooled.masked
    return {
        "positive": int((labels & seen).sum()),
        "rest": int((~labels & seen).sum()),
        "masked": int(pooled.masked.sum()),
        "pairs": (header["pairs"] or {}).get("whole"),
    }


def _histogram(found: dict[str, Any], bins: int) -> dict[str, Any]:
    """Bars over |t| of the draws; the observed one may lie beyond them."""
    draws, observed = found["draws"], found["observed"]
    finite = draws[np.isfinite(draws)]
    counts, edges = np.histogram(finite, bins=bins, range=(0.0, float(finite.max(initial=0.0)) or 1.0))
    return {
        "edges": [round(float(edge), 5) for edge in edges],
        "counts": [int(count) for count in counts],
        "infinite": int(draws.size - finite.size),
        "observed": plain(observed),
        "largest": plain(float(draws.max(initial=0.0))),
        "draws": int(draws.size),
        "exceeding": int(found["exceeding"]),
        "exhaustive": bool(found["exhaustive"]),
        "p": (int(found["exceeding"]) + 1) / (int(draws.size) + 1),
    }


def _tail(found: dict[str, Any], header: dict[str, Any]) -> dict[str, Any]:
    """Where q comes from."""
    rule = "Benjamini-Yekutieli" if header["fdr"] == "by" else "Benjamini-Hochberg"
    if "pool" not in found:
        said = f"a tail pooled over features alike in sparsity, then {rule} over {header['tested']} features"
        return {"source": said, "stratum": None, "pool": None, "exceeding": None, "continued": None, "p_tail": None}
    pool = f"{found['pool']:,} draws of {found['stratum']} features alike in sparsity"
    if found["continued"]:
        said = (
            f"{found['pool_exceeding']} of {pool} are as large, too few to count: a Student tail, attached where the "
            f"pool thins out, gives {found['p_tail']:.2g}, which rests on that formula and not on a count"
        )
    else:
        said = f"{found['pool_exceeding']:,} of {pool} are as large: {found['p_tail']:.2g}"
    return {
        "source": f"{said}; then {rule} over {header['tested']} features",
        "stratum": found["stratum"],
        "pool": found["pool"],
        "exceeding": found["pool_exceeding"],
        "continued": found["continued"],
        "p_tail": plain(found["p_tail"]),
    }


def _figure(body: dict[str, Any]) -> Figure:
    null = body["null"]
    return Figure(
        kind="histogram",
        title=f"{null.get('of', '|t|')} of #{body['index']} under {null['draws']:,} permutations",
        x_label=null.get("of", "|t|"),
        y_label="permutations",
        note=f"observed {null['observed']:.4g}; {null['exceeding']} as large",
        data={"edges": null["edges"], "counts": null["counts"]},
    )


EXPLAINERS: dict[str, Callable[..., dict[str, Any]]] = {"features.contrast": _contrast, "features.rsa": explain_rsa}
"""Who explains the numbers of each kind of ranking."""
