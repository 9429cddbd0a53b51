"""What is told of each feature in an export: one flat row, and what goes with it in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.corpus.tokenizing import sound
from workbench.saes.ids import feature_id
from workbench.saes.neuronpedia import page

if TYPE_CHECKING:
    from workbench.features.rankings import Ranking
    from workbench.index.read import FeatureIndex

BLOCK = 256
"""Features worked on at once."""
TESTS = ("score", "effect", "d", "p", "p_fwer", "q")
COLUMNS: dict[str, str] = {
    "feature": "text", "index": "whole", "label": "text", "label_source": "text", "tags": "text", "note": "text",
    "fired": "whole", "density": "number", "maximum": "number", "mean": "number", "sd": "number",
    "skewness": "number", "kurtosis": "number", "top_logits": "text", "bottom_logits": "text", "ranking": "whole",
    "rank": "whole", **dict.fromkeys(TESTS, "number"), "status": "text", "link": "text",
}  # fmt: skip
"""Columns of a table with what they hold; lists within a cell are JSON."""


@dataclass(frozen=True)
class Told:
    """All that a session knows of its features.

    Attributes:
        space: the space's name.
        labels: by number, `{"text", "source", "by", "method"}`, the one in force first.
        tags: by feature id.
        notes: by feature id.
        index: the corpus index, or None.
        ranking: the latest ranking of these features, or None.
        seq: its log line.
        neuronpedia: the SAE's id there, or "".
    """

    space: str
    labels: dict[int, list[dict[str, str]]] = field(default_factory=dict)
    tags: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    index: FeatureIndex | None = None
    ranking: Ranking | None = None
    seq: int | None = None
    neuronpedia: str = ""


def table_rows(told: Told, features: Sequence[int]) -> Iterator[dict[str, Any]]:
    """A flat row for each feature, with every one of `COLUMNS`; what is not known is None or an empty text."""
    ranks = _ranks(told.ranking)
    for low in range(0, len(features), BLOCK):
        block = np.asarray(features[low : low + BLOCK], dtype=np.int64)
        tests = [{}] * len(block) if told.ranking is None else told.ranking.rows(block)
        for number, test in zip(block.tolist(), tests, strict=True):
            row = {**dict.fromkeys(COLUMNS), **_own(told, number), **_of_corpus(told, number)}
            if test:
                known = {name: test.get(name) for name in (*TESTS, "status")}
                row |= {"ranking": told.seq, "rank": ranks.get(number), **known}
            yield row


def _ranks(ranking: Ranking | None) -> dict[int, int]:
    return {} if ranking is None else {int(number): at for at, number in enumerate(ranking.order(), start=1)}


def _own(told: Told, number: int) -> dict[str, Any]:
    name = feature_id(told.space, number)
    label = next(iter(told.labels.get(number, [])), {"text": "", "source": ""})
    return {
        "feature": name,
        "index": number,
        "label": sound(label["text"]),
        "label_source": label["source"],
        "tags": json.dumps(told.tags[name], ensure_ascii=False) if name in told.tags else "",
        "note": sound(told.notes.get(name, "")),
        "link": page(told.neuronpedia, number),
        "status": "",
    }


def _of_corpus(told: Told, number: int) -> dict[str, Any]:
    index = told.index
    if index is None:
        return {"top_logits": "", "bottom_logits": ""}
    moments = index.moments(number) or dict.fromkeys(("mean", "sd", "skewness", "kurtosis"))
    logits = index.logits(number) or {"top": [], "bottom": []}
    return {
        "fired": int(index.summary["fired"][number]),
        "density": index.density(number),
        "maximum": float(index.summary["maximum"][number]),
        **moments,
        **{f"{end}_logits": json.dumps(logits[end], ensure_ascii=False) for end in ("top", "bottom")},
    }


def full_rows(told: Told, features: Sequence[int], windows: int) -> Iterator[dict[str, Any]]:
    """Each feature with lists as lists, and its histogram, windows, quantiles and explanations."""
    for row in table_rows(told, features):
        number, index = int(row["index"]), told.index
        body = {**row, "tags": told.tags.get(row["feature"], []), "explanations": told.labels.get(number, [])}
        for end in ("top", "bottom"):
            body[f"{end}_logits"] = json.loads(row[f"{end}_logits"] or "[]")
        if index is not None:
            body |= {
                "corpus": index.meta["corpus"],
                "tokens": int(index.meta["tokens"]),
                "enriched": index.store.meta["enriched"],
                "histogram": index.histogram(number),
                "windows": index.examples(number, windows),
                "quantiles": index.quantiles(number),
            }
        yield body
