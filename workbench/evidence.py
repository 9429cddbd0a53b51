"""What stored results say about one feature: its labels, its stimulus sentences, its corpus; no model needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.pooled import stored_pooled

if TYPE_CHECKING:
    from workbench.index.read import FeatureIndex
    from workbench.lab import Lab
    from workbench.session.log import LogLine


def labels_by_index(lab: Lab, space: str) -> dict[int, str]:
    """Texts of the labels of a space's features."""
    start = space + "#"
    return {
        int(name.removeprefix(start)): str(entry.value["text"])
        for name, entry in lab.state.under("labels").items()
        if name.startswith(start) and name.removeprefix(start).isdecimal()
    }


def sentence_lines(lab: Lab, line: LogLine, index: int) -> list[dict[str, Any]]:
    """Each sentence of a ranking's stimuli with the feature's activation on each token.

    Args:
        lab: the session.
        line: the log line of the ranking.
        index: the feature's number in its space.

    Returns:
        `{"category", "tokens", "values", "pooled": the number that was tested, "masked"}` in the order of the design; a
        ranking of an older version did not keep that number, and the mean over the tokens stands for it.

    Raises:
        StorageError, InputFileError: the stored arrays are gone or damaged.
    """
    arrays = lab.arrays(line, "tokens")
    sentences = lab.stored_json(line, "sentences")
    entries = np.flatnonzero(arrays["features"] == index)
    values = np.zeros(len(arrays["pointers"]) - 1)  # (tokens,)
    values[np.searchsorted(arrays["pointers"], entries, side="right") - 1] = arrays["values"][entries]
    tested = stored_pooled(lab, line)
    pooled = None if tested is None else tested.column(index)
    found = []
    for number, sentence in enumerate(sentences):
        row = values[arrays["starts"][number] : arrays["starts"][number + 1]]
        value = (row.mean() if len(row) else 0.0) if pooled is None else pooled[number]
        masked = bool(np.isnan(value))
        found.append(
            {
                "category": sentence["category"],
                "tokens": sentence["tokens"],
                "values": [round(float(value), 4) for value in row],
                "pooled": 0.0 if masked else round(float(value), 5),
                "masked": masked,
            }
        )
    return found


def on_corpus(found: FeatureIndex, feature: int, examples: int = 20) -> dict[str, Any]:
    """What the index says of one feature; the `corpus` field of `features.show` in docs/wire.md."""
    fired, total = int(found.summary["fired"][feature]), float(found.summary["total"][feature])
    return {
        "name": found.meta["corpus"],
        "tokens": found.meta["tokens"],
        "density": found.density(feature),
        "fired": fired,
        "maximum": round(float(found.summary["maximum"][feature]), 4),
        "mean": round(total / fired, 4) if fired else 0.0,
        "histogram": found.histogram(feature),
        "examples": found.examples(feature, examples),
        "quantiles": found.quantiles(feature),
        "random": found.random(feature),
        "moments": found.moments(feature),
        "enriched": found.store.meta["enriched"],
    }
