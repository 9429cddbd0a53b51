"""Where the numbers of a `features.rsa` come from, for one feature."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.errors import InputFileError
from workbench.features.pooled import ranking_pooled
from workbench.features.rankings import plain
from workbench.lab import Lab
from workbench.session.log import LogLine

COMPARISONS = {
    "corr": "Pearson correlation",
    "cosine": "cosine",
    "spearman": "Spearman correlation",
    "rho-a": "rho-a (rank covariance; ties are not rewarded)",
    "tau-a": "Kendall's tau-a",
    "cosine_cov": "whitened cosine",
    "corr_cov": "whitened correlation",
}
SETS = {
    "features": "the feature's pooled activation",
    "neighbourhood": "the pooled activations of the feature and those of nearest decoder direction",
    "inputs": "the site's units that the feature's decoder direction weighs most",
}


def explain_rsa(
    lab: Lab, line: LogLine, header: dict[str, Any], index: int, row: dict[str, Any], bins: int
) -> dict[str, Any]:
    """Definition, counts and null; only single features have their null drawn again from what was stored."""
    pooled = ranking_pooled(lab, line)
    if pooled is None:
        raise InputFileError(
            f"log line {line.seq} kept no pooled activations", "Run the RSA again with --fresh, then ask again."
        )
    seen, sentences = ~pooled.masked, lab.stored_json(line, "sentences")
    drawn = row["status"] == "ok" and header["over"] == "features"
    null = _null(lab, line, header, pooled.column(index), pooled.items, bins) if drawn else None
    return {
        "definition": _definition(header),
        "sides": [f"of {header['positive']}", "others"] if header["positive"] else ["sentences", "others"],
        "shuffled": "orders of the sentences",
        "n": {
            "positive": int((pooled.labels & seen).sum()),
            "rest": int((~pooled.labels & seen).sum()),
            "masked": int(pooled.masked.sum()),
            "pairs": None,
            "categories": len({one["category"] for one, here in zip(sentences, seen, strict=True) if here}),
        },
        "null": null,
        "tail": None if null is None else _tail(header),
    }


def _definition(header: dict[str, Any]) -> str:
    left_out = " and ".join(header["nuisance"])
    partial = "partial " if left_out else ""
    without, held = (f", {left_out} left out of both", f", {left_out} held") if left_out else ("", "")
    return (
        f"score: {partial}{COMPARISONS[header['statistic']]} of the squared distances between sentences with the model "
        f"RDM ({header['against']}){without}; distances are those of {SETS[header['over']]}, pooled by "
        f"{header['pool']}. effect: how much the squared distance grows for one unit of the model{held}. p is "
        "one-sided (only a positive score counts): sentences change places in the model."
    )


def _null(
    lab: Lab, line: LogLine, header: dict[str, Any], column: np.ndarray, items: np.ndarray | None, bins: int
) -> dict[str, Any]:
    """The permutation draws of the feature, from the same seed and hence the same orders."""
    from workbench.stats import rsa_draws

    arrays = lab.arrays(line, "model_rdm")
    observed, draws = rsa_draws(
        column,
        arrays["rdm"],
        comparison=header["statistic"],
        nuisance=list(arrays.get("nuisance", ())),
        permutations=int(line.params["permutations"]),
        seed=int(line.params["seed"]),
        items=items,
    )
    exceeding = int((draws >= observed - 1e-9).sum())
    counts, edges = np.histogram(draws, bins=bins)
    return {
        "of": header["statistic"],
        "edges": [round(float(edge), 5) for edge in edges],
        "counts": [int(count) for count in counts],
        "infinite": 0,
        "observed": plain(observed),
        "largest": plain(float(draws.max(initial=-1.0))),
        "draws": int(draws.size),
        "exceeding": exceeding,
        "exhaustive": draws.size < int(line.params["permutations"]),
        "p": (exceeding + 1) / (draws.size + 1),
    }


def _tail(header: dict[str, Any]) -> dict[str, Any]:
    said = (
        "permuted scores of features alike in how few pairs of sentences carry their distances, pooled; an exponential "
        f"tail beyond them; then Benjamini-Hochberg over {header['tested']} features"
    )
    return {"source": said, "stratum": None, "pool": None, "exceeding": None, "continued": None, "p_tail": None}
