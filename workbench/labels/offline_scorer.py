"""The offline scorer: reads a label's text and a window's text, and nothing else of the feature.

What the label's words go together with comes from reference documents, which neither explained the feature nor are
scored: stretches there that hold the label's terms are held against those that do not, and every term has smoothed
odds between the two. A window is answered with yes where the sum of the odds of one of its stretches is
larger than in most of the reference windows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from workbench.labels.offline import NEAR_AFTER, NEAR_BEFORE, pairs_of, terms_of
from workbench.labels.trials import RELEVANT, Protocol, Question
from workbench.labels.windows import ReferenceWindows
from workbench.labels.words import lemma, near, words_of

_PRIOR = 0.5
_SHARE = 0.1
"""At most this share of the reference stretches, those that hold most of the label, stand for it."""
_YES = 0.85
"""A window is answered with yes where its sum is above this share of those of the reference windows."""
_COMMON = 1.0
"""Rarity in nats below which a term of the label says nothing: it stands in more than a third of all stretches."""
_WORDS, _STEP = 12, 6
"""Words of a stretch, about a clause, and between the beginnings of two of them."""
_LARGEST = 4.0
"""Largest odds of one term, so that no single word decides."""


class OfflineScorer:
    """Answers questions about a label from words.

    Args:
        reference: windows of documents that neither explained nor are scored.
    """

    name = "offline"

    def __init__(self, reference: ReferenceWindows) -> None:
        self._windows = [stretches(window.text) for window in reference.windows]
        self._all = [terms for window in self._windows for terms in window]
        self._counts = Counter(term for terms in self._all for term in terms)
        self._readings: dict[str, _Reading] = {}

    def answers(self, label: str, protocol: Protocol, questions: Sequence[Question]) -> list[int]:
        """1 or 0 for each question, or its rating 0 to 3 under the rubric.

        Args:
            label: the text to answer by.
            protocol: what is asked.
            questions: the windows.
        """
        if label not in self._readings:
            self._readings[label] = self._read(label)
        reading = self._readings[label]
        found = []
        for question in questions:
            said = reading.rating(stretches(_asked_text(question)))
            found.append(said if protocol == "rubric" else int(said >= RELEVANT))
        return found

    def knows(self, label: str) -> int:
        """How many of a label's terms stand in the reference documents."""
        return sum(term in self._counts for term in _label_terms(label))

    def _read(self, label: str) -> _Reading:
        """What the label's terms go together with, and how much of it is enough."""
        total = len(self._all)
        weights = {term: math.log((total + 1) / (self._counts[term] + 1)) - _COMMON for term in _label_terms(label)}
        rarity = {term: weight for term, weight in weights.items() if weight > 0} or dict.fromkeys(weights, 1.0)
        held = np.array([sum(rarity[term] for term in rarity.keys() & terms) for terms in self._all])
        most = max(1, int(_SHARE * total))
        limit = max(float(np.partition(held, total - most)[total - most]), 1e-12) if total else 0.0
        own = [terms for terms, much in zip(self._all, held, strict=True) if much >= limit]
        with_it = Counter(term for terms in own for term in terms)
        odds = _odds(with_it, len(own), self._counts, total)
        sums = [max((_total(terms, odds) for terms in window), default=0.0) for window in self._windows]
        enough, much = np.quantile(sums, [_YES, (1 + _YES) / 2]) if sums else (0.0, 0.0)
        return _Reading(frozenset(rarity), odds, float(enough), float(much))


class _Reading:
    """A label as the reference documents explain it."""

    def __init__(self, terms: frozenset[str], odds: dict[str, float], enough: float, much: float) -> None:
        self._terms, self._odds = terms, odds
        self._enough, self._much = enough, much

    def rating(self, window: Sequence[frozenset[str]]) -> int:
        """3 where much of the label's company is there, 2 where enough is, 1 where a word is shared, else 0."""
        total = max((_total(terms, self._odds) for terms in window), default=0.0)
        if total > 0 and total >= self._enough:
            return 3 if total > self._much else 2
        return 1 if any(terms & self._terms for terms in window) else 0


def stretches(text: str) -> list[frozenset[str]]:
    """The terms of a text, a clause's length at a time."""
    words = words_of(text)
    starts = range(0, max(1, len(words) - _WORDS + _STEP), _STEP)
    return [
        frozenset(map(lemma, words[start : start + _WORDS])) | frozenset(pairs_of(words[start : start + _WORDS]))
        for start in starts
    ]


def _label_terms(label: str) -> frozenset[str]:
    """The stems of a label, and its pairs of words; the dot between the terms of a list is no word."""
    parts = [(part, terms_of(part)) for part in label.split("·")]
    pairs = [frozenset(pairs_of(words_of(part))) if len(words_of(part)) == 2 else frozenset() for part, _ in parts]
    return frozenset(term for (_, terms), pair in zip(parts, pairs, strict=True) for term in pair or terms)


def _asked_text(question: Question) -> str:
    """The window, or of a marked one what stands around the marks."""
    if not question.marks:
        return question.text
    return " ".join(near(question.tokens, mark, NEAR_BEFORE, NEAR_AFTER) for mark in question.marks)


def _odds(here: Counter[str], n: int, all_of_it: Counter[str], total: int) -> dict[str, float]:
    """Log odds of standing in the stretches that hold the label rather than in the others, where they are certain."""
    found = {}
    for term, y in here.items():
        rest = all_of_it[term] - y
        first, second = (y + _PRIOR) / (n + 2 * _PRIOR), (rest + _PRIOR) / (total - n + 2 * _PRIOR)
        odds = math.log(first / second)
        doubt = math.sqrt(1 / (y + _PRIOR) + 1 / (rest + _PRIOR))
        if abs(odds) > 2 * doubt:
            found[term] = max(-_LARGEST, min(_LARGEST, odds))
    return found


def _total(terms: frozenset[str], odds: dict[str, float]) -> float:
    return math.fsum(odds.get(term, 0.0) for term in terms)
