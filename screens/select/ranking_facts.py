"""What `w` says of a ranking's numbers where `features.why` has no null to draw again, and of the volcano's axes."""

from __future__ import annotations

import math
from typing import Any

from screens.painting.text import chance, number, thousands

PROBES = ("mean_difference", "f_stat", "mutual_info", "l1_logistic", "svm", "random")
"""Statistics of rankings that `features.probe` makes."""
NO_NULL = (*PROBES, "maxact")
_DEFINITIONS = {
    "mean_difference": "score: difference of the class means of the pooled activations",
    "f_stat": "score: F of a one-way analysis of variance of the pooled activations",
    "mutual_info": "score: mutual information of the pooled activation with the label",
    "l1_logistic": "score: size of the feature's weight in an L1 logistic fit",
    "svm": "score: size of the feature's weight in a linear support vector machine",
    "random": "score: a random number, so that the order is drawn by chance",
    "maxact": "score: the largest activation that any sentence gives; no label enters",
}


def has_null(header: dict[str, Any]) -> bool:
    """Whether `features.why` can draw the null of this ranking again."""
    return header.get("statistic") not in NO_NULL


def volcano_facts(row: dict[str, Any] | None, header: dict[str, Any]) -> list[tuple[str, str]]:
    """Where the feature lies in the volcano."""
    if row is None or row["q"] is None:
        return []
    side = "score" if header.get("kind") == "rsa" else "effect"
    height = "beyond 300" if row["q"] < 1e-300 else number(-math.log10(row["q"]), 2)
    place = f"x, {side}: {number(row[side], sign=True)}; height, -log10 q: {height}"
    return [("volcano", f"{place}; filled where q < {header['alpha']}")]


def ranking_facts(row: dict[str, Any] | None, header: dict[str, Any]) -> list[tuple[str, str]]:
    """Definition, n and test of a feature of a ranking that keeps no draws."""
    told = f"{_DEFINITIONS.get(str(header['statistic']), 'score of the ranking')}; effect: difference of the means"
    counted = f"{thousands(header['tested'])} features ranked, {thousands(header['undefined'])} undefined"
    facts = [("definition", f"{told}, {header['positive']} against {header['against']}, {header['pool']} over tokens")]
    facts.append(("n", counted))
    if row is not None:
        facts.insert(0, ("feature", str(row["feature"])))
        observed = f"score {number(row['score'])}, effect {number(row['effect'], sign=True)}, d {number(row['d'], 2)}"
        facts.append(("observed", f"{observed}, rank {thousands(row['rank'])}"))
    if header.get("p_reason"):
        return [*facts, ("null", f"no p: {header['p_reason']}")]
    if row is not None:
        tests = f"p {chance(row['p'])}, fwer {chance(row['p_fwer'])}, q {chance(row['q'])}"
        facts.append(("tests", f"{tests}: {thousands(header['permutations'])} label permutations"))
    return [
        *facts,
        ("null", "its draws are not kept: features.contrast on the same set keeps them"),
        *volcano_facts(row, header),
    ]
