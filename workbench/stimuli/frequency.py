"""How frequent the words of sentences are in a corpus."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from workbench.corpus.source import Corpus
from workbench.stimuli.words import words_of

READ = 500_000
"""Characters from the start of a corpus that are counted."""


class WordCounts:
    """Words of the start of a corpus.

    Attributes:
        total: words counted, each as often as it stands.
    """

    def __init__(self, corpus: Corpus) -> None:
        self.name = corpus.name
        self._counts: Counter[str] = Counter()
        characters = 0
        for text in corpus.documents():
            self._counts.update(words_of(text))
            characters += len(text)
            if characters >= READ:
                break
        self.total = self._counts.total()

    def zipf(self, word: str) -> float:
        """Log10 of occurrences in a billion words, one added to the count of every word.

        The Zipf scale of van Heuven et al. (2014): 3 and less is rare, 4 and more is frequent.
        """
        return math.log10((self._counts[word] + 1) / (self.total + len(self._counts) + 1) * 1e9)

    def of_sentence(self, text: str) -> float:
        """The mean of its words; NaN where it has none."""
        words = words_of(text)
        return sum(map(self.zipf, words)) / len(words) if words else math.nan

    def known(self, texts: Sequence[str]) -> float:
        """The share of the words of these texts that stand in the corpus at all."""
        words = [word for text in texts for word in words_of(text)]
        return sum(word in self._counts for word in words) / max(len(words), 1)


@lru_cache(maxsize=2)
def word_counts(corpus: Corpus) -> WordCounts:
    """The counts of a corpus; those last asked for stay in memory."""
    return WordCounts(corpus)
