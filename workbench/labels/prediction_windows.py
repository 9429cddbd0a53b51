"""Drawing windows of quanta: each is a sample in its context, which ends with the predicted token.

The parts of the corpus are those of features' windows: what explains a quantum and what scores its label share no
document. The strength of a sample is the chance the model gave the token, so that the fifth 5 of a quantum is what it
predicts best. A window is silent where another quantum's sample stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.labels.drawing import CONTRAST, EACH_EXPLAINS, QUANTILES, REFERENCE, TOP, Seen, seeded, strongest_first
from workbench.labels.windows import ExplainWindows, Negatives, Part, ReferenceWindows, ScoreWindows, Window, part_of

if TYPE_CHECKING:
    from workbench.predictions.numbering import Numbering

BEFORE = 30
"""Tokens shown before the predicted one."""
_NEIGHBOURS = 10
_TRIES = 8
"""How many places of the corpus are tried for each window that is wanted."""


@dataclass(frozen=True)
class Predictions:
    """Clustered samples.

    Attributes:
        numbering: the predictions of the corpus.
        document: (samples,) of each.
        position: (samples,) its token in the document.
        loss: (samples,) in nats.
        answer: (samples,) token id.
        quantum: (samples,) number of each sample's cluster.
        clusters: (clusters,) their numbers.
        between: (clusters, clusters) mean similarities.
    """

    numbering: Numbering
    document: np.ndarray
    position: np.ndarray
    loss: np.ndarray
    answer: np.ndarray
    quantum: np.ndarray
    clusters: np.ndarray
    between: np.ndarray


class PredictionDraw:
    """Draws windows for the labels of quanta; the same seed draws the same.

    Args:
        samples: what was clustered.
        seed: of every draw.
    """

    def __init__(self, samples: Predictions, seed: int = 0) -> None:
        self.samples = samples
        self.seed = seed
        self._parts: dict[int, Part] = {}
        parts = [self.part(int(document)) for document in samples.document]
        self._of_part = {part: np.array([one == part for one in parts], dtype=bool) for part in set(parts)}
        self._others: list[tuple[int, Window]] | None = None
        self._reference: ReferenceWindows | None = None

    def part(self, document: int) -> Part:
        """The part of the corpus to which a document belongs."""
        if document not in self._parts:
            store = self.samples.numbering.store
            begin, end = int(store.starts[document]), int(store.starts[document + 1])
            self._parts[document] = part_of(store.tokens[begin:end])
        return self._parts[document]

    def alive(self) -> np.ndarray:
        """Numbers of the quanta."""
        return np.unique(self.samples.quantum)

    def logits(self, feature: int) -> dict[str, list[list[Any]]] | None:  # noqa: ARG002 - quanta write no direction
        """None: a quantum is no direction."""
        return None

    def explain(self, feature: int, top: int = TOP, each: int = EACH_EXPLAINS) -> ExplainWindows:
        """The surest predictions of a quantum, some of each fifth, samples of all others and some of the corpus."""
        members = self._members(feature, "explain")
        seen = Seen()
        strongest = self._some(members[np.argsort(self.samples.loss[members], kind="stable")], top, seen)
        windows, fifths = self._by_fifth(feature, "explain", each, seen)
        return ExplainWindows(strongest, strongest_first(windows, fifths), self._contrast(feature))

    def score(self, feature: int, each: int = EACH_EXPLAINS, kinds: Sequence[Negatives] = ("random",)) -> ScoreWindows:
        """Samples of each fifth of a quantum, and as many of other quanta of each kind."""
        seen = Seen()
        active, fifths = self._by_fifth(feature, "score", each, seen)
        negatives = {kind: self._silent(feature, kind, len(active), seen.again()) for kind in kinds}
        return ScoreWindows(tuple(active), tuple(fifths), negatives, marked=True)

    def null(self, feature: int, count: int) -> tuple[Window, ...]:
        """Samples of the documents that score, whatever their quantum."""
        rng = seeded(self.seed, "null", feature)
        return self._some(rng.permutation(np.flatnonzero(self._part("score"))), count, Seen())

    def contrast(self) -> tuple[Window, ...]:
        """Samples of the documents that explain, of all quanta, then places of the corpus."""
        return self._contrast(None)

    def _contrast(self, without: int | None) -> tuple[Window, ...]:
        if self._others is None:
            order = seeded(self.seed, "contrast").permutation(np.flatnonzero(self._part("explain")))[:CONTRAST]
            self._others = [(int(self.samples.quantum[at]), self._cut(int(at))) for at in order]
            self._others += [(-1, window) for window in self._places("corpus", "explain", CONTRAST - len(order))]
        return tuple(window for quantum, window in self._others if quantum != without)

    def reference(self) -> ReferenceWindows:
        """Windows of the documents kept for reference."""
        if self._reference is None:
            self._reference = ReferenceWindows(tuple(self._places("refer", "refer", REFERENCE)))
        return self._reference

    # --- which

    def _part(self, part: Part) -> np.ndarray:
        """(samples,) whether each is in a document of a part."""
        return self._of_part.get(part, np.zeros(len(self.samples.document), dtype=bool))

    def _members(self, quantum: int, part: Part) -> np.ndarray:
        return np.flatnonzero((self.samples.quantum == quantum) & self._part(part))

    def _by_fifth(self, quantum: int, part: Part, each: int, seen: Seen) -> tuple[list[Window], list[int]]:
        """Windows of every fifth of a quantum's samples by their loss, with the fifth of each, 5 the surest."""
        own = np.flatnonzero(self.samples.quantum == quantum)
        order = own[np.argsort(-self.samples.loss[own], kind="stable")]
        inside, rng = self._part(part), seeded(self.seed, part, quantum)
        found: list[Window] = []
        numbers: list[int] = []
        for number, group in enumerate(np.array_split(order, QUANTILES), start=1):
            windows = self._some(rng.permutation(group[inside[group]]), each, seen)
            found += windows
            numbers += [number] * len(windows)
        return found, numbers

    def _silent(self, quantum: int, kind: Negatives, wanted: int, seen: Seen) -> tuple[Window, ...]:
        """Samples of other quanta in the documents that score: of any, of the nearest, or with the same answers."""
        samples = self.samples
        others = (samples.quantum != quantum) & self._part("score")
        if kind == "hard":
            others &= np.isin(samples.answer, np.unique(samples.answer[samples.quantum == quantum]))
        elif kind == "neighbours":
            others &= np.isin(samples.quantum, self._nearest(quantum))
        return self._some(seeded(self.seed, kind, quantum).permutation(np.flatnonzero(others)), wanted, seen)

    def _nearest(self, quantum: int) -> np.ndarray:
        """The most similar quanta: a third of the others, at most ten."""
        place = int(np.flatnonzero(self.samples.clusters == quantum)[0])
        similar = np.nan_to_num(self.samples.between[place].astype(np.float64), nan=-np.inf)
        similar[place] = -np.inf
        count = max(1, min(_NEIGHBOURS, (len(similar) - 1) // 3))
        found: np.ndarray = self.samples.clusters[np.argsort(-similar, kind="stable")[:count]]
        return found

    # --- cutting

    def _some(self, order: Iterable[int] | np.ndarray, wanted: int, seen: Seen) -> tuple[Window, ...]:
        """The first samples, one of a document, that read differently from each other."""
        found: list[Window] = []
        for at in order:
            if len(found) == wanted:
                break
            if seen.document(int(self.samples.document[at])) and seen.text(window := self._cut(int(at))):
                found.append(window)
        return tuple(found)

    def _cut(self, sample: int) -> Window:
        document, position = int(self.samples.document[sample]), int(self.samples.position[sample])
        return self._window(document, position, float(np.exp(-self.samples.loss[sample])))

    def _window(self, document: int, position: int, value: float) -> Window:
        """The tokens up to and with one, special ones at the beginning left out."""
        numbering = self.samples.numbering
        ids, special = numbering.ids(document), set(numbering.store.special)
        first = max(0, position - BEFORE)
        while first < position and int(ids[first]) in special:
            first += 1
        texts = tuple(numbering.store.pieces[int(token)] for token in ids[first : position + 1])
        values = (*(0.0 for _ in texts[1:]), value)
        return Window(texts, values, len(texts) - 1, document, self.part(document))

    def _places(self, name: str, part: Part, wanted: int) -> list[Window]:
        """Windows at drawn places of the corpus in documents of a part."""
        index, rng = self.samples.numbering.index, seeded(self.seed, name)
        total, tries = len(index), _TRIES * max(wanted, 0)
        drawn = rng.permutation(total)[:tries] if total < 4 * tries else rng.integers(total, size=tries)
        found: list[Window] = []
        for document, position in zip(*index.locate(drawn), strict=True):
            if len(found) >= wanted:
                break
            if self.part(int(document)) == part:
                found.append(self._window(int(document), int(position), 0.0))
        return found
