"""Drawing windows from a feature index: to explain, to score, to refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from workbench.index.read import FeatureIndex
from workbench.index.sampling import AFTER, BEFORE
from workbench.labels.windows import ExplainWindows, Negatives, Part, ReferenceWindows, ScoreWindows, Window, part_of

QUANTILES = 5
TOP, EACH_EXPLAINS, CONTRAST = 10, 6, 2000
"""Windows that explain: the strongest, of each fifth of the activations, and drawn from all."""
REFERENCE = 1500
_TRIES = 30
"""How many places are tried for each negative that is wanted."""
_NEIGHBOURS = 10
_MOST_MASS = 0.8
"""Share of the activation on the tokens with which hard negatives share theirs."""


class Drawing(Protocol):
    """Draws windows of what is labelled by its number: a feature, a cluster or a quantum."""

    seed: int

    def alive(self) -> np.ndarray:
        """Numbers of those that have windows."""
        ...

    def logits(self, feature: int) -> dict[str, list[list[Any]]] | None:
        """Next tokens made likelier (`top`) and unlikelier (`bottom`), or None."""
        ...

    def explain(self, feature: int, top: int = ..., each: int = ...) -> ExplainWindows:
        """What a labeller may see."""
        ...

    def score(self, feature: int, each: int = ..., kinds: Sequence[Negatives] = ...) -> ScoreWindows:
        """What a scorer is asked about."""
        ...

    def null(self, feature: int, count: int) -> tuple[Window, ...]:
        """Windows of the documents that score which have nothing to do with it."""
        ...

    def contrast(self) -> tuple[Window, ...]:
        """Windows of the documents that explain, whatever it does there."""
        ...

    def reference(self) -> ReferenceWindows:
        """Windows of the documents that neither explain nor score."""
        ...


def seeded(seed: int, *what: str | int) -> np.random.Generator:
    """A generator for one kind of draw."""
    words = [item if isinstance(item, int) else int.from_bytes(item.encode()[:8], "little") for item in what]
    return np.random.default_rng([seed, *words])


class Draw:
    """Draws windows for labels of features, or of clusters; the same seed draws the same.

    Args:
        index: where features fire.
        seed: of every draw.
    """

    def __init__(self, index: FeatureIndex, seed: int = 0) -> None:
        self.index = index
        self.seed = seed
        self._parts: dict[int, Part] = {}
        self._tokens = int(index.meta["tokens"])
        self._contrast: tuple[Window, ...] | None = None
        self._reference: ReferenceWindows | None = None

    def alive(self) -> np.ndarray:
        """Numbers of the features that fire."""
        return np.flatnonzero(self.index.summary["fired"] > 0)

    def logits(self, feature: int) -> dict[str, list[list[Any]]] | None:
        """Next tokens that the feature makes likelier (`top`) and unlikelier (`bottom`)."""
        return self.index.logits(feature)

    def part(self, document: int) -> Part:
        """The part of the corpus to which a document belongs."""
        if document not in self._parts:
            starts = self.index.store.starts
            self._parts[document] = part_of(self.index.store.tokens[int(starts[document]) : int(starts[document + 1])])
        return self._parts[document]

    def explain(self, feature: int, top: int = TOP, each: int = EACH_EXPLAINS) -> ExplainWindows:
        """The strongest windows of a feature, some of each fifth of its activations, and some of the corpus."""
        at, values = self._entries(feature)
        seen = Seen()
        strongest = self._some(feature, at[np.argsort(-values, kind="stable")], "explain", top, seen)
        windows, fifths = self._by_fifth(feature, "explain", each, seen)
        return ExplainWindows(strongest, strongest_first(windows, fifths), self.contrast())

    def score(self, feature: int, each: int = EACH_EXPLAINS, kinds: Sequence[Negatives] = ("random",)) -> ScoreWindows:
        """Windows of each fifth of a feature's activations, and as many where it is silent of each kind."""
        seen = Seen()
        active, fifths = self._by_fifth(feature, "score", each, seen)
        negatives = {kind: self._silent(feature, kind, len(active), seen.again()) for kind in kinds}
        return ScoreWindows(tuple(active), tuple(fifths), negatives)

    def null(self, feature: int, count: int) -> tuple[Window, ...]:
        """Windows of the documents that score, around places that have nothing to do with the feature."""
        rng = self._rng("null", feature)
        return self._some(feature, self._places(rng, count * _TRIES), "score", count, Seen())

    def contrast(self) -> tuple[Window, ...]:
        """Windows of the documents that explain; the same for every feature, whatever it does there."""
        if self._contrast is None:
            places = self._places(self._rng("contrast"), 4 * CONTRAST)
            self._contrast = tuple(self._cut(place) for place in self._of_part(places, "explain", CONTRAST))
        return self._contrast

    def reference(self) -> ReferenceWindows:
        """Windows of the documents kept for reference."""
        if self._reference is None:
            places = self._places(self._rng("refer"), 8 * REFERENCE)
            cut = tuple(self._cut(place) for place in self._of_part(places, "refer", REFERENCE))
            self._reference = ReferenceWindows(cut)
        return self._reference

    def _rng(self, *what: str | int) -> np.random.Generator:
        return seeded(self.seed, *what)

    def _entries(self, feature: int) -> tuple[np.ndarray, np.ndarray]:
        at, values = self.index.entries(feature)
        return np.asarray(at).astype(np.int64), np.asarray(values)

    def _places(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Places in the indexed corpus in a drawn order, special tokens left out."""
        few = self._tokens < 4 * count
        drawn = rng.permutation(self._tokens)[:count] if few else rng.integers(self._tokens, size=count)
        found: np.ndarray = drawn[~np.isin(self.index.store.tokens[drawn], self.index.store.special)]
        return found

    def _of_part(self, places: Iterable[int] | np.ndarray, part: Part, limit: int | None = None) -> Iterator[int]:
        """The places that are in documents of a part, in their order."""
        given = 0
        for place in places:
            if given == limit:
                return
            if self.part(self._document(int(place))) == part:
                given += 1
                yield int(place)

    def _document(self, place: int) -> int:
        return int(np.searchsorted(self.index.store.starts, place, side="right")) - 1

    def _some(
        self, feature: int, places: Iterable[int] | np.ndarray, part: Part, wanted: int, seen: Seen
    ) -> tuple[Window, ...]:
        """The first windows around these places, one of a document, that read differently from each other."""
        found: list[Window] = []
        for place in self._of_part(places, part):
            if len(found) == wanted:
                break
            if seen.document(self._document(place)) and seen.text(window := self._cut(place, feature)):
                found.append(window)
        return tuple(found)

    def _by_fifth(self, feature: int, part: Part, each: int, seen: Seen) -> tuple[list[Window], list[int]]:
        """Windows around tokens of every fifth of a feature's activation, with the fifth of each, 1 the weakest.

        A token is drawn with a chance that is proportional to its activation: a fair draw of tokens would be
        mostly of the feature's weak tail.
        """
        at, values = self._entries(feature)
        fifths = np.searchsorted(mass_edges(values), values, side="right")
        race = self._rng(part, feature).exponential(size=len(values)) / np.maximum(values, 1e-12)
        found: list[Window] = []
        numbers: list[int] = []
        for number in range(QUANTILES):
            mine = np.flatnonzero(fifths == number)
            windows = self._some(feature, at[mine[np.argsort(race[mine], kind="stable")]], part, each, seen)
            found += windows
            numbers += [number + 1] * len(windows)
        return found, numbers

    def _silent(self, feature: int, kind: Negatives, wanted: int, seen: Seen) -> tuple[Window, ...]:
        """Windows of the documents that score in which the feature fires nowhere."""
        rng = self._rng(kind, feature)
        places = (place for place in self._candidates(feature, kind, wanted, rng) if not self._fires(feature, place))
        return self._some(feature, places, "score", wanted, seen)

    def _candidates(self, feature: int, kind: Negatives, wanted: int, rng: np.random.Generator) -> Iterator[int]:
        if kind == "neighbours":
            yield from self._of_neighbours(feature, wanted, rng)
        elif kind == "hard":
            yield from self._same_tokens(feature, rng)
        else:
            yield from (int(place) for place in self._places(rng, wanted * _TRIES))

    def _of_neighbours(self, feature: int, wanted: int, rng: np.random.Generator) -> Iterator[int]:
        """Places of the features whose decoder directions are nearest, one of each in turn."""
        directions = self.index.directions.astype(np.float32)
        cosines = directions @ directions[feature]
        cosines[feature] = -np.inf
        near = np.argsort(-cosines, kind="stable")[:_NEIGHBOURS]
        places = [rng.permutation(self._entries(int(other))[0])[: wanted * _TRIES] for other in near]
        for turn in range(max((len(row) for row in places), default=0)):
            yield from (int(row[turn]) for row in places if turn < len(row))

    def _same_tokens(self, feature: int, rng: np.random.Generator) -> Iterator[int]:
        """Places with the tokens on which the feature has most of its activation, which read alike."""
        ids, mass = self.index.token_totals(feature)
        order = np.argsort(-mass, kind="stable")
        enough = int(np.searchsorted(np.cumsum(mass[order]), _MOST_MASS * mass.sum())) + 1
        same = np.flatnonzero(np.isin(self.index.store.tokens[: self._tokens], ids[order[:enough]]))
        yield from (int(place) for place in rng.permutation(same))

    def _fires(self, feature: int, place: int) -> bool:
        """Whether the feature is active in the window around a place."""
        at = self.index.entries(feature)[0]
        low, high = np.searchsorted(at, np.array([max(0, place - BEFORE), place + AFTER + 1], dtype=at.dtype))
        return bool(high > low)

    def _cut(self, place: int, feature: int = -1) -> Window:
        """The window around a place, with a feature's activations; with 0 where none is named."""
        kept = np.zeros(BEFORE + AFTER + 1, dtype=np.float32) if feature < 0 else None
        found = self.index.window(max(feature, 0), place, kept)
        document = int(found["document"])
        tokens, values = tuple(found["tokens"]), tuple(found["values"])
        return Window(tokens, values, int(found["peak"]), document, self.part(document))


def strongest_first(windows: Sequence[Window], fifths: Sequence[int]) -> tuple[tuple[Window, ...], ...]:
    """Windows of each fifth of the activations, the strongest fifth first."""
    return tuple(
        tuple(window for window, fifth in zip(windows, fifths, strict=True) if fifth == number)
        for number in range(QUANTILES, 0, -1)
    )


def mass_edges(values: np.ndarray) -> np.ndarray:
    """Activations that part a feature's activations into groups of equal sum, (QUANTILES - 1,)."""
    if len(values) == 0:
        return np.zeros(QUANTILES - 1)
    ordered = np.sort(values.astype(np.float64))
    sums = np.cumsum(ordered)
    places = np.searchsorted(sums, sums[-1] * np.arange(1, QUANTILES) / QUANTILES)
    found: np.ndarray = ordered[np.minimum(places, len(ordered) - 1)]
    return found


class Seen:
    """Documents and texts of windows that were drawn already: a document gives one window, a text is shown once."""

    def __init__(self, documents: Iterable[int] = (), texts: Iterable[str] = ()) -> None:
        self._documents, self._texts = set(documents), set(texts)

    def document(self, number: int) -> bool:
        """Whether a document is new; from then on it is not."""
        new = number not in self._documents
        self._documents.add(number)
        return new

    def text(self, window: Window) -> bool:
        """Whether a window reads like none before; from then on one does."""
        new = window.text not in self._texts
        self._texts.add(window.text)
        return new

    def again(self) -> Seen:
        """A copy that goes its own way."""
        return Seen(self._documents, self._texts)
