"""The pooled activations of a ranking, stored beside it: any feature can be tested again without the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from workbench.lab import Lab
    from workbench.session.log import LogLine

NAME = "pooled"


@dataclass(frozen=True)
class Pooled:
    """One number for each sentence and feature, zeros left out, with the design.

    Attributes:
        pointers: (sentences + 1,) first entry of each sentence.
        features: (entries,) feature of each entry.
        values: (entries,) its pooled activation, float32.
        masked: (sentences,) whether the sentence has no value at all.
        labels: (sentences,) whether the sentence is of the positive class.
        items: (sentences,) codes of matched sentences, or None where labels move freely.
    """

    pointers: np.ndarray
    features: np.ndarray
    values: np.ndarray
    masked: np.ndarray
    labels: np.ndarray
    items: np.ndarray | None = None

    @classmethod
    def of(cls, pooled: np.ndarray, labels: np.ndarray, items: np.ndarray | None = None) -> Pooled:
        """Take the zeros out of pooled activations (sentences, features); a row of NaN is masked."""
        masked = np.isnan(pooled).all(axis=1)
        kept = (pooled != 0) & ~masked[:, None]
        rows, features = np.nonzero(kept)
        counts = np.bincount(rows, minlength=len(pooled))
        pointers = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(pointers, features.astype(np.int32), pooled[kept].astype(np.float32), masked, labels, items)

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays to store."""
        codes = {} if self.items is None else {"items": self.items.astype(np.int32)}
        return {
            "pointers": self.pointers,
            "features": self.features,
            "values": self.values,
            "masked": self.masked.astype(np.int8),
            "labels": self.labels.astype(np.int8),
            **codes,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Pooled:
        """What `arrays` stored."""
        return cls(
            arrays["pointers"],
            arrays["features"],
            arrays["values"],
            arrays["masked"].astype(bool),
            arrays["labels"].astype(bool),
            arrays.get("items"),
        )

    def column(self, feature: int) -> np.ndarray:
        """(sentences,) the pooled activations of a feature, NaN where masked."""
        entries = np.flatnonzero(self.features == feature)
        found = np.zeros(len(self.masked))
        found[np.searchsorted(self.pointers, entries, side="right") - 1] = self.values[entries]
        return np.where(self.masked, np.nan, found)

    def dense(self, width: int) -> np.ndarray:
        """(sentences, width) all of them."""
        found = np.zeros((len(self.masked), width), dtype=np.float32)
        rows = np.repeat(np.arange(len(self.masked)), np.diff(self.pointers))
        found[rows, self.features] = self.values
        found[self.masked] = np.nan
        return found


def stored_pooled(lab: Lab, line: LogLine) -> Pooled | None:
    """The pooled activations of a ranking, or None where it was made by a version that stored none.

    Raises:
        InputFileError: they are damaged.
    """
    if not (lab.record.artifact_path(line) / f"{NAME}.safetensors").exists():
        return None
    return Pooled.from_arrays(lab.arrays(line, NAME))


def ranking_pooled(lab: Lab, line: LogLine) -> Pooled | None:
    """As `stored_pooled`; for a ranking of an older version, from the tokens it kept, which raw units have none of.

    Raises:
        InputFileError: the arrays are damaged.
    """
    found = stored_pooled(lab, line)
    if found is not None:
        return found
    arrays = lab.arrays(line, "tokens")
    if not arrays["features"].size:
        return None
    dense = _from_tokens(arrays, str(line.params.get("pool", "mean")))
    return Pooled.of(dense, arrays["pooled_labels"].astype(bool))


def _from_tokens(arrays: Mapping[str, np.ndarray], pool: str) -> np.ndarray:
    """Whole sentences pooled: (sentences, features)."""
    starts, features = arrays["starts"], arrays["features"]
    tokens = np.repeat(np.arange(len(arrays["pointers"]) - 1), np.diff(arrays["pointers"]))  # (entries,)
    sentence = np.searchsorted(starts, tokens, side="right") - 1
    dense = np.zeros((len(starts) - 1, int(features.max()) + 1))
    if pool == "max":
        np.maximum.at(dense, (sentence, features), arrays["values"])
    elif pool == "last":
        last = tokens == starts[sentence + 1] - 1
        dense[sentence[last], features[last]] = arrays["values"][last]
    else:
        np.add.at(dense, (sentence, features), arrays["values"])
        dense /= np.maximum(np.diff(starts), 1)[:, None]
    return dense
