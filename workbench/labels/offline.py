"""The offline labeller: contrastive token statistics, with no model of language and no key.

Words, and pairs of words that stand side by side, are counted in the windows where the feature is strong and in windows
drawn from the corpus. A term counts by its smoothed log odds between the two (Haldane 1956, Anscombe 1956), less two
standard errors (Woolf 1955): what stands everywhere has no odds, and what was seen twice has no certainty. No list of
stop words is used.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workbench.labels.windows import ExplainWindows, Window
from workbench.labels.words import forms_of, lemma, near, words_of

WORDS = 6
NEAR_BEFORE, NEAR_AFTER = 12, 4
"""Tokens of a window that count, before and after its strongest one: about a clause."""
TOP, EACH = 40, 20
"""Windows it looks at, which cost nothing: the strongest, and of each fifth of the activations."""
_CERTAIN = 2.0
_LEAST = 3
_LEAST_ODDS = 1.5
"""Log odds, certain ones, of a term that is named: more than four times as frequent as in the corpus."""
_MORE = 0.8
"""Log odds by which a pair of words has to exceed its words to be named."""


@dataclass(frozen=True)
class OfflineLabel:
    """What the word statistics say about a feature.

    Attributes:
        text: the label: the terms that stand out, strongest first.
        tokens: (term, its log odds less two standard errors) of the terms that stand out.
        covered: share of the windows that hold one of the terms named in the label.
    """

    text: str
    tokens: list[tuple[str, float]]
    covered: float


def suggest(windows: ExplainWindows, words: int = WORDS) -> OfflineLabel | None:
    """A label from the windows that explain a feature; None when no term stands out in them.

    Args:
        windows: what may be seen of the feature.
        words: how many terms the label may name.
    """
    active = [_terms(window) for window in windows.active]
    shown = _commonest_forms(windows.active)
    odds = log_odds(_count(active), _count(_terms(window) for window in windows.contrast), least=_LEAST)
    share = _count(active)
    certain = {term: bound for term, bound in odds.items() if bound > _LEAST_ODDS and _adds(term, odds)}
    worth = {term: bound * share[term] ** 0.25 for term, bound in certain.items()}
    named: list[tuple[str, float]] = []
    for term in sorted(worth, key=lambda term: (-worth[term], term)):
        if not any(_same(term, other) for other, _ in named):
            named.append((term, odds[term]))
    if not named:
        return None
    label = named[:words]
    covered = sum(any(term in held for term, _ in label) for held in active) / len(active)
    top = [(shown.get(term, term), round(bound, 4)) for term, bound in named[: 2 * words]]
    return OfflineLabel(" · ".join(text for text, _ in top[:words]), top, covered)


def log_odds(here: Counter[str], there: Counter[str], least: int = 1) -> dict[str, float]:
    """Log odds of each term of `here` against `there`, less two standard errors.

    With y of all n counts of a side, the odds of a side are (y + 1/2) / (n - y + 1/2), so that a term that stands
    nowhere in the other side has odds as well.

    Args:
        here: counts of terms.
        there: counts to hold them against.
        least: counts below which a term is left out.
    """
    n, m = sum(here.values()), sum(there.values())
    found = {}
    for term, y in here.items():
        if y < least:
            continue
        z = there[term]
        odds = math.log((y + 0.5) / (n - y + 0.5)) - math.log((z + 0.5) / (m - z + 0.5))
        found[term] = odds - _CERTAIN * math.sqrt(1 / (y + 0.5) + 1 / (z + 0.5))
    return found


def _terms(window: Window) -> frozenset[str]:
    return terms_of(near(window.tokens, window.peak, NEAR_BEFORE, NEAR_AFTER))


def terms_of(text: str) -> frozenset[str]:
    """The stems of a text, and its pairs of neighbouring words, each once."""
    words = words_of(text)
    return frozenset(map(lemma, words)) | set(pairs_of(words))


def pairs_of(words: Sequence[str]) -> list[str]:
    """Words side by side; punctuation parts them."""
    return [f"{left} {right}" for left, right in pairwise(words) if left[0].isalnum() and right[0].isalnum()]


def _adds(term: str, odds: dict[str, float]) -> bool:
    """Whether a pair of words says more than either of them alone; a single word always does."""
    parts = term.split()
    return len(parts) == 1 or odds[term] > _MORE + max(odds.get(lemma(part), 0.0) for part in parts)


def _count(windows: Iterable[frozenset[str]]) -> Counter[str]:
    return Counter(term for terms in windows for term in terms)


def _commonest_forms(windows: Sequence[Window]) -> dict[str, str]:
    """The word that stands for a stem most often, as a label is to be read."""
    forms = Counter(form for window in windows for form in forms_of(window.text))
    found: dict[str, str] = {}
    for form, _ in sorted(forms.items(), key=lambda item: (-item[1], item[0])):
        found.setdefault(lemma(form), form)
    return found


def _same(term: str, other: str) -> bool:
    """Whether two terms share a word, so that the second would say nothing new."""
    return bool({lemma(part) for part in term.split()} & {lemma(part) for part in other.split()})
