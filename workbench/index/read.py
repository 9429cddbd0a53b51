"""Reading a feature index: memory-mapped, with numpy and no torch; any feature is a few reads."""

from __future__ import annotations

import json
import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.corpus.pieces import Pieces
from workbench.corpus.store import TokenStore, open_digest
from workbench.errors import InputFileError
from workbench.index.mapped import mapped
from workbench.index.sampling import AFTER, BEFORE

FORMAT = 2
_KEY = re.compile(r"[0-9a-f]{8,64}")
META = "meta.json"
ARRAYS = {"pointers": "<i8", "features": "<i4", "offsets": "<i8", "at": "<u4", "values": "<f4"}
HISTOGRAM_BINS = 40
EDGES = np.concatenate([[0.0], 2.0 ** (np.arange(HISTOGRAM_BINS) / 2 - 8)])
"""Edges of the activation histogram: half-octaves from 2^-8, the first bin reaching down to 0."""


def histogram_bins(values: np.ndarray) -> np.ndarray:
    """The bin of each float32 activation in `EDGES`, from its exponent; what is not positive goes into the first."""
    mantissa, exponent = np.frexp(values)
    bins = 2 * exponent + (mantissa >= 2**-0.5) + 15
    return np.where(values > 0, np.clip(bins, 0, HISTOGRAM_BINS - 1), 0)


class FeatureIndex:
    """An index on this machine.

    Attributes:
        meta: what it rests on, and its totals.
        store: the corpus it was built on.
    """

    def __init__(self, folder: Path, store: TokenStore) -> None:
        self.folder = folder
        self.store = store
        self.meta: dict[str, Any] = json.loads((folder / META).read_text("utf-8"))

    @cached_property
    def summary(self) -> dict[str, np.ndarray]:
        """Statistics of every feature; see `index/summary.py`."""
        return mapped(self.folder / "summary.safetensors")

    @property
    def pieces(self) -> Pieces:
        """The text of each token id."""
        return self.store.pieces

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """Non-zeros by token (`pointers`, `features`) and by feature (`offsets`, `at`, `values`), memory-mapped."""
        return {name: self._array(name, kind) for name, kind in ARRAYS.items()}

    def _array(self, name: str, kind: str) -> np.ndarray:
        path = self.folder / f"{name}.bin"
        if not path.exists() or path.stat().st_size == 0:
            return np.zeros(0, kind)
        return np.asarray(np.memmap(path, dtype=kind, mode="r"))  # a plain view is quicker to cut

    @cached_property
    def directions(self) -> np.ndarray:
        """(features, units) unit vectors of the decoder in half precision."""
        return self._array("directions", "<f2").reshape(int(self.meta["features"]), -1)

    def entries(self, feature: int) -> tuple[np.ndarray, np.ndarray]:
        """All tokens on which a feature is active, ascending, and its activation on each: one read."""
        begin, end = int(self.arrays["offsets"][feature]), int(self.arrays["offsets"][feature + 1])
        return self.arrays["at"][begin:end], self.arrays["values"][begin:end]

    def density(self, feature: int) -> float:
        """Share of the corpus' tokens on which the feature is active."""
        return float(self.summary["fired"][feature]) / max(int(self.meta["tokens"]), 1)

    def moments(self, feature: int) -> dict[str, float] | None:
        """Mean, standard deviation, skewness and excess kurtosis of the activations other than 0."""
        fired = int(self.summary["fired"][feature])
        if not fired:
            return None
        one, two, three, four = (
            float(self.summary[name][feature]) / fired for name in ("total", "squares", "cubes", "fourths")
        )
        variance = max(two - one * one, 0.0)
        sd = variance**0.5
        if sd <= 1e-6 * abs(one):
            return {"mean": one, "sd": sd, "skewness": 0.0, "kurtosis": 0.0}
        third = three - 3 * one * two + 2 * one**3
        fourth = four - 4 * one * three + 6 * one * one * two - 3 * one**4
        return {"mean": one, "sd": sd, "skewness": third / sd**3, "kurtosis": fourth / sd**4 - 3}

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

    def examples(self, feature: int, limit: int = 20) -> list[dict[str, Any]]:
        """The strongest windows of a feature, one for each document, repeats left out.

        Returns:
            `{"tokens": [text], "values": [activation], "peak": index of the token that was drawn, "document"}`
        """
        documents = self.summary["document"][feature][:limit]
        return [self.example(feature, number) for number in np.flatnonzero(documents >= 0).tolist()]

    def example(self, feature: int, number: int) -> dict[str, Any]:
        """One of the strongest windows of a feature, 0 for the strongest."""
        document = int(self.summary["document"][feature, number])
        place = int(self.store.starts[document]) + int(self.summary["position"][feature, number])
        return self.window(feature, place, self._kept("top_windows", feature, number))

    def _kept(self, name: str, *place: int) -> np.ndarray | None:
        """The activations that a dense index keeps of a window; None in a sparse one, which has them all."""
        return self.summary[name][place] if name in self.summary else None

    def quantiles(self, feature: int) -> list[dict[str, Any]]:
        """A fair sample of each fifth of the activations, the strongest fifth first.

        Returns:
            `{"low", "high", "examples"}`; a fifth in which there is nothing is left out
        """
        edges, rows = self.summary["edges"][feature], self.summary["sample_at"][feature]
        found = []
        for number in reversed(range(len(rows))):
            windows = [
                self.window(feature, int(place), self._kept("sample_windows", feature, number, slot))
                for slot, place in enumerate(rows[number])
                if place >= 0
            ]
            if windows:
                low, high = (round(float(edge), 4) for edge in edges[number : number + 2])
                found.append({"low": low, "high": high, "examples": windows})
        return found

    def random(self, feature: int) -> list[dict[str, Any]]:
        """A fair sample of all places where the feature is active."""
        return [
            self.window(feature, int(place), self._kept("random_windows", feature, slot))
            for slot, place in enumerate(self.summary["random_at"][feature])
            if place >= 0
        ]

    def window(self, feature: int, place: int, kept: np.ndarray | None = None) -> dict[str, Any]:
        """The tokens around a place in the corpus, within its document, with the feature's activation on each.

        Args:
            kept: activations from `BEFORE` tokens before the place to `AFTER` tokens after it, where the index has
                no list of non-zeros.
        """
        pieces = self.store.pieces
        document = int(self.store.document_of(np.array([place]))[0])
        begin, end = int(self.store.starts[document]), int(self.store.starts[document + 1])
        while begin < place and int(self.store.tokens[begin]) in self._special:  # BOS and the like are not shown
            begin += 1
        first, last = max(begin, place - BEFORE), min(end, place + AFTER + 1)
        if kept is not None:
            origin = place - BEFORE
            values = [round(float(value), 4) for value in kept[first - origin : last - origin]]
        else:
            values = self._values(feature, first, last)
        return {
            "tokens": [pieces[token] for token in self.store.tokens[first:last].tolist()],
            "values": values,
            "peak": place - first,
            "document": document,
        }

    @cached_property
    def _special(self) -> set[int]:
        return set(self.store.special)

    def _values(self, feature: int, first: int, last: int) -> list[float]:
        """Activations of a feature on the tokens first..last."""
        at, values = self.entries(feature)
        low, high = np.searchsorted(at, np.array([first, last], dtype=at.dtype))  # of another type it would copy all
        found = [0.0] * (last - first)
        for place, value in zip(at[low:high].tolist(), values[low:high].tolist(), strict=True):
            found[place - first] = round(value, 4)
        return found

    def logits(self, feature: int) -> dict[str, list[list[Any]]] | None:
        """Tokens that the feature's direction makes likelier (`top`) and unlikelier (`bottom`)."""
        if "up_ids" not in self.summary:
            return None

        def named(kind: str) -> list[list[Any]]:
            ids, values = (self.summary[f"{kind}_{part}"][feature].tolist() for part in ("ids", "values"))
            return [[pieces[token], round(value, 4)] for token, value in zip(ids, values, strict=True)]

        pieces = self.pieces
        return {"top": named("up"), "bottom": named("down")}

    def token_totals(self, feature: int) -> tuple[np.ndarray, np.ndarray]:
        """Token ids on which the feature is active, and the summed activation of each."""
        at, values = self.entries(feature)
        sums = np.bincount(self.store.tokens[at], weights=values, minlength=len(self.pieces))
        ids = np.flatnonzero(sums)
        return ids, sums[ids]

    def frequencies(self) -> np.ndarray:
        """How often each id stands in the indexed part of the corpus, (vocabulary,)."""
        return np.bincount(self.store.tokens[: int(self.meta["tokens"])], minlength=len(self.pieces))

    def check(self) -> None:
        """Compare every file with its digest.

        Raises:
            InputFileError: one is not what it was; the message names it.
        """
        from workbench.digests import file_digest

        for name, digest in self.meta["files"].items():
            path = self.folder / name
            if not path.is_file() or file_digest(path) != digest:
                raise InputFileError(f"{path} is damaged", "Build the index again.")


def open_index(home: Path, entry: dict[str, Any]) -> FeatureIndex | None:
    """The index of a state entry, or None where it or its corpus is not on this machine."""
    if not _KEY.fullmatch(str(entry.get("key", ""))):
        return None  # a session is data from anyone: a key that is a path names no index
    folder = home / "index" / str(entry["key"])
    try:
        stamp = (folder / META).stat()
        return _opened(home, folder, stamp.st_mtime_ns, stamp.st_ino)
    except (OSError, LookupError):
        return None


@lru_cache(maxsize=4)
def _opened(home: Path, folder: Path, _changed: int, _inode: int) -> FeatureIndex:
    """An index stays open, so that the next feature of it costs only its own reads.

    Raises:
        LookupError: it is of another version, or its corpus is gone; both are built again.
    """
    meta = json.loads((folder / META).read_text("utf-8"))
    store = open_digest(home, str(meta["store"])) if meta.get("format") == FORMAT else None
    if store is None:
        raise LookupError(folder)
    return FeatureIndex(folder, store)
