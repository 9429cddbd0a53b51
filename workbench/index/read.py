"""Reading a feature index: memory-mapped, with numpy and no torch."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
ARRAYS = {"tokens": "<i4", "starts": "<i8", "pointers": "<i8", "features": "<i4", "values": "<f4"}
HISTOGRAM_BINS = 40
EDGES = np.concatenate([[0.0], 2.0 ** (np.arange(HISTOGRAM_BINS) / 2 - 8)])
"""Edges of the activation histogram: half-octaves from 2^-8, the first bin reaching down to 0."""


class FeatureIndex:
    """An index on this machine.

    Attributes:
        meta: what it rests on, and its totals.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta: dict[str, Any] = json.loads((folder / "meta.json").read_text("utf-8"))

    @cached_property
    def summary(self) -> dict[str, np.ndarray]:
        """Statistics of every feature; see `index.build`."""
        from safetensors.numpy import load_file

        found: dict[str, np.ndarray] = load_file(self.folder / "summary.safetensors")
        return found

    @cached_property
    def pieces(self) -> list[str]:
        """The text of each token id."""
        found: list[str] = json.loads((self.folder / "pieces.json").read_text("utf-8"))
        return found

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """Tokens and non-zeros, memory-mapped."""
        return {
            name: np.memmap(self.folder / f"{name}.bin", dtype=kind, mode="r") if self._has(name) else np.zeros(0, kind)
            for name, kind in ARRAYS.items()
        }

    def _has(self, name: str) -> bool:
        return (self.folder / f"{name}.bin").stat().st_size > 0

    def density(self, feature: int) -> float:
        """Share of the corpus' tokens on which the feature is active."""
        return float(self.summary["fired"][feature]) / max(int(self.meta["tokens"]), 1)

    def histogram(self, feature: int) -> dict[str, list[float]]:
        """Counts of the feature's activations in half-octaves, empty ends cut off."""
        counts = self.summary["histogram"][feature]
        used = np.flatnonzero(counts)
        if len(used) == 0:
            return {"edges": [], "counts": []}
        first, last = int(used[0]), int(used[-1]) + 1
        return {
            "edges": [round(float(edge), 6) for edge in EDGES[first : last + 1]],
            "counts": [int(count) for count in counts[first:last]],
        }

    def examples(self, feature: int, limit: int = 20, before: int = 20, after: int = 10) -> list[dict[str, Any]]:
        """The strongest windows of a feature, one for each document, repeats left out.

        Returns:
            `{"tokens": [text], "values": [activation], "peak": index of the strongest token, "document"}`
        """
        found: list[dict[str, Any]] = []
        seen: set[tuple[str, ...]] = set()
        for document, position in zip(
            self.summary["document"][feature], self.summary["position"][feature], strict=True
        ):
            if document < 0 or len(found) >= limit:
                break
            window = self._window(feature, int(document), int(position), before, after)
            text = tuple(window["tokens"])
            if text not in seen:
                seen.add(text)
                found.append(window)
        return found

    def _window(self, feature: int, document: int, position: int, before: int, after: int) -> dict[str, Any]:
        starts = self.arrays["starts"]
        begin, end = int(starts[document]), int(starts[document + 1])
        opened = 1 if self.meta.get("opened", 1) else 0  # a first token that opens the text, such as BOS, is not shown
        first = max(begin + opened, begin + position - before)
        last = min(end, begin + position + after + 1)
        return {
            "tokens": [self.pieces[token] for token in self.arrays["tokens"][first:last]],
            "values": [self._value(token, feature) for token in range(first, last)],
            "peak": begin + position - first,
            "document": document,
        }

    def _value(self, token: int, feature: int) -> float:
        begin, end = int(self.arrays["pointers"][token]), int(self.arrays["pointers"][token + 1])
        row = self.arrays["features"][begin:end]
        found = np.searchsorted(row, feature)
        hit = found < len(row) and row[found] == feature
        return round(float(self.arrays["values"][begin + found]), 4) if hit else 0.0

    def logits(self, feature: int) -> dict[str, list[list[Any]]] | None:
        """Tokens that the feature's direction makes likelier (`top`) and unlikelier (`bottom`)."""
        if "up_ids" not in self.summary:
            return None

        def named(kind: str) -> list[list[Any]]:
            ids, values = self.summary[f"{kind}_ids"][feature], self.summary[f"{kind}_values"][feature]
            return [[self.pieces[token], round(float(value), 4)] for token, value in zip(ids, values, strict=True)]

        return {"top": named("up"), "bottom": named("down")}

    def token_totals(self, feature: int) -> tuple[np.ndarray, np.ndarray]:
        """Token ids on which the feature is active, and the summed activation of each.

        Reads the non-zeros once, in blocks, so that memory stays bounded.
        """
        features, pointers = self.arrays["features"], self.arrays["pointers"]
        size = len(self.pieces)
        sums = np.zeros(size)
        for begin in range(0, len(features), 4_000_000):
            hits = begin + np.flatnonzero(features[begin : begin + 4_000_000] == feature)
            tokens = np.searchsorted(pointers, hits, side="right") - 1
            np.add.at(sums, self.arrays["tokens"][tokens], self.arrays["values"][hits])
        ids = np.flatnonzero(sums)
        return ids, sums[ids]


def open_index(home: Path, entry: dict[str, Any]) -> FeatureIndex | None:
    """The index of a state entry, or None where it is not on this machine."""
    folder = home / "index" / str(entry["key"])
    return FeatureIndex(folder) if (folder / "meta.json").exists() else None
