"""Carries out `features.rdm`: a feature's distances between categories beside the model's, from stored results."""

from __future__ import annotations

import numpy as np

from commands.features import FeaturesRdm
from commands.handlers.rsa import by_category
from commands.handlers.stored_rankings import ranking_header, ranking_line
from workbench.errors import InputFileError
from workbench.evidence import labels_by_index
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.pooled import ranking_pooled
from workbench.rankings import Ranking
from workbench.saes.ids import feature_index
from workbench.verbs import Outcome


def rdm(query: FeaturesRdm, lab: Lab) -> Outcome:
    """Squared distances of the pooled activations that were ranked, averaged over pairs of sentences."""
    line = ranking_line(lab, query.ranking, verbs=("features.rsa",))
    header = ranking_header(lab, line)
    ranking = Ranking.from_arrays(header["space"], lab.arrays(line, "ranking"))
    index = feature_index(query.feature, ranking.space, len(ranking.status))
    pooled = ranking_pooled(lab, line)
    if pooled is None:
        raise InputFileError(f"log line {line.seq} kept no pooled activations", "Run the RSA again with --fresh.")
    column = pooled.column(index)
    categories = [sentence["category"] for sentence in lab.stored_json(line, "sentences")]
    names, model = by_category(categories, lab.arrays(line, "model_rdm")["rdm"])
    _, seen = by_category(categories, np.square(column[:, None] - column))
    row = ranking.rows(np.array([index]), labels=labels_by_index(lab, ranking.space))[0]
    body = {
        "feature": row["feature"],
        "index": index,
        "ranking": header,
        "test": row,
        "names": names,
        "model": model,
        "distances": seen,
    }
    note = "mean over pairs of sentences of these categories"
    figures = [
        Figure(kind="matrix", title=title, note=note, data={"rows": names, "columns": names, "values": values})
        for title, values in ((f"model: {header['against']}", model), (f"#{index}: squared distances", seen))
    ]
    return Outcome(body, figures=figures, provenance={"gate": header["gate"]} if header["gate"] else {})
