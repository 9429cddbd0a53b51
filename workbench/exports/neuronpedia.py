"""A feature as Neuronpedia's feature JSON has it: the names of its fields, filled from an index.

What has no place there stands under `workbench`: the stable id, tags, note, which corpus and whether it was a fair one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from workbench.corpus.tokenizing import sound
from workbench.exports.rows import Told
from workbench.saes.ids import feature_id
from workbench.saes.neuronpedia import page

if TYPE_CHECKING:
    from workbench.index.read import FeatureIndex


def names_of(told: Told) -> tuple[str, str]:
    """`modelId` and `layer`: those that Neuronpedia knows the SAE by, else model, and site and SAE of the id."""
    model, _, layer = (told.neuronpedia or told.space).partition("/")
    return model, layer


def feature_objects(told: Told, index: FeatureIndex, features: Sequence[int], windows: int) -> Iterator[dict[str, Any]]:
    """One object for each feature."""
    model, layer = names_of(told)
    for number in features:
        name = feature_id(told.space, number)
        histogram, logits = index.histogram(number), index.logits(number) or {"top": [], "bottom": []}
        yield {
            "modelId": model,
            "layer": layer,
            "index": str(number),
            "maxActApprox": round(float(index.summary["maximum"][number]), 6),
            "frac_nonzero": index.density(number),
            "freq_hist_data_bar_values": [round((low + high) / 2, 6) for low, high in pairwise(histogram["edges"])],
            "freq_hist_data_bar_heights": histogram["counts"],
            "pos_str": [token for token, _ in logits["top"]],
            "pos_values": [value for _, value in logits["top"]],
            "neg_str": [token for token, _ in logits["bottom"]],
            "neg_values": [value for _, value in logits["bottom"]],
            "explanations": [
                {
                    "description": sound(label["text"]),
                    "explanationModelName": label["by"] or label["source"],
                    "typeName": label["method"] or "feature-workbench",
                }
                for label in told.labels.get(number, [])
            ],
            "activations": [_activation(window) for window in index.examples(number, windows)],
            "workbench": {
                "feature": name,
                "tags": told.tags.get(name, []),
                "note": sound(told.notes.get(name, "")),
                "corpus": index.meta["corpus"],
                "tokens": int(index.meta["tokens"]),
                "enriched": index.store.meta["enriched"],
                "link": page(told.neuronpedia, number),
            },
        }


def _activation(window: dict[str, Any]) -> dict[str, Any]:
    values = window["values"]
    peak = max(range(len(values)), key=values.__getitem__)
    return {
        "tokens": window["tokens"],
        "values": values,
        "maxValue": values[peak],
        "maxValueTokenIndex": peak,
        "minValue": min(values),
        "dataIndex": str(window["document"]),
    }
