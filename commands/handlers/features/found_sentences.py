"""What an ensemble of features finds in a corpus: its sentences ranked by the decoder, and how many are on target."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesCompare
from commands.handlers.features.probe_data import ProbeData
from workbench.corpus.sentences import CorpusSentence, corpus_sentences
from workbench.errors import UsageError
from workbench.lab import Lab

if TYPE_CHECKING:
    from workbench.stats import Decoding

NO_JUDGE = "no language model was asked: what is counted are planted concepts and known words only"
_WORD = re.compile(r"[^\W\d_]{3,}")
LEAST_SENTENCES = 3
"""Sentences of the positive class in which a word must stand, and in none of the rest, to be a known word."""
BLOCK = 256


@dataclass
class Finder:
    """The sentences, and what each space's features do on them.

    Attributes:
        words: known words of the concept, in small letters.
        given: whether the user named them.
        concept: the planted concept that the sentences are scored by, or None.
        scores: log odds of every sentence, by arm.
        units: the features read of each space, rising.
        activations: (sentences, units) of each space, pooled as the stimuli were.
    """

    command: FeaturesCompare
    lab: Lab
    sentences: list[CorpusSentence]
    words: frozenset[str]
    given: bool
    concept: str | None
    digest: str
    scores: dict[str, np.ndarray] = field(default_factory=dict)
    units: dict[str, np.ndarray] = field(default_factory=dict)
    activations: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, command: FeaturesCompare, lab: Lab, data: ProbeData) -> Finder:
        """Read the corpus' sentences: those no longer than the longest stimulus, and none of the stimuli."""
        stimuli = [one.text for one in data.stimuli]
        positive = np.array([one.category == data.positive for one in data.stimuli])
        corpus = lab.corpus(command.corpus, command.seed)
        longest = max(len(text) for text in stimuli)

        def readable(text: str) -> bool:
            try:
                lab.model.tokenize(text)
            except UsageError:  # without a token, or longer than the context
                return False
            return True

        found = (
            corpus_sentences(corpus, command.sentences, longest=longest, leave_out=set(stimuli), readable=readable)
            if command.sentences
            else []
        )
        known = {one.concept for one in found}
        words = frozenset(word.casefold() for word in command.words) or telling_words(stimuli, positive)
        concept = data.positive if data.positive in known else None
        return cls(command, lab, found, words, bool(command.words), concept, corpus.digest)

    def found(self, name: str, data: ProbeData, decoded: Decoding) -> dict[str, Any]:
        """The strongest sentences of one ensemble, and how many of them are on target."""
        if not self.sentences:
            return {"sentences": [], "on_concept": None, "on_words": None, "concept_auc": None}
        scores = self.scores[name] = self._scores(data, decoded.leaky_chosen)
        order = np.lexsort((np.arange(len(scores)), -scores))[: self.command.windows]
        rows = [
            {
                "text": self.sentences[place].text,
                "score": float(scores[place]),
                "concept": self.sentences[place].concept,
                "known_word": self._word(self.sentences[place].text),
            }
            for place in order
        ]
        return {
            "sentences": rows,
            "on_concept": None if self.concept is None else _share([row["concept"] == self.concept for row in rows]),
            "on_words": _share([row["known_word"] is not None for row in rows]),
            "concept_auc": self._area(scores),
        }

    def compared(self, pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
        """For each two ensembles, which of them ranks the planted sentences higher; None where none are known."""
        from workbench.stats import compare_auc, holm

        truth = self._truth()
        if truth is None:
            return [None] * len(pairs)
        documents = [one.document for one in self.sentences]
        found = [compare_auc(truth, self.scores[a], self.scores[b], groups=documents) for a, b in pairs]
        return [
            {"difference": one.difference, "interval": list(one.interval), "p": one.p, "p_holm": float(corrected)}
            for one, corrected in zip(found, holm([one.p for one in found]), strict=True)
        ]

    def _area(self, scores: np.ndarray) -> list[float] | None:
        """AUC of the scores for the planted sentences among all, with its interval."""
        from workbench.stats import auc_interval

        truth = self._truth()
        return (
            None
            if truth is None
            else list(auc_interval(truth, scores, groups=[one.document for one in self.sentences]))
        )

    def _truth(self) -> np.ndarray | None:
        """(sentences,) whether each carries the concept; None unless the corpus says, of two at least of each kind."""
        if self.concept is None:
            return None
        truth = np.array([one.concept == self.concept for one in self.sentences])
        return truth if 2 <= truth.sum() <= len(truth) - 2 else None

    def about(self) -> dict[str, Any]:
        """What was searched and how it was scored."""
        concept_rate = word_rate = None
        if self.sentences:
            word_rate = float(np.mean([self._word(one.text) is not None for one in self.sentences]))
            if self.concept is not None:
                concept_rate = float(np.mean([one.concept == self.concept for one in self.sentences]))
        return {
            "corpus": {"name": self.command.corpus.rpartition("/")[2], "sentences": len(self.sentences)},
            "target": {
                "concept": self.concept,
                "concept_rate": concept_rate,
                "words": sorted(self.words)[:50],
                "words_total": len(self.words),
                "words_from": "given" if self.given else "the stimuli",
                "word_rate": word_rate,
                "judge": None,
                "judge_reason": NO_JUDGE,
            },
        }

    def provenance(self) -> dict[str, Any]:
        """Which corpus."""
        return {"corpus": {"ref": self.command.corpus, "digest": self.digest, "sentences": len(self.sentences)}}

    def _word(self, text: str) -> str | None:
        return next((word for word in _words(text) if word in self.words), None)

    def _scores(self, data: ProbeData, units: np.ndarray) -> np.ndarray:
        """Log odds of every sentence from a decoder fitted to all stimuli."""
        from workbench.stats.logistic import ridge_logistic, standardised

        found = self.activations[data.space.name][:, np.searchsorted(self.units[data.space.name], units)]
        train, rest = standardised(data.x[:, units].astype(np.float64), found)
        return ridge_logistic(train, data.labels).scores(rest)

    def read(self, data: ProbeData, units: np.ndarray) -> None:
        """Read the corpus once for all ensembles of a space, in blocks: a wide SAE on many sentences does not fit.

        Args:
            units: the features that any of them holds.
        """
        from workbench.stimuli.activations import stimulus_features

        model, found = self.lab.model, []
        for start in range(0, len(self.sentences), BLOCK):
            texts = [model.tokenize(one.text) for one in self.sentences[start : start + BLOCK]]

            def tick(done: int, _total: int, _text: str, start: int = start) -> None:
                self.lab.tick(start + done, len(self.sentences), "reading the corpus")

            pooled = stimulus_features(model, data.space, texts, self.command.pool, tick).pooled
            found.append(pooled[:, units].astype(np.float64))
        self.units[data.space.name] = units
        self.activations[data.space.name] = np.concatenate(found) if found else np.zeros((0, len(units)))


def telling_words(texts: Sequence[str], labels: np.ndarray) -> frozenset[str]:
    """Words that stand in several positive sentences and in no other: a vocabulary, not a meaning."""
    positive, rest = Counter[str](), set[str]()
    for text, label in zip(texts, labels, strict=True):
        if label:
            positive.update(set(_words(text)))
        else:
            rest.update(_words(text))
    return frozenset(word for word, count in positive.items() if count >= LEAST_SENTENCES and word not in rest)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _share(hits: Sequence[bool]) -> list[float]:
    """Share, with its 95 % interval for as many independent sentences."""
    from workbench.stats.metrics import share_interval

    share = float(np.mean(hits))
    return [share, *(float(end) for end in share_interval(share, len(hits)))]
